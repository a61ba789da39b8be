//! The Go files of the release and their bytes.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, PoisonError};

use git2::Oid;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::contents::no_such_file;
use crate::control::Control;
use crate::error::{Code, Error, Result};
use crate::git::diff::trees::Trees;
use crate::git::repo::entry::{Entry, Walked};
use crate::git::repo::paths::{read_file, text};
use crate::git::repo::sides::Sides;
use crate::git::repo::stats::leads_to_file;
use crate::git::repo::{Probes, Repo};

/// How git sees a file of the release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileState {
    /// In the commit or in the index.
    Tracked,
    /// Not known to git.
    Untracked,
    /// Covered by an ignore rule, or part of a submodule or nested repository; the go
    /// command compiles it all the same.
    Ignored,
}

/// A `.go` file of the release, tests included.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GoSource {
    /// Path from the root.
    pub path: String,
    /// How git sees it.
    pub state: FileState,
}

/// Which directories of the release may hold a go.mod.
#[derive(Debug)]
pub struct ModuleDirs(Known);

#[derive(Debug)]
enum Known {
    /// Any may.
    Nothing,
    /// The directories of the working tree that were read; another one may.
    Walked(Arc<Walked>),
    /// Those of a commit that do, each with a slash at its end; no other one does.
    Listed(HashSet<Vec<u8>>),
}

impl ModuleDirs {
    /// Whether a directory may be that of a module.
    #[must_use]
    pub fn may_hold(&self, dir: &str) -> bool {
        let slash = if dir.is_empty() { "" } else { "/" };
        let dir = [dir, slash].concat().into_bytes();
        match &self.0 {
            Known::Nothing => true,
            Known::Walked(walked) => walked.directories.get(&dir).copied().unwrap_or(true),
            Known::Listed(all) => all.contains(&dir),
        }
    }
}

impl Repo {
    /// All `.go` files of the release by path, tests and ignored files included: what
    /// the go command may read. Files whose names are not UTF-8 are left out.
    pub fn release_go_files(&self, sides: &Sides, control: &Control) -> Result<Vec<GoSource>> {
        let mut files = if sides.release.worktree {
            self.go_files_on_disk(&|_| true, control)?
        } else {
            self.go_files_of_commit(sides)?
        };
        files.sort();
        files.dedup_by(|a, b| a.path == b.path);
        Ok(files)
    }

    /// Those of some directories of the working tree.
    pub fn go_files_in(&self, dirs: &BTreeSet<&str>, control: &Control) -> Result<Vec<GoSource>> {
        let wanted = |path: &[u8]| {
            let slash = memchr::memrchr(b'/', path);
            let dir = slash.map_or(&[][..], |slash| &path[..slash]);
            dirs.iter().any(|wanted| wanted.as_bytes() == dir)
        };
        let mut files = self.go_files_on_disk(&wanted, control)?;
        files.sort();
        files.dedup_by(|a, b| a.path == b.path);
        Ok(files)
    }

    fn go_files_on_disk(
        &self,
        wanted: &(dyn Fn(&[u8]) -> bool + Sync),
        control: &Control,
    ) -> Result<Vec<GoSource>> {
        let index = self.index()?;
        let stats = self.stats(control)?;
        let tracked = index.entries.par_iter().zip(&stats.all);
        let tracked = tracked.filter(|(entry, meta)| {
            entry.path.ends_with(b".go")
                && wanted(&entry.path)
                && leads_to_file(meta, &self.full_path(&entry.path))
        });
        let mut files: Vec<GoSource> = tracked
            .filter_map(|(entry, _)| source(&entry.path, FileState::Tracked))
            .collect();
        for file in &self.walked(control)?.untracked {
            let go = file.path.ends_with(b".go") && wanted(&file.path);
            if go && self.full_path(&file.path).is_file() {
                let how = if file.ignored {
                    FileState::Ignored
                } else {
                    FileState::Untracked
                };
                files.extend(source(&file.path, how));
            }
        }
        Ok(files)
    }

    /// Where the release may have modules, so that nobody has to look into every directory.
    pub fn module_directories(&self, sides: &Sides, control: &Control) -> Result<ModuleDirs> {
        if sides.release.worktree {
            return Ok(ModuleDirs(Known::Walked(self.walked(control)?)));
        }
        let Some(commit) = sides.release_id() else {
            return Ok(ModuleDirs(Known::Nothing));
        };
        let all = self.listed(commit)?;
        // What stands in a submodule, its own commit says.
        if all.iter().any(|(_, entry)| entry.is_submodule()) {
            return Ok(ModuleDirs(Known::Nothing));
        }
        let found = all
            .iter()
            .filter_map(|(path, _)| path.strip_suffix(b"go.mod"));
        let found = found.filter(|dir| dir.is_empty() || dir.ends_with(b"/"));
        let found = found.map(<[u8]>::to_vec).collect();
        Ok(ModuleDirs(Known::Listed(found)))
    }

    fn go_files_of_commit(&self, sides: &Sides) -> Result<Vec<GoSource>> {
        let Some(commit) = sides.release_id() else {
            return Ok(Vec::new());
        };
        let all = self.listed(commit)?.iter();
        let go = all.filter(|(path, entry)| path.ends_with(b".go") && entry.is_file());
        Ok(go
            .filter_map(|(path, _)| source(path, FileState::Tracked))
            .collect())
    }

