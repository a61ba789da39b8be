//! Whether a function is certainly too large, or of a kind, to be inlined.
//!
//! In such a function a point may call on its first hit. In any other it stores:
//! what is inlined into a hot loop should stay without a call. In most builds neither
//! form counts in the inliner's budget (`instrument`); where one does, the exact form
//! adds 66 to a function's cost (the budget is 80). The cost is estimated from below:
//! what is not certain to cost something counts nothing.

use std::collections::{HashMap, HashSet};

use crate::control;
use crate::model::{BlockId, BlockKind, Form, FormReason, FuncId, Owner, Span, StmtId, StmtKind};
use crate::token::{TokenKind, Word};

use super::unit::Unit;
use super::view::View;

/// Above this estimate a function is out of the inliner's reach. The compiler's
/// budget is 80; the rest is a margin for what an estimate over tokens cannot see.
const CERTAIN: usize = 100;

/// With more words than this a function may reach 5,000 nodes, points included. Into
/// such a function the compiler inlines only what costs at most 20.
const LARGE: usize = 2_500;

/// With more points than this a function is crowded. A guard is a branch and two blocks,
/// and several passes of the compiler take more than linear time over blocks; a call
/// costs it no more than one of cmd/cover's counters.
const CROWDED: usize = 256;

/// Remembers the verdict per function.
pub(super) struct Forms<'v, 'a> {
    view: &'v View<'a>,
    known: HashMap<FuncId, Form>,
    /// How many points a function has.
    counts: HashMap<FuncId, usize>,
}

impl<'v, 'a> Forms<'v, 'a> {
    /// `units` are those of all points of the file.
    pub(super) fn new<'u>(view: &'v View<'a>, units: impl Iterator<Item = &'u Unit>) -> Self {
        let mut counts = HashMap::new();
        for func in units.filter_map(|unit| view.func_of(unit)) {
            *counts.entry(func).or_default() += 1;
        }
        Self {
            view,
            known: HashMap::new(),
            counts,
        }
    }

    /// The form of this unit's point.
    pub(super) fn of(&mut self, unit: &Unit) -> Form {
        let Some(func) = self.view.func_of(unit) else {
            return Form {
                exact: true,
                reason: FormReason::Variable,
                cost: None,
                large: false,
                crowded: false,
            };
        };
        let (view, count) = (self.view, self.counts.get(&func).copied());
        let known = self.known.entry(func);
        *known.or_insert_with(|| form(view, func, count.unwrap_or(0)))
    }
}

fn form(view: &View<'_>, id: FuncId, points: usize) -> Form {
    let (mut reason, mut cost) = reason(view, id, locals(view, id));
    let mut crowded = points > CROWDED;
    if crowded && reason == FormReason::MayInline {
        // What a parameter decides is decided at run time.
        let mut names = locals(view, id);
        names.extend(parameters(view, id));
        (reason, cost) = self::reason(view, id, names);
        crowded = reason != FormReason::MayInline;
    }
    if crowded {
        reason = FormReason::Crowded;
    }
    Form {
        exact: reason != FormReason::MayInline,
        reason,
        cost,
        crowded,
        large: view.words_in(view.syntax.funcs[id].span).len() > LARGE,
    }
}

fn reason<'x>(
    view: &'x View<'_>,
    id: FuncId,
    locals: HashSet<&'x [u8]>,
) -> (FormReason, Option<usize>) {
    let func = &view.syntax.funcs[id];
    let Some(body) = func.body else {
        return (FormReason::Starter, None);
    };
    let starter = !func.literal && matches!(func.name.as_str(), "init" | "main");
    if starter && (func.name == "init" || view.syntax.package == "main") {
        return (FormReason::Starter, None);
    }
    if noinline(view, func.span) {
        return (FormReason::Noinline, None);
    }
    let cost = Cost { view, locals };
    match cost.list(body) {
        None => (FormReason::Statement, None),
        Some(cost) if cost > CERTAIN => (FormReason::TooLarge, Some(cost)),
        Some(cost) => (FormReason::MayInline, Some(cost)),
    }
}

/// Whether `//go:noinline` stands among the comments above a function.
fn noinline(view: &View<'_>, span: Span) -> bool {
    let before = view.tokens.partition_point(|t| t.span.start < span.start);
    let above = view.tokens[..before].iter().rev();
    above
        .take_while(|t| t.kind == TokenKind::Comment)
        .any(|t| t.span.of(view.source).starts_with(b"//go:noinline"))
}

