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
mod manual;
mod places;
mod runs;
mod view;

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    BlockId, BlockKind, Delta, FilePoints, FileSyntax, Granularity, LineKind, Lines, Owner, Place,
    Point, PointKind, Reason, Span, StmtId, StmtKind, Verdict,
};
use crate::token::{Token, Word};
use ident::Unit;
pub use ident::make_distinct;
use view::View;

/// A file of the release with everything that earlier stages know of it.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// Its text.
    pub source: &'a [u8],
    /// Its tokens, comments included.
    pub tokens: &'a [Token],
    /// What of them means something.
    pub words: &'a [Word<'a>],
    /// Its structure.
    pub syntax: &'a FileSyntax,
    /// Its lines.
    pub lines: &'a Lines,
    /// What changed.
    pub delta: &'a Delta,
    /// The base's text and structure, needed where code was removed outside bodies.
    pub old: Option<(&'a [u8], &'a [Token], &'a FileSyntax)>,
    /// How finely points are set.
    pub granularity: Granularity,
    /// Import path of the package.
    pub import_path: &'a str,
    /// Base name of the file.
    pub file: &'a str,
}

/// Something on a line that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Piece {
    Stmt(StmtId),
    Clause(BlockId),
    Var(usize),
}

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

/// What stands on a line of the universe.
#[derive(Debug, Default)]
struct Found {
    /// What runs and can be tracked.
    pieces: Vec<Piece>,
    /// Why not, where nothing can.
    reason: Option<Reason>,
}

fn find(view: &View<'_>, line: u32, kind: LineKind) -> Found {
    let reason = match kind {
        LineKind::Blank => Some(Reason::Blank),
        LineKind::Comment | LineKind::Directive if view.in_preamble(line) => {
            Some(Reason::CgoPreamble)
        }
        LineKind::Comment => Some(Reason::Comment),
        LineKind::Directive => Some(Reason::Directive),
        LineKind::Format => Some(Reason::Format),
        LineKind::Code => None,
    };
    if reason.is_some() {
        return Found {
            pieces: Vec::new(),
            reason,
        };
    }
    let mut found = Found::default();
    let mut lost = None;
    for owner in view.owners_on(line) {
        match classify(view, owner) {
            Ok(piece) => found.pieces.push(piece),
            Err(reason) if !reason.not_executable() => lost = lost.or(Some(reason)),
            Err(reason) => found.reason = found.reason.or(Some(reason)),
        }
    }
    found.pieces.sort_unstable();
    found.pieces.dedup();
    found.reason = lost.or(found.reason).or(Some(Reason::Brace));
    found
}

/// What runs at this owner, or why nothing does or nothing may be added.
fn classify(view: &View<'_>, owner: Owner) -> Result<Piece, Reason> {
    let syntax = view.syntax;
    match owner {
        Owner::Stmt(id) => match syntax.stmts[id].kind {
            StmtKind::Const => Err(Reason::Const),
            StmtKind::Type => Err(Reason::Type),
            StmtKind::Empty => Err(Reason::Brace),
            StmtKind::Label => Err(Reason::Label),
            _ => match view.closed(syntax.stmts[id].block, syntax.stmts[id].span) {
                Some(reason) => Err(reason),
                None => Ok(Piece::Stmt(id)),
            },
        },
        Owner::Clause(id) => match view.closed(id, syntax.blocks[id].span) {
            Some(reason) => Err(reason),
            None => Ok(Piece::Clause(id)),
        },
        Owner::Var(id) => classify_variable(view, id),
        Owner::Signature(id) if view.is_damaged(id) => Err(Reason::SyntaxError),
        Owner::Signature(id) if syntax.funcs[id].body.is_none() => Err(Reason::AssemblyStub),
        Owner::Signature(_) => Err(Reason::Signature),
        Owner::Brace(_) => Err(Reason::Brace),
        Owner::Label(_) => Err(Reason::Label),
        Owner::Package => Err(Reason::Package),
        Owner::Import => Err(Reason::Import),
        Owner::Type => Err(Reason::Type),
        Owner::Const => Err(Reason::Const),
        Owner::VarGroup => Err(Reason::Var),
        Owner::Error => Err(Reason::SyntaxError),
    }
}

fn classify_variable(view: &View<'_>, id: usize) -> Result<Piece, Reason> {
    let spec = &view.syntax.vars[id];
    if !spec.runs {
        return Err(Reason::Var);
    }
    if view.ignored(spec.span) {
        return Err(Reason::IgnoreTag);
    }
    if spec.names.iter().all(|name| name == "_") {
        let guard = view.is_guard(spec.span);
        return Err(if guard {
            Reason::Var
        } else {
            Reason::BlankVariable
        });
    }
    Ok(Piece::Var(id))
}

/// A point before it has an id.
#[derive(Debug)]
struct Draft {
    place: Place,
    kind: PointKind,
    region: Span,
    unit: Unit,
}

