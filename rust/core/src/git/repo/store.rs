//! Reading objects from the object database, from several threads at once.
//!
//! libgit2 serialises all reads of one handle, so the store keeps one handle per
//! thread that asks. Replace refs (`refs/replace/`) are applied here, because
//! libgit2 does not know them: everything above sees the history that git shows.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use git2::{ErrorCode, ObjectType, Odb, Oid};

use super::loose::Loose;
use crate::error::{Code, Error, Result};

/// How often git follows a replacement of a replacement.
const REPLACE_DEPTH: usize = 5;

/// What a clone lacks, which decides the command that helps.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::git) struct Limits {
    /// The history is cut off (`--depth`).
    pub shallow: bool,
    /// Objects are fetched on demand (`--filter`), which only git itself does.
    pub partial: bool,
}

/// The object database.
pub(in crate::git) struct Store {
    objects: PathBuf,
    loose: Loose,
    handles: Mutex<Vec<Odb<'static>>>,
    replace: HashMap<Oid, Oid>,
    limits: Limits,
}

impl Store {
    /// Opens the database at `objects` (alternates included).
    pub fn open(objects: &Path, replace: HashMap<Oid, Oid>, limits: Limits) -> Result<Self> {
        // Every read would hash the object once more; git does not do that either.
        git2::opts::strict_hash_verification(false);
        let store = Self {
            objects: objects.to_path_buf(),
            loose: Loose::open(objects),
            handles: Mutex::default(),
            replace,
            limits,
        };
        store.with(|_| ())?;
        Ok(store)
    }

    /// What this clone lacks.
    pub const fn limits(&self) -> Limits {
        self.limits
    }

    /// Runs `work` with a handle that no other thread uses meanwhile.
    pub fn with<T>(&self, work: impl FnOnce(&Odb<'static>) -> T) -> Result<T> {
        let handle = self
            .handles
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let handle = handle.map_or_else(|| self.new_handle(), Ok)?;
        let out = work(&handle);
        self.handles
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(handle);
        Ok(out)
    }

    fn new_handle(&self) -> Result<Odb<'static>> {
        let path = self.objects.to_str().ok_or_else(|| {
            Error::new(
                Code::UnsupportedRepository,
                "the path of the repository is not UTF-8",
            )
            .path(self.objects.to_string_lossy())
            .hint("move the repository to a directory with a UTF-8 name")
        })?;
        let odb = Odb::new().map_err(|e| unreadable("cannot open the object database", &e))?;
        odb.add_disk_alternate(path)
            .map_err(|e| unreadable("cannot open the object database", &e).path(path))?;
        Ok(odb)
    }

    /// Whether there are replace refs.
    pub fn replaces(&self) -> bool {
        !self.replace.is_empty()
    }

    /// The object that stands for `id` after replace refs.
    pub fn replaced(&self, id: Oid) -> Oid {
        let mut current = id;
        for _ in 0..REPLACE_DEPTH {
            match self.replace.get(&current) {
                Some(&next) => current = next,
                None => break,
            }
        }
        current
    }

    /// The type and content of an object.
    pub fn read(&self, id: Oid) -> Result<(ObjectType, Vec<u8>)> {
        let wanted = self.replaced(id);
        if let Some(found) = self.loose.read(wanted) {
            return found.map_err(|why| damaged(id).cause(why));
        }
        let found = self.with(|odb| {
            odb.read(wanted)
                .map(|object| (object.kind(), object.data().to_vec()))
        })?;
        found.map_err(|e| self.read_error(id, &e))
    }

    /// The content of an object that must be of `kind`.
    pub fn read_kind(&self, id: Oid, kind: ObjectType) -> Result<Vec<u8>> {
        let (found, data) = self.read(id)?;
        if found == kind {
            return Ok(data);
        }
        Err(
            Error::new(Code::Git, format!("object {id} is a {found}, not a {kind}"))
                .hint("run `git fsck` to check the repository"),
        )
    }

    /// The content of a blob.
    pub fn blob(&self, id: Oid) -> Result<Vec<u8>> {
        self.read_kind(id, ObjectType::Blob)
    }

    /// The size of a blob without its content.
    pub fn blob_size(&self, id: Oid) -> Result<u64> {
        let wanted = self.replaced(id);
        if let Some(found) = self.loose.header(wanted) {
            let size = found.map(|(size, _)| size);
            return size.map_err(|why| damaged(id).cause(why));
        }
        let header = self.with(|odb| odb.read_header(wanted))?;
        header
            .map(|(size, _)| size as u64)
            .map_err(|e| self.read_error(id, &e))
    }

    /// The type of an object, `None` where it is missing.
    pub fn kind(&self, id: Oid) -> Option<ObjectType> {
        let wanted = self.replaced(id);
        if let Some(found) = self.loose.header(wanted) {
            return found.ok().map(|(_, kind)| kind);
        }
        self.with(|odb| odb.read_header(wanted).ok().map(|(_, kind)| kind))
            .ok()
            .flatten()
    }

    /// The only object whose id starts with these hex digits.
    pub fn by_prefix(&self, digits: &str) -> Option<Oid> {
        let padded = format!("{digits:0<40}");
        let short = Oid::from_str(&padded).ok()?;
        self.with(|odb| odb.exists_prefix(short, digits.len()).ok())
            .ok()
            .flatten()
    }

    fn read_error(&self, id: Oid, error: &git2::Error) -> Error {
        if error.code() == ErrorCode::NotFound {
            return self.missing(id);
        }
        damaged(id).cause(error.message())
    }

    /// The error for an object that is not here, with the command that gets it.
    pub fn missing(&self, id: Oid) -> Error {
        let error = Error::new(
            Code::MissingObjects,
            format!("object {id} is not in this clone"),
        );
        error.hint(self.missing_hint())
    }

    /// The command that gets what this clone lacks.
    pub fn missing_hint(&self) -> &'static str {
        if self.limits.partial {
            "this is a partial clone: `git diff BASE RELEASE >/dev/null` (at precision 1 \
             `git log -p BASE..RELEASE >/dev/null`) fetches what is missing, \
             `git fetch --refetch --no-filter` everything"
        } else if self.limits.shallow {
            "this is a shallow clone: `git fetch --unshallow` (or `git fetch --deepen=500`) \
             gets the history"
        } else {
            "run `git fetch` and `git fsck`: the repository is incomplete"
        }
    }
}

fn damaged(id: Oid) -> Error {
    Error::new(Code::Git, format!("cannot read object {id}"))
        .hint("run `git fsck` to check the repository")
}

/// The error of a repository that git itself cannot read.
pub(in crate::git) fn unreadable(what: &str, error: &git2::Error) -> Error {
    git_error(what, error).hint(
        "run `git status` there: git says what is wrong with it; \
         `go build -buildvcs=false` builds without goat",
    )
}

/// Wraps an error of libgit2.
pub(in crate::git) fn git_error(what: &str, error: &git2::Error) -> Error {
    Error::new(Code::Git, what).cause(error.message())
}
