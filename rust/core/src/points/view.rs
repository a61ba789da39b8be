//! A file as the planning of its points looks at it.

use std::cell::OnceCell;
use std::collections::HashMap;

use crate::control;
use crate::model::{BlockId, FileSyntax, Func, FuncId, Lines, Owner, Reason, Span, StmtId};
use crate::token::{TokenKind, Word};

use super::ignore::ignored_spans;
use super::input::Input;
use super::unit::Unit;

/// What a token is a part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Of(Owner),
    /// The post statement of a `for`, which does not run when the `for` does.
    Post(StmtId),
}

/// Whether a function's name is `_`: go checks its body and never compiles it.
fn is_blank(func: &Func) -> bool {
    !func.literal && (func.name == "_" || func.name.ends_with("._"))
}

/// The `break`, `continue` and `goto` statements of a file, in order.
#[derive(Debug, Default)]
pub(super) struct Jumps<'a> {
    /// By function and label.
    pub(super) to_label: HashMap<(FuncId, &'a [u8]), Vec<StmtId>>,
    /// By the statement that a `break` or `continue` is about.
    pub(super) about: HashMap<StmtId, Vec<StmtId>>,
}

/// The input with what is derived from it once.
#[derive(Debug)]
pub(super) struct View<'a> {
    pub(super) source: &'a [u8],
    pub(super) tokens: &'a [crate::token::Token],
    pub(super) syntax: &'a FileSyntax,
    pub(super) lines: &'a Lines,
    pub(super) words: &'a [Word<'a>],
    pub(super) import_path: &'a str,
    pub(super) file: &'a str,
    ignored: Vec<Span>,
    /// Functions with a damaged part.
    damaged: Vec<FuncId>,
    /// The indices of each owner's words, once somebody asks for those of a long span.
    owned: OnceCell<HashMap<Owner, Vec<usize>>>,
    /// Filled by who first asks where jumps lead.
    pub(super) jumps: OnceCell<Jumps<'a>>,
}

/// From so many words on it pays to sort all of the file by owner: of statements within
/// statements each would otherwise look through all that stand inside it.
const LONG: usize = 512;

impl<'a> View<'a> {
    pub(super) fn new(input: &Input<'a>) -> Self {
        Self {
            source: input.source,
            tokens: input.tokens,
            syntax: input.syntax,
            lines: input.lines,
            words: input.words,
            import_path: input.import_path,
            file: input.file,
            ignored: ignored_spans(input),
            damaged: input
                .syntax
                .errors
                .iter()
                .filter_map(|error| error.func)
                .collect(),
            owned: OnceCell::new(),
            jumps: OnceCell::new(),
        }
    }

