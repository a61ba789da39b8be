//! Goroutines that a person takes for the same.
//!
//! The key is, in this order: cause, who started them, the list of the user's functions,
//! and the line of the first of these. Its names are those that stay the same over Go
//! versions, and it holds no path, so that the id of a cluster is the same on every
//! machine. Addresses, offsets, numbers and minutes are left out.

use std::collections::{BTreeMap, HashMap};

use sha2::{Digest, Sha256};

use crate::cause::{self, Cause, Stack};
use crate::collect::{Collector, Group};
use crate::symbols::{Frame, Symbols};

/// Changes when the key does, so that ids of two rules are never mixed up.
const VERSION: &str = "d1";

/// How many numbers of goroutines a cluster names.
const EXAMPLES: usize = 10;

/// Goroutines with one key.
#[derive(Debug)]
pub struct Cluster {
    /// Hash of the key.
    pub id: String,
    /// Hash of the key without the line: the same code after an edit above it.
    pub stack: String,
    /// Why they wait.
    pub cause: Cause,
    /// How many.
    pub count: u64,
    /// How many the runtime marked as leaked.
    pub leaked: u64,
    /// How many are bound to a thread.
    pub locked: u64,
    /// How often each number of minutes occurs.
    pub minutes: BTreeMap<u32, u64>,
    /// Who started them.
    pub creator: Option<Frame>,
    /// The stack of most of them, innermost first.
    pub frames: Vec<Frame>,
    /// Numbers of some of them.
    pub examples: Vec<u64>,
    /// How often each set of labels occurs.
    pub labels: BTreeMap<Vec<u8>, u64>,
    /// How many different stacks are in it.
    pub stacks: u64,
    /// The largest of its groups.
    largest: u64,
}

/// All clusters, and the cluster of each group.
#[derive(Debug, Default)]
pub struct Clusters {
    /// In the order of their first goroutine.
    pub list: Vec<Cluster>,
    /// Index of the cluster, by group.
    pub of_group: Vec<usize>,
}

/// Sorts the groups into clusters.
pub fn build(found: &Collector) -> Clusters {
    let mut clusters = Clusters::default();
    let mut by_id: HashMap<String, usize> = HashMap::new();
    for group in &found.groups {
        let cause = cause_of(group, found);
        let (id, stack) = ids(&cause, group, &found.symbols);
        let at = *by_id.entry(id.clone()).or_insert_with(|| {
            clusters.list.push(Cluster {
                id,
                stack,
                cause,
                count: 0,
                leaked: 0,
                locked: 0,
                minutes: BTreeMap::new(),
                creator: group.creator,
                frames: Vec::new(),
                examples: Vec::new(),
                labels: BTreeMap::new(),
                stacks: 0,
                largest: 0,
            });
            clusters.list.len() - 1
        });
        clusters.list[at].add(group);
        clusters.of_group.push(at);
    }
    clusters
}

impl Cluster {
    fn add(&mut self, group: &Group) {
        self.count += group.count;
        self.leaked += group.leaked;
        self.locked += group.locked;
        self.stacks += 1;
        for (minutes, count) in &group.minutes {
            *self.minutes.entry(*minutes).or_default() += count;
        }
        for (labels, count) in &group.labels {
            *self.labels.entry(labels.clone()).or_default() += count;
        }
        let room = EXAMPLES.saturating_sub(self.examples.len());
        self.examples.extend(group.examples.iter().take(room));
        if group.count > self.largest {
            self.largest = group.count;
            self.frames.clone_from(&group.frames);
            self.creator = group.creator;
        }
    }

    /// Least, median and most minutes; goroutines without a number wait for less than one.
    pub fn wait(&self) -> (u32, u32, u32) {
        let known: u64 = self.minutes.values().sum();
        let mut below = self.count.saturating_sub(known);
        let least = if below > 0 {
            0
        } else {
            self.minutes.keys().next().copied().unwrap_or(0)
        };
        let most = self.minutes.keys().next_back().copied().unwrap_or(0);
        let half = self.count.div_ceil(2);
        if below >= half {
            return (least, 0, most);
        }
        for (minutes, count) in &self.minutes {
            below += count;
            if below >= half {
                return (least, *minutes, most);
            }
        }
        (least, most, most)
    }
}

