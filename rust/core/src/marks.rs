//! goat's marks in Go source: finding them, and giving back the text without them.
//!
//! A *block* is what `goat track` writes:
//!
//! ```go
//! // +goat:generate
//! // +goat:tips: do not edit the block between the +goat comments
//! goat.Track(goat.TRACK_ID_7)
//! // +goat:end
//! ```
//!
//! Every block stands for the bytes that it took the place of. Most stand for
//! none, on lines of their own. The tips line says the rest, so that the text
//! without marks needs nothing but the file:
//!
//! | word on the tips line | the block |
//! |---|---|
//! | `rejoin=BASE64` | split a line: what stood between the code before and after it |
//! | `restore=BASE64` | took the place of whole lines (`// +goat:insert`) |
//! | `wrap` | opened a brace just before itself, which goes with it |
//! | `gap` | is followed by an empty line of its own |
//!
//! The import of the runtime package is such a block too. Only comments count: a mark inside a string is text. `+goat:user … +goat:end`
//! and `+goat:insert` belong to the user and stay.

mod block;
mod comment;
mod import;
mod line;
mod strip;
mod verify;

pub use block::{Block, Kind, Marks, parse};
pub use strip::{Kept, Stripped, empty_deleted, remove};

use crate::error::Result;

use comment::SIGN;

/// Whether the file may hold marks: false is certain, and costs one search.
#[must_use]
pub fn suspect(source: &[u8]) -> bool {
    memchr::memmem::find(source, SIGN).is_some()
}

/// The text without goat's blocks, byte for byte as it was before them; `None`
/// if the file has none. Fails on marks that are unbalanced, nested or damaged;
/// the error's path is then the line ([`strip_file`] puts the file before it).
pub fn strip(source: &[u8]) -> Result<Option<Vec<u8>>> {
    if !suspect(source) {
        return Ok(None);
    }
    let marks = parse(source)?;
    Ok(remove(source, &marks)?.map(|stripped| stripped.source))
}

/// Whether two texts are the same program, as removal judges it.
#[cfg(test)]
#[must_use]
pub fn is_same(one: &[u8], other: &[u8]) -> bool {
    verify::same(one, &[], other)
}

/// [`strip`], with `path:line` in an error.
pub fn strip_file(path: &str, source: &[u8]) -> Result<Option<Vec<u8>>> {
    strip(source).map_err(|error| error.in_file(path))
}

/// Whether the file holds a block of goat's (damaged marks count as none).
#[must_use]
pub fn has_blocks(source: &[u8]) -> bool {
    suspect(source) && parse(source).is_ok_and(|marks| marks.ours().next().is_some())
}

/// Where `// +goat:insert` asks for a point: the starts of these comments.
#[must_use]
pub fn inserts(source: &[u8]) -> Vec<usize> {
    if !suspect(source) {
        return Vec::new();
    }
    parse(source)
        .map(|marks| marks.inserts.iter().map(|span| span.start).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
