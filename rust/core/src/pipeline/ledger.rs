//! What is made of each changed file, kept from one plan to the next, so that an edit
//! plans one file.
//!
//! Everything is found by a hash over both contents and all that decides besides. One file
//! per settings holds it: what a plan adds is put behind what is there, each part with a
//! sealed list of what it holds, until more of it is out of use than in use; then it is
//! written anew. Where a byte of a list is not what was written nothing is believed, nor is
//! a value that is not the one that is listed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::Ordering;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::Options;
use super::memo::{place, store};
use super::pack::{
    self, ENTRY, Entries, List, Pack, Use, append, index, lock, name_of, opened, sealed, values,
};
use crate::error::Result;
use crate::git::{Differing, Kept, Repo, Stamp};
use crate::model::{FileChange, Hunk, Key};

/// No change has so much to say that more is worth its place on the disk.
const LIMIT: usize = 64 << 20;

/// What was kept, and what is to be.
pub(super) struct Ledger {
    path: PathBuf,
    pack: Pack,
    size: usize,
    entries: Entries,
    /// The long lists, where few of their values are asked for.
    lists: Vec<List>,
    new: Mutex<BTreeMap<Key, Vec<u8>>>,
}

/// Tells the kinds of entries apart.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Plain,
    Sum,
    Source,
    Hunks,
    Renames,
    Written,
    File,
    Rejected,
    Edits,
    Package,
    Trees,
    Listing,
}

impl Ledger {
    /// The ledger of these settings; `None` where nothing may be kept, or where a file's
    /// lines are not decided by its contents.
    pub(super) fn open(options: &Options, repo: &Repo, how: Use) -> Option<Self> {
        if options.memo_dir.is_empty() || options.precision == 1 {
            return None;
        }
        let asked = Options {
            control_fd: -1,
            progress_fd: -1,
            build: None,
            deps: None,
            ..options.clone()
        };
        let name = format!("{} {asked:?}", repo.root().display());
        let path = place(&options.memo_dir, &[], &name).with_extension("files");
        let (pack, size) = opened(&path, how).unwrap_or((Pack::Read(Vec::new()), 0));
        let indexed = index(&pack, size, name_of(&path), how);
        let size = indexed.as_ref().map_or(0, |_| size);
        let (entries, lists) = indexed.unwrap_or_default();
        Some(Self {
            path,
            pack,
            size,
            entries,
            lists,
            new: Mutex::default(),
        })
    }

    /// What is kept under a key.
    pub(super) fn get<T: DeserializeOwned>(&self, key: Key) -> Option<T> {
        let entry = self.entries.get(&key);
        let (range, check) = match entry {
            Some(entry) => (entry.range.clone(), entry.check),
            None => self.lists.iter().rev().find_map(|list| list.find(&key))?,
        };
        let bytes = self.pack.at(range)?;
        if pack::check(&bytes) != check {
            return None;
        }
        let value = postcard::from_bytes(&bytes).ok()?;
        if let Some(entry) = entry {
            entry.used.store(true, Ordering::Relaxed);
        }
        Some(value)
    }

    /// Says that what is kept under a key, if anything is, is not out of use.
    pub(super) fn touch(&self, key: Key) {
        if let Some(entry) = self.entries.get(&key) {
            entry.used.store(true, Ordering::Relaxed);
        }
    }

    /// Keeps a value.
    pub(super) fn put(&self, key: Key, value: &impl Serialize) {
        if let Ok(bytes) = postcard::to_stdvec(value) {
            lock(&self.new).insert(key, bytes);
        }
    }

    /// The directory of the last plan.
    pub(super) fn written(&self) -> Option<PathBuf> {
        self.get(written())
    }

    /// Whether there is room for what one more edit adds, before a plan that looks at all of
    /// it has to put it in order.
    pub(super) fn has_room(&self, size: usize) -> bool {
        let most = LIMIT.min(size.saturating_mul(2));
        self.size > 0 && self.size <= most
    }

    /// Writes what an edit added, behind what is there.
    pub(super) fn add(&self) {
        let new = lock(&self.new);
        if !new.is_empty() {
            append(&self.path, &sealed(name_of(&self.path), &values(&new)));
        }
    }

    /// Writes what this plan added, and leaves out what it had no use for once that is more
    /// than the rest. That it cannot be kept is no failure.
    /// Says how large it is then.
    pub(super) fn save(&self, directory: Option<&Path>) -> usize {
        if let Some(directory) = directory.filter(|_| directory != self.written().as_deref()) {
            self.put(written(), &directory);
        }
        let new = lock(&self.new);
        if new.is_empty() {
            return self.size;
        }
        let name = name_of(&self.path);
        let mut added = values(&new);
        let used: Vec<_> = self
            .entries
            .iter()
            .filter(|(key, entry)| entry.used.load(Ordering::Relaxed) && !new.contains_key(*key))
            .collect();
        let living = used.iter().map(|(_, entry)| entry.range.len() + ENTRY);
        let pack = sealed(name, &added);
        let size = self.size + pack.len();
        if living.sum::<usize>() > self.size / 2 && size <= LIMIT {
            append(&self.path, &pack);
            return size;
        }
        added.extend(used.into_iter().filter_map(|(key, entry)| {
            let bytes = self.pack.at(entry.range.clone())?;
            Some((*key, bytes, entry.check))
        }));
        added.sort_unstable_by_key(|(key, ..)| *key);
        let pack = sealed(name, &added);
        if pack.len() <= LIMIT {
            store(&self.path, &pack);
        }
        pack.len()
    }
}

