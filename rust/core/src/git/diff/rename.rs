//! Which deleted file an added one comes from, as git decides it.
//!
//! libgit2 scores similarity in another way, so the steps of git's rename detection
//! are followed here (documented in git's `diffcore` manual page): identical content
//! first, then files of the same unique name that are three quarters alike, then
//! all remaining pairs, best score first.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use git2::Oid;
use rayon::prelude::*;

use super::similarity::{Chunks, MAX_SCORE, is_binary, sizes_allow};
use super::trees::Pair;
use crate::control::Control;
use crate::error::{Code, Error, Result};
use crate::git::repo::entry::Entry;
use crate::git::repo::paths::is_go;

/// `-M50%`
const MINIMUM: u64 = MAX_SCORE / 2;
/// Half way between [`MINIMUM`] and [`MAX_SCORE`].
const MINIMUM_SAME_NAME: u64 = MINIMUM + (MAX_SCORE - MINIMUM) / 2;
/// git weighs this many identical sources per file.
const IDENTICAL: usize = 100;
/// git remembers this many sources per file.
const BEST: usize = 4;

/// How rename detection gets at contents.
pub(in crate::git) trait Contents: Sync {
    /// The size of a file of the release (or base); `None` where git cannot read it.
    fn size(&self, release: bool, path: &[u8], entry: Entry) -> Option<u64>;
    /// The content of a file of the release (or base); `None` where it cannot be read.
    fn load(&self, release: bool, path: &[u8], entry: Entry) -> Option<Arc<Vec<u8>>>;
    /// Whether `diff` in the attributes makes it text or binary.
    fn forced(&self, path: &[u8]) -> Option<bool>;
    /// The chunks of a file; `None` where it cannot be read.
    fn chunks(&self, release: bool, path: &[u8], entry: Entry) -> Option<Arc<Chunks>> {
        chunks_of(self, release, path, entry)
    }
    /// The first failure, if contents were missing that the answer depends on.
    fn failure(&self) -> Result<()>;
}

/// Keeps the first failure of many threads.
#[derive(Default)]
pub(in crate::git) struct FirstFailure(Mutex<Option<Error>>);

impl FirstFailure {
    /// The value, or `None` with the failure noted.
    pub fn note<T>(&self, result: Result<T>) -> Option<T> {
        let failed = |e| {
            self.0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get_or_insert(e);
        };
        result.map_err(failed).ok()
    }

    /// The same for a file's content. A partial clone may lack a file that is no Go file
    /// and that a Go file could have been made of: then it was not. The Go file's lines
    /// all count as changed, where git, which fetches the file, may find some old.
    pub fn note_of<T>(&self, path: &[u8], result: Result<T>) -> Option<T> {
        match result {
            Err(e) if e.code == Code::MissingObjects && !is_go(path) => None,
            result => self.note(result),
        }
    }

    /// What was noted.
    pub fn check(&self) -> Result<()> {
        let noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.clone().map_or(Ok(()), Err)
    }
}

/// Loads a file and cuts it into chunks.
pub(in crate::git) fn chunks_of<C: Contents + ?Sized>(
    contents: &C,
    release: bool,
    path: &[u8],
    entry: Entry,
) -> Option<Arc<Chunks>> {
    let data = contents.load(release, path, entry)?;
    let has_crlf = memchr::memmem::find(&data, b"\r\n").is_some();
    // Text or binary only matters to line ends.
    let text = has_crlf && contents.forced(path).unwrap_or_else(|| !is_binary(&data));
    Some(Arc::new(Chunks::new(&data, text)))
}

struct File<'a> {
    /// Whether it stands in the release (a target) or in the base (a source).
    release: bool,
    path: &'a [u8],
    entry: Entry,
    used: bool,
}

/// For each target (by its index in `pairs`) the index of its source.
pub(in crate::git) fn renames(
    pairs: &[Pair],
    contents: &dyn Contents,
    control: &Control,
) -> Result<HashMap<usize, usize>> {
    Detection::new(pairs, |_| true, contents, control).run()
}

/// The source of one added path alone, as `git log --follow` and `git blame` ask:
/// other added files do not compete for it.
pub(in crate::git) fn rename_of(
    pairs: &[Pair],
    target: usize,
    contents: &dyn Contents,
    control: &Control,
) -> Result<Option<usize>> {
    let found = Detection::new(pairs, |index| index == target, contents, control).run()?;
    Ok(found.get(&target).copied())
}

