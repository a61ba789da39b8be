//! Who waits for which lock, and who may hold it.
//!
//! A dump shows the address of a lock and the receivers of the methods on each stack. A
//! lock lies inside of the value whose methods take it: who runs a method of the same
//! value, and does not wait for this lock, is likely its holder.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde::Serialize;

use crate::model::Goroutine;
use crate::names::Role;
use crate::symbols::Symbols;

/// How many frames are remembered, and how many waits: memory stays bounded.
const FRAMES: usize = 1 << 21;
const WAITS: usize = 1 << 18;
/// How far into a value its lock may lie.
const REACH: u64 = 1 << 12;
/// How many of each are listed.
const LISTED: usize = 20;

/// One goroutine that waits for a lock.
#[derive(Clone, Copy, Debug)]
struct Wait {
    lock: u64,
    goroutine: u64,
    group: u32,
    /// The receiver of the method that takes the lock, 0 where it is not known.
    receiver: u64,
    /// That method.
    caller: u32,
    rw: bool,
}

/// One frame of the user's with an address as its first argument.
#[derive(Clone, Copy, Debug)]
struct Use {
    address: u64,
    goroutine: u64,
    group: u32,
    func: u32,
}

/// What is remembered of single goroutines.
#[derive(Debug, Default)]
pub struct Traces {
    waits: Vec<Wait>,
    uses: Vec<Use>,
    /// More than could be remembered.
    pub cut: bool,
}

impl Traces {
    /// Remembers what a goroutine waits for and works on.
    pub fn add(&mut self, g: &Goroutine, group: u32, symbols: &Symbols) {
        if g.word.is_none() {
            return;
        }
        if let Some(wait) = wait_of(g, group, symbols) {
            if self.waits.len() < WAITS {
                self.waits.push(wait);
            } else {
                self.cut = true;
            }
        }
        for (frame, &address) in g.frames.iter().zip(&g.addresses) {
            if address == 0 || symbols.facts(frame.func).standard {
                continue;
            }
            if self.uses.len() == FRAMES {
                self.cut = true;
                return;
            }
            self.uses.push(Use {
                address,
                goroutine: g.id,
                group,
                func: frame.func,
            });
        }
    }
}

/// The lock that a goroutine waits for. The semaphores of a lock lie at fixed places in it.
fn wait_of(g: &Goroutine, group: u32, symbols: &Symbols) -> Option<Wait> {
    let (mut lock, mut rw, mut waits) = (0, false, false);
    for (frame, &address) in g.frames.iter().zip(&g.addresses) {
        let facts = symbols.facts(frame.func);
        if !facts.standard {
            return (waits && lock != 0).then_some(Wait {
                lock,
                goroutine: g.id,
                group,
                receiver: address,
                caller: frame.func,
                rw,
            });
        }
        let offset = match facts.role {
            Role::SemaphoreMutex => 4,
            Role::SemaphoreWrite => 8,
            Role::SemaphoreRead => 12,
            Role::Mutex | Role::ReadLock | Role::WriteLock => 0,
            _ => continue,
        };
        waits = true;
        rw |= !matches!(facts.role, Role::SemaphoreMutex | Role::Mutex);
        // The lock's own methods know its address best.
        if address > offset && (lock == 0 || offset == 0) {
            lock = address - offset;
        }
    }
    None
}

/// A lock that somebody waits for.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Lock {
    /// Its address.
    pub address: String,
    /// `mutex` or `rwmutex`.
    pub kind: &'static str,
    /// How many goroutines wait for it.
    pub waiters: u64,
    /// Some of them.
    pub goroutines: Vec<u64>,
    /// The clusters that they are in.
    pub clusters: Vec<String>,
    /// Who may hold it, the likeliest first.
    pub owners: Vec<Owner>,
}

/// A goroutine that may hold a lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Owner {
    /// Its number.
    pub goroutine: u64,
    /// Its cluster.
    pub cluster: String,
    /// The function that works on the value which holds the lock.
    pub func: String,
    /// `high`: the only one that runs a method of the same value; `medium`: one of a few;
    /// `low`: it only has an address near the lock's.
    pub confidence: &'static str,
    /// The reason in words.
    pub why: &'static str,
}

/// One goroutine waits for another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Edge {
    /// Who waits.
    pub from: u64,
    /// For whom.
    pub to: u64,
    /// For which lock.
    pub lock: String,
    /// That of the owner.
    pub confidence: &'static str,
}

/// Locks, edges and circles.
#[derive(Debug, Default)]
pub struct Found {
    /// Those with the most waiters first.
    pub locks: Vec<Lock>,
    /// Who waits for whom.
    pub edges: Vec<Edge>,
    /// Goroutines that wait for each other.
    pub circles: Vec<Vec<u64>>,
}

/// Works out the locks; `cluster` names the cluster of a group.
pub fn find(traces: &Traces, symbols: &Symbols, cluster: &dyn Fn(u32) -> String) -> Found {
    let mut by_lock: BTreeMap<u64, Vec<Wait>> = BTreeMap::new();
    for wait in &traces.waits {
        by_lock.entry(wait.lock).or_default().push(*wait);
    }
    if by_lock.is_empty() {
        return Found::default();
    }
    let mut uses = traces.uses.clone();
    uses.sort_unstable_by_key(|u| u.address);
    let mut found = Found::default();
    for (address, waits) in &by_lock {
        let owners = owners(*address, waits, &uses, symbols, cluster);
        let text = format!("{address:#x}");
        edges(&mut found.edges, waits, &owners, &text);
        let clusters: BTreeSet<String> = waits.iter().map(|w| cluster(w.group)).collect();
        found.locks.push(Lock {
            address: text,
            kind: if waits.iter().any(|w| w.rw) {
                "rwmutex"
            } else {
                "mutex"
            },
            waiters: waits.len() as u64,
            goroutines: waits.iter().take(LISTED).map(|w| w.goroutine).collect(),
            clusters: clusters.into_iter().collect(),
            owners,
        });
    }
    found
        .locks
        .sort_by_key(|lock| std::cmp::Reverse(lock.waiters));
    found.circles = circles(&found.edges);
    found
}

