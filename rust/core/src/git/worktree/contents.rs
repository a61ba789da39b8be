//! Contents of both sides, without goat's own marks.

use std::collections::HashMap;
use std::sync::Arc;

use git2::Oid;
use rayon::prelude::*;

use super::workdir::{DiskContent, DiskFile};
use crate::error::{Code, Result};
use crate::git::diff::changes::{GoFile, blob_id, hunks};
use crate::git::diff::linediff::added_lines;
use crate::git::diff::rename::{Contents, FirstFailure};
use crate::git::diff::trees::Pair;
use crate::git::repo::Repo;
use crate::git::repo::entry::Entry;
use crate::git::repo::paths::{is_go, text};
use crate::model::FileChange;

/// Takes marks out of the content of a path.
pub type Clean<'a> = dyn Fn(&str, Vec<u8>) -> Vec<u8> + Sync + 'a;

const PLAIN: u32 = 0o100_644;

/// A content in both forms, marks removed.
#[derive(Clone)]
struct Loaded {
    /// As it would be compiled.
    compiled: Arc<Vec<u8>>,
    /// As git compares it.
    compared: Arc<Vec<u8>>,
}

/// What became of one side of a Go file.
type Side = std::result::Result<Loaded, String>;

/// Loads contents of blobs and of the working tree.
pub(in crate::git) struct Loader<'a> {
    repo: &'a Repo,
    disk: HashMap<Vec<u8>, DiskFile>,
    /// Whether files that git has no reason to doubt are on disk.
    worktree: bool,
    clean: &'a Clean<'a>,
    old: HashMap<Vec<u8>, Side>,
    new: HashMap<Vec<u8>, Side>,
    failure: FirstFailure,
}

/// A pair with what was loaded for it.
struct Prepared {
    pair: Pair,
    old: Option<Side>,
    new: Option<Side>,
}

impl<'a> Loader<'a> {
    /// A loader over what was read of the working tree.
    pub fn new(
        repo: &'a Repo,
        disk: HashMap<Vec<u8>, DiskFile>,
        worktree: bool,
        clean: &'a Clean<'a>,
    ) -> Self {
        Self {
            repo,
            disk,
            worktree,
            clean,
            old: HashMap::new(),
            new: HashMap::new(),
            failure: FirstFailure::default(),
        }
    }

    /// Loads the Go files among the pairs and leaves out those that differ in marks only.
    pub fn prepare(&mut self, pairs: Vec<Pair>) -> Result<Vec<Pair>> {
        let prepared: Vec<Prepared> = pairs
            .into_par_iter()
            .map(|pair| self.prepared(pair))
            .collect::<Result<_>>()?;
        let mut kept = Vec::with_capacity(prepared.len());
        for Prepared { pair, old, new } in prepared {
            if pair.old == pair.new {
                continue;
            }
            self.old.extend(old.map(|side| (pair.path.clone(), side)));
            self.new.extend(new.map(|side| (pair.path.clone(), side)));
            kept.push(pair);
        }
        Ok(kept)
    }

    /// The pair as it is without marks, if it then still differs.
    pub fn different(&self, pair: &Pair) -> Result<Option<Pair>> {
        let prepared = self.prepared(pair.clone())?;
        let differs = prepared.pair.old != prepared.pair.new;
        Ok(differs.then_some(prepared.pair))
    }

    fn prepared(&self, mut pair: Pair) -> Result<Prepared> {
        let is_file = |entry: &Entry| is_go(&pair.path) && entry.is_file();
        let (old, new) = (pair.old.filter(is_file), pair.new.filter(is_file));
        let old = old
            .map(|entry| self.load_old(&pair.path, entry))
            .transpose()?;
        let new = new
            .map(|entry| self.load_new(&pair.path, entry))
            .transpose()?;
        let renew = |entry: &mut Option<Entry>, changed: Option<Oid>| {
            if let (Some(entry), Some(id)) = (entry.as_mut(), changed) {
                entry.id = id;
            }
        };
        renew(&mut pair.old, old.as_ref().and_then(|(_, id)| *id));
        renew(&mut pair.new, new.as_ref().and_then(|(_, id)| *id));
        Ok(Prepared {
            pair,
            old: old.map(|(side, _)| side),
            new: new.map(|(side, _)| side),
        })
    }

