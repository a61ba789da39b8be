//! `//goat:ignore` on the line before a declaration or statement.

use crate::model::{Span, StmtKind};
use crate::token::TokenKind;

use super::input::Input;

const TAG: &[u8] = b"//goat:ignore";

/// What the tags of a file cover.
pub(super) fn ignored_spans(input: &Input<'_>) -> Vec<Span> {
    if memchr::memmem::find(input.source, TAG).is_none() {
        return Vec::new();
    }
    let tags = input.tokens.iter().enumerate().filter(|(_, t)| {
        let text = t.span.of(input.source);
        let rest = text.strip_prefix(TAG);
        t.kind == TokenKind::Comment
            && rest.is_some_and(|r| r.first().is_none_or(u8::is_ascii_whitespace))
    });
    tags.filter_map(|(index, _)| covered(input, index))
        .collect()
}

/// The declaration, statement or clause that starts below a tag; further comment
/// lines (other directives) may stand between, an empty line may not.
fn covered(input: &Input<'_>, tag: usize) -> Option<Span> {
    let mut line = input.lines.line(input.tokens[tag].span.start);
    for token in &input.tokens[tag + 1..] {
        if token.kind == TokenKind::AutoSemi {
            continue;
        }
        if input.lines.line(token.span.start) > line + 1 {
            return None;
        }
        if token.kind != TokenKind::Comment {
            return starting_at(input, token.span.start);
        }
        line = input.lines.line(token.span.end.saturating_sub(1));
    }
    None
}

/// The largest part that starts at an offset. A label takes its statement along.
fn starting_at(input: &Input<'_>, at: usize) -> Option<Span> {
    let syntax = input.syntax;
    let stmts = syntax.stmts.iter().enumerate().map(|(id, stmt)| {
        let mut span = stmt.span;
        if stmt.kind == StmtKind::Label {
            let list = &syntax.blocks[stmt.block].stmts;
            let next = list.iter().skip_while(|&&other| other != id).nth(1);
            span.end = next.map_or(span.end, |&next| syntax.stmts[next].span.end);
        }
        span
    });
    let funcs = syntax.funcs.iter().map(|func| func.span);
    let clauses = syntax
        .blocks
        .iter()
        .filter(|b| b.clause.start < b.clause.end)
        .map(|b| b.span);
    let vars = syntax.vars.iter().map(|spec| widen(input, spec.span));
    stmts
        .chain(funcs)
        .chain(clauses)
        .chain(vars)
        .filter(|span| span.start == at)
        .max_by_key(|s| s.end)
}

/// A specification with its own `var` in front.
fn widen(input: &Input<'_>, spec: Span) -> Span {
    let before = input.tokens.partition_point(|t| t.span.start < spec.start);
    let keyword = input.tokens[..before]
        .last()
        .filter(|t| t.is(input.source, b"var"));
    Span::new(keyword.map_or(spec.start, |t| t.span.start), spec.end)
}
