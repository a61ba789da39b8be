//! Whether a text without blocks is still the program that it was with them.

use super::comment;
use crate::model::Span;
use crate::token::{self, Token, TokenKind};

/// Whether `result` has the tokens and comments that `source` has outside of what went.
pub(super) fn same(source: &[u8], gone: &[Span], result: &[u8]) -> bool {
    words(source, gone) == words(result, &[])
}

/// Whether a token lies in one of some spans, which are in order.
fn within(spans: &[Span], token: &Token) -> bool {
    let first = spans.partition_point(|span| span.end < token.span.start);
    // An automatic semicolon belongs to the token before it.
    let own = |span: &Span| token.kind == TokenKind::AutoSemi && token.span.start == span.start;
    spans[first..]
        .iter()
        .take_while(|span| span.start <= token.span.start)
        .any(|span| token.span.end <= span.end && !own(span))
}

/// The words of a program: its tokens and comments, but for goat's marks and for
/// semicolons that say nothing.
fn words<'s>(source: &'s [u8], without: &[Span]) -> Vec<&'s [u8]> {
    let mut words: Vec<&[u8]> = Vec::new();
    let mut comments = Vec::new();
    for token in token::scan(source) {
        if within(without, &token) {
            continue;
        }
        let text = token.text(source);
        if token.kind == TokenKind::Comment {
            if comment::marks(text).is_empty() {
                comments.push(text);
            }
            continue;
        }
        let last_is_semicolon = words.last() == Some(&&b";"[..]);
        if token.is_semicolon(source) && last_is_semicolon {
            continue;
        }
        if token.kind == TokenKind::Op && matches!(text, b"}" | b")") && last_is_semicolon {
            words.pop();
        }
        words.push(text);
    }
    words.append(&mut comments);
    words
}
