//! Tracked Go files of which nothing but the content is another one: which these are, and
//! what differs of one of them, without a look at the rest.

use std::collections::{HashMap, HashSet};

use super::compare::describe;
use super::contents::{Clean, Loader};
use super::fingerprint::{Fingerprint, plain_go};
use super::kept::Kept;
use super::workdir::Found;
use crate::control::Control;
use crate::error::Result;
use crate::git::diff::changes::{deltas, noted};
use crate::git::diff::trees::{Pair, Trees};
use crate::git::repo::Repo;
use crate::git::repo::entry::Entry;
use crate::git::repo::paths::text;
use crate::git::repo::sides::Sides;
use crate::git::repo::stats::{Stamp, is_same_mode};
use crate::model::FileChange;

/// What a comparison says of an edited file.
#[derive(Debug)]
pub struct Edited {
    /// How it differs from the base; `None` where it does not, or is a test.
    pub change: Option<FileChange>,
    /// What stands there, where that differs from HEAD ([`super::Changes::notes`]).
    pub note: Option<String>,
}

impl Repo {
    /// The tracked Go files whose stat data are not those of an earlier fingerprint, each
    /// with the earlier ones; `None` where they are no edits.
    pub fn edits(
        &self,
        before: &[Stamp],
        now: &Fingerprint,
        control: &Control,
    ) -> Result<Option<Vec<(String, Stamp)>>> {
        if before.len() != now.files.len() {
            return Ok(None);
        }
        let (index, stats) = (self.index()?, self.stats(control)?);
        let all = index.entries.iter().zip(&stats.all);
        let plain = all.filter(|(entry, meta)| plain_go(entry, meta).is_some());
        let mut found = Vec::new();
        for ((entry, _), (before, now)) in plain.zip(before.iter().zip(&now.files)) {
            if before == now {
                continue;
            }
            let (path, exact) = text(&entry.path);
            if !exact || !is_same_mode(before, now) {
                return Ok(None);
            }
            found.push((path, *before));
        }
        Ok(Some(found))
    }

    /// Compares one edited file as [`Repo::changes`] does all; `None` where that takes more
    /// than a look at this file. `moves` says whether it may come from another one.
    pub fn edited(
        &self,
        sides: &Sides,
        path: &str,
        moves: bool,
        clean: &Clean<'_>,
        kept: &dyn Kept,
        control: &Control,
    ) -> Result<Option<Edited>> {
        let path = path.as_bytes();
        let (index, stats) = (self.index()?, self.stats(control)?);
        let at = index
            .entries
            .partition_point(|entry| entry.path.as_slice() < path);
        let (Some(entry), Some(meta)) = (index.entries.get(at), stats.all.get(at)) else {
            return Ok(None);
        };
        let slash = memchr::memrchr(b'/', path);
        let dir = slash.map_or(&[][..], |slash| &path[..=slash]);
        if entry.path != path || !self.walked(control)?.directories.contains_key(dir) {
            return Ok(None);
        }
        let mut disk = HashMap::new();
        let found = self.look_up(&index, entry, meta, self.stat_rules(), &HashSet::new());
        let now = match found {
            Found::Clean => entry.entry,
            Found::Read(now, file) if file.unreadable.is_none() => {
                disk.insert(path.to_vec(), file);
                now
            }
            Found::Gone | Found::Read(..) => return Ok(None),
        };
        let trees = Trees::new(&self.store);
        let in_tree = |commit| match commit {
            Some(commit) => trees.find(self.tree_of(commit)?, path),
            None => Ok(None),
        };
        let (base, head) = (in_tree(sides.base_id())?, in_tree(sides.release_id())?);
        let known = base.map_or(!moves, Entry::is_file);
        if !known || !now.is_file() || head.is_some_and(|head| !head.is_file()) {
            return Ok(None);
        }
        let pair = |old| Pair {
            path: path.to_vec(),
            old,
            new: Some(now),
        };
        let pairs: Vec<Pair> = (base != Some(now))
            .then(|| pair(base))
            .into_iter()
            .collect();
        let mut loader = Loader::new(self, disk, true, clean, Some(kept));
        let pairs = loader.prepare(pairs)?;
        loader.let_go();
        let mut changes = describe(deltas(&pairs, &HashMap::new()), &loader, control)?;
        let dirty = (head != Some(now)).then(|| loader.different(&pair(head)));
        let dirty = dirty.transpose()?.flatten();
        self.attributes.failure()?;
        Ok(Some(Edited {
            change: changes.files.pop(),
            note: dirty.map(|pair| noted(pair.new)),
        }))
    }
}