/// Names that are variables for sure: declared by `:=` in the function.
fn locals<'x>(view: &'x View<'_>, id: FuncId) -> HashSet<&'x [u8]> {
    let words = view.words_in(view.syntax.funcs[id].span);
    let mut names = HashSet::new();
    for (index, _) in words.iter().enumerate().filter(|(_, w)| &*w.text == b":=") {
        control::step();
        let left = words[..index].iter().rev();
        let list = left.take_while(|w| w.token.kind == TokenKind::Ident || &*w.text == b",");
        names.extend(
            list.filter(|w| w.token.kind == TokenKind::Ident)
                .map(|w| &*w.text),
        );
    }
    names.remove(&b"_"[..]);
    names
}

/// The names in a signature that are no part of a qualified one: parameters, and types,
/// which no condition is made of.
fn parameters<'x>(view: &'x View<'_>, id: FuncId) -> impl Iterator<Item = &'x [u8]> {
    let words = view.words_in(view.syntax.funcs[id].signature);
    let dot = |at: usize| words.get(at).is_some_and(|w| &*w.text == b".");
    words.iter().enumerate().filter_map(move |(at, word)| {
        let whole = !dot(at + 1) && !at.checked_sub(1).is_some_and(dot);
        (word.token.kind == TokenKind::Ident && whole).then(|| &*word.text)
    })
}

struct Cost<'v, 'a> {
    view: &'v View<'a>,
    locals: HashSet<&'v [u8]>,
}

impl Cost<'_, '_> {
    /// The least that a list costs; `None` if it holds what is never inlined.
    fn list(&self, block: BlockId) -> Option<usize> {
        let mut sum = 0;
        for &stmt in &self.view.syntax.blocks[block].stmts {
            sum += self.stmt(stmt)?;
        }
        Some(sum)
    }

    fn stmt(&self, id: StmtId) -> Option<usize> {
        let stmt = &self.view.syntax.stmts[id];
        match stmt.kind {
            StmtKind::Go | StmtKind::Defer => return None,
            StmtKind::Const | StmtKind::Type | StmtKind::Empty | StmtKind::Label => return Some(0),
            _ => {}
        }
        let own = self.view.own(stmt.span, Owner::Stmt(id));
        if calls_recover(&own) {
            return None;
        }
        let nested = stmt.blocks.iter().map(|&block| self.list(block));
        let nested = if !self.may_be_decided(id, &own) {
            nested.sum::<Option<usize>>()?
        } else if self.has_else(id) {
            // The compiler may drop every branch but one.
            nested.flatten().min()?
        } else {
            0
        };
        Some(1 + self.words(&own) + nested)
    }

    fn has_else(&self, id: StmtId) -> bool {
        let syntax = self.view.syntax;
        let kinds = syntax.stmts[id]
            .blocks
            .iter()
            .map(|&block| syntax.blocks[block].kind);
        kinds
            .into_iter()
            .any(|kind| matches!(kind, BlockKind::Else | BlockKind::ElseIf))
    }

    /// Whether the condition may be a constant: it calls nothing, compares nothing
    /// with nil and names no local variable.
    fn may_be_decided(&self, id: StmtId, own: &[&Word<'_>]) -> bool {
        let kind = self.view.syntax.stmts[id].kind;
        if !matches!(kind, StmtKind::If | StmtKind::Switch) {
            return false;
        }
        let runtime = |w: &&Word<'_>| {
            matches!(&*w.text, b"(" | b"[" | b"<-" | b"nil" | b"range" | b":=")
                || w.token.kind == TokenKind::Ident && self.locals.contains(&*w.text)
        };
        !own.iter().any(runtime)
    }

    fn words(&self, own: &[&Word<'_>]) -> usize {
        own.windows(2).map(|pair| self.word(pair[0], pair[1])).sum()
    }

    /// What a word adds, given the one before it.
    fn word(&self, before: &Word<'_>, word: &Word<'_>) -> usize {
        let operand = before.token.kind == TokenKind::Ident || matches!(&*before.text, b")" | b"]");
        match (&*word.text, word.token.kind) {
            (b"(", _) if operand => 2,
            (b"=" | b":=" | b"==" | b"!=" | b"<" | b">" | b"<=" | b">=" | b"&&" | b"||", _)
                if operand =>
            {
                1
            }
            (name, TokenKind::Ident) if &*before.text != b"." && self.locals.contains(name) => 1,
            _ => 0,
        }
    }
}

/// Whether `recover()` is called, wherever it stands.
fn calls_recover(own: &[&Word<'_>]) -> bool {
    own.windows(2).any(|pair| {
        &*pair[0].text == b"recover"
            && pair[0].token.kind == TokenKind::Ident
            && &*pair[1].text == b"("
    })
}