    /// The paths, in order, of the files of either side that match; of the working tree
    /// those that git does not ignore.
    pub fn paths(
        &self,
        sides: &Sides,
        matches: &dyn Fn(&str) -> bool,
        control: &Control,
    ) -> Result<BTreeSet<String>> {
        let mut found = BTreeSet::new();
        let mut add = |path: &[u8]| {
            let (path, exact) = text(path);
            if exact && matches(&path) {
                found.insert(path);
            }
        };
        let mut commits = vec![sides.base_id()];
        if sides.release.worktree {
            let index = self.index()?;
            for entry in &index.entries {
                if !entry.entry.is_submodule() && self.full_path(&entry.path).is_file() {
                    add(&entry.path);
                }
            }
            let walked = self.walked(control)?;
            for file in walked.untracked.iter().filter(|file| !file.ignored) {
                if !file.ignored && self.full_path(&file.path).is_file() {
                    add(&file.path);
                }
            }
        } else {
            commits.push(sides.release_id());
        }
        for commit in commits.into_iter().flatten() {
            control.check()?;
            for (path, entry) in Trees::new(&self.store).flatten(self.tree_of(commit)?)? {
                if entry.is_file() {
                    add(&path);
                }
            }
        }
        Ok(found)
    }

    /// Whether the release has a file.
    #[must_use]
    pub fn has_release(&self, sides: &Sides, path: &str) -> bool {
        if sides.release.worktree {
            return self.full_path(path.as_bytes()).is_file();
        }
        matches!(self.blob_at(sides.release_id(), path), Ok(Some(_)) | Err(_))
    }

    /// A file of the release: the bytes on disk, or the blob of the commit.
    pub fn read_release(&self, sides: &Sides, path: &str) -> Result<Vec<u8>> {
        let contents = self.contents.lock();
        let mut contents = contents.unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = contents.take(path.as_bytes()) {
            return Ok(known);
        }
        drop(contents);
        if !sides.release.worktree {
            let blob = self.blob_at(sides.release_id(), path)?;
            return blob.ok_or_else(|| no_such_file(path));
        }
        let read = read_file(&self.root.join(path));
        if !path.as_bytes().ends_with(b".go") {
            let hash = read.as_ref().ok().map(|data| Sha256::digest(data).into());
            let mut probes = self.probes.lock().unwrap_or_else(PoisonError::into_inner);
            probes.insert(path.to_owned(), hash);
        }
        read.map_err(|e| {
            Error::new(Code::Unreadable, format!("cannot read {path}: {e}"))
                .path(path)
                .hint("check the permissions of the file")
        })
    }

    /// Which files of the working tree other than Go files were read so far, such as
    /// go.mod, whether git knows them or not.
    #[must_use]
    pub fn probed(&self) -> Probes {
        let probes = self.probes.lock().unwrap_or_else(PoisonError::into_inner);
        probes.clone()
    }

    /// A file of the base; `None` where the base does not have it.
    pub fn read_base(&self, sides: &Sides, path: &str) -> Result<Option<Vec<u8>>> {
        self.blob_at(sides.base_id(), path)
    }

    /// SHA-256 of each file's bytes ([`Repo::read_release`]), in the order asked for,
    /// read in parallel.
    pub fn hash_release(
        &self,
        sides: &Sides,
        paths: &[String],
        control: &Control,
    ) -> Result<Vec<Result<[u8; 32]>>> {
        let hash = |path: &String| {
            control.check()?;
            Ok(self
                .read_release(sides, path)
                .map(|data| Sha256::digest(data).into()))
        };
        paths.par_iter().map(hash).collect()
    }

    /// All that the release's commit holds, by path; read once.
    pub(in crate::git) fn listed(&self, commit: Oid) -> Result<&[(Vec<u8>, Entry)]> {
        if let Some((of, all)) = self.listed.get()
            && *of == commit
        {
            return Ok(all);
        }
        let mut all = Trees::new(&self.store).flatten(self.tree_of(commit)?)?;
        all.sort_by(|a, b| a.0.cmp(&b.0));
        let (_, all) = self.listed.get_or_init(|| (commit, all));
        Ok(all)
    }

    fn blob_at(&self, commit: Option<Oid>, path: &str) -> Result<Option<Vec<u8>>> {
        let Some(commit) = commit else {
            return Ok(None);
        };
        let listed = self.listed.get().filter(|(of, _)| *of == commit);
        let entry = match listed {
            Some((_, all)) => {
                let at = all.partition_point(|(known, _)| known.as_slice() < path.as_bytes());
                let found = all.get(at).filter(|(known, _)| known == path.as_bytes());
                found.map(|(_, entry)| *entry)
            }
            None => Trees::new(&self.store).find(self.tree_of(commit)?, path.as_bytes())?,
        };
        let entry = entry.filter(|entry| !entry.is_submodule());
        entry.map(|entry| self.store.blob(entry.id)).transpose()
    }
}

fn source(path: &[u8], state: FileState) -> Option<GoSource> {
    let (path, exact) = text(path);
    exact.then_some(GoSource { path, state })
}
