//! Line comments of a Go file that are goat's marks.

use super::SIGN;
use crate::model::Span;

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
    let mut found = Vec::new();
    let mut at = 0;
    while at < source.len() {
        at = match (source[at], source.get(at + 1)) {
            (b'/', Some(b'/')) => {
                let end = line_end(source, at);
                found.extend(mark(source, Span::new(at, end)));
                end
            }
            (b'/', Some(b'*')) => past(source, at + 2, b"*/"),
            (b'`', _) => past(source, at + 1, b"`"),
            (quote @ (b'"' | b'\''), _) => quoted(source, at + 1, quote),
            _ => at + 1,
        };
    }
    found
}

/// The offset of the line's end (before `\r\n` or `\n`).
fn line_end(source: &[u8], at: usize) -> usize {
    let end = memchr::memchr(b'\n', &source[at..]).map_or(source.len(), |n| at + n);
    if end > at && source[end - 1] == b'\r' {
        end - 1
    } else {
        end
    }
}

fn past(source: &[u8], at: usize, what: &[u8]) -> usize {
    memchr::memmem::find(&source[at..], what).map_or(source.len(), |n| at + n + what.len())
}

/// Past a quoted literal; an unfinished one ends with its line.
fn quoted(source: &[u8], mut at: usize, quote: u8) -> usize {
    while at < source.len() {
        match source[at] {
            b'\\' => at += 2,
            b'\n' => return at,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    source.len()
}

/// Reads `// +goat:word rest`; GOAT's first versions also wrote `// + goat:`.
fn mark(source: &[u8], span: Span) -> Option<Mark<'_>> {
    let text = span.of(source)[2..].trim_ascii_start();
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
