//! Looks into the changed files, many at a time.

use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use super::ledger::{self, Desk, Kind};
use super::scope::{Scoped, is_hidden};
use super::{Analysed, Options, PlannedFile, Sources, State};
use crate::change::{Side, awaken, delta};
use crate::control::Control;
use crate::error::Result;
use crate::model::{FileChange, FileSyntax, Key, Lines, Reason};
use crate::modules::parent;
use crate::plan::Warning;
use crate::points;
use crate::syntax;
use crate::token::scan;
use crate::tree::{Asks, asked, hex_hash, is_dormant, read_header, taken_by};

/// Larger files are not looked into.
const MAX_SIZE: usize = 16 << 20;

/// Plans the points of every file.
pub(super) fn all(
    files: Vec<Scoped>,
    options: &Options,
    sources: &Sources,
    desk: &Desk<'_>,
    control: &Control,
) -> Result<Vec<PlannedFile>> {
    let total = files.len() as u64;
    let done = AtomicU64::new(0);
    control.tick("analyse", 0, total);
    let work = files.into_par_iter().map(|file| {
        control.check()?;
        let planned = one(file, options, sources, desk)?;
        control.tick("analyse", done.fetch_add(1, Ordering::Relaxed) + 1, total);
        Ok(planned)
    });
    work.collect()
}

fn one(
    mut scoped: Scoped,
    options: &Options,
    sources: &Sources,
    desk: &Desk<'_>,
) -> Result<PlannedFile> {
    let key = scoped.key(sources);
    let gone = scoped.change.new.is_none() && scoped.change.unreadable.is_none();
    let (state, asked) = if gone {
        (State::Deleted, None)
    } else {
        desk.recall(key, || {
            desk.fill(&mut scoped.change)?;
            let state = match whole(&scoped, sources) {
                Some(reason) => State::Whole(reason),
                None => State::Lines(Box::new(analyse(&scoped, options))),
            };
            Ok((state, asks_otherwise(&scoped.change)))
        })?
    };
    let Scoped {
        change,
        import_path,
        ..
    } = scoped;
    let deletions = change.hunks.iter().filter(|hunk| hunk.new_lines == 0);
    let mut file = PlannedFile {
        asked,
        dir: parent(&change.path).to_owned(),
        added: change.lines.len() as u32,
        deletions: deletions.count() as u32,
        path: change.path,
        import_path,
        source: change.new.unwrap_or_default(),
        unread: change.unread,
        key,
        before: 0,
        state,
    };
    if !file.unread {
        file.cut();
    }
    Ok(file)
}

impl Scoped {
    /// What names the analysis: both contents, and all that decides besides.
    fn key(&self, sources: &Sources) -> Option<Key> {
        let change = &self.change;
        let deciding = [
            change.path.as_str(),
            change.old_path.as_deref().unwrap_or_default(),
            &self.import_path,
            self.reason.map_or("", Reason::as_str),
            sources.package(parent(&change.path)),
        ];
        Some(ledger::key(Kind::File, change.key?, &deciding))
    }
}

impl PlannedFile {
    /// Has the text, which may have been left unread so far.
    pub(super) fn read(&mut self, desk: &Desk<'_>) -> Result<()> {
        if std::mem::take(&mut self.unread) {
            self.source = (desk.read_release)(&self.path)?;
            self.cut();
        }
        Ok(())
    }

    /// Has tokens and lines of the text, where an analysis was kept without them.
    fn cut(&mut self) {
        if let State::Lines(analysed) = &mut self.state
            && analysed.tokens.is_empty()
        {
            analysed.tokens = scan(&self.source);
            analysed.lines = Lines::new(&self.source);
        }
    }
}

/// What a file asked for and asks for, where builds take it that did not, or the other way
/// round, without a token's being another: the system, the compiler or a tag decides.
fn asks_otherwise(change: &FileChange) -> Option<(String, String)> {
    let (old, new) = (change.old.as_deref()?, change.new.as_deref()?);
    let asks = (asked(path_before(change), old), asked(&change.path, new));
    (asks.0 != asks.1 && !awakes(change)).then_some(asks)
}