    /// The base's side, and its id if it is another one without marks.
    fn load_old(&self, path: &[u8], entry: Entry) -> Result<(Side, Option<Oid>)> {
        let blob = Arc::new(self.repo.store.blob(entry.id)?);
        Ok(self.finish(
            path,
            DiskContent {
                disk: Arc::clone(&blob),
                git: blob,
            },
        ))
    }

    fn load_new(&self, path: &[u8], entry: Entry) -> Result<(Side, Option<Oid>)> {
        if let Some(file) = self.disk.get(path) {
            return Ok(match (&file.content, &file.unreadable) {
                (Some(content), None) => self.finish(path, content.clone()),
                (_, why) => (Err(why.clone().unwrap_or_default()), None),
            });
        }
        let git = Arc::new(self.repo.store.blob(entry.id)?);
        let content = if self.worktree {
            self.clean_file(path, entry, &git)
        } else {
            Ok(None)
        };
        Ok(match content {
            Ok(disk) => self.finish(
                path,
                DiskContent {
                    disk: disk.unwrap_or_else(|| Arc::clone(&git)),
                    git,
                },
            ),
            Err(why) => (Err(why), None),
        })
    }

    /// The bytes on disk of a file that git takes for unchanged; `None` where they
    /// are the blob's, or where a sparse checkout leaves the file out.
    fn clean_file(
        &self,
        path: &[u8],
        entry: Entry,
        git: &[u8],
    ) -> std::result::Result<Option<Arc<Vec<u8>>>, String> {
        let full = self.repo.full_path(path);
        let disk = match std::fs::read(&full) {
            Ok(disk) if disk == git => return Ok(None),
            Ok(disk) => disk,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(format!("cannot be read: {e}")),
        };
        let converted = self.repo.to_git(&text(path).0, &disk)?;
        if converted.as_deref() == Some(git) {
            return Ok(Some(Arc::new(disk)));
        }
        let id = entry.id.to_string();
        Err(format!(
            "it differs from blob {}, which git is told to assume (`git update-index --no-assume-unchanged`, `--no-skip-worktree`)",
            &id[..12]
        ))
    }

    fn finish(&self, path: &[u8], content: DiskContent) -> (Side, Option<Oid>) {
        let same = Arc::ptr_eq(&content.disk, &content.git);
        let (compared, id) = self.without_marks(path, content.git);
        let compiled = if same {
            Arc::clone(&compared)
        } else {
            self.without_marks(path, content.disk).0
        };
        (Ok(Loaded { compiled, compared }), id)
    }

    /// A content without marks, and its new id if it had any.
    fn without_marks(&self, path: &[u8], content: Arc<Vec<u8>>) -> (Arc<Vec<u8>>, Option<Oid>) {
        let cleaned = (self.clean)(&text(path).0, content.as_ref().clone());
        if cleaned == *content {
            return (content, None);
        }
        let id = blob_id(&cleaned);
        (Arc::new(cleaned), Some(id))
    }

    /// The line-by-line account of a changed Go file.
    pub fn file_change(&self, file: &GoFile<'_>) -> Result<FileChange> {
        let old = file
            .old
            .map(|entry| self.side(&self.old, file.source(), entry))
            .transpose()?;
        let new = file
            .new
            .map(|entry| self.new_side(file.path, entry))
            .transpose()?;
        assemble(file, old, new)
    }

    fn side(&self, loaded: &HashMap<Vec<u8>, Side>, path: &[u8], entry: Entry) -> Result<Side> {
        match loaded.get(path) {
            Some(side) => Ok(side.clone()),
            None => Ok(self.load_old(path, entry)?.0),
        }
    }

    fn new_side(&self, path: &[u8], entry: Entry) -> Result<Side> {
        match self.new.get(path) {
            Some(side) => Ok(side.clone()),
            None => Ok(self.load_new(path, entry)?.0),
        }
    }

