//! What a change does to lines that it leaves as they are: a comment mark or a quote
//! that comes or goes makes code of comment, and comment of code, up to its other end.

use crate::model::{Deletion, Hunk, LineKind, Span};
use crate::token::{Token, TokenKind};

use super::side::Side;

/// What became code, or ceased to be, outside the hunks.
#[derive(Debug, Default)]
pub(super) struct Across {
    /// The release's tokens that were none, and the hunk that made them so.
    pub(super) live: Vec<(usize, Span)>,
    /// Code that is none any more, and the hunk.
    pub(super) dead: Vec<(usize, Deletion)>,
}

impl Across {
    /// Looks at what lies between the hunks. There both sides hold the same bytes, so that
    /// from the first token on that stands in both, all of them do.
    pub(super) fn find(hunks: &[Hunk], old: &Side<'_>, new: &Side<'_>) -> Self {
        let mut found = Self::default();
        let mut cause = None;
        for (index, hunk) in hunks.iter().enumerate() {
            let next = hunks.get(index + 1);
            let before = Part::between(old, after_old(hunk), next.map(old_start));
            let after = Part::between(new, after_new(hunk), next.map(new_start));
            if before.text() != after.text() {
                continue;
            }
            // What one hunk began may go on behind the next.
            let hunk = cause.unwrap_or(index);
            let met = found.walk(hunk, &before, &after);
            cause = (!met).then_some(hunk);
        }
        found
    }

    /// Notes the tokens that stand in one part only; false if the parts never meet.
    fn walk(&mut self, hunk: usize, old: &Part<'_, '_>, new: &Part<'_, '_>) -> bool {
        let (mut before, mut after) = (old.first, new.first);
        let mut gone: Option<Deletion> = None;
        let met = loop {
            let (was, is) = (old.token(before), new.token(after));
            if was == is {
                break was.is_some() || !(old.goes_on() || new.goes_on());
            }
            let earlier = |a: Option<Shape>, b: Option<Shape>| match (a, b) {
                (Some(a), Some(b)) => a.start <= b.start,
                (a, _) => a.is_some(),
            };
            if earlier(was, is) {
                if old.is_code(before) {
                    let from = old.line(before);
                    let after = new.side.lines.line(new.start + old.offset(before)) - 1;
                    let deletion = gone.get_or_insert(dead(after, from));
                    deletion.old_lines = old.last_line(before) - deletion.old_start + 1;
                }
                before += 1;
            }
            if earlier(is, was) {
                if new.is_code(after) {
                    self.dead.extend(gone.take().map(|gone| (hunk, gone)));
                    self.live.push((hunk, new.side.tokens[after].span));
                }
                after += 1;
            }
        };
        self.dead.extend(gone.map(|gone| (hunk, gone)));
        met
    }
}

const fn dead(after: u32, old_start: u32) -> Deletion {
    Deletion {
        after,
        old_start,
        old_lines: 1,
        kind: LineKind::Code,
        entry: false,
    }
}

/// The first line of a side behind a hunk, and the first in it (or behind it).
fn after_old(hunk: &Hunk) -> u32 {
    old_start(hunk) + hunk.old_lines
}

fn after_new(hunk: &Hunk) -> u32 {
    new_start(hunk) + hunk.new_lines
}

fn old_start(hunk: &Hunk) -> u32 {
    hunk.old_start + u32::from(hunk.old_lines == 0)
}

fn new_start(hunk: &Hunk) -> u32 {
    hunk.new_start + u32::from(hunk.new_lines == 0)
}

/// Lines of one side.
struct Part<'p, 's> {
    side: &'p Side<'s>,
    start: usize,
    end: usize,
    /// The first token that ends behind the start.
    first: usize,
}

/// A token as it lies in a part; what stands outside counts as standing at its edge.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Shape {
    kind: TokenKind,
    start: usize,
    end: usize,
}

impl<'p, 's> Part<'p, 's> {
    fn between(side: &'p Side<'s>, first: u32, behind: Option<u32>) -> Self {
        let start = side.lines.span(first).start;
        let end = behind.map_or(side.source.len(), |line| side.lines.span(line).start);
        Self {
            side,
            start,
            end: end.max(start),
            // An automatic semicolon belongs to the token that it follows.
            first: side.tokens.partition_point(|token| token.span.end <= start),
        }
    }

    fn text(&self) -> &'s [u8] {
        Span::new(self.start, self.end).of(self.side.source)
    }

    fn get(&self, at: usize) -> Option<&Token> {
        let token = self.side.tokens.get(at);
        token.filter(|token| token.span.start < self.end)
    }

    /// Whether code starts here. A string that began in a hunk is told of there.
    fn is_code(&self, at: usize) -> bool {
        self.get(at).is_some_and(|token| {
            let nothing = matches!(token.kind, TokenKind::Comment | TokenKind::AutoSemi);
            !nothing && token.span.start >= self.start
        })
    }

    fn token(&self, at: usize) -> Option<Shape> {
        self.get(at).map(|token| Shape {
            kind: token.kind,
            start: token.span.start.saturating_sub(self.start),
            end: token.span.end.min(self.end) - self.start,
        })
    }

    /// Whether a token goes on behind the part's end.
    fn goes_on(&self) -> bool {
        let behind = self
            .side
            .tokens
            .partition_point(|t| t.span.start < self.end);
        let last = behind.checked_sub(1).map(|last| self.side.tokens[last]);
        last.is_some_and(|token| token.span.end > self.end)
    }

    /// Where a token starts, counted from the part's start.
    fn offset(&self, at: usize) -> usize {
        self.get(at)
            .map_or(0, |token| token.span.start.saturating_sub(self.start))
    }

    fn line(&self, at: usize) -> u32 {
        self.side.lines.line(self.start + self.offset(at))
    }

    fn last_line(&self, at: usize) -> u32 {
        let end = self.token(at).map_or(0, |token| token.end);
        self.side.lines.line((self.start + end).saturating_sub(1))
    }
}