/// The likely holders of a lock.
fn owners(
    lock: u64,
    waits: &[Wait],
    uses: &[Use],
    symbols: &Symbols,
    cluster: &dyn Fn(u32) -> String,
) -> Vec<Owner> {
    let waiting: HashSet<u64> = waits.iter().map(|w| w.goroutine).collect();
    let values: HashSet<u64> = waits
        .iter()
        .map(|w| w.receiver)
        .filter(|value| *value <= lock && lock - *value < REACH && *value != 0)
        .collect();
    let start = uses.partition_point(|u| u.address + REACH <= lock);
    let near: Vec<&Use> = uses[start..]
        .iter()
        .take_while(|u| u.address <= lock)
        .collect();
    let mut same: BTreeMap<u64, &Use> = BTreeMap::new();
    let mut close: BTreeMap<u64, &Use> = BTreeMap::new();
    for u in &near {
        if waiting.contains(&u.goroutine) {
            continue;
        }
        let list = if values.contains(&u.address) {
            &mut same
        } else {
            &mut close
        };
        list.entry(u.goroutine).or_insert(u);
    }
    let owner = |u: &Use, confidence, why| Owner {
        goroutine: u.goroutine,
        cluster: cluster(u.group),
        func: symbols.name(u.func),
        confidence,
        why,
    };
    if !same.is_empty() {
        let confidence = if same.len() == 1 { "high" } else { "medium" };
        let why = "runs a method of the value that holds the lock, and does not wait for it";
        return same
            .values()
            .take(LISTED)
            .map(|u| owner(u, confidence, why))
            .collect();
    }
    // A receiver that is no longer alive is printed as whatever is in its place.
    let types: HashSet<String> = waits
        .iter()
        .filter_map(|w| type_of(w.caller, symbols))
        .collect();
    let kin: Vec<&&Use> = close
        .values()
        .filter(|u| type_of(u.func, symbols).is_some_and(|of| types.contains(&of)))
        .collect();
    if !kin.is_empty() {
        let why =
            "runs a method of the same type on a value around the lock, and does not wait for it";
        return kin
            .iter()
            .take(LISTED)
            .map(|u| owner(u, "medium", why))
            .collect();
    }
    let own = itself(waits, &near);
    if !own.is_empty() {
        let why =
            "waits for the lock inside of a method of the same value: it may have taken it before";
        return own
            .iter()
            .take(LISTED)
            .map(|u| owner(u, "medium", why))
            .collect();
    }
    let why = "has the address of a value around the lock";
    close
        .values()
        .take(LISTED)
        .map(|u| owner(u, "low", why))
        .collect()
}

/// The type whose method a function is.
fn type_of(func: u32, symbols: &Symbols) -> Option<String> {
    let facts = symbols.facts(func);
    let receiver = facts.declaration.strip_prefix('(')?.split(')').next()?;
    Some(format!("{}.{receiver}", facts.package))
}

/// Waiters that run two methods of the value: the outer one may hold what the inner one
/// waits for.
fn itself<'u>(waits: &[Wait], near: &[&'u Use]) -> Vec<&'u Use> {
    let mut frames: HashMap<(u64, u64), Vec<&'u Use>> = HashMap::new();
    for u in near {
        frames.entry((u.goroutine, u.address)).or_default().push(u);
    }
    waits
        .iter()
        .filter_map(|w| frames.get(&(w.goroutine, w.receiver)))
        .filter(|uses| uses.len() > 1)
        .filter_map(|uses| uses.last().copied())
        .collect()
}

fn edges(all: &mut Vec<Edge>, waits: &[Wait], owners: &[Owner], lock: &str) {
    let sure: Vec<&Owner> = owners.iter().filter(|o| o.confidence != "low").collect();
    for wait in waits.iter().take(LISTED) {
        for owner in sure.iter().take(3) {
            all.push(Edge {
                from: wait.goroutine,
                to: owner.goroutine,
                lock: lock.to_owned(),
                confidence: owner.confidence,
            });
        }
    }
}

/// Circles of waiting, each once, from its lowest number on.
fn circles(edges: &[Edge]) -> Vec<Vec<u64>> {
    let mut next: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for edge in edges {
        next.entry(edge.from).or_default().push(edge.to);
    }
    let mut found = BTreeSet::new();
    for &start in next.keys() {
        let mut path = vec![start];
        walk(start, &next, &mut path, &mut found);
    }
    found.into_iter().take(LISTED).collect()
}

/// Circles longer than this are not looked for.
const LONGEST: usize = 6;

fn walk(
    start: u64,
    next: &BTreeMap<u64, Vec<u64>>,
    path: &mut Vec<u64>,
    found: &mut BTreeSet<Vec<u64>>,
) {
    let Some(to) = path.last().and_then(|last| next.get(last)) else {
        return;
    };
    for &node in to {
        if node == start {
            found.insert(path.clone());
        } else if node > start && !path.contains(&node) && path.len() < LONGEST {
            path.push(node);
            walk(start, next, path, found);
            path.pop();
        }
        if found.len() >= LISTED {
            return;
        }
    }
}
