//! Contents of both sides, without goat's own marks.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use git2::Oid;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::kept::Kept;
use super::workdir::{DiskContent, DiskFile};
use crate::control::Control;
use crate::error::{Code, Result};
use crate::git::diff::changes::{GoFile, blob_id, hunks};
use crate::git::diff::linediff::added_lines;
use crate::git::diff::rename::{Contents, FirstFailure, renames};
use crate::git::diff::trees::Pair;
use crate::git::repo::Repo;
use crate::git::repo::entry::Entry;
use crate::git::repo::paths::{is_go, read_file, text};
use crate::model::{FileChange, Hunk, Key};

/// Takes marks out of the content of a path; `None` where it has none.
pub type Clean<'a> = dyn Fn(&str, &[u8]) -> Option<Vec<u8>> + Sync + 'a;

const PLAIN: u32 = 0o100_644;

/// A content in both forms, marks removed.
#[derive(Clone)]
struct Loaded {
    /// As it would be compiled.
    compiled: Arc<Vec<u8>>,
    /// As git compares it.
    compared: Arc<Vec<u8>>,
}

impl Loaded {
    /// Whether git compares what is compiled.
    fn is_same(&self) -> bool {
        Arc::ptr_eq(&self.compiled, &self.compared)
    }
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
    kept: Option<&'a dyn Kept>,
    old: Files,
    new: Files,
    /// What was loaded of both sides, once nobody looks at it in its place any more: who
    /// takes a content needs no copy of it.
    free: [Mutex<HashMap<Vec<u8>, Side>>; 2],
    failure: FirstFailure,
    /// Whether an answer hung on more than the contents of files that can be read.
    depends: AtomicBool,
}

/// The Go files of one side, by path.
#[derive(Default)]
struct Files {
    loaded: HashMap<Vec<u8>, Side>,
    /// What names the contents that are plain ([`Kept::is_plain`]), loaded or not.
    plain: HashMap<Vec<u8>, Key>,
}

impl Files {
    fn add(&mut self, path: &[u8], found: Found) {
        self.plain
            .extend(found.plain.map(|key| (path.to_owned(), key)));
        self.loaded
            .extend(found.side.map(|side| (path.to_owned(), side)));
    }
}

/// What is known of one side of a Go file.
struct Found {
    /// Its content; `None` where that is known to be plain.
    side: Option<Side>,
    /// Its id without marks, if that is another one.
    id: Option<Oid>,
    /// What names it, if it is plain.
    plain: Option<Key>,
}

/// A pair with what was loaded for it.
struct Prepared {
    pair: Pair,
    old: Option<Found>,
    new: Option<Found>,
}

impl<'a> Loader<'a> {
    /// A loader over what was read of the working tree.
    pub fn new(
        repo: &'a Repo,
        disk: HashMap<Vec<u8>, DiskFile>,
        worktree: bool,
        clean: &'a Clean<'a>,
        kept: Option<&'a dyn Kept>,
    ) -> Self {
        Self {
            repo,
            disk,
            worktree,
            clean,
            kept,
            old: Files::default(),
            new: Files::default(),
            free: Default::default(),
            failure: FirstFailure::default(),
            depends: AtomicBool::new(false),
        }
    }