    /// An untracked Go file: all its lines are new. `None` where it is gone again or
    /// no file.
    pub fn untracked(&self, path: &[u8]) -> Option<(FileChange, Entry)> {
        let full = self.repo.full_path(path);
        let meta = std::fs::metadata(&full).ok()?;
        if !meta.is_file() {
            return None;
        }
        let mut entry = Entry {
            mode: PLAIN,
            id: Oid::ZERO_SHA1,
        };
        let read = self.repo.read_disk(path, &full, PLAIN);
        let side = read.map(|content| {
            entry.id = blob_id(&content.git);
            let (side, id) = self.finish(path, content);
            entry.id = id.unwrap_or(entry.id);
            side
        });
        let side = side.and_then(|side| side);
        let file = GoFile {
            path,
            old_path: None,
            old: None,
            new: Some(entry),
        };
        assemble(&file, None, Some(side))
            .ok()
            .map(|change| (change, entry))
    }
}

fn assemble(file: &GoFile<'_>, old: Option<Side>, new: Option<Side>) -> Result<FileChange> {
    let (path, exact) = text(file.path);
    let mut change = FileChange {
        path,
        old_path: file.old_path.map(|path| text(path).0),
        old: None,
        new: None,
        hunks: Vec::new(),
        lines: Vec::new(),
        unreadable: None,
    };
    let mut readable = |side: Option<Side>| {
        side.and_then(|side| side.map_err(|why| change.unreadable = Some(why)).ok())
    };
    let (old, new) = (readable(old), readable(new));
    if change.unreadable.is_none() {
        let compared = |side: &Option<Loaded>| side.as_ref().map(|s| Arc::clone(&s.compared));
        let (a, b) = (compared(&old), compared(&new));
        change.hunks = hunks(
            a.as_ref().map(|a| a.as_slice()),
            b.as_ref().map(|b| b.as_slice()),
        )?;
        change.lines = added_lines(&change.hunks);
        if !exact {
            change.unreadable = Some("its name is not UTF-8".to_owned());
        }
    }
    let bytes = |side: Loaded| Arc::unwrap_or_clone(side.compiled);
    change.old = old.map(|side| side.compared.as_ref().clone());
    change.new = new.map(bytes);
    Ok(change)
}

impl Loader<'_> {
    /// What was loaded for a Go file, if it was one.
    fn loaded(&self, release: bool, path: &[u8]) -> Option<&Side> {
        let side = if release { &self.new } else { &self.old };
        side.get(path)
    }

    /// The value, or `None` with the failure noted. Without a file of the release, a
    /// deleted Go file could be taken for another one than git takes it for.
    fn note<T>(&self, release: bool, path: &[u8], result: Result<T>) -> Option<T> {
        if release {
            self.failure.note(result)
        } else {
            self.failure.note_of(path, result)
        }
    }

    /// A file of the working tree that is not a Go file, as git compares it.
    fn on_disk(&self, path: &[u8], entry: Entry) -> Option<Arc<Vec<u8>>> {
        let read = self
            .repo
            .read_disk(path, &self.repo.full_path(path), entry.mode);
        read.ok().map(|content| content.git)
    }
}

impl Contents for Loader<'_> {
    fn size(&self, release: bool, path: &[u8], entry: Entry) -> Option<u64> {
        if let Some(side) = self.loaded(release, path) {
            return side.as_ref().ok().map(|side| side.compared.len() as u64);
        }
        if release && self.disk.contains_key(path) {
            return self.on_disk(path, entry).map(|data| data.len() as u64);
        }
        self.note(release, path, self.repo.store.blob_size(entry.id))
    }

    fn load(&self, release: bool, path: &[u8], entry: Entry) -> Option<Arc<Vec<u8>>> {
        if let Some(side) = self.loaded(release, path) {
            return side.as_ref().ok().map(|side| Arc::clone(&side.compared));
        }
        if release && self.disk.contains_key(path) {
            return self.on_disk(path, entry);
        }
        self.note(release, path, self.repo.store.blob(entry.id))
            .map(Arc::new)
    }

    fn forced(&self, path: &[u8]) -> Option<bool> {
        let path = std::str::from_utf8(path).ok()?;
        self.repo.attributes.diff(path)
    }

    fn failure(&self) -> Result<()> {
        self.failure.check()
    }
}

/// The error for a file that is asked for and not there.
pub(in crate::git) fn no_such_file(path: &str) -> crate::error::Error {
    crate::error::Error::new(Code::Unreadable, format!("{path} is not in the release")).path(path)
}
