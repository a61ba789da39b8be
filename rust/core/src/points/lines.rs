//! What stands on a changed line, and whether it runs.

use super::view::{Part, View};
use crate::control;
use crate::model::{BlockId, LineKind, Owner, Reason, StmtId, StmtKind};

/// Something on a line that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Piece {
    Stmt(StmtId),
    /// The post statement of a `for`.
    Post(StmtId),
    Clause(BlockId),
    Var(usize),
}

/// What stands on a line of the universe.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// What runs and can be tracked.
    pub(super) pieces: Vec<Piece>,
    /// Why not, where nothing can.
    pub(super) reason: Option<Reason>,
    /// Whether a case expression stands here that also runs where its clause is not taken.
    pub(super) untaken: bool,
}

/// Reads a line of the universe.
pub(super) fn find(view: &View<'_>, line: u32, kind: LineKind) -> Found {
    control::step();
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
            reason,
            ..Found::default()
        };
    }
    let mut found = Found {
        untaken: view.runs_untaken(line),
        ..Found::default()
    };
    let mut lost = None;
    for part in view.parts_on(line) {
        match classify(view, part) {
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
fn classify(view: &View<'_>, part: Part) -> Result<Piece, Reason> {
    let syntax = view.syntax;
    let owner = match part {
        Part::Of(owner) => owner,
        Part::Post(id) => {
            classify(view, Part::Of(Owner::Stmt(id)))?;
            let reached = view.before_post(id).map(|_| Piece::Post(id));
            return reached.ok_or(Reason::NotInBuild);
        }
    };
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
