//! How versions of files flow from the release towards the base.
//!
//! One walk over the commits, for all files together, decides where each version
//! comes from, without looking at lines: a path that a commit does not touch goes
//! to its parent in bulk; for the others a *stop* is noted, with the parents'
//! versions that lines may come from, in the order in which git asks them.

use std::collections::HashMap;
use std::sync::Arc;

use git2::Oid;
use rayon::prelude::*;

use super::contents::{Candidates, Job, Versions};
use crate::control::Control;
use crate::error::Result;
use crate::git::diff::rename::rename_of;
use crate::git::diff::trees::{Pair, Trees};
use crate::git::repo::entry::Entry;
use crate::git::worktree::workdir::differences;

/// Where lines arrive from.
#[derive(Clone, Copy, Debug)]
pub(super) enum From {
    /// A file of the release, all its lines.
    File(u32),
    /// What a stop passes on to one of its parents.
    Stop(u32, u8),
}

/// A version of a file that differs from the first parent's.
#[derive(Debug)]
pub(super) struct Stop {
    /// What arrives.
    pub from: Vec<From>,
    /// What parents may take, in order; what none takes is new here.
    pub ways: Vec<Way>,
}

/// What a parent takes of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Everything: the parent has the same content.
    Whole,
    /// The lines outside the hunks of a job.
    Unchanged(u32),
}

/// Paths on their way, each with what arrives at it.
pub(super) type Load = HashMap<Arc<[u8]>, Vec<From>>;

/// A state with parents: a commit, or the working tree.
pub(super) struct Point {
    /// The commit; zero for the working tree.
    pub id: Oid,
    /// Its parents.
    pub parents: Vec<Oid>,
    /// Differences from the first parent, in path order.
    pub pairs: Vec<Pair>,
    /// Which files differ from the first parent, where that is not `pairs`.
    pub own: Option<Vec<Pair>>,
    /// All paths of the working tree's index.
    pub listing: Option<Vec<(Vec<u8>, Entry)>>,
}

/// The walk.
pub(super) struct Flow<'a> {
    versions: &'a Versions<'a>,
    trees: &'a Trees<'a>,
    control: &'a Control,
    /// What waits at each commit of the range; commits of the base are not in it.
    waiting: HashMap<Oid, Load>,
    /// All stops, those nearer the release first.
    pub stops: Vec<Stop>,
    /// The line diffs that the stops need.
    pub jobs: Vec<Job>,
    known: HashMap<(Oid, Oid), u32>,
}

/// A path that a commit touches.
struct Event<'p> {
    path: Arc<[u8]>,
    from: Vec<From>,
    pair: &'p Pair,
}

/// A parent's version: which parent, its path there, its entry.
type Origin = (usize, Arc<[u8]>, Entry);

impl<'a> Flow<'a> {
    /// A walk over these commits.
    pub fn new(
        versions: &'a Versions<'a>,
        trees: &'a Trees<'a>,
        range: &[Oid],
        control: &'a Control,
    ) -> Self {
        Self {
            versions,
            trees,
            control,
            waiting: range.iter().map(|&id| (id, Load::new())).collect(),
            stops: Vec::new(),
            jobs: Vec::new(),
            known: HashMap::new(),
        }
    }

    /// Puts paths down at a commit; at a commit of the base their lines are old.
    pub fn put(&mut self, at: Oid, mut load: Load) {
        let Some(waiting) = self.waiting.get_mut(&at) else {
            return;
        };
        if waiting.len() < load.len() {
            std::mem::swap(waiting, &mut load);
        }
        for (path, from) in load {
            waiting.entry(path).or_default().extend(from);
        }
    }

    /// Takes what waits at a commit.
    pub fn take(&mut self, at: Oid) -> Load {
        self.waiting
            .get_mut(&at)
            .map(std::mem::take)
            .unwrap_or_default()
    }

    /// Sends what arrived at a commit on to its parents.
    pub fn pass(&mut self, point: &Point, mut load: Load) -> Result<()> {
        let Some(&first) = point.parents.first() else {
            for (_, from) in load {
                self.stops.push(Stop {
                    from,
                    ways: Vec::new(),
                });
            }
            return Ok(());
        };
        let events: Vec<Event<'_>> = point
            .own
            .as_ref()
            .unwrap_or(&point.pairs)
            .iter()
            .filter_map(|pair| {
                let (path, from) = load.remove_entry(pair.path.as_slice())?;
                Some(Event { path, from, pair })
            })
            .collect();
        self.put(first, load);
        let origins: Vec<Vec<Origin>> = Origins::new(self, point).of_all(&events)?;
        for (event, origins) in events.into_iter().zip(origins) {
            self.stop(point, event, origins);
        }
        Ok(())
    }

