//! `// +goat:insert`: a point that a person asks for.

use crate::model::{Block, BlockId, BlockKind, Place, PointKind, Span, StmtKind};
use crate::token::TokenKind;

use super::input::Input;
use super::planner::Planner;
use super::unit::Unit;
use super::view::View;

impl Planner<'_, '_> {
    /// Puts a point before the statement that follows each request. A request where
    /// no statement can stand is passed over, and so is one in code that is closed.
    pub(super) fn place_manual(&mut self, input: &Input<'_>) {
        if !may_have_requests(input.source) {
            return;
        }
        let requests = input.tokens.iter().filter(|token| {
            token.kind == TokenKind::Comment && is_request(token.span.of(input.source))
        });
        for request in requests {
            self.place_request(request.span.end);
        }
    }

    fn place_request(&mut self, at: usize) {
        let Some(id) = self.view.list_at(at) else {
            return;
        };
        let syntax = self.view.syntax;
        let block = &syntax.blocks[id];
        let mut next = block.stmts.iter().copied();
        let next = next.find(|&stmt| {
            let stmt = &syntax.stmts[stmt];
            stmt.span.start >= at && stmt.kind != StmtKind::Label
        });
        let (place, region, unit) = match next {
            Some(stmt) => {
                let region = Span::new(syntax.stmts[stmt].span.start, self.view.header_end(stmt));
                (self.view.before(stmt), region, Unit::Stmts(vec![stmt]))
            }
            None => (
                Place::Before(self.view.next_code(at)),
                self.view.list_region(id),
                Unit::List(id),
            ),
        };
        if self.view.closed(id, region).is_none() {
            self.put(place, PointKind::Manual, region, unit);
        }
    }
}

/// Whether it is worth to look for requests.
pub(super) fn may_have_requests(source: &[u8]) -> bool {
    memchr::memmem::find(source, b"goat:insert").is_some()
}

/// Whether a comment is `// +goat:insert`.
fn is_request(comment: &[u8]) -> bool {
    let text = comment.strip_prefix(b"//").map(<[u8]>::trim_ascii_start);
    let text = text
        .and_then(|text| text.strip_prefix(b"+"))
        .map(<[u8]>::trim_ascii_start);
    text.and_then(|text| text.strip_prefix(b"goat:insert"))
        .is_some_and(|rest| rest.first().is_none_or(u8::is_ascii_whitespace))
}

impl View<'_> {
    /// The innermost list in which a statement could stand at `at`.
    fn list_at(&self, at: usize) -> Option<BlockId> {
        let inside = |block: &Block| block.open <= at && at < self.list_end(block);
        let blocks = self.syntax.blocks.iter().enumerate();
        let (id, block) = blocks
            .filter(|(_, block)| block.kind != BlockKind::ElseIf && inside(block))
            .min_by_key(|(_, block)| block.span.end - block.span.start)?;
        let within = |span: Span| span.start < at && at < span.end;
        let free = !block
            .stmts
            .iter()
            .any(|&stmt| within(self.syntax.stmts[stmt].span));
        free.then_some(id)
    }

    /// Where a list ends: at its brace, or where the next clause begins.
    fn list_end(&self, block: &Block) -> usize {
        match block.kind {
            BlockKind::Case | BlockKind::Comm => self.next_code(block.span.end),
            _ => block.span.end,
        }
    }

    /// The start of the next token that is no comment.
    fn next_code(&self, at: usize) -> usize {
        self.next_word(at).start
    }

    /// The next token that is no comment.
    pub(super) fn next_word(&self, at: usize) -> Span {
        let index = self
            .words
            .partition_point(|word| word.token.span.start < at);
        let next = self.words[index..]
            .iter()
            .find(|word| word.token.kind != TokenKind::AutoSemi);
        let end = Span::new(self.source.len(), self.source.len());
        next.map_or(end, |word| word.token.span)
    }
}
