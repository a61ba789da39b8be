//! Compares the two sides, the working tree among them.

use std::collections::HashMap;

use git2::Oid;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::contents::{Clean, Loader};
use super::kept::{Differing, Kept, Object};
use super::workdir::WorkTree;
use crate::control::Control;
use crate::error::Result;
use crate::git::diff::changes::{
    ChangeKind, Changes, Delta, OtherChange, blob_id, content_hash, deltas, has_go_text, noted,
    other_change, overlay, type_changed,
};
use crate::git::diff::trees::{Pair, Trees};
use crate::git::repo::Repo;
use crate::git::repo::entry::Entry;
use crate::git::repo::paths::{is_go, text};
use crate::git::repo::sides::Sides;
use crate::model::FileChange;

impl Repo {
    /// Compares the two sides as the oracle command does
    /// (`git -c diff.algorithm=myers -c diff.indentHeuristic=true diff --no-ext-diff
    /// --no-textconv -U0 -l0 -M50%`; without `find_renames`, `--no-renames`), and adds
    /// untracked files where the working tree is the release.
    ///
    /// `clean` takes goat's own marks out of a Go file's content; both sides are
    /// compared without them. What `kept` knows of contents is neither read nor compared.
    pub fn changes(
        &self,
        sides: &Sides,
        find_renames: bool,
        clean: &Clean<'_>,
        kept: Option<&dyn Kept>,
        control: &Control,
    ) -> Result<Changes> {
        control.tick("diff", 0, 0);
        let (pairs, work) = self.pairs(sides, kept, control)?;
        let WorkTree { dirty, disk } = work;
        let mut loader = Loader::new(self, disk, sides.release.worktree, clean, kept);
        let pairs = loader.prepare(pairs)?;
        control.check()?;
        let moved = if find_renames {
            loader.renames(&pairs, control)?
        } else {
            HashMap::new()
        };
        loader.let_go();
        let mut changes = describe(deltas(&pairs, &moved), &loader, control)?;
        let gone = |pair: &Pair| pair.old.is_some() && pair.new.is_none();
        changes.moves = find_renames && pairs.iter().any(gone);
        if sides.release.worktree {
            self.add_untracked(&mut changes, &dirty, &loader, control)?;
        }
        self.attributes.failure()?;
        changes.sort();
        Ok(changes)
    }

    /// The paths that differ, and what was read of the working tree.
    pub(in crate::git) fn pairs(
        &self,
        sides: &Sides,
        kept: Option<&dyn Kept>,
        control: &Control,
    ) -> Result<(Vec<Pair>, WorkTree)> {
        let tree = |id: Option<Oid>| id.map(|id| self.tree_of(id)).transpose();
        let (base, release) = (tree(sides.base_id())?, tree(sides.release_id())?);
        let committed = self.committed(base, release, kept)?;
        if !sides.release.worktree {
            return Ok((committed, WorkTree::default()));
        }
        let work = self.work_tree(sides.release_id(), kept, control)?;
        Ok((overlay(committed, &work.dirty), work))
    }

    /// The paths in which two trees differ. Their ids say what they hold, unless git is told
    /// to take other objects in place of some.
    fn committed(
        &self,
        base: Option<Oid>,
        release: Option<Oid>,
        kept: Option<&dyn Kept>,
    ) -> Result<Vec<Pair>> {
        let kept = kept.filter(|_| !self.store.replaces());
        let kept = kept.map(|kept| {
            let mut hash = Sha256::new();
            for tree in [base, release] {
                hash.update([u8::from(tree.is_some())]);
                hash.update(tree.as_ref().map_or(&[][..], Oid::as_bytes));
            }
            let sum: [u8; 32] = hash.finalize().into();
            (kept, sum.first_chunk().copied().unwrap_or_default())
        });
        let known = kept.and_then(|(kept, key)| kept.differing(key));
        if let Some(known) = known.and_then(|known| known.into_iter().map(pair).collect()) {
            return Ok(known);
        }
        let found = Trees::new(&self.store).diff(base, release)?;
        if let Some((kept, key)) = kept
            && let Some(found) = found.iter().map(differing).collect::<Option<Vec<_>>>()
        {
            kept.keep_differing(key, &found);
        }
        Ok(found)
    }

    fn add_untracked(
        &self,
        changes: &mut Changes,
        dirty: &[Pair],
        loader: &Loader<'_>,
        control: &Control,
    ) -> Result<()> {
        let dirty: Vec<Option<Pair>> = dirty
            .par_iter()
            .map(|pair| loader.different(pair))
            .collect::<Result<_>>()?;
        for pair in dirty.into_iter().flatten() {
            changes.dirty.push(text(&pair.path).0);
            changes.notes[0].push((pair.path, noted(pair.new)));
        }
        let walked = self.walked(control)?;
        let (go, other): (Vec<_>, Vec<_>) = walked
            .untracked
            .iter()
            .filter(|file| !file.ignored)
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
            let path = file.path.clone().into_bytes();
            changes.notes[1].push((path, noted(Some(entry))));
            changes.files.push(file);
        }
        changes.dirty.sort();
        changes.content_hash = content_hash(&changes.notes);
        Ok(())
    }

    fn is_empty_file(&self, path: &str) -> bool {
        let full = self.full_path(path.as_bytes());
        std::fs::metadata(full).is_ok_and(|meta| meta.len() == 0)
    }
}

/// A pair as it is kept.
fn differing(pair: &Pair) -> Option<Differing> {
    let object = |entry: Entry| Some((entry.mode, entry.id.as_bytes().try_into().ok()?));
    let both = |entry: Option<Entry>| match entry {
        Some(entry) => object(entry).map(Some),
        None => Some(None),
    };
    Some((pair.path.clone(), both(pair.old)?, both(pair.new)?))
}

/// And back.
fn pair((path, old, new): Differing) -> Option<Pair> {
    let entry = |object: Option<Object>| {
        let entry = |(mode, id): Object| Oid::from_bytes(&id).map(|id| Entry { mode, id });
        object.map(entry).transpose().ok()
    };
    Some(Pair {
        path,
        old: entry(old)?,
        new: entry(new)?,
    })
}

pub(super) fn describe(
    deltas: Vec<Delta>,
    loader: &Loader<'_>,
    control: &Control,
) -> Result<Changes> {
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
