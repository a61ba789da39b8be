//! Line comments of a Go file that are goat's marks.

use crate::model::Span;
use crate::token::{self, TokenKind};

/// What every mark holds after its comment sign.
pub(crate) const SIGN: &[u8] = b"goat:";

/// One comment with a mark, say `// +goat:tips: do not edit`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark<'a> {
    /// The comment, without its line end.
    pub span: Span,
    /// `generate`, `tips`, `end`, …
    pub word: &'a [u8],
    /// What follows the word.
    pub rest: &'a [u8],
}

/// The marks among the comments of `source`, in order.
pub(crate) fn marks(source: &[u8]) -> Vec<Mark<'_>> {
    let comments = token::scan(source).into_iter();
    comments
        .filter(|token| token.kind == TokenKind::Comment)
        .filter_map(|token| mark(source, token.span))
        .collect()
}

/// Where a comment or a literal begins that does not end and holds marks: an edit has
/// opened it, and what goat wrote behind cannot be told from text.
pub(crate) fn swallowed(source: &[u8]) -> Option<usize> {
    let mut broken = token::scan(source)
        .into_iter()
        .filter(|token| token.kind == TokenKind::Illegal);
    broken
        .find(|token| memchr::memmem::find(token.text(source), SIGN).is_some())
        .map(|token| token.span.start)
}

/// Reads `// +goat:word rest`; GOAT's first versions also wrote `// + goat:`.
fn mark(source: &[u8], span: Span) -> Option<Mark<'_>> {
    let text = span.of(source).strip_prefix(b"//")?.trim_ascii_start();
    let text = text
        .strip_prefix(b"+")?
        .trim_ascii_start()
        .strip_prefix(SIGN)?;
    let length = text
        .iter()
        .take_while(|byte| byte.is_ascii_alphabetic())
        .count();
    let (word, rest) = text.split_at(length);
    Some(Mark {
        span,
        word,
        rest: rest.trim_ascii(),
    })
}
