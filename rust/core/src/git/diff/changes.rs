//! What differs between the two sides, file by file and line by line.

use std::collections::{BTreeMap, HashMap, HashSet};

use git2::{ObjectType, Oid};
use sha2::{Digest, Sha256};

use super::linediff::linediff;
use super::trees::Pair;
use crate::error::Result;
use crate::git::repo::entry::Entry;
use crate::git::repo::paths::{is_go, text};
use crate::model::{FileChange, Hunk, Lines};

/// What happened to a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ChangeKind {
    /// New in the release.
    Added,
    /// Other content.
    Modified,
    /// Moved, with or without an edit.
    Renamed,
    /// Gone in the release.
    Deleted,
    /// Other permissions, same content.
    Mode,
    /// File, symbolic link or submodule became another of these.
    Type,
    /// Another commit of a submodule.
    Submodule,
    /// Not known to git, not ignored.
    Untracked,
}

/// A changed path that is not a Go file, or of which no Go code changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherChange {
    /// Path in the release (in the base for a deleted one).
    pub path: String,
    /// Path in the base where it differs.
    pub old_path: Option<String>,
    /// What happened.
    pub kind: ChangeKind,
}

/// Everything that differs.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// `.go` files that are not `_test.go`, by path; a file that git no longer tracks
    /// and that is still there stands twice: deleted, and added as untracked.
    pub files: Vec<FileChange>,
    /// All other changed paths, by path.
    pub other: Vec<OtherChange>,
    /// Where the release is the working tree: the tracked paths that differ from HEAD
    /// and the untracked Go files.
    pub dirty: Vec<String>,
    /// What names their contents.
    pub notes: Notes,
    /// SHA-256 (hex) over names and contents of the dirty paths; `None` where there
    /// are none.
    pub content_hash: Option<String>,
    /// Whether an added file may come from a removed one.
    pub moves: bool,
}

/// Dirty paths with what stands there: the tracked ones in order, then the others.
pub type Notes = [Vec<(Vec<u8>, String)>; 2];

/// SHA-256 (hex) over notes; `None` where there are none.
#[must_use]
pub fn content_hash(notes: &Notes) -> Option<String> {
    let mut hash = Sha256::new();
    for (path, what) in notes.iter().flatten() {
        hash.update(path);
        hash.update(b"\0");
        hash.update(what.as_bytes());
        hash.update(b"\n");
    }
    let some = notes.iter().any(|notes| !notes.is_empty());
    some.then(|| data_encoding::HEXLOWER.encode(&hash.finalize()))
}

/// What a note says of a path.
pub(in crate::git) fn noted(entry: Option<Entry>) -> String {
    entry.map_or_else(|| "gone".to_owned(), |e| format!("{:o} {}", e.mode, e.id))
}

impl Changes {
    pub(in crate::git) fn sort(&mut self) {
        self.files
            .sort_by(|a, b| (&a.path, a.new.is_some()).cmp(&(&b.path, b.new.is_some())));
        self.other
            .sort_by(|a, b| (&a.path, a.kind).cmp(&(&b.path, b.kind)));
    }
}

/// One changed path after rename detection.
pub(in crate::git) struct Delta {
    path: Vec<u8>,
    old_path: Option<Vec<u8>>,
    old: Option<Entry>,
    new: Option<Entry>,
}

/// Puts the working tree's differences from HEAD over those of HEAD from the base.
pub(in crate::git) fn overlay(committed: Vec<Pair>, dirty: &[Pair]) -> Vec<Pair> {
    let mut all: BTreeMap<Vec<u8>, Pair> = committed
        .into_iter()
        .map(|pair| (pair.path.clone(), pair))
        .collect();
    for pair in dirty {
        all.entry(pair.path.clone())
            .and_modify(|known| known.new = pair.new)
            .or_insert_with(|| pair.clone());
    }
    all.into_values()
        .filter(|pair| pair.old != pair.new)
        .collect()
}

