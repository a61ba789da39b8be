//! Files of the working tree that git does not track.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use crate::control::Control;
use crate::error::Result;
use crate::git::repo::Repo;
use crate::git::repo::entry::{Untracked, Walked};
use crate::git::repo::index::Index;
use crate::git::repo::paths::{bytes_of, check_rules, os_path};

/// What libgit2 reads in each directory.
const RULES: [&[u8]; 2] = [b".gitignore", b".gitattributes"];

struct Walk<'a> {
    repo: &'a Repo,
    index: &'a Index,
    /// Submodules, to which git leaves their own files.
    modules: HashSet<&'a [u8]>,
    control: &'a Control,
    /// The directories that were read.
    read: Mutex<HashMap<Vec<u8>, bool>>,
}

impl Repo {
    /// What is in the working tree besides the tracked files, as it was when first asked for.
    pub(in crate::git) fn walked(&self, control: &Control) -> Result<Arc<Walked>> {
        if let Some(known) = self.walked.get() {
            return Ok(Arc::clone(known));
        }
        let found = Arc::new(self.walk(control)?);
        Ok(Arc::clone(self.walked.get_or_init(|| found)))
    }

    fn walk(&self, control: &Control) -> Result<Walked> {
        if self.layout.work.is_none() {
            return Ok(Walked::default());
        }
        let index = self.index()?;
        let modules = index.entries.iter().filter(|e| e.entry.is_submodule());
        let modules = modules.map(|e| e.path.as_slice()).collect();
        let walk = Walk {
            repo: self,
            index: &index,
            modules,
            control,
            read: Mutex::default(),
        };
        let mut untracked = walk.directory(&[], false)?;
        untracked.sort();
        let read = walk.read.into_inner();
        Ok(Walked {
            untracked,
            directories: read.unwrap_or_else(PoisonError::into_inner),
        })
    }
}

impl Walk<'_> {
    fn directory(&self, dir: &[u8], ignored: bool) -> Result<Vec<Untracked>> {
        self.control.check()?;
        let Ok(entries) = std::fs::read_dir(self.repo.root.join(os_path(dir))) else {
            return Ok(Vec::new());
        };
        let mut files = Vec::new();
        let mut directories = Vec::new();
        let (mut whole, mut module) = (true, false);
        for entry in entries {
            let Ok(entry) = entry else {
                whole = false;
                continue;
            };
            let name = bytes_of(&entry.file_name());
            module |= name == b"go.mod";
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            if name == b".git" {
                continue;
            }
            if !ignored && !kind.is_file() && RULES.contains(&name.as_slice()) {
                check_rules(&entry.path())?;
            }
            let path = [dir, &name].concat();
            if kind.is_dir() {
                directories.push((path, entry.path()));
            } else if !self.is_tracked(&path) {
                files.push(path);
            }
        }
        if whole {
            let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
            read.insert(dir.to_vec(), module);
        }
        // Asked when all names are known: libgit2 opens what is called .gitignore.
        let out = files.into_iter();
        let mut out: Vec<Untracked> = out.filter_map(|path| self.file(path, ignored)).collect();
        let below = directories.into_iter();
        let below: Vec<_> = below
            .map(|(path, full)| self.enter(&path, &full, ignored))
            .collect();
        let parts: Vec<_> = below
            .into_par_iter()
            .map(|(path, ignored)| self.directory(&path, ignored))
            .collect::<Result<_>>()?;
        out.extend(parts.into_iter().flatten());
        Ok(out)
    }

    /// The directory with its slash, and whether all below it is ignored.
    fn enter(&self, path: &[u8], full: &Path, ignored: bool) -> (Vec<u8>, bool) {
        let slashed = [path, b"/"].concat();
        // Another repository's files are none of this one's.
        let foreign = self.modules.contains(path) || full.join(".git").exists();
        let ignored = ignored || foreign || self.is_ignored(&slashed);
        (slashed, ignored)
    }

    fn file(&self, path: Vec<u8>, ignored: bool) -> Option<Untracked> {
        let go = path.ends_with(b".go");
        if ignored && !go {
            return None;
        }
        let ignored = ignored || self.is_ignored(&path);
        (!ignored || go).then_some(Untracked { path, ignored })
    }

    fn is_tracked(&self, path: &[u8]) -> bool {
        let entries = &self.index.entries;
        let at = entries.partition_point(|entry| entry.path.as_slice() < path);
        entries.get(at).is_some_and(|entry| entry.path == path)
    }

    fn is_ignored(&self, path: &[u8]) -> bool {
        std::str::from_utf8(path).is_ok_and(|path| self.repo.attributes.is_ignored(path))
    }
}
