//! The commit graph as git shows it: replace refs, grafts and shallow cuts applied.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use git2::{ObjectType, Oid};

use super::paths::read_text;
use super::store::Store;
use crate::control::Control;
use crate::error::{Code, Error, Result};

/// What the graph needs to know of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::git) struct Commit {
    /// Its tree.
    pub tree: Oid,
    /// Its parents, in order.
    pub parents: Vec<Oid>,
    /// Committer date, seconds since 1970.
    pub date: i64,
    /// Whether a shallow clone cut its parents off.
    pub cut: bool,
}

/// The commits read so far.
pub(in crate::git) struct Commits {
    grafts: HashMap<Oid, Vec<Oid>>,
    shallow: HashSet<Oid>,
    cache: RwLock<HashMap<Oid, Arc<Commit>>>,
}

impl Commits {
    /// Reads `shallow` and `info/grafts` of the common git directory.
    pub fn open(common: &Path) -> Self {
        let lines = |name: &str| read_text(&common.join(name)).unwrap_or_default();
        let ids = |line: &str| -> Vec<Oid> {
            line.split_whitespace()
                .filter_map(|word| Oid::from_str(word).ok())
                .collect()
        };
        let shallow = lines("shallow").lines().flat_map(ids).collect();
        let graft = |line: &str| {
            let all = ids(line);
            all.split_first()
                .map(|(&first, rest)| (first, rest.to_vec()))
        };
        let grafts = lines("info/grafts").lines().filter_map(graft).collect();
        Self {
            grafts,
            shallow,
            cache: RwLock::default(),
        }
    }

    /// Whether the clone is shallow.
    pub fn is_shallow(&self) -> bool {
        !self.shallow.is_empty()
    }

    /// A commit.
    pub fn get(&self, store: &Store, id: Oid) -> Result<Arc<Commit>> {
        if let Some(known) = self
            .cache
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&id)
        {
            return Ok(Arc::clone(known));
        }
        let data = store.read_kind(id, ObjectType::Commit)?;
        let mut commit = parse(&data).ok_or_else(|| {
            Error::new(Code::Git, format!("commit {id} cannot be read"))
                .hint("run `git fsck` to check the repository")
        })?;
        if let Some(parents) = self.grafts.get(&id) {
            commit.parents.clone_from(parents);
        }
        if self.shallow.contains(&id) {
            commit.parents.clear();
            commit.cut = true;
        }
        let commit = Arc::new(commit);
        let mut cache = self.cache.write().unwrap_or_else(PoisonError::into_inner);
        cache.insert(id, Arc::clone(&commit));
        Ok(commit)
    }

    /// All commits that `start` reaches, itself included.
    pub fn ancestors(&self, store: &Store, start: Oid, control: &Control) -> Result<HashSet<Oid>> {
        let mut seen = HashSet::from([start]);
        let mut todo = vec![start];
        while let Some(id) = todo.pop() {
            if seen.len() % 1024 == 0 {
                control.check()?;
            }
            for &parent in &self.get(store, id)?.parents {
                if seen.insert(parent) {
                    todo.push(parent);
                }
            }
        }
        Ok(seen)
    }

    /// The merge bases of two commits in the order in which `git merge-base --all`
    /// prints them.
    pub fn merge_bases(&self, store: &Store, one: Oid, two: Oid) -> Result<Vec<Oid>> {
        if one == two {
            return Ok(vec![one]);
        }
        let common = self.common(store, one, two)?;
        if common.len() < 2 {
            return Ok(common);
        }
        self.reduce(store, common)
    }

    /// Common ancestors found by painting from both sides, newest first.
    fn common(&self, store: &Store, one: Oid, two: Oid) -> Result<Vec<Oid>> {
        const ONE: u8 = 1;
        const TWO: u8 = 2;
        const STALE: u8 = 4;
        const RESULT: u8 = 8;
        let mut flags: HashMap<Oid, u8> = HashMap::from([(one, ONE), (two, TWO)]);
        let mut queue = Queue::default();
        for id in [one, two] {
            queue.push(id, self.get(store, id)?.date);
        }
        let mut found: Vec<(i64, Oid)> = Vec::new();
        while queue.any(|id| flags.get(&id).is_some_and(|f| f & STALE == 0)) {
            let Some(id) = queue.pop() else { break };
            let commit = self.get(store, id)?;
            let mut paint = flags[&id] & (ONE | TWO | STALE);
            if paint == ONE | TWO {
                if flags[&id] & RESULT == 0 {
                    flags.entry(id).and_modify(|f| *f |= RESULT);
                    insert_by_date(&mut found, commit.date, id);
                }
                paint |= STALE;
            }
            for &parent in &commit.parents {
                let known = flags.entry(parent).or_default();
                if *known & paint != paint {
                    *known |= paint;
                    queue.push(parent, self.get(store, parent)?.date);
                }
            }
        }
        let mut kept = Vec::new();
        for (date, id) in found {
            if flags[&id] & STALE == 0 {
                insert_by_date(&mut kept, date, id);
            }
        }
        Ok(kept.into_iter().map(|(_, id)| id).collect())
    }

    /// Drops candidates that another candidate reaches.
    fn reduce(&self, store: &Store, candidates: Vec<Oid>) -> Result<Vec<Oid>> {
        let mut redundant: HashSet<Oid> = HashSet::new();
        for &id in &candidates {
            let reached = self.ancestors(store, id, &Control::new())?;
            redundant.extend(
                candidates
                    .iter()
                    .filter(|&&c| c != id && reached.contains(&c)),
            );
        }
        let mut kept = Vec::new();
        for id in candidates.into_iter().filter(|id| !redundant.contains(id)) {
            insert_by_date(&mut kept, self.get(store, id)?.date, id);
        }
        Ok(kept.into_iter().map(|(_, id)| id).collect())
    }
}

