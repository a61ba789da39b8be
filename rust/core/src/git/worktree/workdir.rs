//! The working tree: which tracked files differ from HEAD, and which files git
//! does not know.

use std::collections::{HashMap, HashSet};
use std::fs::Metadata;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use git2::{ObjectType, Oid};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::kept::Kept;
use crate::control::Control;
use crate::error::Result;
use crate::git::diff::trees::{Pair, Trees};
use crate::git::repo::Repo;
use crate::git::repo::entry::{Entry, Walked};
use crate::git::repo::index::{Freshness, Index, IndexEntry, StatRules};
use crate::git::repo::paths::{bytes_of, is_go, os_path, read_file};
use crate::model::Key;

const LINK: u32 = 0o120_000;
pub(in crate::git) const PLAIN: u32 = 0o100_644;
const EXECUTABLE: u32 = 0o100_755;
const SUBMODULE: u32 = 0o160_000;

/// A file whose content is not (surely) that of a blob.
#[derive(Clone, Debug)]
pub(in crate::git) struct DiskFile {
    /// The bytes on disk and the bytes that git compares; kept for Go files.
    pub content: Option<DiskContent>,
    /// Why there are none.
    pub unreadable: Option<String>,
}

/// Both forms of a file of the working tree.
#[derive(Clone, Debug)]
pub(in crate::git) struct DiskContent {
    pub disk: Arc<Vec<u8>>,
    pub git: Arc<Vec<u8>>,
}

/// The working tree as far as it differs from HEAD.
#[derive(Debug, Default)]
pub(in crate::git) struct WorkTree {
    /// Tracked paths that differ from HEAD, in path order.
    pub dirty: Vec<Pair>,
    /// Tracked files that had to be read, by path.
    pub disk: HashMap<Vec<u8>, DiskFile>,
}

/// What the work tree has for an index entry.
pub(super) enum Found {
    /// What the index says.
    Clean,
    /// Nothing.
    Gone,
    /// Something that was read.
    Read(Entry, DiskFile),
}

impl Repo {
    /// Compares the working tree with HEAD through the index, which is not written.
    pub(in crate::git) fn work_tree(
        &self,
        head: Option<Oid>,
        kept: Option<&dyn Kept>,
        control: &Control,
    ) -> Result<WorkTree> {
        let index = self.index()?;
        let rules = self.stat_rules();
        let stats = self.stats(control)?;
        let entries = one_per_path(&index.entries, &stats.all);
        let walked = self.walked(control)?;
        let links = self.linked_directories(entries.iter().map(|(entry, _)| *entry), &walked);
        let found: Vec<Found> = entries
            .par_iter()
            .map(|(entry, meta)| {
                control.check()?;
                Ok(self.look_up(&index, entry, meta, rules, &links))
            })
            .collect::<Result<_>>()?;
        let head = head.map(|head| self.tree_of(head)).transpose()?;
        let listed = kept.zip(head.and_then(|tree| self.listing(&index, tree)));
        let known = listed.is_some_and(|(kept, key)| kept.lists(key));
        if known && found.len() == index.entries.len() {
            return Ok(beside_index(&index, found));
        }
        let mut files = Vec::with_capacity(entries.len());
        let mut disk = HashMap::new();
        for ((entry, _), found) in entries.iter().zip(found) {
            match found {
                Found::Clean => self.list(entry, &mut files)?,
                Found::Gone => {}
                Found::Read(now, file) => {
                    files.push((entry.path.clone(), now));
                    disk.insert(entry.path.clone(), file);
                }
            }
        }
        let head = head
            .map(|tree| Trees::new(&self.store).flatten(tree))
            .transpose()?
            .unwrap_or_default();
        let same = |(known, (path, entry)): (&IndexEntry, &(Vec<u8>, Entry))| {
            known.path == *path && known.entry == *entry
        };
        let as_many = index.entries.len() == head.len();
        if let Some((kept, key)) = listed
            && as_many
            && index.entries.iter().zip(&head).all(same)
        {
            kept.keep_lists(key);
        }
        Ok(WorkTree {
            dirty: differences(head, files),
            disk,
        })
    }

    /// Which stat data of the index count.
    pub(super) const fn stat_rules(&self) -> StatRules {
        StatRules {
            ctime: self.settings.trust_ctime,
            minimal: self.settings.minimal_stat,
        }
    }

    /// What names the index beside a tree; `None` where the one cannot list what the other
    /// does, or git is told to take other objects in place of some.
    fn listing(&self, index: &Index, tree: Oid) -> Option<Key> {
        let whole = |entry: &IndexEntry| entry.stage == 0 && !entry.entry.is_tree();
        if self.store.replaces() || !index.entries.iter().all(whole) {
            return None;
        }
        let mut hash = Sha256::new();
        hash.update(tree.as_bytes());
        for known in &index.entries {
            hash.update((known.path.len() as u64).to_le_bytes());
            hash.update(&known.path);
            hash.update(known.entry.mode.to_le_bytes());
            hash.update(known.entry.id.as_bytes());
        }
        hash.finalize().first_chunk().copied()
    }

