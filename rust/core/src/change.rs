//! Which tokens of a changed file are new.
//!
//! git tells which lines a change adds; this stage tells which of them hold code
//! that was not there before. It compares, hunk by hunk, the tokens of the removed
//! lines with those of the added ones, so that a comment, a line break or an
//! indentation is no change, and a removed argument is one.

mod across;
mod side;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use imara_diff::{Algorithm, Diff, InternedInput};

use crate::model::{Deletion, Delta, Effect, FileChange, Hunk, LineKind, Span};

use across::Across;
pub use side::Side;

/// Compares the two sides of `file`. A line of the universe that no hunk adds comes from
/// blame (precision 1) and is new as a whole.
#[must_use]
pub fn delta(file: &FileChange, old: &Side<'_>, new: &Side<'_>) -> Delta {
    let mut touched = touched_words(file, old, new);
    let across = Across::find(&file.hunks, old, new);
    touched.extend(across.live.iter().map(|(_, span)| *span));
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
    result
        .touched
        .extend(across.live.iter().map(|(_, span)| *span));
    result.touched.sort_unstable();
    result.touched.dedup();
    note_deletions(&mut result, file, &across, old, new);
    result
}

/// Takes all code of a file for new that no build compiled before, whatever its lines were.
pub fn awaken(delta: &mut Delta, new: &Side<'_>) {
    let mut effect = Effect::default();
    for (line, kind) in &mut delta.lines {
        match kind {
            LineKind::Format => *kind = LineKind::Code,
            LineKind::Directive => effect.lines.push(*line),
            _ => {}
        }
    }
    let known = |line: &u32| delta.lines.binary_search_by_key(line, |l| l.0).is_ok();
    let lines = (1..=new.lines.count()).filter(|line| !known(line));
    effect.live = lines
        .filter(|line| new.kind(*line) == LineKind::Code)
        .collect();
    let tag = |deletion: &Deletion| deletion.entry && deletion.kind == LineKind::Directive;
    effect.deletion = delta.deletions.iter().position(tag);
    let live = effect.live.iter().flat_map(|line| new.words_on(*line, 1));
    delta.touched.extend(live.map(|word| word.token.span));
    delta.touched.sort_unstable();
    delta.touched.dedup();
    delta.effects.push(effect);
}

/// Notes what is gone, and what the hunks do beyond their own lines.
fn note_deletions(
    result: &mut Delta,
    file: &FileChange,
    across: &Across,
    old: &Side<'_>,
    new: &Side<'_>,
) {
    for (index, hunk) in file.hunks.iter().enumerate() {
        let mut effect = Effect::default();
        if let Some(deletion) = deletion(hunk, old, new) {
            effect.deletion = deletion.entry.then_some(result.deletions.len());
            result.deletions.push(deletion);
        }
        for (_, dead) in caused(&across.dead, index) {
            effect.dead.push(result.deletions.len());
            result.deletions.push(*dead);
        }
        let live = caused(&across.live, index).iter();
        effect.live = live.flat_map(|(_, span)| new.lines_of(*span)).collect();
        effect.live.dedup();
        let known = |line: &u32| result.lines.binary_search_by_key(line, |l| l.0).is_ok();
        effect.live.retain(|line| !known(line));
        if effect.live.is_empty() && effect.dead.is_empty() {
            continue;
        }
        let here = hunk.new_start..hunk.new_start + hunk.new_lines;
        let lines = result.lines.iter().filter(|(line, _)| here.contains(line));
        effect.lines = lines
            .filter(|l| l.1 != LineKind::Code)
            .map(|l| l.0)
            .collect();
        result.effects.push(effect);
    }
}

/// What one hunk caused; the causes ascend.
fn caused<T>(all: &[(usize, T)], hunk: usize) -> &[(usize, T)] {
    let from = all.partition_point(|(cause, _)| *cause < hunk);
    let to = all.partition_point(|(cause, _)| *cause <= hunk);
    &all[from..to]
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
