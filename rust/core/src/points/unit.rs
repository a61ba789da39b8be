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

/// What can equal each other: kind of unit and, for statements, how many.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Shape {
    Stmts(usize),
    Post,
    List,
    Body,
    Var,
}

impl Unit {
    pub(super) fn shape(&self) -> Shape {
        match self {
            Self::Stmts(stmts) => Shape::Stmts(stmts.len()),
            Self::Post(_) => Shape::Post,
            Self::List(_) => Shape::List,
            Self::Body(_) => Shape::Body,
            Self::Var(_) => Shape::Var,
        }
    }
}
