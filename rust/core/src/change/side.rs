//! One side of a change.

use crate::control;
use crate::model::{LineKind, Lines, Span};
use crate::token::{Token, TokenKind, Word, directive, significant};

/// One side of a change, cut into tokens.
#[derive(Debug)]
pub struct Side<'s> {
    pub(super) source: &'s [u8],
    pub(super) tokens: &'s [Token],
    /// What of them means something.
    pub words: Vec<Word<'s>>,
    /// Its lines.
    pub lines: Lines,
}

impl<'s> Side<'s> {
    /// Prepares a text and its tokens.
    #[must_use]
    pub fn new(source: &'s [u8], tokens: &'s [Token]) -> Self {
        Self {
            source,
            tokens,
            words: significant(source, tokens),
            lines: Lines::new(source),
        }
    }

    /// The significant tokens that touch these lines; an automatic semicolon
    /// belongs to the line of the token that it follows.
    pub(super) fn words_on(&self, first: u32, count: u32) -> &[Word<'s>] {
        control::step();
        if count == 0 {
            return &[];
        }
        let start = self.lines.span(first).start;
        let end = self.lines.span(first + count - 1).end;
        let from = self.words.partition_point(|w| w.token.span.end <= start);
        let to = self.words.partition_point(|w| w.token.span.start < end);
        self.words.get(from..to).unwrap_or_default()
    }

    /// The lines that hold a part of a span.
    pub(super) fn lines_of(&self, span: Span) -> std::ops::RangeInclusive<u32> {
        self.lines.line(span.start)..=self.lines.line(span.end.saturating_sub(1))
    }

    /// What a line holds, before any comparison.
    pub(super) fn kind(&self, line: u32) -> LineKind {
        control::step();
        let span = self.lines.span(line);
        let from = self.tokens.partition_point(|t| t.span.end <= span.start);
        let here = self.tokens[from..]
            .iter()
            .take_while(|t| t.span.start < span.end);
        let mut kind = LineKind::Blank;
        for token in here {
            match token.kind {
                TokenKind::AutoSemi => {}
                TokenKind::Comment if is_directive(token.span.of(self.source)) => {
                    kind = LineKind::Directive;
                }
                TokenKind::Comment => kind = LineKind::Comment,
                _ => return LineKind::Code,
            }
        }
        let empty = span.of(self.source).iter().all(u8::is_ascii_whitespace);
        if empty { LineKind::Blank } else { kind }
    }

    /// What several removed lines hold: code, else a directive, a comment, nothing.
    pub(super) fn kind_of_all(&self, first: u32, count: u32) -> LineKind {
        let rank = |kind: &LineKind| match kind {
            LineKind::Blank => 0,
            LineKind::Comment => 1,
            LineKind::Directive => 2,
            LineKind::Format | LineKind::Code => 3,
        };
        (first..first + count)
            .map(|line| self.kind(line))
            .max_by_key(rank)
            .unwrap_or(LineKind::Blank)
    }
}

/// Whether a comment is a directive of the go command, the compiler or cgo.
fn is_directive(comment: &[u8]) -> bool {
    let known = |text: &[u8]| {
        [&b"go:"[..], b"line ", b"export ", b"extern "]
            .iter()
            .any(|word| text.starts_with(word))
    };
    let build = comment.strip_prefix(b"//").map(<[u8]>::trim_ascii);
    directive(comment).is_some_and(known)
        || build.is_some_and(|text| text == b"+build" || text.starts_with(b"+build "))
}