struct Detection<'a> {
    sources: Vec<(usize, File<'a>)>,
    targets: Vec<(usize, File<'a>)>,
    found: HashMap<usize, usize>,
    contents: &'a dyn Contents,
    control: &'a Control,
}

impl<'a> Detection<'a> {
    fn new(
        pairs: &'a [Pair],
        wanted: impl Fn(usize) -> bool,
        contents: &'a dyn Contents,
        control: &'a Control,
    ) -> Self {
        let file = |release, path: &'a [u8], entry| File {
            release,
            path,
            entry,
            used: false,
        };
        let mut sources = Vec::new();
        let mut targets = Vec::new();
        for (index, pair) in pairs.iter().enumerate() {
            match (pair.old, pair.new) {
                (Some(old), None) => sources.push((index, file(false, &pair.path, old))),
                (None, Some(new)) if wanted(index) => {
                    targets.push((index, file(true, &pair.path, new)));
                }
                _ => {}
            }
        }
        Self {
            sources,
            targets,
            found: HashMap::new(),
            contents,
            control,
        }
    }

    fn run(mut self) -> Result<HashMap<usize, usize>> {
        if !self.sources.is_empty() && !self.targets.is_empty() {
            self.identical();
            self.forget_used();
            self.same_name();
            self.forget_used();
            self.all_pairs()?;
            self.contents.failure()?;
        }
        Ok(self.found)
    }

    fn record(&mut self, source: usize, target: usize) {
        self.sources[source].1.used = true;
        self.targets[target].1.used = true;
        self.found
            .insert(self.targets[target].0, self.sources[source].0);
    }

    fn forget_used(&mut self) {
        self.sources.retain(|(_, file)| !file.used);
        self.targets.retain(|(_, file)| !file.used);
    }

    /// Same blob; a source with the same base name is preferred.
    fn identical(&mut self) {
        let mut by_id: HashMap<Oid, Vec<usize>> = HashMap::new();
        for (index, (_, file)) in self.sources.iter().enumerate() {
            by_id.entry(file.entry.id).or_default().push(index);
        }
        for target in 0..self.targets.len() {
            let wanted = &self.targets[target].1;
            let fits = |index: &&usize| {
                let source = &self.sources[**index].1;
                let files = source.entry.is_file() && wanted.entry.is_file();
                files || source.entry.mode == wanted.entry.mode
            };
            let Some(same) = by_id.get(&wanted.entry.id) else {
                continue;
            };
            let free = |index: &&usize| !self.sources[**index].1.used;
            let named = |index: &&usize| same_name(self.sources[**index].1.path, wanted.path);
            let mut candidates = same.iter().filter(fits).filter(free).take(IDENTICAL);
            let first = candidates.clone().next();
            if let Some(&source) = candidates.find(named).or(first) {
                self.record(source, target);
            }
        }
    }

    /// Files whose base name no other remaining source and no other target has.
    fn same_name(&mut self) {
        let sources = unique_names(&self.sources);
        let targets = unique_names(&self.targets);
        let mut pairs: Vec<(usize, usize)> = sources
            .iter()
            .filter_map(|(name, source)| Some(((*source)?, (*targets.get(name)?)?)))
            .collect();
        pairs.sort_unstable();
        let alike = |&(source, target): &(usize, usize)| {
            let (source, target) = (&self.sources[source].1, &self.targets[target].1);
            self.score(source, target) >= MINIMUM_SAME_NAME
        };
        let pairs: Vec<_> = pairs.into_par_iter().filter(alike).collect();
        for (source, target) in pairs {
            self.record(source, target);
        }
    }

    /// The score of one pair outside the matrix.
    fn score(&self, source: &File<'_>, target: &File<'_>) -> u64 {
        if !source.entry.is_file() || !target.entry.is_file() {
            return 0;
        }
        let size = |file: &File<'_>| self.contents.size(file.release, file.path, file.entry);
        let (Some(a), Some(b)) = (size(source), size(target)) else {
            return 0;
        };
        if !sizes_allow(a, b, MINIMUM_SAME_NAME) {
            return 0;
        }
        match (self.chunks(source), self.chunks(target)) {
            (Some(a), Some(b)) => a.score(&b),
            _ => 0,
        }
    }

    fn chunks(&self, file: &File<'_>) -> Option<Arc<Chunks>> {
        self.contents.chunks(file.release, file.path, file.entry)
    }

    /// Scores what is left against each other.
    fn all_pairs(&mut self) -> Result<()> {
        if self.sources.is_empty() || self.targets.is_empty() {
            return Ok(());
        }
        let measured = |(_, file): &(usize, File<'_>)| {
            file.entry
                .is_file()
                .then(|| self.contents.size(file.release, file.path, file.entry))
                .flatten()
        };
        let source_sizes: Vec<Option<u64>> = self.sources.par_iter().map(measured).collect();
        let target_sizes: Vec<Option<u64>> = self.targets.par_iter().map(measured).collect();
        let near = |a: &Option<u64>, b: &Option<u64>| matches!((a, b), (Some(a), Some(b)) if sizes_allow(*a, *b, MINIMUM));
        let chunked = |(file, own): (&(usize, File<'_>), &Option<u64>), others: &[Option<u64>]| {
            let needed = others.iter().any(|other| near(other, own));
            needed.then(|| self.chunks(&file.1)).flatten()
        };
        let sources: Vec<Option<Arc<Chunks>>> = self
            .sources
            .par_iter()
            .zip(&source_sizes)
            .map(|pair| chunked(pair, &target_sizes))
            .collect();
        self.control.check()?;
        let rows: Vec<Vec<Candidate>> = self
            .targets
            .par_iter()
            .zip(&target_sizes)
            .enumerate()
            .map(|(target, (file, size))| {
                self.control.check()?;
                let chunks = chunked((file, size), &source_sizes);
                Ok(self.best(target, chunks.as_deref(), *size, &sources, &source_sizes))
            })
            .collect::<Result<_>>()?;
        let mut candidates: Vec<Candidate> = rows.into_iter().flatten().collect();
        candidates.sort_by_key(|candidate| std::cmp::Reverse(candidate.rank()));
        for candidate in candidates.into_iter().filter(|c| c.score >= MINIMUM) {
            let (source, target) = (candidate.source, candidate.target);
            if !self.sources[source].1.used && !self.targets[target].1.used {
                self.record(source, target);
            }
        }
        Ok(())
    }

    /// The best sources of a target, in the slots in which git keeps them.
    fn best(
        &self,
        target: usize,
        chunks: Option<&Chunks>,
        size: Option<u64>,
        sources: &[Option<Arc<Chunks>>],
        sizes: &[Option<u64>],
    ) -> Vec<Candidate> {
        let mut slots: Vec<Candidate> = Vec::with_capacity(BEST);
        let path = self.targets[target].1.path;
        for (source, (_, file)) in self.sources.iter().enumerate() {
            let score = match (&sources[source], chunks, sizes[source], size) {
                (Some(a), Some(b), Some(x), Some(y)) if sizes_allow(x, y, MINIMUM) => a.score(b),
                _ => 0,
            };
            let named = same_name(file.path, path);
            keep(
                &mut slots,
                Candidate {
                    source,
                    target,
                    score,
                    named,
                },
            );
        }
        slots
    }
}

#[derive(Clone, Copy)]
struct Candidate {
    source: usize,
    target: usize,
    score: u64,
    named: bool,
}

impl Candidate {
    const fn rank(&self) -> (u64, bool) {
        (self.score, self.named)
    }
}

/// Fills a free slot, else replaces the first of the worst if the new one is better.
fn keep(slots: &mut Vec<Candidate>, new: Candidate) {
    if slots.len() < BEST {
        slots.push(new);
        return;
    }
    if let Some(worst) = slots.iter_mut().min_by_key(|slot| slot.rank())
        && new.rank() > worst.rank()
    {
        *worst = new;
    }
}

fn base_name(path: &[u8]) -> &[u8] {
    memchr::memrchr(b'/', path).map_or(path, |at| &path[at + 1..])
}

fn same_name(a: &[u8], b: &[u8]) -> bool {
    base_name(a) == base_name(b)
}

/// Base names and who has them; `None` where several do.
fn unique_names<'a>(files: &[(usize, File<'a>)]) -> HashMap<&'a [u8], Option<usize>> {
    let mut names = HashMap::new();
    for (index, (_, file)) in files.iter().enumerate() {
        names
            .entry(base_name(file.path))
            .and_modify(|known| *known = None)
            .or_insert(Some(index));
    }
    names
}
