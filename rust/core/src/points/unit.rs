//! What a point vouches for.

use crate::model::{BlockId, StmtId};

/// What a point vouches for, as far as its identity goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Consecutive statements of a run.
    Stmts(Vec<StmtId>),
    /// The post statement of a `for`.
    Post(StmtId),
    /// A whole list.
    List(BlockId),
    /// A whole function.
    Body(BlockId),
    /// A package-level initialiser.
    Var(usize),
}

/// What can equal each other besides statements.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Shape {
    Post,
    List,
    Body,
    Var,
}
