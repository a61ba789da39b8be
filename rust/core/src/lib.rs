//! Which code did this change touch, and where must a track point stand.
//!
//! Two git revisions and the Go sources of the release go in; a plan comes out:
//! track points with content ids, an account of every changed line, and the
//! edits that put the points into the source. No C, no network, no tool is run.
//!
//! The stages are siblings that know only [`model`] and [`error`]; [`pipeline`]
//! alone puts them together (see ARCHITECTURE.md).
#![forbid(unsafe_code)]

pub mod change;
pub mod control;
pub mod error;
pub mod git;
pub mod helper;
pub mod inplace;
pub mod instrument;
pub mod marks;
pub mod model;
pub mod modules;
pub mod pipeline;
pub mod plan;
pub mod points;
pub mod request;
pub mod syntax;
pub mod token;
pub mod tree;

pub use control::Control;
pub use request::{descriptors, run};
