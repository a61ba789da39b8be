//! The critical path: the chain of actions, each waiting for the one before, that takes
//! longest; and what a build would save if one of them were free.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use serde::Serialize;

use super::graph::Action;
use super::units::ms;

/// At most so many steps are tried out; the others are the shortest.
const TRIED: usize = 100;
/// What takes less is no step to show: go's bookkeeping.
const SHORTEST: u64 = 500_000;

/// The chain.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CriticalPath {
    /// What the steps take together: with any number of workers it does not go faster.
    ms: f64,
    /// How many tools go runs at once, as the savings assume.
    workers: usize,
    steps: Vec<Step>,
}

/// One action of the chain.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    pub package: String,
    /// go's word for what is done.
    pub mode: String,
    pub ms: f64,
    /// How long it was ready and waited for a worker.
    queued_ms: f64,
    /// By how much the build would end earlier if this took no time.
    save_ms: f64,
}

/// Actions by their place in the list, with who waits for whom.
struct Net {
    took: Vec<u64>,
    priority: Vec<i64>,
    deps: Vec<Vec<usize>>,
    waiting: Vec<Vec<usize>>,
    /// All, each behind those that it waits for.
    order: Vec<usize>,
}

impl Net {
    /// None where the graph has a circle, which go never writes.
    fn of(actions: &[Action]) -> Option<Self> {
        let at: BTreeMap<usize, usize> =
            actions.iter().enumerate().map(|(i, a)| (a.id, i)).collect();
        let deps: Vec<Vec<usize>> = actions
            .iter()
            .map(|a| a.deps.iter().filter_map(|d| at.get(d).copied()).collect())
            .collect();
        let mut waiting = vec![Vec::new(); actions.len()];
        for (i, list) in deps.iter().enumerate() {
            for dep in list {
                waiting[*dep].push(i);
            }
        }
        let mut open: Vec<usize> = deps.iter().map(Vec::len).collect();
        let mut order: Vec<usize> = (0..actions.len()).filter(|i| open[*i] == 0).collect();
        let mut at_end = 0;
        while let Some(done) = order.get(at_end).copied() {
            at_end += 1;
            for waiter in &waiting[done] {
                open[*waiter] -= 1;
                if open[*waiter] == 0 {
                    order.push(*waiter);
                }
            }
        }
        let net = Self {
            took: actions.iter().map(Action::took).collect(),
            priority: actions.iter().map(|a| a.priority).collect(),
            deps,
            waiting,
            order,
        };
        (net.order.len() == actions.len()).then_some(net)
    }

    /// The longest chain, its first action first.
    fn longest(&self) -> Vec<usize> {
        let mut ends = vec![0_u64; self.took.len()];
        let mut before = vec![None; self.took.len()];
        for i in &self.order {
            let last = self.deps[*i].iter().copied().max_by_key(|d| ends[*d]);
            before[*i] = last;
            ends[*i] = self.took[*i] + last.map_or(0, |d| ends[d]);
        }
        let mut chain = Vec::new();
        let mut at = (0..ends.len()).max_by_key(|i| ends[*i]);
        while let Some(i) = at {
            chain.push(i);
            at = before[i];
        }
        chain.reverse();
        chain
    }

    /// When the last action ends if `workers` take the ready ones by go's priority, and
    /// `free` takes no time.
    fn ends(&self, workers: usize, free: Option<usize>) -> u64 {
        let mut open: Vec<usize> = self.deps.iter().map(Vec::len).collect();
        let mut ready: BinaryHeap<Reverse<(i64, usize)>> = BinaryHeap::new();
        let mut running: BinaryHeap<Reverse<(u64, usize)>> = BinaryHeap::new();
        for (i, waits_for) in open.iter().enumerate() {
            if *waits_for == 0 {
                ready.push(Reverse((self.priority[i], i)));
            }
        }
        let mut now = 0;
        loop {
            while running.len() < workers {
                let Some(Reverse((_, i))) = ready.pop() else {
                    break;
                };
                let took = if free == Some(i) { 0 } else { self.took[i] };
                running.push(Reverse((now + took, i)));
            }
            let Some(Reverse((end, done))) = running.pop() else {
                return now;
            };
            now = end;
            for waiter in &self.waiting[done] {
                open[*waiter] -= 1;
                if open[*waiter] == 0 {
                    ready.push(Reverse((self.priority[*waiter], *waiter)));
                }
            }
        }
    }
}

