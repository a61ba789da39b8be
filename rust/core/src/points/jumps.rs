//! Where jumps lead: what `break`, `continue` and `goto` mean for the place of a point.

use crate::control;
use crate::model::{BlockId, BlockKind, Place, Stmt, StmtId, StmtKind};

use super::view::{Jumps, View};

/// A `break`, `continue` or `goto`.
struct Jump<'x> {
    word: &'x [u8],
    /// Empty for one without.
    label: &'x [u8],
}

impl<'a> View<'a> {
    /// The place before the label of a `for`, `switch` or `select`. A `goto` would pass by
    /// what stands there. So where somebody goes to the label the point stands behind it,
    /// which Go allows as long as nobody breaks to it or continues it; else both before
    /// the label and before each `goto`.
    pub(super) fn before_label(&self, label: &Stmt, labelled: StmtId) -> Place {
        let func = self.syntax.blocks[label.block].func;
        let to_it = self
            .all_jumps()
            .to_label
            .get(&(func, self.first_word(label)));
        let (gotos, others): (Vec<_>, Vec<_>) = to_it
            .into_iter()
            .flatten()
            .partition(|&&id| self.is_jump(id, b"goto"));
        if gotos.is_empty() {
            return Place::Before(label.span.start);
        }
        if others.is_empty() {
            return Place::Before(self.syntax.stmts[labelled].span.start);
        }
        let gotos = gotos.into_iter().flat_map(|&id| self.before(id).all());
        let fallen_into = self.is_fallen_into(label, labelled);
        each(
            fallen_into
                .then_some(label.span.start)
                .into_iter()
                .chain(gotos),
        )
    }

    /// Whether control may come to a label from what stands before it.
    fn is_fallen_into(&self, label: &Stmt, labelled: StmtId) -> bool {
        let mut before = self.stmts_before(labelled).iter().rev().filter(|&&id| {
            let stmt = &self.syntax.stmts[id];
            stmt.span.start < label.span.start && stmt.kind != StmtKind::Empty
        });
        before.next().is_none_or(|&id| !self.leaves(id))
    }

    /// The places that lead to the post statement of a `for`: each `continue` of it, and the
    /// end of its body if that can be reached. None if nothing leads there.
    pub(super) fn before_post(&self, id: StmtId) -> Option<Place> {
        let body = *self.syntax.stmts[id].blocks.first()?;
        let own = self.jumps_about(id, b"continue");
        let mut places: Vec<usize> = own.flat_map(|stmt| self.before(stmt).all()).collect();
        if !self.ends_elsewhere(body) {
            places.push(self.syntax.blocks[body].span.end - 1);
        }
        (!places.is_empty()).then(|| each(places.into_iter()))
    }

    /// The jumps of a kind that are about a statement.
    fn jumps_about(&self, id: StmtId, word: &'static [u8]) -> impl Iterator<Item = StmtId> {
        let about = self.all_jumps().about.get(&id).into_iter().flatten();
        about.copied().filter(move |&jump| self.is_jump(jump, word))
    }

    fn is_jump(&self, id: StmtId, word: &[u8]) -> bool {
        self.first_word(&self.syntax.stmts[id]) == word
    }

    /// Where all jumps lead: looked up once, for who asks asks for many.
    fn all_jumps(&self) -> &Jumps<'a> {
        self.jumps.get_or_init(|| {
            let mut all = Jumps::default();
            for (id, stmt) in self.syntax.stmts.iter().enumerate() {
                control::step();
                let is_jump = stmt.kind == StmtKind::Jump;
                let Some(jump) = is_jump.then(|| self.jump(stmt)).flatten() else {
                    continue;
                };
                let func = self.syntax.blocks[stmt.block].func;
                all.to_label.entry((func, jump.label)).or_default().push(id);
                if jump.word != b"goto"
                    && let Some(target) = self.target(id, &jump)
                {
                    all.about.entry(target).or_default().push(id);
                }
            }
            all
        })
    }

    fn jump(&self, stmt: &Stmt) -> Option<Jump<'a>> {
        let words = self.words_in(stmt.span);
        let (word, rest) = words.split_first()?;
        let label = rest.first().filter(|word| &*word.text != b";");
        Some(Jump {
            word: &word.text,
            label: label.map_or(b"", |word| &*word.text),
        })
    }

    fn first_word(&self, stmt: &Stmt) -> &'a [u8] {
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
        let before = self.stmts_before(id).last();
        let before = before.map(|&before| &self.syntax.stmts[before]);
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
        self.jumps_about(id, b"break").next().is_some()
    }
}

fn each(places: impl Iterator<Item = usize>) -> Place {
    let mut all: Vec<usize> = places.collect();
    all.sort_unstable();
    all.dedup();
    Place::Each(all)
}
