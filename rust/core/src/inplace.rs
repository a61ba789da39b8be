//! The in-place door: points as marked blocks in the user's source.
//!
//! [`text`] writes the blocks into one file and [`crate::marks`] takes them out
//! again; [`journal`] changes many files or none.

mod assemble;
mod bounds;
pub mod clean;
mod entry;
pub mod generated;
pub mod journal;
mod names;
pub mod package;
mod patch;
mod places;
mod planned;
pub mod text;
pub mod track;
mod tree;

use serde::{Deserialize, Serialize};

use crate::control::Control;
use crate::error::Result;

pub use journal::recover;

/// The request to undo what a killed run left half done.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Restore {
    /// Number of the request format.
    pub format: u32,
    /// The operation's name.
    pub op: String,
    /// Any directory of the repository.
    pub dir: String,
    /// The pipes that [`crate::descriptors`] reads.
    #[serde(default)]
    pub control_fd: i32,
    /// As above.
    #[serde(default)]
    pub progress_fd: i32,
}

/// What came of it.
#[derive(Debug, Serialize)]
pub struct Restored {
    /// Files that somebody has changed since and that stay as they are.
    pub left: Vec<String>,
}

/// Answers [`Restore`].
pub fn restore(request: &Restore, control: &Control) -> Result<Restored> {
    let left = recover(std::path::Path::new(&request.dir), control)?;
    let left = left.iter().map(|path| path.display().to_string()).collect();
    Ok(Restored { left })
}
