//! Where a point may stand so that it runs exactly when its code does.

use crate::model::{BlockId, BlockKind, Place, Span, StmtId, StmtKind};

use super::view::View;

impl View<'_> {
    /// The place directly before a statement: after its label, but before that of a
    /// `for`, `switch` or `select`, unless somebody goes to it ([`Self::before_label`]).
    pub(super) fn before(&self, id: StmtId) -> Place {
        let stmt = &self.syntax.stmts[id];
        let block = &self.syntax.blocks[stmt.block];
        if block.kind == BlockKind::ElseIf {
            return Place::Wrap {
                at: block.span.start,
                close: block.span.end,
            };
        }
        let before = self.stmts_before(id).last();
        match before.map(|&before| &self.syntax.stmts[before]) {
            Some(label) if label.kind == StmtKind::Label && label.labels_control => {
                self.before_label(label, id)
            }
            _ => Place::Before(stmt.span.start),
        }
    }

    /// The place where a list is entered.
    pub(super) fn entry(&self, block: BlockId) -> Place {
        let block = &self.syntax.blocks[block];
        if block.kind == BlockKind::ElseIf {
            return Place::Wrap {
                at: block.span.start,
                close: block.span.end,
            };
        }
        Place::Before(block.entry)
    }

    /// The place directly after a package-level initialiser.
    pub(super) fn after_variable(&self, id: usize) -> Place {
        let spec = &self.syntax.vars[id];
        let name = spec
            .names
            .iter()
            .find(|name| *name != "_")
            .cloned()
            .unwrap_or_default();
        Place::Variable {
            at: spec.span.end,
            name,
            grouped: !self.starts_with_var(spec.span),
        }
    }

    /// Whether a specification has its own `var`, inside its span or directly before it.
    fn starts_with_var(&self, spec: Span) -> bool {
        let words = &self.words;
        let first = words.partition_point(|w| w.token.span.start < spec.start);
        let is_var = |index: usize| words.get(index).is_some_and(|w| &*w.text == b"var");
        is_var(first) || first.checked_sub(1).is_some_and(is_var)
    }

    /// What a point at the entry of a list vouches for.
    pub(super) fn list_region(&self, id: BlockId) -> Span {
        let block = &self.syntax.blocks[id];
        let start = match block.kind {
            BlockKind::Case | BlockKind::Comm => block.span.start,
            _ => block.entry,
        };
        let last = block
            .stmts
            .last()
            .map_or(start, |&last| self.syntax.stmts[last].span.end);
        Span::new(start, last.max(block.clause.end).max(start))
    }

    /// One past a statement's own code: before the body of a compound statement.
    pub(super) fn header_end(&self, id: StmtId) -> usize {
        let stmt = &self.syntax.stmts[id];
        let text = Span::new(stmt.span.start, stmt.header_end).of(self.source);
        stmt.span.start + text.trim_ascii_end().len()
    }
}