    /// The words in a span that are an owner's own; automatic semicolons are nobody's.
    pub(super) fn own(&self, span: Span, owner: Owner) -> Vec<&Word<'a>> {
        control::step();
        let words = self.words_in(span);
        let real = |w: &&Word<'_>| w.token.span.start < w.token.span.end;
        if words.len() < LONG {
            let own = words.iter().filter(real);
            let own = own.filter(|w| self.syntax.owner(w.token.span.start) == Some(owner));
            return own.collect();
        }
        let all = self.owned.get_or_init(|| self.by_owner());
        let indices = all.get(&owner).map_or(&[][..], Vec::as_slice);
        // They are in the order of the text.
        let starts_before =
            |end: usize| indices.partition_point(|&index| self.words[index].token.span.start < end);
        let own = indices[starts_before(span.start)..starts_before(span.end)].iter();
        own.map(|&index| &self.words[index]).filter(real).collect()
    }

    fn by_owner(&self) -> HashMap<Owner, Vec<usize>> {
        let mut owned: HashMap<Owner, Vec<usize>> = HashMap::new();
        for (index, word) in self.words.iter().enumerate() {
            if let Some(owner) = self.syntax.owner(word.token.span.start) {
                owned.entry(owner).or_default().push(index);
            }
        }
        owned
    }

    /// The statements before one in its list.
    pub(super) fn stmts_before(&self, id: StmtId) -> &'a [StmtId] {
        let stmt = &self.syntax.stmts[id];
        let list = &self.syntax.blocks[stmt.block].stmts;
        let earlier = |other: &StmtId| self.syntax.stmts[*other].span.start < stmt.span.start;
        let near = list.partition_point(earlier);
        let at = list[near..].iter().position(|&other| other == id);
        &list[..at.map_or(0, |after| near + after)]
    }

    /// The words that lie in a span.
    pub(super) fn words_in(&self, span: Span) -> &'a [Word<'a>] {
        let from = self
            .words
            .partition_point(|w| w.token.span.start < span.start);
        let to = self
            .words
            .partition_point(|w| w.token.span.start < span.end);
        &self.words[from..to.max(from)]
    }

    /// What stands on a line, in order; a stray token is an error's.
    pub(super) fn parts_on(&self, line: u32) -> Vec<Part> {
        let span = self.lines.span(line);
        let from = self.tokens.partition_point(|t| t.span.end <= span.start);
        let here = self.tokens[from..]
            .iter()
            .take_while(|t| t.span.start < span.end);
        let mut parts = Vec::new();
        let code = here.filter(|t| t.kind != TokenKind::Comment && !t.is_semicolon(self.source));
        for token in code {
            control::step();
            let stray = (token.kind == TokenKind::Illegal).then_some(Owner::Error);
            if let Some(owner) = self.syntax.owner(token.span.start).or(stray) {
                let part = self.part(owner, token.span.start);
                if !parts.contains(&part) {
                    parts.push(part);
                }
            }
        }
        // The point before a `for` vouches for its whole line.
        let whole = |id: &StmtId| parts.contains(&Part::Of(Owner::Stmt(*id)));
        let shared = |part: &Part| matches!(part, Part::Post(id) if whole(id));
        parts.iter().copied().filter(|part| !shared(part)).collect()
    }

    /// Whether a case expression stands on a line that also runs where another clause, or
    /// none, is taken.
    pub(super) fn runs_untaken(&self, line: u32) -> bool {
        let span = self.lines.span(line);
        let from = self
            .syntax
            .owners
            .partition_point(|(at, _)| at.end <= span.start);
        let mut here = self.syntax.owners[from..]
            .iter()
            .take_while(|(at, _)| at.start < span.end);
        here.any(|(at, owner)| {
            let Owner::Clause(id) = owner else {
                return false;
            };
            let later = self.syntax.blocks[*id].later;
            later.is_some_and(|later| later.overlaps(*at) && later.overlaps(span))
        })
    }

    /// What a token belongs to, given its owner.
    fn part(&self, owner: Owner, at: usize) -> Part {
        let inside = |span: &Option<Span>| span.is_some_and(|span| span.contains(at));
        match owner {
            Owner::Stmt(id) if inside(&self.syntax.stmts[id].post) => Part::Post(id),
            Owner::Clause(id) if inside(&self.syntax.blocks[id].operands) => {
                let stmt = self.syntax.blocks[id].owner;
                stmt.map_or(Part::Of(owner), |stmt| Part::Of(Owner::Stmt(stmt)))
            }
            _ => Part::Of(owner),
        }
    }

    /// Whether a line lies in the comment before `import "C"`.
    pub(super) fn in_preamble(&self, line: u32) -> bool {
        self.syntax
            .cgo_preambles
            .iter()
            .any(|span| span.overlaps(self.lines.span(line)))
    }

    /// Whether a `//goat:ignore` covers a span.
    pub(super) fn ignored(&self, span: Span) -> bool {
        self.ignored.iter().any(|ignored| ignored.encloses(span))
    }

    /// Whether a function has a part that does not parse.
    pub(super) fn is_damaged(&self, func: FuncId) -> bool {
        self.damaged.contains(&func)
    }

    /// Why no point may stand in this list for the code at `span`.
    pub(super) fn closed(&self, block: BlockId, span: Span) -> Option<Reason> {
        if self.ignored(span) {
            return Some(Reason::IgnoreTag);
        }
        let mut func = Some(self.syntax.blocks[block].func);
        while let Some(id) = func {
            control::step();
            if is_blank(&self.syntax.funcs[id]) {
                return Some(Reason::NotInBuild);
            }
            if self.is_damaged(id) {
                return Some(Reason::SyntaxError);
            }
            if self.syntax.funcs[id].nosplit {
                return Some(Reason::Nosplit);
            }
            func = self.syntax.funcs[id].parent;
        }
        None
    }

    /// Whether an initialiser is `(*T)(nil)`, by which one asks the compiler whether a
    /// type satisfies an interface: a conversion, though it looks like a call.
    pub(super) fn is_guard(&self, spec: Span) -> bool {
        let words = self.words_in(spec);
        let texts: Vec<&[u8]> = words.iter().map(|w| &*w.text).collect();
        let value = texts.iter().position(|text| *text == b"=");
        let Some([b"(", b"*", kind @ .., b")", b"(", b"nil", b")"]) =
            value.map(|at| &texts[at + 1..])
        else {
            return false;
        };
        kind.iter().all(|text| !matches!(*text, b"(" | b")" | b","))
    }

    /// Whether a token of the statement's own condition is among the touched ones.
    pub(super) fn condition_changed(&self, id: StmtId, touched: &[Span]) -> bool {
        self.syntax.stmts[id].condition.iter().any(|condition| {
            let from = touched.partition_point(|t| t.start < condition.start);
            let inside = touched[from..]
                .iter()
                .take_while(|t| t.start < condition.end);
            inside
                .filter(|t| t.start < t.end)
                .any(|t| self.syntax.owner(t.start) == Some(Owner::Stmt(id)))
        })
    }

    /// The function whose code a unit is; `None` for a package variable.
    pub(super) fn func_of(&self, unit: &Unit) -> Option<FuncId> {
        let block = match unit {
            Unit::Stmts(stmts) => self.syntax.stmts[stmts[0]].block,
            Unit::Post(stmt) => self.syntax.stmts[*stmt].block,
            Unit::List(block) | Unit::Body(block) => *block,
            Unit::Var(_) => return None,
        };
        Some(self.syntax.blocks[block].func)
    }

    /// Whether a unit stands in a declared function; else in a package variable's value.
    pub(super) fn is_declared(&self, unit: &Unit) -> bool {
        let funcs = &self.syntax.funcs;
        let mut around = self.func_of(unit);
        while let Some(parent) = around.and_then(|id| funcs[id].parent) {
            control::step();
            around = Some(parent);
        }
        around.is_some_and(|id| !funcs[id].literal)
    }

    /// The name of the function or variable around a unit.
    pub(super) fn name(&self, unit: &Unit) -> &'a str {
        match unit {
            Unit::Var(id) => {
                let names = &self.syntax.vars[*id].names;
                names
                    .iter()
                    .find(|name| *name != "_")
                    .map_or("_", String::as_str)
            }
            _ => self
                .func_of(unit)
                .map_or("", |func| self.syntax.funcs[func].name.as_str()),
        }
    }
}