/// The changed paths, each with where it came from.
pub(in crate::git) fn deltas(pairs: &[Pair], moved: &HashMap<usize, usize>) -> Vec<Delta> {
    let sources: HashSet<usize> = moved.values().copied().collect();
    let kept = pairs
        .iter()
        .enumerate()
        .filter(|(index, _)| !sources.contains(index));
    kept.map(|(index, pair)| {
        let source = moved.get(&index).map(|&source| &pairs[source]);
        Delta {
            path: pair.path.clone(),
            old_path: source.map(|source| source.path.clone()),
            old: source.map_or(pair.old, |source| source.old),
            new: pair.new,
        }
    })
    .collect()
}

/// A changed path with what is to be compared line by line.
pub(in crate::git) struct GoFile<'a> {
    pub path: &'a [u8],
    pub old_path: Option<&'a [u8]>,
    pub old: Option<Entry>,
    pub new: Option<Entry>,
}

impl<'a> GoFile<'a> {
    /// Where its old content stands.
    pub(in crate::git) fn source(&self) -> &'a [u8] {
        self.old_path.unwrap_or(self.path)
    }
}

impl Delta {
    /// git compares a path that changed its type as a deletion and an addition.
    pub(in crate::git) fn as_file(&self) -> GoFile<'_> {
        let file = |entry: Option<Entry>| entry.filter(|entry| entry.is_file());
        let (old, new) = (file(self.old), file(self.new));
        GoFile {
            path: &self.path,
            old_path: self.old_path.as_deref(),
            old,
            new,
        }
    }
}

/// Whether a Go file with content stands on the side that counts, and its content
/// or name differs.
pub(in crate::git) fn has_go_text(delta: &Delta) -> bool {
    let file = |entry: Option<Entry>| entry.is_some_and(Entry::is_file);
    let same_content = delta.old_path.is_none()
        && matches!((delta.old, delta.new), (Some(a), Some(b)) if a.same_type(b) && a.id == b.id);
    is_go(&delta.path) && (file(delta.new) || file(delta.old)) && !same_content
}

/// Whether a file became a link, or the like.
pub(in crate::git) fn type_changed(delta: &Delta) -> bool {
    matches!((delta.old, delta.new), (Some(a), Some(b)) if !a.same_type(b))
}

/// How a path that is not a Go file changed.
pub(in crate::git) fn other_change(delta: &Delta) -> OtherChange {
    let kind = match (delta.old, delta.new) {
        (None, _) => ChangeKind::Added,
        (_, None) => ChangeKind::Deleted,
        _ if delta.old_path.is_some() => ChangeKind::Renamed,
        (Some(a), Some(b)) if !a.same_type(b) => ChangeKind::Type,
        (Some(a), _) if a.is_submodule() => ChangeKind::Submodule,
        (Some(a), Some(b)) if a.id == b.id => ChangeKind::Mode,
        _ => ChangeKind::Modified,
    };
    OtherChange {
        path: text(&delta.path).0,
        old_path: delta.old_path.as_ref().map(|path| text(path).0),
        kind,
    }
}

/// The hunks of two contents, either of which may be missing.
pub fn hunks(old: Option<&[u8]>, new: Option<&[u8]>) -> Result<Vec<Hunk>> {
    let whole = |data: &[u8]| Lines::new(data).count();
    let hunk = match (old, new) {
        (Some(old), Some(new)) => return linediff(old, new),
        (None, Some(new)) => Hunk {
            old_start: 0,
            old_lines: 0,
            new_start: 1,
            new_lines: whole(new),
        },
        (Some(old), None) => Hunk {
            old_start: 1,
            old_lines: whole(old),
            new_start: 0,
            new_lines: 0,
        },
        (None, None) => return Ok(Vec::new()),
    };
    Ok(Some(hunk)
        .filter(|h| h.old_lines + h.new_lines > 0)
        .into_iter()
        .collect())
}

/// The blob id of a content.
pub(in crate::git) fn blob_id(data: &[u8]) -> Oid {
    Oid::hash_object(ObjectType::Blob, data).unwrap_or(Oid::ZERO_SHA1)
}
