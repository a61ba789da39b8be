//! Contents of versions, and their line diffs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use git2::Oid;
use rayon::prelude::*;

use crate::control::Control;
use crate::error::Result;
use crate::git::diff::linediff::linediff;
use crate::git::diff::rename::{Contents, FirstFailure, chunks_of};
use crate::git::diff::similarity::Chunks;
use crate::git::repo::Repo;
use crate::git::repo::entry::Entry;
use crate::git::worktree::contents::Clean;
use crate::model::Hunk;

/// Contents by blob id; those of the working tree are not in the database.
pub(super) struct Versions<'a> {
    pub repo: &'a Repo,
    pub clean: &'a Clean<'a>,
    /// Contents that exist on disk only, marks removed.
    pub disk: HashMap<Oid, Arc<Vec<u8>>>,
}

/// Two versions whose hunks are needed.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub path: Arc<[u8]>,
    pub old: Oid,
    pub new: Oid,
}

impl Versions<'_> {
    /// The content of a version, marks removed.
    pub fn load(&self, path: &[u8], id: Oid) -> Result<Arc<Vec<u8>>> {
        if let Some(content) = self.disk.get(&id) {
            return Ok(Arc::clone(content));
        }
        let data = self.repo.store.blob(id)?;
        let cleaned = (self.clean)(&String::from_utf8_lossy(path), &data);
        Ok(Arc::new(cleaned.unwrap_or(data)))
    }

    /// The hunks of all jobs. Jobs of one path run on one core, in order, because
    /// neighbours share a version.
    pub fn hunks(&self, jobs: &[Job], control: &Control) -> Result<Vec<Vec<Hunk>>> {
        let mut by_path: HashMap<&[u8], Vec<usize>> = HashMap::new();
        for (index, job) in jobs.iter().enumerate() {
            by_path.entry(&job.path).or_default().push(index);
        }
        let done = std::sync::atomic::AtomicU64::new(0);
        let total = jobs.len() as u64;
        let parts: Vec<Vec<(usize, Vec<Hunk>)>> = by_path
            .into_par_iter()
            .map(|(path, indexes)| {
                let mut last: Option<(Oid, Arc<Vec<u8>>)> = None;
                let mut out = Vec::with_capacity(indexes.len());
                for index in indexes {
                    control.check()?;
                    let job = &jobs[index];
                    let new = match &last {
                        Some((id, content)) if *id == job.new => Arc::clone(content),
                        _ => self.load(path, job.new)?,
                    };
                    let old = self.load(path, job.old)?;
                    out.push((index, linediff(&old, &new)?));
                    last = Some((job.old, old));
                }
                let count = out.len() as u64;
                let before = done.fetch_add(count, std::sync::atomic::Ordering::Relaxed);
                control.tick("blame", before + count, total);
                Ok(out)
            })
            .collect::<Result<_>>()?;
        let mut all = vec![Vec::new(); jobs.len()];
        for (index, hunks) in parts.into_iter().flatten() {
            all[index] = hunks;
        }
        Ok(all)
    }
}

/// What rename detection needs, remembered while one commit is looked at.
pub(super) struct Candidates<'v, 'a> {
    versions: &'v Versions<'a>,
    chunks: Mutex<HashMap<Oid, Option<Arc<Chunks>>>>,
    failure: FirstFailure,
}

impl<'v, 'a> Candidates<'v, 'a> {
    /// Nothing remembered yet.
    pub fn new(versions: &'v Versions<'a>) -> Self {
        Self {
            versions,
            chunks: Mutex::default(),
            failure: FirstFailure::default(),
        }
    }
}

impl Contents for Candidates<'_, '_> {
    fn size(&self, _: bool, path: &[u8], entry: Entry) -> Option<u64> {
        match self.versions.disk.get(&entry.id) {
            Some(content) => Some(content.len() as u64),
            None => self
                .failure
                .note_of(path, self.versions.repo.store.blob_size(entry.id)),
        }
    }

    fn load(&self, _: bool, path: &[u8], entry: Entry) -> Option<Arc<Vec<u8>>> {
        self.failure
            .note_of(path, self.versions.load(path, entry.id))
    }

    fn forced(&self, path: &[u8]) -> Option<bool> {
        let attributes = &self.versions.repo.attributes;
        std::str::from_utf8(path)
            .ok()
            .and_then(|path| attributes.diff(path))
    }

    fn failure(&self) -> Result<()> {
        self.failure.check()?;
        self.versions.repo.attributes.failure()
    }

    fn chunks(&self, release: bool, path: &[u8], entry: Entry) -> Option<Arc<Chunks>> {
        let lock = || self.chunks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(&entry.id) {
            return known.clone();
        }
        let chunks = chunks_of(self, release, path, entry);
        lock().insert(entry.id, chunks.clone());
        chunks
    }
}
