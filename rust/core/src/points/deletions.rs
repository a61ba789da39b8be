//! Removed code: the point that stands for it, or why there is none.

use crate::model::{
    BlockId, BlockKind, Deletion, FileSyntax, LineKind, Lines, Owner, PointKind, Reason, Span,
    StmtKind, SyntaxError,
};
use crate::token::{Token, TokenKind};

use super::input::Input;
use super::planner::{Key, Planner};
use super::unit::Unit;

/// What becomes of a deletion.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The point of this place.
    Point(Key),
    /// Nothing vouches for it.
    Not(Reason),
}

impl Planner<'_, '_> {
    /// Finds the point for removed lines: at the entry of the innermost list around.
    pub(super) fn delete(&mut self, input: &Input<'_>, deletion: &Deletion) -> Outcome {
        match deletion.kind {
            LineKind::Blank => return Outcome::Not(Reason::Blank),
            LineKind::Comment => return Outcome::Not(removed_comment(input, deletion)),
            LineKind::Directive => return Outcome::Not(Reason::Directive),
            LineKind::Format | LineKind::Code => {}
        }
        let at = input.lines.span(deletion.after + 1).start;
        let outside = |e: &&SyntaxError| e.func.is_none() && e.span.contains(at);
        if input.syntax.errors.iter().any(|e| outside(&e)) {
            return Outcome::Not(Reason::SyntaxError);
        }
        let Some(block) = innermost(input.syntax, at) else {
            return Outcome::Not(removed_declaration(input, deletion));
        };
        match self.view.closed(block, Span::new(at, at)) {
            Some(reason) => Outcome::Not(reason),
            None => Outcome::Point(self.put_cut(block, at)),
        }
    }
}

impl Planner<'_, '_> {
    /// The point of a list that lost code; it is shown at the code behind the first cut.
    fn put_cut(&mut self, block: BlockId, at: usize) -> Key {
        let place = self.view.entry(block);
        let empty = self.view.syntax.blocks[block].stmts.is_empty();
        let region = if empty {
            self.view.list_region(block)
        } else {
            self.view.next_word(at)
        };
        self.put(place, PointKind::Deletion, region, Unit::List(block))
    }
}

/// Whether the removed lines held code.
pub(super) fn is_code(deletion: &Deletion) -> bool {
    matches!(deletion.kind, LineKind::Format | LineKind::Code)
}

/// The removed lines in the base.
pub(super) fn removed_span(lines: &Lines, deletion: &Deletion) -> Span {
    let last = deletion.old_start + deletion.old_lines - 1;
    Span::new(lines.span(deletion.old_start).start, lines.span(last).end)
}

/// Whether only the base can tell the reason of a deletion.
pub(super) fn needs_base(input: &Input<'_>, deletion: &Deletion) -> bool {
    match deletion.kind {
        LineKind::Blank | LineKind::Directive => false,
        LineKind::Comment => true,
        LineKind::Format | LineKind::Code => {
            innermost(input.syntax, input.lines.span(deletion.after + 1).start).is_none()
        }
    }
}

/// The innermost list around a place between two lines.
fn innermost(syntax: &FileSyntax, at: usize) -> Option<BlockId> {
    let blocks = syntax.blocks.iter().enumerate();
    let around = blocks.filter(|(id, block)| block.open <= at && at <= end(syntax, *id));
    around
        .min_by_key(|(id, block)| end(syntax, *id) - block.open)
        .map(|(id, _)| id)
}

/// Where a list ends: a clause goes on to the next one or to the closing brace.
fn end(syntax: &FileSyntax, id: BlockId) -> usize {
    let block = &syntax.blocks[id];
    match (block.kind, block.owner) {
        (BlockKind::Case | BlockKind::Comm, Some(owner)) => {
            let siblings = &syntax.stmts[owner].blocks;
            let next = siblings.iter().map(|&b| syntax.blocks[b].span.start);
            let brace = syntax.stmts[owner].span.end.saturating_sub(1);
            next.filter(|&start| start > block.span.start)
                .min()
                .unwrap_or(brace)
        }
        _ => block.span.end.saturating_sub(1),
    }
}

/// The reason of comment lines that are gone.
fn removed_comment(input: &Input<'_>, deletion: &Deletion) -> Reason {
    let Some((source, _, syntax)) = input.old else {
        return Reason::Comment;
    };
    let lines = Lines::new(source);
    let start = lines.span(deletion.old_start).start;
    let in_preamble = syntax.cgo_preambles.iter().any(|span| span.contains(start));
    if in_preamble {
        Reason::CgoPreamble
    } else {
        Reason::Comment
    }
}

/// The reason of code that is gone from outside the bodies: that of a function if one
/// went, else that of its first token.
fn removed_declaration(input: &Input<'_>, deletion: &Deletion) -> Reason {
    let Some((source, tokens, syntax)) = input.old else {
        return Reason::Signature;
    };
    let span = removed_span(&Lines::new(source), deletion);
    let owners = owners(tokens, syntax, span);
    let reasons: Vec<Reason> = owners.map(|owner| removed(syntax, owner)).collect();
    if reasons.contains(&Reason::Signature) {
        return Reason::Signature;
    }
    reasons.first().copied().unwrap_or(Reason::Brace)
}

fn owners<'a>(
    tokens: &'a [Token],
    syntax: &'a FileSyntax,
    span: Span,
) -> impl Iterator<Item = Owner> + 'a {
    let code = |t: &&Token| !matches!(t.kind, TokenKind::Comment | TokenKind::AutoSemi);
    let here = tokens
        .iter()
        .filter(move |t| t.span.overlaps(span))
        .filter(code);
    here.filter_map(|token| syntax.owner(token.span.start))
}

fn removed(syntax: &FileSyntax, owner: Owner) -> Reason {
    match owner {
        Owner::Stmt(id) => match syntax.stmts[id].kind {
            StmtKind::Const => Reason::Const,
            StmtKind::Type => Reason::Type,
            _ => Reason::Signature,
        },
        Owner::Clause(_) | Owner::Signature(_) => Reason::Signature,
        Owner::Brace(_) => Reason::Brace,
        Owner::Label(_) => Reason::Label,
        Owner::Package => Reason::Package,
        Owner::Import => Reason::Import,
        Owner::Type => Reason::Type,
        Owner::Const => Reason::Const,
        Owner::Var(_) | Owner::VarGroup => Reason::Var,
        Owner::Error => Reason::SyntaxError,
    }
}
