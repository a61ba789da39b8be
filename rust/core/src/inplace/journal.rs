//! Changing many files or none.
//!
//! New contents are written beside the repository's data first, the old files are
//! linked there too, and a journal names them; only then does every new file take
//! its place by a rename. While the journal exists the change has not happened:
//! [`recover`] puts the old files back. Removing it is what makes the change.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::bounds;
use super::entry::{self, Entry};
use crate::control::Control;
use crate::error::{Code, Error, Result};
use crate::git::{read_file, read_text};

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
    let state = State::open(dir, control)?;
    if !state.ours() {
        return Err(state.foreign());
    }
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
/// has changed since and that were therefore left as they are. A journal that another
/// user wrote is his to play, and so is one in his repository.
pub fn recover(dir: &Path, control: &Control) -> Result<Vec<PathBuf>> {
    let Some(place) = Place::of(dir) else {
        return Ok(Vec::new());
    };
    if !place.dir.join(LOCK).exists() || !place.ours() {
        return Ok(Vec::new());
    }
    State::open(dir, control)?.recover()
}

const LOCK: &str = "lock";
const JOURNAL: &str = "journal";

/// How often a waiting goat looks at the lock.
const POLL: Duration = Duration::from_millis(20);

/// After how long it says what it waits for.
const PATIENCE: Duration = Duration::from_secs(1);

/// A repository and the directory of its journal and temporaries.
struct Place {
    /// Without links.
    root: PathBuf,
    /// What must be this user's if the journal is to be believed.
    owned: Vec<PathBuf>,
    dir: PathBuf,
}

impl Place {
    /// `goat` inside the git directory of `dir`'s repository; without one, inside the
    /// `.goat` of the module's root.
    fn of(dir: &Path) -> Option<Self> {
        let dir = fs::canonicalize(dir).ok()?;
        if let Some((root, git)) = dir
            .ancestors()
            .find_map(|up| git_dir(up).map(|git| (up, git)))
        {
            return Some(Self {
                root: root.to_owned(),
                owned: vec![root.to_owned(), root.join(".git"), git.clone()],
                dir: git.join("goat"),
            });
        }
        let root = dir
            .ancestors()
            .find(|up| up.join(".goat").join("inplace").is_dir() && up.join("go.mod").is_file())?;
        Some(Self::without_git(root))
    }

    fn without_git(root: &Path) -> Self {
        let goat = root.join(".goat");
        Self {
            root: root.to_owned(),
            dir: goat.join("inplace"),
            owned: vec![root.to_owned(), goat],
        }
    }

    /// Whether this user owns the repository, and what a killed goat left there.
    fn ours(&self) -> bool {
        let state = [self.dir.clone(), self.dir.join(JOURNAL)];
        let no_link = |path: &PathBuf| !fs::symlink_metadata(path).is_ok_and(|m| m.is_symlink());
        self.owned
            .iter()
            .chain(&state)
            .all(|path| bounds::owned(path))
            && state.iter().all(no_link)
    }
}

/// The directory of journal and temporaries, locked.
struct State {
    place: Place,
    dir: PathBuf,
    lock: File,
}

impl Drop for State {
    fn drop(&mut self) {
        // A child that was forked meanwhile would keep it with the descriptor.
        let _ = self.lock.unlock();
    }
}

impl State {
    fn open(dir: &Path, control: &Control) -> Result<Self> {
        let place = Place::of(dir).unwrap_or_else(|| {
            Place::without_git(&fs::canonicalize(dir).unwrap_or_else(|_| dir.to_owned()))
        });
        let dir = place.dir.clone();
        fs::create_dir_all(&dir).map_err(|e| unwritable(&dir, &e))?;
        let path = dir.join(LOCK);
        let lock = open_lock(&path).map_err(|e| unwritable(&path, &e))?;
        wait_for(&lock, &path, control)?;
        Ok(Self { place, dir, lock })
    }

    fn ours(&self) -> bool {
        self.place.ours()
    }

    fn foreign(&self) -> Error {
        Error::new(
            Code::DubiousOwnership,
            format!("{} belongs to another user", self.dir.display()),
        )
        .path(self.dir.display().to_string())
        .hint("have its owner type `goat clean`, or work in a clone of your own")
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
        if !bounds::inside(&self.place.root, &path) {
            return Err(std::io::Error::other(format!(
                "{} is not a file of the repository",
                path.display()
            )));
        }
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
        let Ok(text) = read_text(&journal) else {
            self.clear();
            return Ok(Vec::new());
        };
        let mut left = Vec::new();
        let entries = entry::decode(&text);
        let outside = |entry: &&Entry| !bounds::inside(&self.place.root, &entry.path);
        if let Some(entry) = entries.iter().find(outside) {
            return Err(Error::new(
                Code::BadMarks,
                format!(
                    "goat's journal names {}, which is not a file of the repository",
                    entry.path.display()
                ),
            )
            .path(journal.display().to_string())
            .hint("goat did not write that: look at the file and remove it"));
        }
        for (index, entry) in entries.iter().enumerate() {
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
        let now = read_file(&entry.path).ok().map(|content| hash(&content));
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

/// The lock file, for this user alone: whoever can open a file can hold it.
fn open_lock(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
        let file = options.mode(0o600).open(path)?;
        // An older goat let others in.
        let _ = file.set_permissions(fs::Permissions::from_mode(0o600));
        Ok(file)
    }
    #[cfg(not(unix))]
    options.open(path)
}

/// Waits for the lock until the caller wants no more; after a second it says for whom.
fn wait_for(lock: &File, path: &Path, control: &Control) -> Result<()> {
    let mut said = Some(Instant::now() + PATIENCE);
    loop {
        match lock.try_lock() {
            Ok(()) => {
                let _ = lock.set_len(0);
                let _ = writeln!(&mut &*lock, "{}", std::process::id());
                return Ok(());
            }
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(e)) => return Err(unwritable(path, &e)),
        }
        control.check()?;
        if said.is_some_and(|when| Instant::now() >= when) {
            said = None;
            let holder = read_text(path).unwrap_or_default();
            let holder = match holder.trim().parse::<u32>() {
                Ok(process) => format!("process {process}"),
                Err(_) => "another goat".to_owned(),
            };
            let text = format!(
                "waiting for {holder}, which holds the lock {}",
                path.display()
            );
            control.tick(&text, 0, 0);
        }
        std::thread::sleep(POLL);
    }
}

/// The git directory that `.git` in `dir` is or, in a worktree, names.
fn git_dir(dir: &Path) -> Option<PathBuf> {
    let git = dir.join(".git");
    if git.is_dir() {
        return Some(git);
    }
    let text = read_text(&git).ok()?;
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