/// Inserts newest first, after those of the same date.
pub(in crate::git) fn insert_by_date(list: &mut Vec<(i64, Oid)>, date: i64, id: Oid) {
    let at = list.partition_point(|&(other, _)| other >= date);
    list.insert(at, (date, id));
}

/// A queue of commits: newest first, first come first served among equals.
#[derive(Default)]
pub(in crate::git) struct Queue {
    heap: BinaryHeap<Queued>,
    count: u64,
}

#[derive(PartialEq, Eq)]
struct Queued {
    date: i64,
    order: u64,
    id: Oid,
}

impl Ord for Queued {
    fn cmp(&self, other: &Self) -> Ordering {
        self.date
            .cmp(&other.date)
            .then(other.order.cmp(&self.order))
    }
}

impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Queue {
    /// Adds a commit.
    pub fn push(&mut self, id: Oid, date: i64) {
        self.heap.push(Queued {
            date,
            order: self.count,
            id,
        });
        self.count += 1;
    }

    /// Takes the newest commit.
    pub fn pop(&mut self) -> Option<Oid> {
        self.heap.pop().map(|queued| queued.id)
    }

    /// Whether any queued commit satisfies `test`.
    pub fn any(&self, test: impl Fn(Oid) -> bool) -> bool {
        self.heap.iter().any(|queued| test(queued.id))
    }
}

fn parse(data: &[u8]) -> Option<Commit> {
    let mut lines = data.split(|&b| b == b'\n');
    let tree = header_id(lines.next()?, b"tree ")?;
    let mut parents = Vec::new();
    let mut committed = 0;
    for line in lines {
        if let Some(parent) = header_id(line, b"parent ") {
            parents.push(parent);
        } else if line.starts_with(b"committer ") {
            committed = committer_date(line);
        } else if line.is_empty() {
            break;
        }
    }
    Some(Commit {
        tree,
        parents,
        date: committed,
        cut: false,
    })
}

fn header_id(line: &[u8], key: &[u8]) -> Option<Oid> {
    let hex = std::str::from_utf8(line.strip_prefix(key)?).ok()?;
    Oid::from_str(hex).ok()
}

/// The seconds after the last `>`; 0 where there are none, as git reads it.
pub(in crate::git) fn committer_date(line: &[u8]) -> i64 {
    let Some(at) = memchr::memrchr(b'>', line) else {
        return 0;
    };
    let rest = String::from_utf8_lossy(&line[at + 1..]);
    rest.split_whitespace()
        .next()
        .and_then(|word| word.parse().ok())
        .unwrap_or(0)
}