fn path_before(change: &FileChange) -> &str {
    change.old_path.as_deref().unwrap_or(&change.path)
}

/// Whether builds take a file that none took unasked.
fn awakes(change: &FileChange) -> bool {
    let source = change.new.as_deref().unwrap_or_default();
    let old = change.old.as_deref();
    old.is_some_and(|old| is_dormant(path_before(change), old)) && !is_dormant(&change.path, source)
}

/// The first reason that holds for the whole file.
fn whole(scoped: &Scoped, sources: &Sources) -> Option<Reason> {
    if scoped.reason.is_some() {
        return scoped.reason;
    }
    let change = &scoped.change;
    let source = change.new.as_deref().unwrap_or_default();
    let header = read_header(source);
    if header.generated {
        return Some(Reason::Generated);
    }
    if change.unreadable.is_some() {
        return Some(Reason::Unreadable);
    }
    if source.len() > MAX_SIZE {
        return Some(Reason::TooLarge);
    }
    if header.asks == Asks::Ignore {
        return Some(Reason::BuildConstraint);
    }
    let package = sources.package(parent(&change.path));
    let other = !package.is_empty() && !header.package.is_empty() && header.package != package;
    (other || is_hidden(&change.path)).then_some(Reason::NotInBuild)
}

fn analyse(scoped: &Scoped, options: &Options) -> Analysed {
    let change = &scoped.change;
    let source = change.new.as_deref().unwrap_or_default();
    let tokens = scan(source);
    let lines = Lines::new(source);
    let old_source = change.old.as_deref().unwrap_or_default();
    let old_tokens = scan(old_source);
    let (old, new) = (
        Side::new(old_source, &old_tokens),
        Side::new(source, &tokens),
    );
    let mut delta = delta(change, &old, &new);
    if awakes(change) {
        awaken(&mut delta, &new);
    }
    let syntax = syntax::parse_parts(source, &tokens, &points::wanted(source, &lines, &delta));
    let mut input = points::Input {
        source,
        tokens: &tokens,
        words: &new.words,
        syntax: &syntax,
        lines: &lines,
        delta: &delta,
        old: None,
        granularity: options.granularity(),
        import_path: &scoped.import_path,
        file: base(change),
    };
    let wanted_of_base = points::wanted_of_base(&input, &old.lines);
    let old_syntax: FileSyntax;
    if let Some(wanted) = wanted_of_base {
        old_syntax = syntax::parse_parts(old_source, &old_tokens, &wanted);
        input.old = Some((old_source, &old_tokens, &old_syntax));
    }
    let points = points::plan(&input);
    let places = points.points.iter().map(|point| point.region);
    let places = places.map(|region| (lines.position(region.start), lines.position(region.end)));
    let places: Vec<_> = places.collect();
    let hash = if places.is_empty() {
        String::new()
    } else {
        hex_hash(source)
    };
    let damaged = syntax.errors.iter().map(|error| lines.line(error.at));
    Analysed {
        package: syntax.package.clone(),
        constraint: taken_by(&change.path, source),
        damaged: damaged.collect(),
        damaged_outside: syntax.outside,
        hash,
        places,
        points,
        tokens,
        lines,
    }
}

fn base(change: &FileChange) -> &str {
    change.path.rsplit('/').next().unwrap_or(&change.path)
}

/// Why files cannot be read: a filter, an encoding, permissions.
pub(super) fn unreadable(files: &[Scoped]) -> Vec<Warning> {
    let own = files.iter().filter(|file| file.reason.is_none());
    own.filter_map(|file| {
        let why = file.change.unreadable.as_ref()?;
        Some(Warning {
            path: file.change.path.clone(),
            line: 0,
            message: format!("not tracked: {why}"),
        })
    })
    .collect()
}

/// What a person should know of the files.
pub(super) fn warnings(files: &[PlannedFile]) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for file in files {
        let State::Lines(analysed) = &file.state else {
            continue;
        };
        warnings.extend(analysed.damaged.iter().map(|&line| Warning {
            path: file.path.clone(),
            line,
            message: "does not parse here; the function around it is not tracked".into(),
        }));
    }
    warnings
}
