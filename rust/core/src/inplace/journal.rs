//! Changing many files or none.
//!
//! New contents are written beside the repository's data first, the old files are
//! linked there too, and a journal names them; only then does every new file take
//! its place by a rename. While the journal exists the change has not happened:
//! [`recover`] puts the old files back. Removing it is what makes the change.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::entry::{self, Entry};
use crate::control::Control;
use crate::error::{Code, Error, Result};

/// What shall become of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The file.
    pub path: PathBuf,
    /// Its new content; `None` removes it.
    pub content: Option<Vec<u8>>,
}

/// Makes all changes or none. `dir` is any directory of the repository; the
/// directories that removals leave empty go too.
pub fn apply(dir: &Path, changes: &[Change], control: &Control) -> Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    let state = State::open(dir)?;
    state.recover()?;
    let entries = state.prepare(changes).inspect_err(|_| state.clear())?;
    control.check().inspect_err(|_| state.clear())?;
    state
        .write_journal(&entries)
        .inspect_err(|_| state.clear())?;
    if let Err(error) = state.replace(&entries) {
        state.recover()?;
        return Err(error);
    }
    state.finish(&entries)
}

/// Undoes what a killed run left half done; the answer names files that somebody
/// has changed since and that were therefore left as they are.
pub fn recover(dir: &Path) -> Result<Vec<PathBuf>> {
    match state_dir(dir) {
        Some(path) if path.join(LOCK).exists() => State::open(dir)?.recover(),
        _ => Ok(Vec::new()),
    }
}

const LOCK: &str = "lock";
const JOURNAL: &str = "journal";

/// The directory of journal and temporaries, locked.
struct State {
    dir: PathBuf,
    _lock: File,
}

impl State {
    fn open(dir: &Path) -> Result<Self> {
        let dir = state_dir(dir).unwrap_or_else(|| dir.join(".goat").join("inplace"));
        fs::create_dir_all(&dir).map_err(|e| unwritable(&dir, &e))?;
        let path = dir.join(LOCK);
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path);
        let lock = lock.map_err(|e| unwritable(&path, &e))?;
        lock.lock().map_err(|e| unwritable(&path, &e))?;
        Ok(Self { dir, _lock: lock })
    }

    fn new_file(&self, index: usize) -> PathBuf {
        self.dir.join(format!("new-{index}"))
    }

    fn old_file(&self, index: usize) -> PathBuf {
        self.dir.join(format!("old-{index}"))
    }

    /// Writes the new contents and keeps the old files; touches nothing else.
    fn prepare(&self, changes: &[Change]) -> Result<Vec<Entry>> {
        self.clear();
        let mut entries = Vec::with_capacity(changes.len());
        for (index, change) in changes.iter().enumerate() {
            entries.push(
                self.prepare_one(index, change)
                    .map_err(|e| unwritable(&change.path, &e))?,
            );
        }
        let written: Vec<PathBuf> = (0..entries.len())
            .map(|index| self.new_file(index))
            .collect();
        sync_all(&written);
        Ok(entries)
    }

    fn prepare_one(&self, index: usize, change: &Change) -> std::io::Result<Entry> {
        // A symbolic link stays; what it points to changes.
        let path = fs::canonicalize(&change.path).unwrap_or_else(|_| change.path.clone());
        let metadata = match fs::metadata(&path) {
            Ok(metadata) => Some(metadata),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let mut old = None;
        if let Some(metadata) = &metadata {
            if metadata.permissions().readonly() {
                return Err(std::io::Error::other("the file is read-only"));
            }
            // Opening says what the mode does not: another owner, an immutable file.
            OpenOptions::new().write(true).open(&path)?;
            old = Some(hash(&fs::read(&path)?));
            entry::keep(&path, &self.old_file(index))?;
        }
        if let Some(content) = &change.content {
            let mut file = File::create(self.new_file(index))?;
            file.write_all(content)?;
            if let Some(metadata) = &metadata {
                file.set_permissions(metadata.permissions())?;
                entry::same_owner(&file, metadata);
            }
        }
        Ok(Entry {
            path,
            old,
            new: change.content.as_deref().map(hash),
        })
    }

    fn write_journal(&self, entries: &[Entry]) -> Result<()> {
        let temporary = self.dir.join("journal-new");
        let write = || -> std::io::Result<()> {
            let mut file = File::create(&temporary)?;
            file.write_all(entry::encode(entries).as_bytes())?;
            file.sync_all()?;
            fs::rename(&temporary, self.dir.join(JOURNAL))?;
            sync_dir(&self.dir);
            Ok(())
        };
        write().map_err(|e| unwritable(&self.dir, &e))
    }

    fn replace(&self, entries: &[Entry]) -> Result<()> {
        for (index, entry) in entries.iter().enumerate() {
            self.replace_one(index, entry)
                .map_err(|e| unwritable(&entry.path, &e))?;
        }
        Ok(())
    }

    fn replace_one(&self, index: usize, entry: &Entry) -> std::io::Result<()> {
        match (&entry.new, entry.path.parent()) {
            (Some(_), parent) => {
                if let Some(parent) = parent.filter(|_| entry.old.is_none()) {
                    fs::create_dir_all(parent)?;
                }
                entry::put(&self.new_file(index), &entry.path)
            }
            (None, _) if entry.old.is_some() => fs::remove_file(&entry.path),
            (None, _) => Ok(()),
        }
    }

    /// The point of no return, and the tidying after it.
    fn finish(&self, entries: &[Entry]) -> Result<()> {
        for entry in entries.iter().filter(|entry| entry.new.is_none()) {
            remove_empty(&entry.path);
        }
        let mut parents: Vec<&Path> = entries
            .iter()
            .filter_map(|entry| entry.path.parent())
            .collect();
        parents.sort_unstable();
        parents.dedup();
        for parent in parents {
            sync_dir(parent);
        }
        let journal = self.dir.join(JOURNAL);
        fs::remove_file(&journal).map_err(|e| unwritable(&journal, &e))?;
        sync_dir(&self.dir);
        self.clear();
        Ok(())
    }

    fn recover(&self) -> Result<Vec<PathBuf>> {
        let journal = self.dir.join(JOURNAL);
        let Ok(text) = fs::read_to_string(&journal) else {
            self.clear();
            return Ok(Vec::new());
        };
        let mut left = Vec::new();
        for (index, entry) in entry::decode(&text).iter().enumerate() {
            let restored = self.restore(index, entry).map_err(|e| {
                unwritable(&entry.path, &e).hint(format!(
                    "the original is {}; put it back and run the command again",
                    self.old_file(index).display()
                ))
            })?;
            if !restored {
                left.push(entry.path.clone());
            }
        }
        fs::remove_file(&journal).map_err(|e| unwritable(&journal, &e))?;
        self.clear();
        Ok(left)
    }

    /// Puts one old file back; false if somebody has changed the file since.
    fn restore(&self, index: usize, entry: &Entry) -> std::io::Result<bool> {
        entry::forget(&entry.path);
        let now = fs::read(&entry.path).ok().map(|content| hash(&content));
        if now == entry.old {
            if now.is_none() {
                remove_empty(&entry.path);
            }
            return Ok(true);
        }
        if now != entry.new {
            return Ok(false);
        }
        if entry.old.is_none() {
            fs::remove_file(&entry.path)?;
            remove_empty(&entry.path);
            return Ok(true);
        }
        if let Some(parent) = entry.path.parent() {
            fs::create_dir_all(parent)?;
        }
        entry::put(&self.old_file(index), &entry.path)?;
        Ok(true)
    }

    /// Removes temporaries; what cannot be removed is overwritten the next time.
    fn clear(&self) {
        let Ok(files) = fs::read_dir(&self.dir) else {
            return;
        };
        for file in files.flatten() {
            let name = file.file_name();
            let name = name.to_string_lossy();
            if name.starts_with("new-") || name.starts_with("old-") || name == "journal-new" {
                let _ = fs::remove_file(file.path());
            }
        }
    }
}