    /// What the index holds, in path order; in a conflict our side.
    pub(in crate::git) fn index_listing(&self) -> Result<Vec<(Vec<u8>, Entry)>> {
        let index = self.index()?;
        let mut files = Vec::with_capacity(index.entries.len());
        for (entry, ()) in one_per_path(&index.entries, &vec![(); index.entries.len()]) {
            self.list(entry, &mut files)?;
        }
        Ok(files)
    }

    /// Adds an entry, or all below it where a sparse index holds a directory.
    fn list(&self, entry: &IndexEntry, files: &mut Vec<(Vec<u8>, Entry)>) -> Result<()> {
        if !entry.entry.is_tree() {
            files.push((entry.path.clone(), entry.entry));
            return Ok(());
        }
        for (path, below) in Trees::new(&self.store).flatten(entry.entry.id)? {
            files.push(([entry.path.as_slice(), &path].concat(), below));
        }
        Ok(())
    }

    pub(super) fn look_up(
        &self,
        index: &Index,
        entry: &IndexEntry,
        meta: &std::io::Result<Metadata>,
        rules: StatRules,
        links: &HashSet<Vec<u8>>,
    ) -> Found {
        if entry.skip || entry.entry.is_tree() {
            return Found::Clean;
        }
        if entry.entry.is_submodule() {
            return submodule(&self.full_path(&entry.path), entry);
        }
        let meta = match meta {
            Ok(meta) => meta,
            Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Found::Gone;
            }
            Err(e) => return unreadable(entry.entry.mode, format!("cannot be looked up: {e}")),
        };
        if meta.is_dir() || (!links.is_empty() && parents(&entry.path).any(|d| links.contains(d))) {
            return Found::Gone;
        }
        let mode = self.mode(meta, entry.entry.mode);
        let same_entry = entry.stage == 0 && mode == entry.entry.mode;
        let freshness = index.freshness(entry, meta, rules);
        if same_entry && freshness == Freshness::Clean {
            return Found::Clean;
        }
        match self.read_tracked(entry, &self.full_path(&entry.path), mode) {
            // What cannot be converted is judged by its stat data alone.
            Err(_) if same_entry && freshness == Freshness::Racy => Found::Clean,
            Err(why) => unreadable(mode, why),
            Ok(found) => found,
        }
    }

    /// Tracked directories that are links on disk. git does not follow them: what
    /// lies behind one is gone. A directory that was read on the way down from the root is
    /// none, nor is one above it.
    fn linked_directories<'i>(
        &self,
        entries: impl Iterator<Item = &'i IndexEntry>,
        walked: &Walked,
    ) -> HashSet<Vec<u8>> {
        let mut all: HashSet<&[u8]> = HashSet::new();
        let mut last: &[u8] = &[];
        for entry in entries {
            let slash = memchr::memrchr(b'/', &entry.path);
            let dir = slash.map_or(&[][..], |slash| &entry.path[..=slash]);
            if dir == last || walked.directories.contains_key(dir) {
                last = dir;
                continue;
            }
            for dir in parents(&entry.path) {
                if !all.insert(dir) {
                    break;
                }
            }
        }
        let is_link = |dir: &&[u8]| {
            std::fs::symlink_metadata(self.full_path(dir)).is_ok_and(|meta| meta.is_symlink())
        };
        all.into_par_iter()
            .filter(is_link)
            .map(<[u8]>::to_vec)
            .collect()
    }

    fn mode(&self, meta: &Metadata, indexed: u32) -> u32 {
        if meta.is_symlink() {
            return LINK;
        }
        if !self.settings.symlinks && indexed == LINK {
            return LINK;
        }
        let was_file = indexed == PLAIN || indexed == EXECUTABLE;
        if !self.settings.file_mode {
            return if was_file { indexed } else { PLAIN };
        }
        if is_executable(meta) {
            EXECUTABLE
        } else {
            PLAIN
        }
    }

    fn read_tracked(
        &self,
        entry: &IndexEntry,
        path: &Path,
        mode: u32,
    ) -> std::result::Result<Found, String> {
        let content = self.read_disk(&entry.path, path, mode)?;
        let id = Oid::hash_object(ObjectType::Blob, &content.git).unwrap_or(Oid::ZERO_SHA1);
        if id == entry.entry.id && mode == entry.entry.mode && entry.stage == 0 {
            return Ok(Found::Clean);
        }
        let content = Some(content).filter(|_| is_go(&entry.path));
        let file = DiskFile {
            content,
            unreadable: None,
        };
        Ok(Found::Read(Entry { mode, id }, file))
    }

    /// Reads a file or link and converts it as `git add` would.
    pub(in crate::git) fn read_disk(
        &self,
        path: &[u8],
        full: &Path,
        mode: u32,
    ) -> std::result::Result<DiskContent, String> {
        if mode == LINK && self.settings.symlinks {
            let target = std::fs::read_link(full).map_err(|e| format!("cannot be read: {e}"))?;
            let disk = Arc::new(bytes_of(target.as_os_str()));
            return Ok(DiskContent {
                git: Arc::clone(&disk),
                disk,
            });
        }
        let disk = read_file(full).map_err(|e| format!("cannot be read: {e}"))?;
        let disk = Arc::new(disk);
        let name = String::from_utf8_lossy(path);
        let git = match self.to_git(&name, &disk)? {
            Some(git) => Arc::new(git),
            None => Arc::clone(&disk),
        };
        Ok(DiskContent { disk, git })
    }

    /// The full path of a path of the repository.
    pub(in crate::git) fn full_path(&self, path: &[u8]) -> PathBuf {
        self.root.join(os_path(path))
    }
}

