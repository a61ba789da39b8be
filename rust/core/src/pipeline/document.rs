//! Writes a plan down.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;

use super::build::BuildView;
use super::{Planned, PlannedFile, State};
use crate::model::{Reason, Verdict};
use crate::plan::{
    self, Account, Base, Document, Entries, FORMAT, FileAccount, Files, Head, Index, ModuleEntry,
    Outside, PointEntry, Release, SourceEntry, Spot, Summary, Tail, Warning, hash_of, json, quoted,
    seal, sealed, splice,
};

/// The files of the plan directory with their hash, and the public document among them.
pub(super) fn directory(planned: &Planned) -> (String, Files<'_>, Document) {
    let mut files = Files::new();
    let public = document(planned, false);
    let text = seal(|out| public.write(out));
    files.insert("plan.json".into(), text.into());
    for package in &planned.packages {
        let text = package.text.as_bytes();
        files.insert(package.entry.doc.clone(), text.into());
    }
    for (name, shard) in planned.sources.shards() {
        files.insert(name, sealed(&shard).into());
    }
    let mut index = index(planned);
    let hash = hash_of(&files, &json(&index));
    index.plan_hash = Some(hash.clone());
    files.insert("index.json".into(), sealed(&index).into());
    (hash, files, public)
}

/// What only the answer says, behind the public document.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    plan_hash: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan_dir: Option<String>,
    app: plan::App,
    marked: bool,
    warnings: &'a [Warning],
}

/// The answer to a plan request. Without a build of its own its document is the public
/// one.
pub(super) fn answer(
    planned: &Planned,
    public: Document,
    hash: &str,
    directory: Option<&Path>,
) -> Vec<u8> {
    let plan_dir = directory.map(|dir| {
        std::path::absolute(dir)
            .unwrap_or_else(|_| dir.to_owned())
            .display()
            .to_string()
    });
    let mut document = match planned.options.build {
        Some(_) => document(planned, true),
        None => public,
    };
    if planned.options.brief {
        document.shorten();
    }
    let mut text = Vec::new();
    document.write(&mut text);
    text.pop();
    let more = Answer {
        plan_hash: hash,
        plan_dir,
        app: planned.app(),
        marked: planned.sources.marked,
        warnings: &planned.warnings,
    };
    splice(&mut text, &more);
    text
}

fn index(planned: &Planned) -> Index {
    let packages = planned.packages.iter();
    let packages = packages.map(|package| package.entry.clone());
    let modules = planned.modules.iter();
    let modules = modules.map(|m| ModuleEntry {
        path: m.path.clone(),
        dir: m.dir.clone(),
    });
    Index {
        format: FORMAT,
        goat: planned.options.goat.clone(),
        plan_hash: None,
        module: planned.main.path.clone(),
        modules: modules.collect(),
        base: base(planned),
        release: release(planned),
        precision: planned.options.precision,
        granularity: planned.options.granularity().as_str(),
        app: planned.app(),
        points: planned.packages.iter().map(|p| p.entry.counters).sum(),
        marked: planned.sources.marked,
        runtime_path: planned.options.runtime_path().to_owned(),
        packages: packages.collect(),
        plain: plain(planned),
        mains: planned.sources.mains(),
        tests: planned.sources.tests(),
    }
}

/// The packages that have lines in the account and no points.
fn plain(planned: &Planned) -> Vec<String> {
    let files = planned.files.iter().filter(|file| file.listed().is_some());
    let mut changed: BTreeSet<&str> = files.map(|file| file.import_path.as_str()).collect();
    for package in &planned.packages {
        changed.remove(package.entry.import_path.as_str());
    }
    changed.into_iter().map(str::to_owned).collect()
}

fn base(planned: &Planned) -> Base {
    let base = &planned.sides.base;
    Base {
        reference: base.reference.clone(),
        commit: base.commit.clone(),
        tip: base.tip.clone(),
        chosen: base.chosen.as_str().to_owned(),
        why: base.why.clone(),
        passed_over: base.passed_over.clone(),
    }
}

fn release(planned: &Planned) -> Release {
    Release {
        reference: planned.sides.release.reference.clone(),
        commit: planned.sides.release.commit.clone(),
        dirty: planned.dirty,
        content_hash: planned.content_hash.clone(),
    }
}

/// The public document; `for_build` draws the account up for the build asked for.
fn document(planned: &Planned, for_build: bool) -> Document {
    let build = planned.options.build.as_ref().filter(|_| for_build);
    let view = build.map(|build| BuildView::new(build, &planned.packages));
    let lines: u32 = planned.files.iter().map(|file| file.added).sum();
    let mut sheet = Sheet {
        account: Entries::with_room(128 * lines as usize),
        ..Sheet::default()
    };
    for file in &planned.files {
        let outside = match &file.state {
            State::Lines(_) => view.as_ref().and_then(|view| view.reason(file)),
            State::Whole(_) | State::Deleted => None,
        };
        sheet.add(file, outside, view.as_ref());
    }
    let points = points(&sheet, planned, view.as_ref());
    let mut summary = sheet.summary;
    summary.files = sheet.files_seen;
    summary.packages = packages(sheet.points.keys());
    summary.added_lines = summary.tracked + summary.not_executable + summary.untracked;
    summary.points = sheet.points.values().map(|file| file.points().len()).sum();
    summary.other.clone_from(&planned.other);
    summary.outside = view.is_some().then_some(sheet.outside);
    Document {
        head: Head {
            format: FORMAT,
            goat: planned.options.goat.clone(),
            module: planned.main.path.clone(),
            base: base(planned),
            release: release(planned),
            build: build.cloned(),
            precision: planned.options.precision,
            granularity: planned.options.granularity().as_str(),
        },
        points,
        account: sheet.account,
        tail: Tail {
            files: sheet.files,
            sources: sheet.sources,
            summary,
        },
    }
}

