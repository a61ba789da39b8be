//! What may be known of a comparison from earlier ones.

use crate::git::repo::stats::Stamp;
use crate::model::{Hunk, Key};

/// What is kept of earlier comparisons. It answers from what it was told, or not at all.
pub trait Kept: Sync {
    /// Whether a content is known to be compiled as git compares it, and to hold nothing
    /// of goat's own.
    fn is_plain(&self, content: Key) -> bool;
    /// Keeps that.
    fn keep_plain(&self, content: Key);
    /// SHA-256 of a file of the working tree that has these stat data.
    fn sum(&self, path: &[u8], vouched: &Stamp) -> Option<[u8; 32]>;
    /// Keeps it.
    fn keep_sum(&self, path: &[u8], vouched: &Stamp, sum: [u8; 32]);
    /// The hunks of two contents.
    fn hunks(&self, pair: Key) -> Option<Vec<Hunk>>;
    /// Keeps them.
    fn keep_hunks(&self, pair: Key, hunks: &[Hunk]);
    /// Which of some added files come from which of some removed ones, by their numbers.
    fn renames(&self, files: Key) -> Option<Vec<(usize, usize)>>;
    /// Keeps that.
    fn keep_renames(&self, files: Key, found: &[(usize, usize)]);
    /// The paths in which two trees differ.
    fn differing(&self, trees: Key) -> Option<Vec<Differing>>;
    /// Keeps them.
    fn keep_differing(&self, trees: Key, found: &[Differing]);
    /// Whether the index is known to list what a tree does.
    fn lists(&self, index_and_tree: Key) -> bool;
    /// Keeps that.
    fn keep_lists(&self, index_and_tree: Key);
}

/// A path in which two trees differ: mode and object of both.
pub type Differing = (Vec<u8>, Option<Object>, Option<Object>);
/// A mode and the id of an object.
pub type Object = (u32, [u8; 20]);