/// The working tree beside an index that lists what HEAD does; of each entry was found what
/// stands in its place.
fn beside_index(index: &Index, found: Vec<Found>) -> WorkTree {
    let mut work = WorkTree::default();
    for (known, found) in index.entries.iter().zip(found) {
        let new = match found {
            Found::Clean => continue,
            Found::Gone => None,
            Found::Read(now, file) => {
                work.disk.insert(known.path.clone(), file);
                Some(now)
            }
        };
        if new != Some(known.entry) {
            work.dirty.push(Pair {
                path: known.path.clone(),
                old: Some(known.entry),
                new,
            });
        }
    }
    work
}

/// The directories above a path, the nearest first.
fn parents(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    memchr::memrchr_iter(b'/', path).map(|slash| &path[..slash])
}

fn unreadable(mode: u32, why: String) -> Found {
    let entry = Entry {
        mode,
        id: Oid::ZERO_SHA1,
    };
    Found::Read(
        entry,
        DiskFile {
            content: None,
            unreadable: Some(why),
        },
    )
}

/// A submodule's entry is the commit that is checked out in it.
fn submodule(path: &Path, entry: &IndexEntry) -> Found {
    let head = crate::git::repo::open::head_of(path);
    match head {
        Some(id) if id != entry.entry.id => {
            let now = Entry {
                mode: SUBMODULE,
                id,
            };
            Found::Read(
                now,
                DiskFile {
                    content: None,
                    unreadable: None,
                },
            )
        }
        None if std::fs::symlink_metadata(path).is_err() => Found::Gone,
        _ => Found::Clean,
    }
}

#[cfg(unix)]
fn is_executable(meta: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    meta.permissions().mode() & 0o100 != 0
}

/// In a conflict a path has up to three entries; ours stands for it. With each comes what
/// is known of it.
fn one_per_path<'i, T>(entries: &'i [IndexEntry], known: &'i [T]) -> Vec<(&'i IndexEntry, &'i T)> {
    let mut out: Vec<(&IndexEntry, &T)> = Vec::with_capacity(entries.len());
    for (entry, known) in entries.iter().zip(known) {
        match out.last_mut() {
            Some((last, of_last)) if last.path == entry.path => {
                if entry.stage == 2 {
                    (*last, *of_last) = (entry, known);
                }
            }
            _ => out.push((entry, known)),
        }
    }
    out
}

/// The paths in which two sorted listings differ.
pub(in crate::git) fn differences(
    old: Vec<(Vec<u8>, Entry)>,
    new: Vec<(Vec<u8>, Entry)>,
) -> Vec<Pair> {
    let mut out = Vec::new();
    let mut old = old.into_iter().peekable();
    let mut new = new.into_iter().peekable();
    loop {
        let pair = match (old.peek(), new.peek()) {
            (None, None) => return out,
            (Some((a, _)), Some((b, _))) if a == b => (old.next(), new.next()),
            (Some((a, _)), Some((b, _))) if a < b => (old.next(), None),
            (Some(_), None) => (old.next(), None),
            (_, Some(_)) => (None, new.next()),
        };
        let (before, after) = (pair.0.as_ref().map(|p| p.1), pair.1.as_ref().map(|p| p.1));
        if before != after {
            let path = pair.0.or(pair.1).map(|(path, _)| path).unwrap_or_default();
            out.push(Pair {
                path,
                old: before,
                new: after,
            });
        }
    }
}