    /// Loads the Go files among the pairs, as far as they are not known to be plain, and
    /// leaves out those that differ in marks only.
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
            if let Some(found) = old {
                self.old.add(&pair.path, found);
            }
            if let Some(found) = new {
                self.new.add(&pair.path, found);
            }
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
            .map(|entry| self.look(&pair.path, entry, false))
            .transpose()?;
        let new = new
            .map(|entry| self.look(&pair.path, entry, true))
            .transpose()?;
        let renew = |entry: &mut Option<Entry>, changed: Option<Oid>| {
            if let (Some(entry), Some(id)) = (entry.as_mut(), changed) {
                entry.id = id;
            }
        };
        renew(&mut pair.old, old.as_ref().and_then(|found| found.id));
        renew(&mut pair.new, new.as_ref().and_then(|found| found.id));
        Ok(Prepared { pair, old, new })
    }

    /// One side of a Go file; not read from the object database where it is known.
    fn look(&self, path: &[u8], entry: Entry, release: bool) -> Result<Found> {
        let name = self
            .kept
            .and_then(|kept| Some((kept, self.name(path, entry, release)?)));
        if let Some((kept, key)) = name
            && kept.is_plain(key)
        {
            return Ok(Found {
                side: None,
                id: None,
                plain: Some(key),
            });
        }
        let (side, id) = if release {
            self.load_new(path, entry)?
        } else {
            self.load_old(path, entry)?
        };
        let plain = matches!(&side, Ok(loaded) if id.is_none() && loaded.is_same());
        let name = name.filter(|_| plain);
        if let Some((kept, key)) = name {
            kept.keep_plain(key);
        }
        Ok(Found {
            side: Some(side),
            id,
            plain: name.map(|(_, key)| key),
        })
    }

    /// What names a content: its path, its blob, and what is on disk for it. `None` where
    /// that cannot be read.
    fn name(&self, path: &[u8], entry: Entry, release: bool) -> Option<Key> {
        let mut hash = Sha256::new();
        hash.update((path.len() as u64).to_le_bytes());
        hash.update(path);
        hash.update(entry.id.as_bytes());
        hash.update(self.repo.store.replaced(entry.id).as_bytes());
        if let Some(file) = self.disk.get(path).filter(|_| release) {
            let content = file
                .content
                .as_ref()
                .filter(|_| file.unreadable.is_none())?;
            hash.update(Sha256::digest(content.disk.as_slice()));
        } else if release && self.worktree {
            match self.sum_on_disk(path) {
                Ok(sum) => hash.update(sum),
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
                Err(_) => return None,
            }
        }
        hash.finalize().first_chunk().copied()
    }

    /// SHA-256 of a tracked file's bytes. They are not read where it is known what they were
    /// when the file's stat data were what they are.
    fn sum_on_disk(&self, path: &[u8]) -> std::io::Result<[u8; 32]> {
        let kept = self
            .kept
            .and_then(|kept| Some((kept, self.repo.vouched(path)?)));
        if let Some(sum) = kept.as_ref().and_then(|(kept, v)| kept.sum(path, v)) {
            return Ok(sum);
        }
        let sum = Sha256::digest(read_file(&self.repo.full_path(path))?).into();
        if let Some((kept, vouched)) = kept.filter(|(_, v)| self.repo.is_still(path, v)) {
            kept.keep_sum(path, &vouched, sum);
        }
        Ok(sum)
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
        let content = match self.disk.get(path) {
            Some(DiskFile {
                content: Some(content),
                unreadable: None,
            }) => {
                self.keep(path, &content.disk);
                Ok(content.clone())
            }
            Some(file) => Err(file.unreadable.clone().unwrap_or_default()),
            None => self.content(path, entry)?,
        };
        Ok(match content {
            Ok(content) => self.finish(path, content),
            Err(why) => (Err(why), None),
        })
    }

    /// The content of a file that git takes for unchanged, or of one of a commit.
    fn content(
        &self,
        path: &[u8],
        entry: Entry,
    ) -> Result<std::result::Result<DiskContent, String>> {
        let git = Arc::new(self.repo.store.blob(entry.id)?);
        let disk = if self.worktree {
            self.clean_file(path, entry, &git)
        } else {
            Ok(Some(Arc::clone(&git)))
        };
        if let Ok(Some(disk)) = &disk {
            self.keep(path, disk);
        }
        Ok(disk.map(|disk| DiskContent {
            disk: disk.unwrap_or_else(|| Arc::clone(&git)),
            git,
        }))
    }

    /// Lets who reads a file of the release next have what was read of it.
    fn keep(&self, path: &[u8], content: &Arc<Vec<u8>>) {
        let contents = self.repo.contents.lock();
        let mut contents = contents.unwrap_or_else(PoisonError::into_inner);
        contents.keep(path, content);
    }

    /// The bytes on disk of a file that git takes for unchanged; `None` where a sparse
    /// checkout leaves the file out.
    fn clean_file(
        &self,
        path: &[u8],
        entry: Entry,
        git: &Arc<Vec<u8>>,
    ) -> std::result::Result<Option<Arc<Vec<u8>>>, String> {
        let full = self.repo.full_path(path);
        let disk = match read_file(&full) {
            Ok(disk) if disk == **git => return Ok(Some(Arc::clone(git))),
            Ok(disk) => disk,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(format!("cannot be read: {e}")),
        };
        let converted = self.repo.to_git(&text(path).0, &disk)?;
        if converted.as_ref() == Some(&**git) {
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
        let cleaned = (self.clean)(&text(path).0, &content);
        let Some(cleaned) = cleaned.filter(|cleaned| cleaned != content.as_ref()) else {
            return (content, None);
        };
        let id = blob_id(&cleaned);
        (Arc::new(cleaned), Some(id))
    }

    /// For each added path (by its index in `pairs`) the index of the removed one that it
    /// comes from. It follows from the names and contents of both; where it hung on more,
    /// on attributes or on a file that cannot be read, it is not kept.
    pub fn renames(&self, pairs: &[Pair], control: &Control) -> Result<HashMap<usize, usize>> {
        let indices = |wanted: fn(&Pair) -> bool| -> Vec<usize> {
            let all = pairs.iter().enumerate();
            let fitting = all.filter(|(_, pair)| wanted(pair));
            fitting.map(|(index, _)| index).collect()
        };
        let came = indices(|pair| pair.old.is_none() && pair.new.is_some());
        let gone = indices(|pair| pair.old.is_some() && pair.new.is_none());
        if came.is_empty() || gone.is_empty() {
            return Ok(HashMap::new());
        }
        let kept = self
            .kept
            .map(|kept| (kept, self.files(pairs, &came, &gone)));
        let known = kept.and_then(|(kept, key)| kept.renames(key));
        if let Some(known) = known {
            let known = known.into_iter();
            let known = known.filter_map(|(to, from)| Some((*came.get(to)?, *gone.get(from)?)));
            return Ok(known.collect());
        }
        let found = renames(pairs, self, control)?;
        if let Some((kept, key)) = kept.filter(|_| !self.depends.load(Ordering::Relaxed)) {
            let number = |of: &[usize], index: &usize| of.binary_search(index).unwrap_or_default();
            let numbers = found.iter();
            let mut numbers: Vec<_> = numbers
                .map(|(to, from)| (number(&came, to), number(&gone, from)))
                .collect();
            numbers.sort_unstable();
            kept.keep_renames(key, &numbers);
        }
        Ok(found)
    }

    /// What names added and removed files: paths, modes and contents.
    fn files(&self, pairs: &[Pair], came: &[usize], gone: &[usize]) -> Key {
        let mut hash = Sha256::new();
        hash.update((came.len() as u64).to_le_bytes());
        for pair in came.iter().chain(gone).map(|&index| &pairs[index]) {
            hash.update((pair.path.len() as u64).to_le_bytes());
            hash.update(&pair.path);
            if let Some(entry) = pair.old.or(pair.new) {
                hash.update(entry.mode.to_le_bytes());
                hash.update(entry.id.as_bytes());
                hash.update(self.repo.store.replaced(entry.id).as_bytes());
            }
        }
        hash.finalize().first_chunk().copied().unwrap_or_default()
    }

    /// The line-by-line account of a changed Go file.
    pub fn file_change(&self, file: &GoFile<'_>) -> Result<FileChange> {
        let key = self.pair(file);
        let kept = self.kept.zip(key);
        if let Some(hunks) = kept.and_then(|(kept, key)| kept.hunks(key)) {
            return Ok(unread(file, key, hunks));
        }
        let old = file
            .old
            .map(|entry| self.old_side(file.source(), entry))
            .transpose()?;
        let new = file
            .new
            .map(|entry| self.new_side(file.path, entry))
            .transpose()?;
        let mut change = assemble(file, old, new)?;
        if let Some((kept, key)) = kept.filter(|_| change.unreadable.is_none()) {
            kept.keep_hunks(key, &change.hunks);
            change.key = Some(key);
        }
        Ok(change)
    }

    /// What names both contents of a change, where both are plain.
    fn pair(&self, file: &GoFile<'_>) -> Option<Key> {
        let mut hash = Sha256::new();
        let sides = [
            (file.old, &self.old, file.source()),
            (file.new, &self.new, file.path),
        ];
        for (entry, files, path) in sides {
            if entry.is_some() {
                hash.update(files.plain.get(path)?);
            } else {
                hash.update(Key::default());
            }
        }
        hash.finalize().first_chunk().copied()
    }

    /// Lets contents be taken, after [`Loader::renames`].
    pub fn let_go(&mut self) {
        let all = [&mut self.old, &mut self.new].map(|side| std::mem::take(&mut side.loaded));
        self.free = all.map(Mutex::new);
    }

    fn old_side(&self, path: &[u8], entry: Entry) -> Result<Side> {
        match self.taken(0, path) {
            Some(side) => Ok(side),
            None => Ok(self.load_old(path, entry)?.0),
        }
    }

    fn new_side(&self, path: &[u8], entry: Entry) -> Result<Side> {
        match self.taken(1, path) {
            Some(side) => Ok(side),
            None => Ok(self.load_new(path, entry)?.0),
        }
    }

    fn taken(&self, side: usize, path: &[u8]) -> Option<Side> {
        let free = self.free[side].lock();
        free.unwrap_or_else(PoisonError::into_inner).remove(path)
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

/// A change whose contents nobody had to read; their places say which there are.
fn unread(file: &GoFile<'_>, key: Option<Key>, hunks: Vec<Hunk>) -> FileChange {
    FileChange {
        path: text(file.path).0,
        old_path: file.old_path.map(|path| text(path).0),
        old: file.old.map(|_| Vec::new()),
        new: file.new.map(|_| Vec::new()),
        lines: added_lines(&hunks),
        hunks,
        unreadable: None,
        key,
        unread: true,
    }
}

fn assemble(file: &GoFile<'_>, old: Option<Side>, new: Option<Side>) -> Result<FileChange> {
    let (path, exact) = text(file.path);
    let mut change = FileChange {
        path,
        old_path: file.old_path.map(|path| text(path).0),
        ..FileChange::default()
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
    change.old = old.map(|Loaded { compiled, compared }| {
        drop(compiled);
        Arc::unwrap_or_clone(compared)
    });
    change.new = new.map(|Loaded { compiled, compared }| {
        drop(compared);
        Arc::unwrap_or_clone(compiled)
    });
    Ok(change)
}

impl Loader<'_> {
    /// What was loaded for a Go file, if it was one.
    fn loaded(&self, release: bool, path: &[u8]) -> Option<&Side> {
        let side = if release { &self.new } else { &self.old };
        side.loaded.get(path)
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

    /// Notes where there is nothing.
    fn sure<T>(&self, found: Option<T>) -> Option<T> {
        if found.is_none() {
            self.depends.store(true, Ordering::Relaxed);
        }
        found
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
        let size = if let Some(side) = self.loaded(release, path) {
            side.as_ref().ok().map(|side| side.compared.len() as u64)
        } else if release && self.disk.contains_key(path) {
            self.on_disk(path, entry).map(|data| data.len() as u64)
        } else {
            self.note(release, path, self.repo.store.blob_size(entry.id))
        };
        self.sure(size)
    }

    fn load(&self, release: bool, path: &[u8], entry: Entry) -> Option<Arc<Vec<u8>>> {
        let content = if let Some(side) = self.loaded(release, path) {
            side.as_ref().ok().map(|side| Arc::clone(&side.compared))
        } else if release && self.disk.contains_key(path) {
            self.on_disk(path, entry)
        } else {
            let blob = self.repo.store.blob(entry.id);
            self.note(release, path, blob).map(Arc::new)
        };
        self.sure(content)
    }

    fn forced(&self, path: &[u8]) -> Option<bool> {
        self.depends.store(true, Ordering::Relaxed);
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