/// `goat` inside the git directory of `dir`'s repository; without one, inside the
/// `.goat` of the directory that holds one.
fn state_dir(dir: &Path) -> Option<PathBuf> {
    let dir = fs::canonicalize(dir).ok()?;
    let git = dir
        .ancestors()
        .find_map(git_dir)
        .map(|git| git.join("goat"));
    git.or_else(|| {
        dir.ancestors()
            .map(|up| up.join(".goat").join("inplace"))
            .find(|path| path.is_dir())
    })
}

/// The git directory that `.git` in `dir` is or, in a worktree, names.
fn git_dir(dir: &Path) -> Option<PathBuf> {
    let git = dir.join(".git");
    if git.is_dir() {
        return Some(git);
    }
    let text = fs::read_to_string(&git).ok()?;
    let named = dir.join(text.strip_prefix("gitdir:")?.trim());
    named.is_dir().then_some(named)
}

/// Removes the directory of a removed file, and those above it, while empty.
fn remove_empty(file: &Path) {
    let mut dir = file.parent();
    while let Some(path) = dir.filter(|path| fs::remove_dir(path).is_ok()) {
        dir = path.parent();
    }
}

/// Brings files to the disk, a few at a time; one that is not there needs nothing.
fn sync_all(files: &[PathBuf]) {
    let chunk = files.len().div_ceil(8).max(1);
    std::thread::scope(|scope| {
        for part in files.chunks(chunk) {
            scope.spawn(move || {
                for file in part {
                    let _ = File::open(file).and_then(|file| file.sync_all());
                }
            });
        }
    });
}

/// Not every system can do this for a directory; the journal does not depend on it.
fn sync_dir(dir: &Path) {
    let _ = File::open(dir).and_then(|dir| dir.sync_all());
}

fn hash(content: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(content))
}

fn unwritable(path: &Path, cause: &std::io::Error) -> Error {
    Error::new(Code::Unwritable, format!("cannot write {}", path.display()))
        .path(path.display().to_string())
        .hint(
            "nothing was changed; make it writable or free some space, then run the command again",
        )
        .cause(cause)
}

#[cfg(test)]
mod tests;
