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
mod lines;
mod manual;
mod places;
mod planner;
mod runs;
mod unit;
mod view;

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Delta, FilePoints, Granularity, LineKind, Lines, Point, Reason, Span, Verdict};
pub use ident::make_distinct;
pub use input::Input;
use lines::{Found, Piece, find};
use planner::Planner;
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
    let mut wanted: Vec<Span> = code.map(|(line, _)| lines.span(*line)).collect();
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
    let changed: BTreeSet<Piece> = found
        .iter()
        .flat_map(|(_, found)| found.pieces.iter().copied())
        .collect();
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
    planner.finish(found, deletions)
}

impl Planner<'_, '_> {
    /// Gives the points their ids and turns places into indices.
    fn finish(
        self,
        found: Vec<(u32, Found)>,
        deletions: Vec<(crate::model::Deletion, deletions::Outcome)>,
    ) -> FilePoints {
        let index: BTreeMap<usize, usize> = self
            .drafts
            .keys()
            .enumerate()
            .map(|(index, &at)| (at, index))
            .collect();
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
        let points = points.collect();
        let verdict = |found: Found| {
            let places = found
                .pieces
                .iter()
                .filter_map(|piece| self.anchors.get(piece));
            let mut points: Vec<usize> = places.map(|at| index[at]).collect();
            points.sort_unstable();
            points.dedup();
            if points.is_empty() {
                Verdict::Not(found.reason.unwrap_or(Reason::Brace))
            } else {
                Verdict::Points(points)
            }
        };
        let lines = found
            .into_iter()
            .map(|(line, found)| (line, verdict(found)))
            .collect();
        let deletions = deletions
            .into_iter()
            .filter(|(deletion, _)| deletion.entry)
            .map(|(deletion, outcome)| match outcome {
                deletions::Outcome::Point(at) => (deletion, Verdict::Points(vec![index[&at]])),
                deletions::Outcome::Not(reason) => (deletion, Verdict::Not(reason)),
            });
        FilePoints {
            points,
            lines,
            deletions: deletions.collect(),
        }
    }
}
