//! What is made of each changed file, kept from one plan to the next, so that an edit
//! plans one file.
//!
//! Everything is found by a hash over both contents and all that decides besides, and
//! one file holds what the last plan with the same settings used. Where a byte of it is
//! not what was written nothing of it is believed.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::Options;
use super::memo::{place, store};
use crate::error::Result;
use crate::git::{Kept, Repo};
use crate::model::{FileChange, Hunk, Key};

/// No change has so much to say that more is worth its place on the disk.
const LIMIT: usize = 64 << 20;

/// What was kept, and what is to be.
pub(super) struct Ledger {
    path: PathBuf,
    bytes: Vec<u8>,
    entries: HashMap<Key, Range<usize>>,
    used: Mutex<HashSet<Key>>,
    new: Mutex<BTreeMap<Key, Vec<u8>>>,
}

/// Tells the kinds of entries apart.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Plain,
    Sum,
    Source,
    Hunks,
    File,
    Rejected,
    Edits,
}

impl Ledger {
    /// The ledger of these settings; `None` where nothing may be kept, or where a file's
    /// lines are not decided by its contents.
    pub(super) fn open(options: &Options, repo: &Repo) -> Option<Self> {
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
        let bytes = fs::read(&path).unwrap_or_default();
        let entries = index(&bytes, name_of(&path)).unwrap_or_default();
        Some(Self {
            path,
            bytes,
            entries,
            used: Mutex::default(),
            new: Mutex::default(),
        })
    }

    /// What is kept under a key.
    pub(super) fn get<T: DeserializeOwned>(&self, key: Key) -> Option<T> {
        let range = self.entries.get(&key)?.clone();
        let value = postcard::from_bytes(&self.bytes[range]).ok()?;
        lock(&self.used).insert(key);
        Some(value)
    }

    /// Keeps a value.
    pub(super) fn put(&self, key: Key, value: &impl Serialize) {
        if let Ok(bytes) = postcard::to_stdvec(value) {
            lock(&self.new).insert(key, bytes);
        }
    }

    /// Writes what this plan used and added, and nothing else. That it cannot be kept is
    /// no failure.
    pub(super) fn save(&self) {
        let (mut new, used) = (lock(&self.new), lock(&self.used));
        if new.is_empty() {
            return;
        }
        for key in used.iter() {
            let kept = || self.bytes[self.entries[key].clone()].to_vec();
            new.entry(*key).or_insert_with(kept);
        }
        let size = new.values().map(|bytes| bytes.len() + ENTRY).sum::<usize>();
        if size > LIMIT {
            return;
        }
        let name = name_of(&self.path);
        let mut pack = Vec::with_capacity(SUM + name.len() + size);
        pack.resize(SUM, 0);
        pack.extend_from_slice(name);
        for (key, bytes) in new.iter() {
            pack.extend_from_slice(key);
            pack.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
            pack.extend_from_slice(bytes);
        }
        let sum = Sha256::digest(&pack[SUM..]);
        pack[..SUM].copy_from_slice(&sum);
        store(&self.path, &pack);
    }
}

/// Bytes of the hash before all entries.
const SUM: usize = 32;
/// Bytes of a key and a length before each.
const ENTRY: usize = size_of::<Key>() + 4;

/// A pack says in itself for which settings it is.
fn name_of(path: &Path) -> &[u8] {
    let name = path.file_name().unwrap_or_default();
    name.as_encoded_bytes()
}

/// Where the entries of a pack stand; `None` where it is not what was written there.
fn index(pack: &[u8], name: &[u8]) -> Option<HashMap<Key, Range<usize>>> {
    let (sum, rest) = pack.split_first_chunk::<SUM>()?;
    if Sha256::digest(rest).as_slice() != sum || !rest.starts_with(name) {
        return None;
    }
    let (mut entries, mut at) = (HashMap::new(), SUM + name.len());
    while at < pack.len() {
        let (key, rest) = pack[at..].split_first_chunk()?;
        let length = u32::from_le_bytes(*rest.first_chunk()?) as usize;
        at += ENTRY + length;
        pack.get(..at)?;
        entries.insert(*key, at - length..at);
    }
    Some(entries)
}

/// The key of what is made of something that has a key, and of what decides besides.
pub(super) fn key(kind: Kind, of: Key, deciding: &[&str]) -> Key {
    let deciding = deciding.iter().map(|text| text.as_bytes());
    key_of(kind, of, deciding)
}

/// The key of what is made of a file on disk, by what its stat data vouch for.
pub(super) fn on_disk(kind: Kind, path: &[u8], vouched: &str) -> Key {
    key_of(kind, Key::default(), [path, vouched.as_bytes()].into_iter())
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

    fn sum(&self, path: &[u8], vouched: &str) -> Option<[u8; 32]> {
        self.get(on_disk(Kind::Sum, path, vouched))
    }

    fn keep_sum(&self, path: &[u8], vouched: &str, sum: [u8; 32]) {
        self.put(on_disk(Kind::Sum, path, vouched), &sum);
    }

    fn hunks(&self, pair: Key) -> Option<Vec<Hunk>> {
        self.get(key(Kind::Hunks, pair, &[]))
    }

    fn keep_hunks(&self, pair: Key, hunks: &[Hunk]) {
        self.put(key(Kind::Hunks, pair, &[]), &hunks);
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The way to contents, past the ledger and through it.
pub(super) struct Desk<'a> {
    pub(super) ledger: Option<&'a Ledger>,
    pub(super) read_base: &'a (dyn Fn(&str) -> Result<Option<Vec<u8>>> + Sync),
    pub(super) read_release: &'a (dyn Fn(&str) -> Result<Vec<u8>> + Sync),
}

impl Desk<'_> {
    /// The kept value, or a new one that is kept from now on.
    pub(super) fn recall<T: Serialize + DeserializeOwned>(
        &self,
        key: Option<Key>,
        make: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let kept = self.ledger.zip(key);
        if let Some(value) = kept.and_then(|(ledger, key)| ledger.get(key)) {
            return Ok(value);
        }
        let value = make()?;
        if let Some((ledger, key)) = kept {
            ledger.put(key, &value);
        }
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
