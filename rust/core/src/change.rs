//! Which tokens of a changed file are new.
//!
//! git tells which lines a change adds; this stage tells which of them hold code
//! that was not there before. It compares, hunk by hunk, the tokens of the removed
//! lines with those of the added ones, so that a comment, a line break or an
//! indentation is no change, and a removed argument is one.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use imara_diff::{Algorithm, Diff, InternedInput};

use crate::model::{Deletion, Delta, FileChange, Hunk, LineKind, Lines, Span};
use crate::token::{Token, TokenKind, Word, directive, significant};

/// One side of a change, cut into tokens.
#[derive(Debug)]
pub struct Side<'s> {
    source: &'s [u8],
    tokens: &'s [Token],
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
    fn words_on(&self, first: u32, count: u32) -> &[Word<'s>] {
        if count == 0 {
            return &[];
        }
        let start = self.lines.span(first).start;
        let end = self.lines.span(first + count - 1).end;
        let from = self.words.partition_point(|w| w.token.span.end <= start);
        let to = self.words.partition_point(|w| w.token.span.start < end);
        self.words.get(from..to).unwrap_or_default()
    }

    /// What a line holds, before any comparison.
    fn kind(&self, line: u32) -> LineKind {
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
    fn kind_of_all(&self, first: u32, count: u32) -> LineKind {
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

/// Compares the two sides of `file`. A line of the universe that no hunk adds comes from
/// blame (precision 1) and is new as a whole.
#[must_use]
pub fn delta(file: &FileChange, old: &Side<'_>, new: &Side<'_>) -> Delta {
    let touched = touched_words(file, old, new);
    let mut kinds: BTreeMap<u32, LineKind> = BTreeMap::new();
    for &line in &file.lines {
        let added = hunk_of(&file.hunks, line).is_some();
        let kind = match new.kind(line) {
            LineKind::Code if added && !line_is_touched(new, line, &touched) => LineKind::Format,
            kind => kind,
        };
        kinds.insert(line, kind);
    }
    for hunk in &file.hunks {
        doubt_twins(hunk, new, &mut kinds);
    }
    let mut result = Delta::default();
    for (line, kind) in kinds {
        if kind == LineKind::Code {
            result.touched.extend(new_on_line(new, line, &touched));
        }
        result.lines.push((line, kind));
    }
    result.touched.sort_unstable();
    result.touched.dedup();
    result.deletions = file
        .hunks
        .iter()
        .filter_map(|hunk| deletion(hunk, old, new))
        .collect();
    result
}

/// The hunk that adds a line.
fn hunk_of(hunks: &[Hunk], line: u32) -> Option<&Hunk> {
    let index = hunks.partition_point(|h| h.new_start + h.new_lines <= line);
    hunks[index..]
        .iter()
        .find(|h| h.new_lines > 0)
        .filter(|h| h.new_start <= line)
}

/// Where several lines of a hunk are alike and one of them is new, nobody can tell
/// which one: then all of them are.
fn doubt_twins(hunk: &Hunk, new: &Side<'_>, kinds: &mut BTreeMap<u32, LineKind>) {
    let range = hunk.new_start..hunk.new_start + hunk.new_lines;
    let unchanged: Vec<u32> = kinds
        .range(range.clone())
        .filter(|(_, kind)| **kind == LineKind::Format)
        .map(|(line, _)| *line)
        .collect();
    if unchanged.is_empty() {
        return;
    }
    let text =
        |line: u32| -> Vec<&[u8]> { new.words_on(line, 1).iter().map(|w| &*w.text).collect() };
    let changed: HashSet<Vec<&[u8]>> = kinds
        .range(range)
        .filter(|(_, kind)| **kind == LineKind::Code)
        .map(|(line, _)| text(*line))
        .collect();
    for line in unchanged
        .into_iter()
        .filter(|line| changed.contains(&text(*line)))
    {
        kinds.insert(line, LineKind::Code);
    }
}

/// Spans of the words that are new or stand beside removed ones. An automatic
/// semicolon has an empty span; the key keeps it apart from a token at its place.
fn touched_words(file: &FileChange, old: &Side<'_>, new: &Side<'_>) -> BTreeSet<Span> {
    let mut touched = BTreeSet::new();
    for hunk in file.hunks.iter().filter(|h| h.new_lines > 0) {
        let before = old.words_on(hunk.old_start, hunk.old_lines);
        let after = new.words_on(hunk.new_start, hunk.new_lines);
        let mut input: InternedInput<&[u8]> = InternedInput::default();
        input.update_before(before.iter().map(|w| &*w.text));
        input.update_after(after.iter().map(|w| &*w.text));
        for part in Diff::compute(Algorithm::Myers, &input).hunks() {
            let mut range = part.after.start as usize..part.after.end as usize;
            if !part.before.is_empty() {
                range = range.start.saturating_sub(1)..range.end + 1;
            }
            let range = range.start..range.end.min(after.len());
            touched.extend(after[range].iter().map(|w| w.token.span));
        }
    }
    touched
}

fn line_is_touched(side: &Side<'_>, line: u32, touched: &BTreeSet<Span>) -> bool {
    side.words_on(line, 1)
        .iter()
        .any(|w| touched.contains(&w.token.span))
}

/// The tokens of a changed line that make it so: all of them where none is known to
/// be new (a line from blame, a twin).
fn new_on_line(side: &Side<'_>, line: u32, touched: &BTreeSet<Span>) -> Vec<Span> {
    let words = side.words_on(line, 1).iter().map(|w| w.token.span);
    let new: Vec<Span> = words
        .clone()
        .filter(|span| touched.contains(span))
        .collect();
    if new.is_empty() { words.collect() } else { new }
}

/// What a hunk removes without putting code in its place.
fn deletion(hunk: &Hunk, old: &Side<'_>, new: &Side<'_>) -> Option<Deletion> {
    if hunk.old_lines == 0 {
        return None;
    }
    let kind = old.kind_of_all(hunk.old_start, hunk.old_lines);
    let entry = hunk.new_lines == 0;
    let replaced =
        kind == LineKind::Code && new.words_on(hunk.new_start, hunk.new_lines).is_empty();
    (entry || replaced).then_some(Deletion {
        after: hunk.new_start - u32::from(!entry),
        old_start: hunk.old_start,
        old_lines: hunk.old_lines,
        kind,
        entry,
    })
}
