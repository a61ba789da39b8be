//! The basic-block rule of cmd/cover: where control flow may leave a list.

use crate::control;
use crate::model::{BlockId, FileSyntax, StmtId, StmtKind};

/// The executable statements of a list, cut into runs: if the first statement of a
/// run is reached, so are the others, unless one of them panics.
pub(super) fn runs(syntax: &FileSyntax, block: BlockId) -> Vec<Vec<StmtId>> {
    let mut all = Vec::new();
    let mut run = Vec::new();
    for &id in &syntax.blocks[block].stmts {
        control::step();
        match syntax.stmts[id].kind {
            StmtKind::Label => all.push(std::mem::take(&mut run)),
            StmtKind::Const | StmtKind::Type | StmtKind::Empty => {}
            _ => {
                run.push(id);
                if ends_run(syntax, id) {
                    all.push(std::mem::take(&mut run));
                }
            }
        }
    }
    all.push(run);
    all.retain(|run| !run.is_empty());
    all
}

/// Whether control may go elsewhere after this statement. One that holds a function
/// literal ends its run too, because the literal's code has counters of its own.
fn ends_run(syntax: &FileSyntax, id: StmtId) -> bool {
    let stmt = &syntax.stmts[id];
    let flows = matches!(
        stmt.kind,
        StmtKind::Return
            | StmtKind::Jump
            | StmtKind::Panic
            | StmtKind::If
            | StmtKind::For
            | StmtKind::Switch
            | StmtKind::Select
            | StmtKind::Block
    );
    flows || !stmt.literals.is_empty()
}