struct Planner<'v, 'a> {
    view: &'v View<'a>,
    granularity: Granularity,
    /// By the offset where the text goes: several points at one place share one.
    drafts: BTreeMap<usize, Draft>,
    /// Which place vouches for a piece.
    anchors: BTreeMap<Piece, usize>,
}

impl Planner<'_, '_> {
    /// Puts a point at a place unless one is there, and gives its key.
    fn put(&mut self, place: Place, kind: PointKind, region: Span, unit: Unit) -> usize {
        let at = place.at();
        self.drafts.entry(at).or_insert(Draft {
            place,
            kind,
            region,
            unit,
        });
        at
    }

    /// A point that the entry of a list vouches with.
    fn put_list(&mut self, block: BlockId, kind: PointKind) -> usize {
        let (place, region) = (self.view.entry(block), self.view.list_region(block));
        self.put(place, kind, region, Unit::List(block))
    }

    fn place_changes(&mut self, changed: &BTreeSet<Piece>) {
        match self.granularity {
            Granularity::Line | Granularity::Patch | Granularity::Scope => self.place_runs(changed),
            Granularity::Func => {}
        }
        for &piece in changed {
            let at = match piece {
                Piece::Var(id) => Some(self.put_variable(id)),
                Piece::Stmt(id) => self.put_around(self.view.syntax.stmts[id].block),
                Piece::Clause(id) => self
                    .put_around(id)
                    .or_else(|| Some(self.put_list(id, PointKind::Change))),
            };
            if let Some(at) = at {
                self.anchors.insert(piece, at);
            }
        }
    }

    /// The point of a coarse granularity for what stands directly in this list.
    fn put_around(&mut self, block: BlockId) -> Option<usize> {
        match self.granularity {
            Granularity::Line | Granularity::Patch | Granularity::Scope => None,
            Granularity::Func => {
                let syntax = self.view.syntax;
                let body = syntax.funcs[syntax.blocks[block].func]
                    .body
                    .unwrap_or(block);
                let (place, region) = (self.view.entry(body), syntax.blocks[body].span);
                Some(self.put(place, PointKind::Change, region, Unit::Body(body)))
            }
        }
    }

    /// One point per changed statement, per run of neighbours among them, or (scope)
    /// per basic block that holds one.
    fn place_runs(&mut self, changed: &BTreeSet<Piece>) {
        let is_changed = |id: &StmtId| changed.contains(&Piece::Stmt(*id));
        let lists: BTreeSet<BlockId> = changed
            .iter()
            .filter_map(|piece| match piece {
                Piece::Stmt(id) => Some(self.view.syntax.stmts[*id].block),
                Piece::Clause(_) | Piece::Var(_) => None,
            })
            .collect();
        for block in lists {
            for run in runs::runs(self.view.syntax, block) {
                if self.granularity == Granularity::Scope {
                    if run.iter().any(is_changed) {
                        self.put_statements(&run);
                    }
                    continue;
                }
                let patches = run.chunk_by(|a, b| is_changed(a) == is_changed(b));
                for patch in patches.filter(|patch| is_changed(&patch[0])) {
                    let size = if self.granularity == Granularity::Line {
                        1
                    } else {
                        patch.len()
                    };
                    for unit in patch.chunks(size) {
                        self.put_statements(unit);
                    }
                }
            }
        }
    }

    fn put_statements(&mut self, stmts: &[StmtId]) {
        let (first, last) = (stmts[0], stmts[stmts.len() - 1]);
        let start = self.view.syntax.stmts[first].span.start;
        let region = Span::new(start, self.view.header_end(last));
        let unit = Unit::Stmts(stmts.to_vec());
        let at = self.put(self.view.before(first), PointKind::Change, region, unit);
        for &stmt in stmts {
            self.anchors.insert(Piece::Stmt(stmt), at);
        }
    }

    fn put_variable(&mut self, id: usize) -> usize {
        let region = self.view.syntax.vars[id].span;
        self.put(
            self.view.after_variable(id),
            PointKind::Change,
            region,
            Unit::Var(id),
        )
    }

    /// A point at every first-level branch of a statement whose condition changed.
    fn place_branches(&mut self, changed: &BTreeSet<Piece>, delta: &Delta) {
        for &piece in changed {
            let Piece::Stmt(id) = piece else { continue };
            if !self.view.condition_changed(id, &delta.touched) {
                continue;
            }
            for &block in &self.view.syntax.stmts[id].blocks {
                let kind = self.view.syntax.blocks[block].kind;
                if kind != BlockKind::Comm
                    && !self.view.ignored(self.view.syntax.blocks[block].span)
                {
                    self.put_list(block, PointKind::Branch);
                }
            }
        }
    }

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
        let mut forms = form::Forms::new(self.view);
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
