//! Where jumps lead: what `break`, `continue` and `goto` mean for the place of a point.

use crate::control;
use crate::model::{BlockId, BlockKind, Place, Stmt, StmtId, StmtKind};

use super::view::View;

/// A `break`, `continue` or `goto`.
struct Jump<'x> {
    word: &'x [u8],
    /// Empty for one without.
    label: &'x [u8],
}

impl View<'_> {
    /// The place before the label of a `for`, `switch` or `select`. A `goto` would pass by
    /// what stands there. So where somebody goes to the label the point stands behind it,
    /// which Go allows as long as nobody breaks to it or continues it; else both before
    /// the label and before each `goto`.
    pub(super) fn before_label(&self, label: &Stmt, labelled: StmtId) -> Place {
        let name = self.first_word(label);
        let to_it = |jump: &Jump<'_>| jump.label == name;
        let jumps: Vec<(StmtId, Jump<'_>)> = self.jumps(label.block, &to_it);
        let (gotos, others): (Vec<_>, Vec<_>) = jumps
            .into_iter()
            .partition(|(_, jump)| jump.word == b"goto");
        if gotos.is_empty() {
            return Place::Before(label.span.start);
        }
        if others.is_empty() {
            return Place::Before(self.syntax.stmts[labelled].span.start);
        }
        let gotos = gotos.iter().flat_map(|(id, _)| self.before(*id).all());
        let fallen_into = self.is_fallen_into(label);
        each(
            fallen_into
                .then_some(label.span.start)
                .into_iter()
                .chain(gotos),
        )
    }

    /// Whether control may come to a label from what stands before it.
    fn is_fallen_into(&self, label: &Stmt) -> bool {
        let list = self.syntax.blocks[label.block].stmts.iter();
        let mut before = list.rev().filter(|&&id| {
            let stmt = &self.syntax.stmts[id];
            stmt.span.start < label.span.start && stmt.kind != StmtKind::Empty
        });
        before.next().is_none_or(|&id| !self.leaves(id))
    }

    /// The places that lead to the post statement of a `for`: each `continue` of it, and the
    /// end of its body if that can be reached. None if nothing leads there.
    pub(super) fn before_post(&self, id: StmtId) -> Option<Place> {
        let body = *self.syntax.stmts[id].blocks.first()?;
        let continues = self.jumps(self.syntax.stmts[id].block, &|jump| {
            jump.word == b"continue"
        });
        let own = continues
            .into_iter()
            .filter(|(stmt, jump)| self.target(*stmt, jump) == Some(id));
        let mut places: Vec<usize> = own.flat_map(|(stmt, _)| self.before(stmt).all()).collect();
        if !self.ends_elsewhere(body) {
            places.push(self.syntax.blocks[body].span.end - 1);
        }
        (!places.is_empty()).then(|| each(places.into_iter()))
    }

    /// The jumps of the function that a list is of.
    fn jumps(&self, block: BlockId, wanted: &dyn Fn(&Jump<'_>) -> bool) -> Vec<(StmtId, Jump<'_>)> {
        let func = self.syntax.blocks[block].func;
        let stmts = self.syntax.stmts.iter().enumerate();
        let here = stmts.filter(|(_, stmt)| {
            control::step();
            stmt.kind == StmtKind::Jump && self.syntax.blocks[stmt.block].func == func
        });
        here.filter_map(|(id, stmt)| Some((id, self.jump(stmt)?)))
            .filter(|(_, jump)| wanted(jump))
            .collect()
    }

    fn jump(&self, stmt: &Stmt) -> Option<Jump<'_>> {
        let words = self.words_in(stmt.span);
        let (word, rest) = words.split_first()?;
        let label = rest.first().filter(|word| &*word.text != b";");
        Some(Jump {
            word: &word.text,
            label: label.map_or(b"", |word| &*word.text),
        })
    }

    fn first_word(&self, stmt: &Stmt) -> &[u8] {
        self.words_in(stmt.span)
            .first()
            .map_or(b"", |word| &*word.text)
    }

    /// The statement that a `break` or `continue` is about.
    fn target(&self, id: StmtId, jump: &Jump<'_>) -> Option<StmtId> {
        let mut block = self.syntax.stmts[id].block;
        loop {
            control::step();
            let around = self.syntax.blocks[block].owner?;
            let stmt = &self.syntax.stmts[around];
            let fits = match stmt.kind {
                StmtKind::For => true,
                StmtKind::Switch | StmtKind::Select => jump.word == b"break",
                _ => !jump.label.is_empty(),
            };
            if fits && (jump.label.is_empty() || self.is_called(around, jump.label)) {
                return Some(around);
            }
            block = stmt.block;
        }
    }

    /// Whether a statement has this label directly before it.
    fn is_called(&self, id: StmtId, label: &[u8]) -> bool {
        let list = &self.syntax.blocks[self.syntax.stmts[id].block].stmts;
        let at = list.iter().position(|&other| other == id).unwrap_or(0);
        control::step();
        let before = at.checked_sub(1).map(|at| &self.syntax.stmts[list[at]]);
        before.is_some_and(|stmt| stmt.kind == StmtKind::Label && self.first_word(stmt) == label)
    }

    /// Whether control never comes to the end of a list: its last statement is one that
    /// ends a list by Go's rules.
    fn ends_elsewhere(&self, block: BlockId) -> bool {
        let stmts = &self.syntax.blocks[block].stmts;
        let last = stmts.iter().rev();
        let mut last = last.filter(|&&id| self.syntax.stmts[id].kind != StmtKind::Empty);
        last.next().is_some_and(|&id| self.leaves(id))
    }

    fn leaves(&self, id: StmtId) -> bool {
        let stmt = &self.syntax.stmts[id];
        let kind = |block: &BlockId| self.syntax.blocks[*block].kind;
        let all = || stmt.blocks.iter().all(|&block| self.ends_elsewhere(block));
        match stmt.kind {
            StmtKind::Return | StmtKind::Jump | StmtKind::Panic => true,
            StmtKind::Block => all(),
            StmtKind::If => {
                let otherwise = stmt.blocks.iter().map(kind);
                let mut otherwise =
                    otherwise.filter(|kind| matches!(kind, BlockKind::Else | BlockKind::ElseIf));
                otherwise.next().is_some() && all()
            }
            // With anything in its header a loop counts as one that ends.
            StmtKind::For => stmt.condition.is_empty() && !self.is_broken(id),
            StmtKind::Switch => self.has_default(stmt) && all() && !self.is_broken(id),
            StmtKind::Select => all() && !self.is_broken(id),
            _ => false,
        }
    }

    fn has_default(&self, stmt: &Stmt) -> bool {
        let clauses = stmt
            .blocks
            .iter()
            .map(|&block| self.syntax.blocks[block].clause);
        clauses
            .into_iter()
            .any(|clause| clause.of(self.source).starts_with(b"default"))
    }

    fn is_broken(&self, id: StmtId) -> bool {
        let breaks = self.jumps(self.syntax.stmts[id].block, &|jump| jump.word == b"break");
        breaks
            .iter()
            .any(|(stmt, jump)| self.target(*stmt, jump) == Some(id))
    }
}

fn each(places: impl Iterator<Item = usize>) -> Place {
    let mut all: Vec<usize> = places.collect();
    all.sort_unstable();
    all.dedup();
    Place::Each(all)
}
