//! Where the points of one file must stand, and what vouches for each changed line.
//!
//! A changed line is owned by every statement, clause or initialiser that has a
//! token on it; each of those gets a point by the rule of the granularity, and the
//! line names them all. [`runs`] holds the basic-block rule, [`places`] where a point
//! may stand, [`ident`] the content ids, [`form`] what a point may cost.

mod deletions;
mod form;
mod ident;
mod ignore;
mod input;
mod jumps;
mod lines;
mod manual;
mod places;
mod planner;
mod repeats;
mod runs;
mod unit;
mod view;

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    Deletion, Delta, FilePoints, Granularity, LineKind, Lines, Point, Reason, Span, Verdict,
};
use deletions::Outcome;
pub use ident::make_distinct;
pub use input::Input;
use lines::{Found, Piece, find};
use planner::{Key, Planner};
use view::View;

/// The places of a file whose declarations have to be read to plan it: lines with new
/// code, places that code was taken from, and everything where somebody asks for
/// points.
#[must_use]
pub fn wanted(source: &[u8], lines: &Lines, delta: &Delta) -> Vec<Span> {
    if manual::may_have_requests(source) {
        return vec![Span::new(0, source.len())];
    }
    let code = delta.lines.iter().filter(|(_, k)| *k == LineKind::Code);
    let live = delta.effects.iter().flat_map(|effect| &effect.live);
    let code = code.map(|(line, _)| line).chain(live);
    let mut wanted: Vec<Span> = code.map(|line| lines.span(*line)).collect();
    for deletion in delta.deletions.iter().filter(|d| deletions::is_code(d)) {
        let at = lines.span(deletion.after + 1).start;
        wanted.push(Span::new(at, at));
    }
    wanted
}

/// The places of the base that are needed to plan a file ([`Input::old`]); `None` where
/// nothing of it is.
#[must_use]
pub fn wanted_of_base(input: &Input<'_>, old_lines: &Lines) -> Option<Vec<Span>> {
    let deletions = input.delta.deletions.iter();
    let needed: Vec<_> = deletions
        .filter(|deletion| deletions::needs_base(input, deletion))
        .collect();
    let code = needed.iter().filter(|d| deletions::is_code(d));
    let removed = code.map(|d| deletions::removed_span(old_lines, d));
    (!needed.is_empty()).then(|| removed.collect())
}

/// Plans one file.
#[must_use]
pub fn plan(input: &Input<'_>) -> FilePoints {
    let view = View::new(input);
    let mut planner = Planner {
        view: &view,
        granularity: input.granularity,
        drafts: BTreeMap::new(),
        anchors: BTreeMap::new(),
    };
    let found: Vec<(u32, Found)> = input
        .delta
        .lines
        .iter()
        .map(|&(line, kind)| (line, find(&view, line, kind)))
        .collect();
    let live = input.delta.effects.iter().flat_map(|effect| &effect.live);
    let live: BTreeMap<u32, Found> = live
        .map(|&line| (line, find(&view, line, LineKind::Code)))
        .collect();
    let all = found.iter().map(|(_, found)| found).chain(live.values());
    let changed: BTreeSet<Piece> = all.flat_map(|found| found.pieces.iter().copied()).collect();
    planner.place_changes(&changed);
    if input.granularity != Granularity::Func {
        planner.place_branches(&changed, input.delta);
    }
    planner.place_manual(input);
    let deletions: Vec<_> = input
        .delta
        .deletions
        .iter()
        .map(|d| (*d, planner.delete(input, d)))
        .collect();
    planner.finish(input.delta, &found, &live, &deletions)
}

impl Planner<'_, '_> {
    /// Gives the points their ids and turns places into indices.
    fn finish(
        self,
        delta: &Delta,
        found: &[(u32, Found)],
        live: &BTreeMap<u32, Found>,
        deletions: &[(Deletion, Outcome)],
    ) -> FilePoints {
        let keys = self.drafts.keys().enumerate();
        let index: BTreeMap<Key, usize> = keys.map(|(index, &at)| (at, index)).collect();
        let mut file = FilePoints {
            points: self.points(),
            ..FilePoints::default()
        };
        let indices = |found: &Found| {
            let places = found.pieces.iter().filter_map(|p| self.anchors.get(p));
            sorted(places.map(|at| index[at]))
        };
        for (line, found) in found {
            let not = Verdict::Not(found.reason.unwrap_or(Reason::Brace));
            if found.untaken && !found.pieces.is_empty() {
                file.untaken.push(*line);
            }
            file.lines.push((*line, verdict(indices(found), not)));
        }
        let mut entries = BTreeMap::new();
        for (number, (deletion, outcome)) in deletions.iter().enumerate() {
            let judged = match outcome {
                Outcome::Point(at) => Verdict::Points(vec![index[at]]),
                Outcome::Not(reason) => Verdict::Not(*reason),
            };
            entries.insert(number, (*deletion, judged));
        }
        for effect in &delta.effects {
            let dead = effect.dead.iter().map(|number| &entries[number].1);
            let dead = dead.flat_map(|verdict| verdict.points().iter().copied());
            let alive = effect.live.iter().filter_map(|line| live.get(line));
            let points = sorted(alive.flat_map(&indices).chain(dead));
            if points.is_empty() {
                continue;
            }
            if let Some(entry) = effect.deletion.and_then(|n| entries.get_mut(&n)) {
                let all = entry
                    .1
                    .points()
                    .iter()
                    .copied()
                    .chain(points.iter().copied());
                entry.1 = Verdict::Points(sorted(all));
            }
            let causes = effect.lines.iter();
            file.effects
                .extend(causes.map(|&line| (line, points.clone())));
        }
        let entries = entries.into_values().filter(|(deletion, _)| deletion.entry);
        file.deletions = entries.collect();
        file
    }

    fn points(&self) -> Vec<Point> {
        let mut namer = ident::Namer::new(self.view, self.granularity);
        let mut forms = form::Forms::new(self.view, self.drafts.values().map(|draft| &draft.unit));
        let points = self.drafts.values().map(|draft| Point {
            id: namer.id(&draft.unit, draft.kind),
            place: draft.place.clone(),
            kind: draft.kind,
            region: draft.region,
            func: self.view.name(&draft.unit).to_owned(),
            form: forms.of(&draft.unit),
            declared: self.view.is_declared(&draft.unit),
        });
        points.collect()
    }
}

fn sorted(indices: impl Iterator<Item = usize>) -> Vec<usize> {
    let set: BTreeSet<usize> = indices.collect();
    set.into_iter().collect()
}

/// The points if there are any.
fn verdict(points: Vec<usize>, not: Verdict) -> Verdict {
    if points.is_empty() {
        not
    } else {
        Verdict::Points(points)
    }
}
