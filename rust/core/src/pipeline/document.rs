//! Writes a plan down.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;

use super::build::BuildView;
use super::{Planned, PlannedFile, State};
use crate::error::{Code, Error, Result};
use crate::model::{Position, Reason};
use crate::plan::{
    self, Account, Base, Document, FORMAT, FileAccount, Files, Index, ModuleEntry, Outside,
    PointEntry, Release, SourceEntry, Summary, Warning, entry, hash_of, json, sealed,
};

/// The files of the plan directory with their hash, and the public document among them.
pub(super) fn directory(planned: &Planned) -> (String, Files, Document) {
    let mut files = Files::new();
    let public = document(planned, false);
    files.insert("plan.json".into(), sealed(&public));
    for package in &planned.packages {
        let text = package.text.as_bytes().to_vec();
        files.insert(package.entry.doc.clone(), text);
    }
    for (name, shard) in planned.sources.shards() {
        files.insert(name, sealed(&shard));
    }
    let mut index = index(planned);
    let hash = hash_of(&files, &json(&index));
    index.plan_hash = Some(hash.clone());
    files.insert("index.json".into(), sealed(&index));
    (hash, files, public)
}

/// The public document with what only the answer says.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    #[serde(flatten)]
    document: Document,
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
) -> Result<Vec<u8>> {
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
        document.points.clear();
        document.account.clear();
        document.files.clear();
        document.sources.clear();
    }
    let answer = Answer {
        document,
        plan_hash: hash,
        plan_dir,
        app: planned.app(),
        marked: planned.sources.marked,
        warnings: &planned.warnings,
    };
    serde_json::to_vec(&answer)
        .map_err(|cause| Error::new(Code::Internal, "the plan cannot be written").cause(cause))
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
    let mut sheet = Sheet::default();
    for file in &planned.files {
        let outside = match &file.state {
            State::Lines(_) => view.as_ref().and_then(|view| view.reason(file)),
            State::Whole(_) | State::Deleted => None,
        };
        sheet.add(file, outside, planned, view.as_ref());
    }
    let mut summary = sheet.summary;
    summary.files = sheet.files_seen;
    summary.packages = packages(sheet.points.values().flatten());
    summary.added_lines = summary.tracked + summary.not_executable + summary.untracked;
    summary.points = sheet.points.values().map(Vec::len).sum();
    summary.other.clone_from(&planned.other);
    summary.outside = view.is_some().then_some(sheet.outside);
    let mut points: Vec<PointEntry> = sheet.points.into_values().flatten().collect();
    if view.is_some() {
        // Display names count the points of the build, as the program's own do.
        for (index, point) in points.iter_mut().enumerate() {
            point.name = format!("TRACK_ID_{}", index + 1);
        }
    }
    Document {
        format: FORMAT,
        goat: planned.options.goat.clone(),
        module: planned.main.path.clone(),
        base: base(planned),
        release: release(planned),
        build: build.cloned(),
        precision: planned.options.precision,
        granularity: planned.options.granularity().as_str(),
        points,
        account: sheet.account,
        files: sheet.files,
        sources: sheet.sources,
        summary,
    }
}

/// How many packages hold points.
fn packages<'p>(points: impl Iterator<Item = &'p PointEntry>) -> usize {
    let holders: BTreeSet<&str> = points.map(|point| point.package.as_str()).collect();
    holders.len()
}

/// A document in the making.
#[derive(Default)]
struct Sheet<'p> {
    /// By import path and file: the order of the names.
    points: BTreeMap<(&'p str, &'p str), Vec<PointEntry>>,
    account: Vec<Account>,
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
        planned: &Planned,
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
            (State::Lines(_), None) => self.add_lines(file, planned, view),
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

    fn add_lines(
        &mut self,
        file: &'p PlannedFile,
        planned: &Planned,
        view: Option<&BuildView<'_>>,
    ) {
        self.see(file);
        let Some(analysed) = file.listed() else {
            return;
        };
        self.sources.push(SourceEntry {
            file: file.path.clone(),
            package: file.import_path.clone(),
            constraint: analysed.constraint.clone(),
        });
        let ids: Vec<String> = analysed
            .points
            .points
            .iter()
            .map(|p| p.id.clone())
            .collect();
        let entry = |verdict| {
            let seen = view.map(|view| view.verdict(file, &analysed.points.points, verdict));
            entry(&file.path, seen.as_deref().unwrap_or(verdict), &ids)
        };
        let effects: BTreeMap<u32, &[usize]> = analysed
            .points
            .effects
            .iter()
            .map(|(line, points)| (*line, points.as_slice()))
            .collect();
        let named = |line: &u32| -> Vec<String> {
            let points = effects.get(line).copied().unwrap_or_default();
            points.iter().map(|&index| ids[index].clone()).collect()
        };
        let untaken = |line: &u32| analysed.points.untaken.binary_search(line).is_ok();
        let lines = analysed.points.lines.iter().map(|(line, verdict)| Account {
            line: Some(*line),
            effects: named(line),
            note: untaken(line).then_some("case_expression"),
            ..entry(verdict)
        });
        let deletions = analysed
            .points
            .deletions
            .iter()
            .map(|(deletion, verdict)| Account {
                deleted_after: Some(deletion.after),
                deleted_lines: Some(deletion.old_lines),
                ..entry(verdict)
            });
        let mut entries: Vec<Account> = lines.chain(deletions).collect();
        for entry in entries.iter().filter(|entry| entry.line.is_some()) {
            *match entry.class {
                "tracked" => &mut self.summary.tracked,
                "not_executable" => &mut self.summary.not_executable,
                _ => &mut self.summary.untracked,
            } += 1;
        }
        entries.sort_by_key(|entry| (entry.line.or(entry.deleted_after), entry.line.is_none()));
        self.account.append(&mut entries);
        self.add_points(file, planned, view);
    }

    fn add_points(
        &mut self,
        file: &'p PlannedFile,
        planned: &Planned,
        view: Option<&BuildView<'_>>,
    ) {
        let Some(analysed) = file.analysed() else {
            return;
        };
        let forms = planned.options.forms();
        let place = |&Position { line, column }: &Position| plan::Position { line, column };
        let named = analysed.points.points.iter().zip(&analysed.names);
        let named = named.zip(&analysed.places);
        let entries = named.map(|((point, name), (start, end))| PointEntry {
            id: point.id.clone(),
            name: name.clone(),
            kind: point.kind.as_str(),
            form: forms.of(point),
            form_reason: forms.reason(point),
            inline_cost: point.form.cost,
            large: point.form.large,
            link_removed: view.is_some_and(|view| view.removes(file, point)),
            package: file.import_path.clone(),
            file: file.path.clone(),
            func: point.func.clone(),
            start: place(start),
            end: place(end),
        });
        self.points
            .insert((&file.import_path, &file.path), entries.collect());
    }
}
