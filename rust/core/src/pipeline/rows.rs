//! What the documents say of each changed file: its row of the account, and its part of the
//! long lists.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::build::BuildView;
use super::{PlannedFile, State};
use crate::instrument::Forms;
use crate::model::{Key, Reason, Verdict};
use crate::plan::{
    Account, Entries, FileAccount, Other, Outside, PointEntry, SourceEntry, Spot, Summary, Tail,
    quoted,
};

/// What the documents say of a changed file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) path: String,
    pub(super) import_path: String,
    /// What names its analysis, where that may be kept.
    pub(super) key: Option<Key>,
    /// As in [`PlannedFile`].
    pub(super) asked: Option<(String, String)>,
    pub(super) added: u32,
    pub(super) deletions: u32,
    pub(super) said: Said,
    /// How many lines points vouch for, on how many nothing can run, and the others.
    lines: [u64; 3],
    /// How many points the documents have of it.
    pub(super) points: usize,
    /// How many bytes of the lists are its own.
    pub(super) size: Size,
}

/// Bytes of the lists, without the commas around them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Size {
    pub(super) points: usize,
    pub(super) account: usize,
}

/// How a changed file is accounted for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Said {
    /// By a sum: it is gone.
    Gone,
    /// Not at all: nothing of it changed but its name.
    Nothing,
    /// As a whole.
    Whole(Reason),
    /// Line by line; which builds take it.
    Lines(String),
}

/// The rows of files with their texts.
#[derive(Default)]
pub(super) struct Rows {
    /// By path.
    pub(super) all: Vec<Row>,
    pub(super) points: Entries,
    pub(super) account: Entries,
    pub(super) outside: Outside,
}

impl Rows {
    /// The rows of some files; the account is that of a build where there is one. The
    /// numbers of the points count from one.
    pub(super) fn of(files: &[PlannedFile], forms: Forms, view: Option<&BuildView<'_>>) -> Self {
        let lines: u32 = files.iter().map(|file| file.added).sum();
        let mut rows = Self {
            account: Entries::with_room(128 * lines as usize),
            ..Self::default()
        };
        for file in files {
            let outside = match &file.state {
                State::Lines(_) => view.and_then(|view| view.reason(file)),
                State::Whole(_) | State::Deleted => None,
            };
            rows.add(file, outside, view);
        }
        rows.list(files, forms, view);
        rows
    }

    fn add(&mut self, file: &PlannedFile, outside: Option<Reason>, view: Option<&BuildView<'_>>) {
        let mut row = Row {
            path: file.path.clone(),
            import_path: file.import_path.clone(),
            key: file.key,
            asked: file.asked.clone(),
            added: file.added,
            deletions: file.deletions,
            said: Said::Nothing,
            lines: [0; 3],
            points: 0,
            size: Size::default(),
        };
        match (&file.state, outside) {
            (State::Deleted, _) => row.said = Said::Gone,
            (State::Whole(reason), _) => row.whole(*reason),
            (State::Lines(analysed), Some(reason)) => {
                let points = analysed.points.points.len();
                *match reason {
                    Reason::BuildConstraint => &mut self.outside.build_constraint,
                    _ => &mut self.outside.not_in_build,
                } += points;
                row.whole(reason);
            }
            (State::Lines(_), None) => self.add_lines(file, &mut row, view),
        }
        self.all.push(row);
    }

    fn add_lines(&mut self, file: &PlannedFile, row: &mut Row, view: Option<&BuildView<'_>>) {
        let Some(analysed) = file.listed() else {
            return;
        };
        row.said = Said::Lines(analysed.constraint.clone());
        row.points = file.points().len();
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
        let before = self.account.len();
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
                row.count(&entry);
            }
            self.account.account(&entry);
        }
        row.size.account = grown(&self.account, before);
    }

    /// Writes the points. Their numbers count those of the build asked for, as the
    /// program's own do.
    fn list(&mut self, files: &[PlannedFile], forms: Forms, view: Option<&BuildView<'_>>) {
        let all: usize = self.all.iter().map(|row| row.points).sum();
        self.points = Entries::with_room(512 * all);
        let mut number = 0;
        for at in in_order(&self.all) {
            let file = &files[at];
            let before = self.points.len();
            let (package, path) = (quoted(&file.import_path), quoted(&file.path));
            let places = file.analysed().map_or(&[][..], |analysed| &analysed.places);
            for (point, (start, end)) in file.points().iter().zip(places) {
                number += 1;
                self.points.point(&PointEntry {
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
            self.all[at].size.points = grown(&self.points, before);
        }
    }
}

/// How many bytes a list has more than before, without a comma between.
fn grown(list: &Entries, before: usize) -> usize {
    let added = list.len() - before;
    added - usize::from(before > 0 && added > 0)
}

/// The rows with points in the order of the points' names: by import path and path.
pub(super) fn in_order(rows: &[Row]) -> Vec<usize> {
    let with_points = (0..rows.len()).filter(|&at| rows[at].points > 0);
    let mut order: Vec<usize> = with_points.collect();
    let name = |at: usize| (rows[at].import_path.as_str(), rows[at].path.as_str());
    order.sort_by(|&a, &b| name(a).cmp(&name(b)));
    order
}

impl Row {
    fn has_lines(&self) -> bool {
        self.added > 0 || self.deletions > 0
    }

    fn whole(&mut self, reason: Reason) {
        // An unreadable file has no lines that anyone could count.
        if self.has_lines() || reason == Reason::Unreadable {
            self.said = Said::Whole(reason);
            self.lines[2] = u64::from(self.added);
        }
    }

    fn count(&mut self, entry: &Account<'_>) {
        let class = match entry.class() {
            "tracked" => 0,
            "not_executable" => 1,
            _ => 2,
        };
        self.lines[class] += 1;
    }

    /// Whether the account goes through it line by line.
    pub(super) const fn is_listed(&self) -> bool {
        matches!(self.said, Said::Lines(_))
    }
}

/// What stands behind points and account.
pub(super) fn tail(rows: &[Row], other: &[Other], outside: Option<Outside>) -> Tail {
    let (mut files, mut sources) = (Vec::new(), Vec::new());
    let mut sums = Summary {
        other: other.to_vec(),
        outside,
        ..Summary::default()
    };
    let mut packages: BTreeSet<&str> = BTreeSet::new();
    for row in rows {
        match &row.said {
            Said::Gone => sums.deletions += 1,
            Said::Nothing => {}
            Said::Whole(reason) => files.push(FileAccount {
                file: row.path.clone(),
                added: row.added,
                deletions: row.deletions,
                class: "untracked",
                reason: reason.as_str(),
            }),
            Said::Lines(constraint) => sources.push(SourceEntry {
                file: row.path.clone(),
                package: row.import_path.clone(),
                constraint: constraint.clone(),
            }),
        }
        if row.said != Said::Gone && row.has_lines() {
            sums.files += 1;
            sums.deletions += u64::from(row.deletions);
        }
        let [tracked, not_executable, untracked] = row.lines;
        sums.tracked += tracked;
        sums.not_executable += not_executable;
        sums.untracked += untracked;
        sums.points += row.points;
        if row.points > 0 {
            packages.insert(&row.import_path);
        }
    }
    sums.packages = packages.len();
    sums.added_lines = sums.tracked + sums.not_executable + sums.untracked;
    Tail {
        files,
        sources,
        summary: sums,
    }
}