    fn stop(&mut self, point: &Point, event: Event<'_>, origins: Vec<Origin>) {
        let index = self.stops.len() as u32;
        let mut ways = Vec::with_capacity(origins.len());
        for (slot, (parent, path, entry)) in origins.into_iter().enumerate() {
            let own = event.pair.new.map_or(entry.id, |own| own.id);
            ways.push(if entry.id == own {
                Way::Whole
            } else {
                Way::Unchanged(self.job(&event.path, entry.id, own))
            });
            let load = Load::from([(path, vec![From::Stop(index, slot as u8)])]);
            self.put(point.parents[parent], load);
        }
        self.stops.push(Stop {
            from: event.from,
            ways,
        });
    }

    fn job(&mut self, path: &Arc<[u8]>, old: Oid, new: Oid) -> u32 {
        let jobs = &mut self.jobs;
        *self.known.entry((old, new)).or_insert_with(|| {
            jobs.push(Job {
                path: Arc::clone(path),
                old,
                new,
            });
            jobs.len() as u32 - 1
        })
    }
}

/// Where the versions of one commit come from.
struct Origins<'f, 'a> {
    flow: &'f Flow<'a>,
    point: &'f Point,
    candidates: Candidates<'a, 'a>,
    /// Differences from the second and later parents, where they were needed.
    others: std::sync::Mutex<HashMap<usize, Arc<Vec<Pair>>>>,
}

impl<'f, 'a> Origins<'f, 'a> {
    fn new(flow: &'f Flow<'a>, point: &'f Point) -> Self {
        let candidates = Candidates::new(flow.versions);
        Self {
            flow,
            point,
            candidates,
            others: std::sync::Mutex::default(),
        }
    }

    fn of_all(&self, events: &[Event<'_>]) -> Result<Vec<Vec<Origin>>> {
        self.flow.control.check()?;
        if events.len() < 2 {
            return events.iter().map(|event| self.of(event)).collect();
        }
        events.par_iter().map(|event| self.of(event)).collect()
    }

    /// First the same path in each parent, then a renamed one where a parent lacks
    /// the path; a parent with the same content takes all at once.
    fn of(&self, event: &Event<'_>) -> Result<Vec<Origin>> {
        let Some(own) = event.pair.new else {
            return Ok(Vec::new());
        };
        let mut found: Vec<Option<Origin>> = vec![None; self.point.parents.len()];
        for renamed in [false, true] {
            for parent in 0..found.len() {
                if found[parent].is_some() {
                    continue;
                }
                let origin = if renamed {
                    self.renamed(parent, event)?
                } else {
                    self.same_path(parent, event, own)?
                };
                let Some((path, entry)) = origin else {
                    continue;
                };
                if entry.id == own.id {
                    return Ok(vec![(parent, path, entry)]);
                }
                let known = found[..parent]
                    .iter()
                    .flatten()
                    .any(|(_, _, e)| e.id == entry.id);
                if !known {
                    found[parent] = Some((parent, path, entry));
                }
            }
        }
        Ok(found.into_iter().flatten().collect())
    }

    fn same_path(
        &self,
        parent: usize,
        event: &Event<'_>,
        own: Entry,
    ) -> Result<Option<(Arc<[u8]>, Entry)>> {
        let entry = if parent == 0 {
            event.pair.old
        } else {
            let id = self.point.parents[parent];
            self.flow
                .trees
                .find(self.flow.versions.repo.tree_of(id)?, &event.path)?
        };
        let entry = entry.filter(|entry| entry.same_type(own));
        Ok(entry.map(|entry| (Arc::clone(&event.path), entry)))
    }

    fn renamed(&self, parent: usize, event: &Event<'_>) -> Result<Option<(Arc<[u8]>, Entry)>> {
        let other = if parent == 0 {
            None
        } else {
            Some(self.other_pairs(parent)?)
        };
        let pairs: &[Pair] = other.as_ref().map_or(&self.point.pairs, |pairs| pairs);
        let at = pairs
            .binary_search_by(|pair| pair.path.as_slice().cmp(&event.path))
            .ok();
        let Some(at) = at.filter(|&at| pairs[at].old.is_none()) else {
            return Ok(None);
        };
        let source = rename_of(pairs, at, &self.candidates, self.flow.control)?;
        let source = source.map(|source| &pairs[source]);
        Ok(source.and_then(|pair| Some((Arc::from(pair.path.as_slice()), pair.old?))))
    }

    fn other_pairs(&self, parent: usize) -> Result<Arc<Vec<Pair>>> {
        let lock = || {
            self.others
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
        };
        if let Some(known) = lock().get(&parent) {
            return Ok(Arc::clone(known));
        }
        let repo = self.flow.versions.repo;
        let old = repo.tree_of(self.point.parents[parent])?;
        let pairs = match &self.point.listing {
            Some(listing) => differences(self.flow.trees.flatten(old)?, listing.clone()),
            None => self
                .flow
                .trees
                .diff(Some(old), Some(repo.tree_of(self.point.id)?))?,
        };
        let pairs = Arc::new(pairs);
        lock().insert(parent, Arc::clone(&pairs));
        Ok(pairs)
    }
}
