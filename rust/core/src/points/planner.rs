//! Collects points by the rule of the granularity: which places get one, and what each vouches
//! for.

use std::collections::{BTreeMap, BTreeSet};

use super::lines::Piece;
use super::runs::runs;
use super::unit::Unit;
use super::view::View;
use crate::model::{BlockId, BlockKind, Delta, Granularity, Place, PointKind, Span, StmtId};

/// A point before it has an id.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) place: Place,
    pub(super) kind: PointKind,
    pub(super) region: Span,
    pub(super) unit: Unit,
}

/// Where the first text of a point goes, and whether it is one of several.
pub(super) type Key = (usize, bool);

/// Collects the points of one file.
pub(super) struct Planner<'v, 'a> {
    pub(super) view: &'v View<'a>,
    pub(super) granularity: Granularity,
    /// By the offset where the text goes: several points at one place share one.
    pub(super) drafts: BTreeMap<Key, Draft>,
    /// Which place vouches for a piece.
    pub(super) anchors: BTreeMap<Piece, Key>,
}

impl Planner<'_, '_> {
    /// Puts a point at a place unless one is there, and gives its key.
    pub(super) fn put(&mut self, place: Place, kind: PointKind, region: Span, unit: Unit) -> Key {
        let at = (place.at(), matches!(place, Place::Each(_)));
        self.drafts.entry(at).or_insert(Draft {
            place,
            kind,
            region,
            unit,
        });
        at
    }

    /// A point that the entry of a list vouches with.
    pub(super) fn put_list(&mut self, block: BlockId, kind: PointKind) -> Key {
        let (place, region) = (self.view.entry(block), self.view.list_region(block));
        self.put(place, kind, region, Unit::List(block))
    }

    pub(super) fn place_changes(&mut self, changed: &BTreeSet<Piece>) {
        match self.granularity {
            Granularity::Line | Granularity::Patch | Granularity::Scope => self.place_runs(changed),
            Granularity::Func => {}
        }
        for &piece in changed {
            let at = match piece {
                Piece::Var(id) => Some(self.put_variable(id)),
                Piece::Stmt(id) => self.put_around(self.view.syntax.stmts[id].block),
                Piece::Post(id) => self
                    .put_around(self.view.syntax.stmts[id].block)
                    .or_else(|| self.put_post(id)),
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
    fn put_around(&mut self, block: BlockId) -> Option<Key> {
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
                Piece::Post(_) | Piece::Clause(_) | Piece::Var(_) => None,
            })
            .collect();
        for block in lists {
            for run in runs(self.view.syntax, block) {
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

    /// The point of a post statement; none where nothing leads to it.
    fn put_post(&mut self, id: StmtId) -> Option<Key> {
        let (place, region) = (self.view.before_post(id)?, self.view.syntax.stmts[id].post?);
        Some(self.put(place, PointKind::Change, region, Unit::Post(id)))
    }

    fn put_variable(&mut self, id: usize) -> Key {
        let region = self.view.syntax.vars[id].span;
        self.put(
            self.view.after_variable(id),
            PointKind::Change,
            region,
            Unit::Var(id),
        )
    }

    /// A point at every first-level branch of a statement whose condition changed.
    pub(super) fn place_branches(&mut self, changed: &BTreeSet<Piece>, delta: &Delta) {
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
}