fn cause_of(group: &Group, found: &Collector) -> Cause {
    let stack = Stack::of(&group.frames, &found.symbols);
    match group.word {
        Some(word) => cause::classify(Some(found.words.get(word)), &stack),
        None if group.hidden.is_empty() && !group.frames.is_empty() => {
            cause::classify(None, &stack)
        }
        None => cause::hidden(group.hidden.len(), &stack),
    }
}

/// The hash of the key, and that of the key without the line.
fn ids(cause: &Cause, group: &Group, symbols: &Symbols) -> (String, String) {
    let mut hasher = Sha256::new();
    let mut part = |text: &str| {
        hasher.update(text.as_bytes());
        hasher.update([0]);
    };
    part(VERSION);
    part(cause.dimension.as_str());
    part(cause.primitive);
    part(
        group
            .creator
            .map_or("", |c| symbols.facts(c.func).stable.as_str()),
    );
    for func in folded(&key_frames(&group.frames, symbols)) {
        part(&symbols.facts(func).stable);
    }
    let stack = name(hasher.clone());
    let first = group.frames.iter().find(|f| is_users(**f, symbols));
    let line = first.map_or_else(String::new, |frame| {
        let (file, line) = symbols.file_line(frame.place);
        let base = file.rsplit(['/', '\\']).next().unwrap_or_default();
        format!("{base}:{line}")
    });
    hasher.update(line.as_bytes());
    (name(hasher), stack)
}

fn name(hasher: Sha256) -> String {
    let digest = hasher.finalize();
    let text = data_encoding::BASE32HEX_NOPAD.encode(&digest[..8]);
    format!("{VERSION}{}", text.to_ascii_lowercase())
}

/// Whether a frame is the user's, dependencies included.
pub fn is_users(frame: Frame, symbols: &Symbols) -> bool {
    !symbols.is_standard(frame) && !symbols.facts(frame.func).wrapper
}

/// The functions that count: the user's, else those of the standard library outside of
/// the runtime, else all.
fn key_frames(frames: &[Frame], symbols: &Symbols) -> Vec<u32> {
    let chosen = |keep: &dyn Fn(Frame) -> bool| -> Vec<u32> {
        frames
            .iter()
            .filter(|f| keep(**f))
            .map(|f| f.func)
            .collect()
    };
    let users = chosen(&|f| is_users(f, symbols));
    if !users.is_empty() {
        return users;
    }
    let library = chosen(&|f| {
        let package = symbols.facts(f.func).package.as_str();
        !matches!(
            package,
            "" | "runtime" | "internal/poll" | "internal/sync" | "sync"
        )
    });
    if !library.is_empty() {
        return library;
    }
    chosen(&|_| true)
}

/// Recursion once: a cycle of up to four functions that repeats is written one time.
fn folded(functions: &[u32]) -> Vec<u32> {
    let mut out: Vec<u32> = Vec::with_capacity(functions.len());
    let mut at = 0;
    while at < functions.len() {
        let cycle = (1..=4_usize).find(|&n| {
            out.len() >= n
                && at + n <= functions.len()
                && out[out.len() - n..] == functions[at..at + n]
        });
        if cycle.is_none() {
            out.push(functions[at]);
        }
        at += cycle.unwrap_or(1);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::folded;

    #[test]
    fn recursion_is_folded() {
        assert_eq!(folded(&[1, 1, 1, 2]), [1, 2]);
        assert_eq!(folded(&[1, 2, 1, 2, 1, 2, 3]), [1, 2, 3]);
        assert_eq!(folded(&[1, 2, 3]), [1, 2, 3]);
    }
}
