//! Panics, fatal errors and signals by what they have in common: `goat panics`.
//!
//! They come as crash texts and as what the runtime of a program recorded. One entry is
//! one kind and type of end at one place of the user's code, however often and in however
//! many processes.

mod document;
mod entry;
mod group;
mod kinds;
mod root;

pub use document::{Document, build, figure_names};
pub use entry::Event;