/// How many packages hold points.
fn packages<'p>(files: impl Iterator<Item = &'p (&'p str, &'p str)>) -> usize {
    let holders: BTreeSet<&str> = files.map(|(package, _)| *package).collect();
    holders.len()
}

/// The entries of the points. Their numbers count those of the build asked for, as the
/// program's own do.
fn points(sheet: &Sheet<'_>, planned: &Planned, view: Option<&BuildView<'_>>) -> Entries {
    let forms = planned.options.forms();
    let all: usize = sheet.points.values().map(|file| file.points().len()).sum();
    let (mut entries, mut number) = (Entries::with_room(512 * all), 0);
    for file in sheet.points.values() {
        let (package, path) = (quoted(&file.import_path), quoted(&file.path));
        let places = file.analysed().map_or(&[][..], |analysed| &analysed.places);
        for (point, (start, end)) in file.points().iter().zip(places) {
            number += 1;
            entries.point(&PointEntry {
                id: &point.id,
                number,
                kind: point.kind.as_str(),
                form: forms.of(point),
                form_reason: forms.reason(point),
                inline_cost: point.form.cost,
                large: point.form.large,
                link_removed: view.is_some_and(|view| view.removes(file, point)),
                package: &package,
                file: &path,
                func: &point.func,
                start: *start,
                end: *end,
            });
        }
    }
    entries
}

/// A document in the making.
#[derive(Default)]
struct Sheet<'p> {
    /// The files with points by import path and path: the order of the names.
    points: BTreeMap<(&'p str, &'p str), &'p PlannedFile>,
    account: Entries,
    files: Vec<FileAccount>,
    sources: Vec<SourceEntry>,
    summary: Summary,
    files_seen: usize,
    outside: Outside,
}

impl<'p> Sheet<'p> {
    fn add(
        &mut self,
        file: &'p PlannedFile,
        outside: Option<Reason>,
        view: Option<&BuildView<'_>>,
    ) {
        match (&file.state, outside) {
            (State::Deleted, _) => self.summary.deletions += 1,
            (State::Whole(reason), _) => self.add_whole(file, *reason),
            (State::Lines(analysed), Some(reason)) => {
                let points = analysed.points.points.len();
                *match reason {
                    Reason::BuildConstraint => &mut self.outside.build_constraint,
                    _ => &mut self.outside.not_in_build,
                } += points;
                self.add_whole(file, reason);
            }
            (State::Lines(_), None) => self.add_lines(file, view),
        }
    }

    /// Notes that a file has something in the universe; false if it has not (a pure
    /// rename).
    fn see(&mut self, file: &'p PlannedFile) -> bool {
        let seen = file.added > 0 || file.deletions > 0;
        if seen {
            self.files_seen += 1;
            self.summary.deletions += u64::from(file.deletions);
        }
        seen
    }

    fn add_whole(&mut self, file: &'p PlannedFile, reason: Reason) {
        // An unreadable file has no lines that anyone could count.
        if !self.see(file) && reason != Reason::Unreadable {
            return;
        }
        self.summary.untracked += u64::from(file.added);
        self.files.push(FileAccount {
            file: file.path.clone(),
            added: file.added,
            deletions: file.deletions,
            class: "untracked",
            reason: reason.as_str(),
        });
    }

    fn add_lines(&mut self, file: &'p PlannedFile, view: Option<&BuildView<'_>>) {
        self.see(file);
        let Some(analysed) = file.listed() else {
            return;
        };
        self.sources.push(SourceEntry {
            file: file.path.clone(),
            package: file.import_path.clone(),
            constraint: analysed.constraint.clone(),
        });
        if !file.points().is_empty() {
            self.points.insert((&file.import_path, &file.path), file);
        }
        let found = &analysed.points;
        let effects: BTreeMap<u32, &[usize]> = found
            .effects
            .iter()
            .map(|(line, points)| (*line, points.as_slice()))
            .collect();
        let lines = found.lines.iter();
        let lines = lines.map(|(line, verdict)| (Spot::Line(*line), verdict));
        let deletions = found.deletions.iter().map(|(deletion, verdict)| {
            let (after, lines) = (deletion.after, deletion.old_lines);
            (Spot::Deleted { after, lines }, verdict)
        });
        let mut entries: Vec<(Spot, &Verdict)> = lines.chain(deletions).collect();
        entries.sort_by_key(|(place, _)| place.order());
        let path = quoted(&file.path);
        for (place, verdict) in entries {
            let seen = match view {
                Some(view) => view.verdict(file, &found.points, verdict),
                None => Cow::Borrowed(verdict),
            };
            let mut entry = Account {
                file: &path,
                place,
                verdict: &seen,
                effects: &[],
                note: None,
                points: &found.points,
            };
            if let Spot::Line(line) = place {
                entry.effects = effects.get(&line).copied().unwrap_or_default();
                let untaken = found.untaken.binary_search(&line).is_ok();
                entry.note = untaken.then_some("case_expression");
                self.count(&entry);
            }
            self.account.account(&entry);
        }
    }

    fn count(&mut self, entry: &Account<'_>) {
        *match entry.class() {
            "tracked" => &mut self.summary.tracked,
            "not_executable" => &mut self.summary.not_executable,
            _ => &mut self.summary.untracked,
        } += 1;
    }
}