/// The key of several things that have keys.
pub(super) fn all(keys: &[Key]) -> Key {
    let sum: [u8; 32] = Sha256::digest(keys.as_flattened()).into();
    sum.first_chunk().copied().unwrap_or_default()
}

/// The key of the last plan's directory.
fn written() -> Key {
    key(Kind::Written, Key::default(), &[])
}

/// The key of what is made of something that has a key, and of what decides besides.
pub(super) fn key(kind: Kind, of: Key, deciding: &[&str]) -> Key {
    let deciding = deciding.iter().map(|text| text.as_bytes());
    key_of(kind, of, deciding)
}

/// The key of what is made of a file on disk, by what its stat data vouch for.
pub(super) fn on_disk(kind: Kind, path: &[u8], vouched: &Stamp) -> Key {
    key_of(kind, Key::default(), [path, vouched.as_slice()].into_iter())
}

fn key_of<'t>(kind: Kind, of: Key, deciding: impl Iterator<Item = &'t [u8]>) -> Key {
    let mut hash = Sha256::new();
    hash.update([kind as u8]);
    hash.update(of);
    for text in deciding {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    }
    let sum: [u8; 32] = hash.finalize().into();
    sum.first_chunk().copied().unwrap_or_default()
}

impl Kept for Ledger {
    fn is_plain(&self, content: Key) -> bool {
        self.get::<()>(key(Kind::Plain, content, &[])).is_some()
    }

    fn keep_plain(&self, content: Key) {
        self.put(key(Kind::Plain, content, &[]), &());
    }

    fn sum(&self, path: &[u8], vouched: &Stamp) -> Option<[u8; 32]> {
        self.get(on_disk(Kind::Sum, path, vouched))
    }

    fn keep_sum(&self, path: &[u8], vouched: &Stamp, sum: [u8; 32]) {
        self.put(on_disk(Kind::Sum, path, vouched), &sum);
    }

    fn hunks(&self, pair: Key) -> Option<Vec<Hunk>> {
        self.get(key(Kind::Hunks, pair, &[]))
    }

    fn keep_hunks(&self, pair: Key, hunks: &[Hunk]) {
        self.put(key(Kind::Hunks, pair, &[]), &hunks);
    }

    fn renames(&self, files: Key) -> Option<Vec<(usize, usize)>> {
        self.get(key(Kind::Renames, files, &[]))
    }

    fn keep_renames(&self, files: Key, found: &[(usize, usize)]) {
        self.put(key(Kind::Renames, files, &[]), &found);
    }

    fn differing(&self, trees: Key) -> Option<Vec<Differing>> {
        self.get(key(Kind::Trees, trees, &[]))
    }

    fn keep_differing(&self, trees: Key, found: &[Differing]) {
        self.put(key(Kind::Trees, trees, &[]), &found);
    }

    fn lists(&self, index_and_tree: Key) -> bool {
        let known: Option<()> = self.get(key(Kind::Listing, index_and_tree, &[]));
        known.is_some()
    }

    fn keep_lists(&self, index_and_tree: Key) {
        self.put(key(Kind::Listing, index_and_tree, &[]), &());
    }
}

/// The way to contents, past the ledger and through it.
pub(super) struct Desk<'a> {
    pub(super) ledger: Option<&'a Ledger>,
    pub(super) read_base: &'a (dyn Fn(&str) -> Result<Option<Vec<u8>>> + Sync),
    pub(super) read_release: &'a (dyn Fn(&str) -> Result<Vec<u8>> + Sync),
}

impl Desk<'_> {
    /// The kept value.
    pub(super) fn known<T: DeserializeOwned>(&self, key: Option<Key>) -> Option<T> {
        self.ledger
            .zip(key)
            .and_then(|(ledger, key)| ledger.get(key))
    }

    /// Keeps a value from now on.
    pub(super) fn keep(&self, key: Option<Key>, value: &impl Serialize) {
        if let Some((ledger, key)) = self.ledger.zip(key) {
            ledger.put(key, value);
        }
    }

    /// Says that a value that is kept is in use, without reading it.
    pub(super) fn touch(&self, key: Option<Key>) {
        if let Some((ledger, key)) = self.ledger.zip(key) {
            ledger.touch(key);
        }
    }

    /// The kept value, or a new one that is kept from now on.
    pub(super) fn recall<T: Serialize + DeserializeOwned>(
        &self,
        key: Option<Key>,
        make: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        if let Some(value) = self.known(key) {
            return Ok(value);
        }
        let value = make()?;
        self.keep(key, &value);
        Ok(value)
    }

    /// Reads the contents that were left unread.
    pub(super) fn fill(&self, change: &mut FileChange) -> Result<()> {
        if !std::mem::take(&mut change.unread) {
            return Ok(());
        }
        let before = change.old_path.as_deref().unwrap_or(&change.path);
        if let Some(old) = &mut change.old {
            *old = (self.read_base)(before)?.unwrap_or_default();
        }
        if let Some(new) = &mut change.new {
            *new = (self.read_release)(&change.path)?;
        }
        Ok(())
    }
}
