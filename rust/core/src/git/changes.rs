//! What differs between the two sides, file by file and line by line.

use std::collections::{BTreeMap, HashMap, HashSet};

use git2::{ObjectType, Oid};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::Repo;
use super::contents::{Clean, Loader};
use super::linediff::linediff;
use super::paths::{is_go, text};
use super::rename::renames;
use super::sides::Sides;
use super::trees::{Entry, Pair, Trees};
use super::workdir::WorkTree;
use crate::control::Control;
use crate::error::Result;
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
    /// SHA-256 (hex) over names and contents of the dirty paths; `None` where there
    /// are none.
    pub content_hash: Option<String>,
}

impl Changes {
    fn sort(&mut self) {
        self.files
            .sort_by(|a, b| (&a.path, a.new.is_some()).cmp(&(&b.path, b.new.is_some())));
        self.other
            .sort_by(|a, b| (&a.path, a.kind).cmp(&(&b.path, b.kind)));
    }
}

/// One changed path after rename detection.
struct Delta {
    path: Vec<u8>,
    old_path: Option<Vec<u8>>,
    old: Option<Entry>,
    new: Option<Entry>,
}

impl Repo {
    /// Compares the two sides as the oracle command does
    /// (`git -c diff.algorithm=myers -c diff.indentHeuristic=true diff --no-ext-diff
    /// --no-textconv -U0 -l0 -M50%`; without `find_renames`, `--no-renames`), and adds
    /// untracked files where the working tree is the release.
    ///
    /// `clean` takes goat's own marks out of a Go file's content; both sides are
    /// compared without them.
    pub fn changes(
        &self,
        sides: &Sides,
        find_renames: bool,
        clean: &Clean<'_>,
        control: &Control,
    ) -> Result<Changes> {
        control.tick("diff", 0, 0);
        let (pairs, work) = self.pairs(sides, control)?;
        let WorkTree { dirty, disk } = work;
        let mut loader = Loader::new(self, disk, sides.release.worktree, clean);
        let pairs = loader.prepare(pairs)?;
        control.check()?;
        let moved = if find_renames {
            renames(&pairs, &loader, control)?
        } else {
            HashMap::new()
        };
        let mut changes = describe(deltas(&pairs, &moved), &loader, control)?;
        if sides.release.worktree {
            self.add_untracked(&mut changes, &dirty, &loader, control)?;
        }
        changes.sort();
        Ok(changes)
    }

    /// The paths that differ, and what was read of the working tree.
    pub(super) fn pairs(&self, sides: &Sides, control: &Control) -> Result<(Vec<Pair>, WorkTree)> {
        let tree = |id: Option<Oid>| id.map(|id| self.tree_of(id)).transpose();
        let (base, release) = (tree(sides.base_id())?, tree(sides.release_id())?);
        let committed = Trees::new(&self.store).diff(base, release)?;
        if !sides.release.worktree {
            return Ok((committed, WorkTree::default()));
        }
        let work = self.work_tree(sides.release_id(), control)?;
        Ok((overlay(committed, &work.dirty), work))
    }

    fn add_untracked(
        &self,
        changes: &mut Changes,
        dirty: &[Pair],
        loader: &Loader<'_>,
        control: &Control,
    ) -> Result<()> {
        let mut hash = Sha256::new();
        let dirty: Vec<Option<Pair>> = dirty
            .par_iter()
            .map(|pair| loader.different(pair))
            .collect::<Result<_>>()?;
        for pair in dirty.into_iter().flatten() {
            changes.dirty.push(text(&pair.path).0);
            note(&mut hash, &pair.path, pair.new);
        }
        let (go, other): (Vec<_>, Vec<_>) = self
            .untracked(false, control)?
            .into_iter()
            .partition(|file| is_go(&file.path));
        changes
            .other
            .extend(other.into_iter().map(|file| OtherChange {
                path: text(&file.path).0,
                old_path: None,
                kind: ChangeKind::Untracked,
            }));
        let files: Vec<(FileChange, Entry)> = go
            .par_iter()
            .filter_map(|file| loader.untracked(&file.path))
            .collect();
        for (file, entry) in files {
            // Nothing is left of a file that goat generated.
            let gone = entry.id == blob_id(b"") && file.new.as_ref().is_some_and(Vec::is_empty);
            if gone && !self.is_empty_file(&file.path) {
                continue;
            }
            changes.dirty.push(file.path.clone());
            note(&mut hash, file.path.as_bytes(), Some(entry));
            changes.files.push(file);
        }
        changes.dirty.sort();
        if !changes.dirty.is_empty() {
            changes.content_hash = Some(data_encoding::HEXLOWER.encode(&hash.finalize()));
        }
        Ok(())
    }

    fn is_empty_file(&self, path: &str) -> bool {
        let full = self.full_path(path.as_bytes());
        std::fs::metadata(full).is_ok_and(|meta| meta.len() == 0)
    }

    /// The tree of a commit.
    pub(super) fn tree_of(&self, commit: Oid) -> Result<Oid> {
        Ok(self.commits.get(&self.store, commit)?.tree)
    }
}

fn describe(deltas: Vec<Delta>, loader: &Loader<'_>, control: &Control) -> Result<Changes> {
    let mut changes = Changes::default();
    let (go, other): (Vec<Delta>, Vec<Delta>) = deltas.into_iter().partition(has_go_text);
    changes.other = other.iter().map(other_change).collect();
    changes
        .other
        .extend(go.iter().filter(|d| type_changed(d)).map(other_change));
    let total = go.len() as u64;
    let files: Vec<FileChange> = go
        .par_iter()
        .map(|delta| {
            control.check()?;
            loader.file_change(&delta.as_file())
        })
        .collect::<Result<_>>()?;
    control.tick("diff", total, total);
    changes.files = files;
    Ok(changes)
}

fn note(hash: &mut Sha256, path: &[u8], entry: Option<Entry>) {
    let what = entry.map_or_else(|| "gone".to_owned(), |e| format!("{:o} {}", e.mode, e.id));
    hash.update(path);
    hash.update(b"\0");
    hash.update(what.as_bytes());
    hash.update(b"\n");
}

/// Puts the working tree's differences from HEAD over those of HEAD from the base.
fn overlay(committed: Vec<Pair>, dirty: &[Pair]) -> Vec<Pair> {
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

fn deltas(pairs: &[Pair], moved: &HashMap<usize, usize>) -> Vec<Delta> {
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
pub(super) struct GoFile<'a> {
    pub path: &'a [u8],
    pub old_path: Option<&'a [u8]>,
    pub old: Option<Entry>,
    pub new: Option<Entry>,
}

impl Delta {
    /// git compares a path that changed its type as a deletion and an addition.
    fn as_file(&self) -> GoFile<'_> {
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
fn has_go_text(delta: &Delta) -> bool {
    let file = |entry: Option<Entry>| entry.is_some_and(Entry::is_file);
    let same_content = delta.old_path.is_none()
        && matches!((delta.old, delta.new), (Some(a), Some(b)) if a.same_type(b) && a.id == b.id);
    is_go(&delta.path) && (file(delta.new) || file(delta.old)) && !same_content
}

fn type_changed(delta: &Delta) -> bool {
    matches!((delta.old, delta.new), (Some(a), Some(b)) if !a.same_type(b))
}

fn other_change(delta: &Delta) -> OtherChange {
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
pub(super) fn blob_id(data: &[u8]) -> Oid {
    Oid::hash_object(ObjectType::Blob, data).unwrap_or(Oid::ZERO_SHA1)
}