/// The critical path of a graph whose actions have run; none of one without times.
pub fn find(actions: &[Action], workers: usize) -> Option<CriticalPath> {
    let net = Net::of(actions)?;
    let chain = net.longest();
    let total: u64 = chain.iter().map(|i| net.took[*i]).sum();
    if total == 0 {
        return None;
    }
    let whole = net.ends(workers, None);
    let mut tried: Vec<usize> = chain.clone();
    tried.sort_by_key(|i| Reverse(net.took[*i]));
    tried.truncate(TRIED);
    let steps = chain
        .into_iter()
        .filter(|i| net.took[*i] >= SHORTEST)
        .map(|i| {
            let a = &actions[i];
            let queued = match (a.ready(), a.started()) {
                (Some(ready), Some(started)) => started.saturating_sub(ready),
                _ => 0,
            };
            let saved = if tried.contains(&i) {
                whole.saturating_sub(net.ends(workers, Some(i)))
            } else {
                0
            };
            Step {
                package: a.package.clone(),
                mode: a.mode.clone(),
                ms: ms(net.took[i]),
                queued_ms: ms(queued),
                save_ms: ms(saved),
            }
        })
        .collect();
    Some(CriticalPath {
        ms: ms(total),
        workers,
        steps,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn action(id: usize, package: &str, deps: &[usize], seconds: u32) -> Action {
        let text = format!(
            r#"{{"ID":{id},"Mode":"build","Package":"{package}","Deps":{deps:?},"Priority":{id},
            "TimeReady":"2026-01-01T00:00:00Z","TimeStart":"2026-01-01T00:00:01Z","TimeDone":"2026-01-01T00:00:{:02}Z"}}"#,
            1 + seconds
        );
        serde_json::from_str(&text).unwrap_or_default()
    }

    #[test]
    fn a_step_saves_what_the_build_would_end_earlier() {
        // main waits for a (5 s) and b (4 s); a waits for c (1 s).
        let actions = [
            action(0, "main", &[1, 2], 2),
            action(1, "a", &[3], 5),
            action(2, "b", &[], 4),
            action(3, "c", &[], 1),
        ];
        let path = find(&actions, 2);
        let steps: Vec<_> = path.iter().flat_map(|p| &p.steps).collect();
        let names: Vec<_> = steps.iter().map(|s| s.package.as_str()).collect();
        assert_eq!(names, ["c", "a", "main"]);
        let saved: Vec<_> = steps.iter().map(|s| s.save_ms).collect();
        // Without a, b still takes until 4 s, where a ended at 6 s.
        assert_eq!(saved, [1000.0, 2000.0, 2000.0]);
        assert!(path.is_some_and(|p| (p.ms - 8000.0).abs() < 0.001));
    }

    #[test]
    fn with_one_worker_everything_counts() {
        let actions = [
            action(0, "main", &[1, 2], 2),
            action(1, "a", &[], 5),
            action(2, "b", &[], 4),
        ];
        let path = find(&actions, 1);
        let saved: Vec<_> = path
            .iter()
            .flat_map(|p| &p.steps)
            .map(|s| s.save_ms)
            .collect();
        assert_eq!(saved, [5000.0, 2000.0]);
    }

    #[test]
    fn a_graph_without_times_or_with_a_circle_has_no_path() {
        assert!(find(&[Action::default()], 2).is_none());
        let circle = [action(0, "a", &[1], 1), action(1, "b", &[0], 1)];
        assert!(find(&circle, 2).is_none());
    }
}
