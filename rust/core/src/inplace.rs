//! The in-place door: points as marked blocks in the user's source.
//!
//! [`text`] writes the blocks into one file and [`crate::marks`] takes them out
//! again; [`journal`] changes many files or none.

mod assemble;
pub mod clean;
mod entry;
pub mod generated;
pub mod journal;
mod names;
pub mod package;
mod patch;
mod places;
pub mod text;
pub mod track;
mod tree;

pub use journal::recover;
