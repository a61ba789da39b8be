//! The answer of `dump`: the document of docs/diagnostics.md.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;

use crate::cause::Dimension;
use crate::changed::{Changed, Known};
use crate::cluster::{self, Cluster, Clusters};
use crate::collect::{Collector, Source};
use crate::expression::Condition;
use crate::locks::{self, Edge, Lock};
use crate::model::{Access, Crash, CrashKind, Step};
use crate::parse::header;
use crate::symbols::{Frame, Symbols};

/// How many sets of labels a cluster shows.
const LABELS: usize = 20;

/// The whole answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    pub format: u32,
    pub source: Summary,
    pub sources: Vec<SourceFacts>,
    pub clusters: Vec<ClusterFacts>,
    pub locks: Vec<Lock>,
    pub waits_for: Vec<Edge>,
    pub deadlocks: Vec<Vec<u64>>,
    pub crashes: Vec<CrashFacts>,
    pub races: Vec<RaceFacts>,
    /// The clusters of the older dump that are gone; null without one.
    pub gone: Option<Vec<ClusterFacts>>,
    pub figures: BTreeMap<String, f64>,
    pub fail_if: Option<Verdict>,
}

/// All sources together.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    pub kind: String,
    pub goroutines: u64,
    pub parsed: u64,
    pub truncated: bool,
    pub not_parsed: Vec<NotParsed>,
    pub not_parsed_lines: u64,
}

/// Lines that say something that no reader knew.
#[derive(Debug, Serialize)]
pub struct NotParsed {
    pub source: String,
    pub line: u64,
    pub lines: u64,
    pub reason: &'static str,
    pub text: String,
}

/// One source.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceFacts {
    pub name: String,
    pub kind: &'static str,
    pub goroutines: u64,
    pub parsed: u64,
    pub dumps: u64,
    pub truncated: bool,
    /// Why it could not be read to its end.
    pub broken: Option<String>,
    pub bytes: u64,
}

/// One frame.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FrameFacts {
    pub func: String,
    pub file: String,
    pub line: u32,
    pub changed: bool,
    pub changed_line: bool,
    /// The user's code, dependencies included; the rest is Go's.
    pub own: bool,
}

/// Minutes of waiting.
#[derive(Debug, Serialize)]
pub struct Wait {
    pub min: u32,
    pub median: u32,
    pub max: u32,
}

/// Against an older dump.
#[derive(Debug, Serialize)]
pub struct Delta {
    /// `new`, `grown`, `gone` (fewer, or none) or `same`.
    pub kind: &'static str,
    /// How many more; negative for fewer.
    pub count: i64,
}

/// How many goroutines have these labels.
#[derive(Debug, Serialize)]
pub struct Labelled {
    pub labels: BTreeMap<String, String>,
    pub count: u64,
}

/// One cluster.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterFacts {
    pub id: String,
    pub stack_id: String,
    pub dimension: &'static str,
    pub primitive: &'static str,
    pub never_wakes: bool,
    pub leaked: u64,
    pub locked_to_thread: u64,
    pub count: u64,
    pub wait_minutes: Wait,
    pub creator: String,
    pub creator_file: String,
    pub creator_line: u32,
    pub frames: Vec<FrameFacts>,
    pub stacks: u64,
    pub examples: Vec<u64>,
    pub labels: Vec<Labelled>,
    pub changed: bool,
    /// The changed functions of its stack and of its creator, as the plan calls them.
    pub changed_in: Vec<Known>,
    pub leak_score: f64,
    pub delta: Option<Delta>,
}

/// One crash.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CrashFacts {
    pub source: String,
    pub line: u64,
    pub kind: &'static str,
    pub message: String,
    pub chain: Vec<StepFacts>,
    pub signal: String,
    pub tests: Vec<String>,
    pub recovered: &'static str,
    pub inferred: bool,
    pub goroutine: u64,
    pub parent: Option<u64>,
    pub creator: String,
    pub frames: Vec<FrameFacts>,
    pub changed: bool,
}

/// One panic of a chain.
#[derive(Debug, Serialize)]
pub struct StepFacts {
    pub message: String,
    pub recovered: bool,
    pub repanicked: bool,
}

impl StepFacts {
    pub fn of(step: &Step) -> Self {
        Self {
            message: step.message.clone(),
            recovered: step.recovered,
            repanicked: step.repanicked,
        }
    }
}

/// One race.
#[derive(Debug, Serialize)]
pub struct RaceFacts {
    pub source: String,
    pub line: u64,
    pub address: String,
    pub accesses: Vec<AccessFacts>,
    pub created: Vec<AccessFacts>,
    pub changed: bool,
}

/// One side of a race.
#[derive(Debug, Serialize)]
pub struct AccessFacts {
    pub operation: String,
    pub goroutine: u64,
    pub state: String,
    pub frames: Vec<FrameFacts>,
}

/// What became of `--fail-if`.
#[derive(Debug, Serialize)]
pub struct Verdict {
    pub expression: String,
    pub failed: bool,
    pub because: String,
}

impl Verdict {
    /// Whether a condition holds for these figures.
    pub fn of(expression: String, condition: &Condition, figures: &BTreeMap<String, f64>) -> Self {
        let because = condition.holds(figures);
        Self {
            expression,
            failed: because.is_some(),
            because: because.unwrap_or_default(),
        }
    }
}

/// Writes frames of one collection.
pub struct Writer<'a> {
    pub symbols: &'a Symbols,
    pub changed: &'a Changed,
}

impl Writer<'_> {
    pub fn frame(&self, frame: Frame) -> FrameFacts {
        let (file, line) = self.symbols.file_line(frame.place);
        let touch = self.changed.touch(frame, self.symbols);
        FrameFacts {
            func: self.symbols.name(frame.func),
            file,
            line,
            changed: touch.function.is_some(),
            changed_line: touch.line,
            own: cluster::is_users(frame, self.symbols),
        }
    }

    pub fn frames(&self, frames: &[Frame]) -> Vec<FrameFacts> {
        frames.iter().map(|f| self.frame(*f)).collect()
    }

    /// The changed functions of a stack, the innermost first, and of its creator.
    pub fn changed_in(&self, frames: &[Frame], creator: Option<Frame>) -> Vec<Known> {
        let mut all: Vec<Known> = Vec::new();
        for frame in frames.iter().copied().chain(creator) {
            let touched = self.changed.touch(frame, self.symbols).function;
            if let Some(known) = touched.filter(|known| !all.contains(known)) {
                all.push(known.clone());
            }
        }
        all
    }

    pub fn cluster(&self, c: &Cluster) -> ClusterFacts {
        let frames = self.frames(&c.frames);
        let creator = c.creator.map(|f| self.frame(f));
        let (min, median, max) = c.wait();
        let changed_in = self.changed_in(&c.frames, c.creator);
        let mut labels: Vec<Labelled> = c
            .labels
            .iter()
            .map(|(text, count)| Labelled {
                labels: header::labels(&String::from_utf8_lossy(text))
                    .into_iter()
                    .collect(),
                count: *count,
            })
            .collect();
        labels.sort_by_key(|l| std::cmp::Reverse(l.count));
        labels.truncate(LABELS);
        let (creator, creator_file, creator_line) =
            creator.map_or_else(Default::default, |f| (f.func, f.file, f.line));
        ClusterFacts {
            id: c.id.clone(),
            stack_id: c.stack.clone(),
            dimension: c.cause.dimension.as_str(),
            primitive: c.cause.primitive,
            never_wakes: c.cause.never_wakes,
            leaked: c.leaked,
            locked_to_thread: c.locked,
            count: c.count,
            wait_minutes: Wait { min, median, max },
            creator,
            creator_file,
            creator_line,
            frames,
            stacks: c.stacks,
            examples: c.examples.clone(),
            labels,
            changed: !changed_in.is_empty(),
            changed_in,
            leak_score: leak_score(c),
            delta: None,
        }
    }

    pub fn crash(&self, source: &str, c: &Crash) -> CrashFacts {
        let frames = self.frames(&c.frames);
        let creator = c.creator.map(|f| self.frame(f));
        CrashFacts {
            source: source.to_owned(),
            line: c.line,
            kind: match c.kind {
                CrashKind::Panic => "panic",
                CrashKind::Fatal => "fatal",
                CrashKind::Signal => "signal",
            },
            message: c
                .chain
                .last()
                .map_or_else(String::new, |s| s.message.clone()),
            chain: c.chain.iter().map(StepFacts::of).collect(),
            signal: c.signal.clone(),
            tests: c.tests.clone(),
            recovered: if c.survived { "yes" } else { "no" },
            inferred: c.inferred,
            goroutine: c.goroutine,
            parent: c.parent,
            changed: frames.iter().chain(&creator).any(|f| f.changed),
            creator: creator.map_or_else(String::new, |f| f.func),
            frames,
        }
    }

    fn access(&self, a: &Access) -> AccessFacts {
        AccessFacts {
            operation: a.operation.clone(),
            goroutine: a.goroutine,
            state: a.state.clone(),
            frames: self.frames(&a.frames),
        }
    }
}

/// Count times minutes, more where nothing can end the wait. What is idle by design, a
/// listener or a kept connection, has none; what the runtime has marked counts most.
fn leak_score(c: &Cluster) -> f64 {
    let idle = matches!(c.cause.primitive, "accept" | "http-idle" | "signal");
    if !c.cause.dimension.is_blocked() || (idle && c.leaked == 0) {
        return 0.0;
    }
    let (_, median, _) = c.wait();
    let weight = if c.leaked > 0 {
        100.0
    } else if c.cause.never_wakes {
        10.0
    } else {
        1.0
    };
    let waited = c.count.saturating_mul(u64::from(median).saturating_add(1));
    // Precise far beyond what a process can hold.
    #[expect(clippy::cast_precision_loss, reason = "a score is not counted with")]
    let waited = waited as f64;
    waited * weight
}

/// Makes the document of what was found, without comparison and verdict.
pub fn build(found: &Collector, clusters: &Clusters, changed: &Changed) -> Document {
    let writer = Writer {
        symbols: &found.symbols,
        changed,
    };
    let name = |source: usize| found.sources[source].name.as_str();
    let mut list: Vec<ClusterFacts> = clusters.list.iter().map(|c| writer.cluster(c)).collect();
    list.sort_by(|a, b| {
        b.leak_score
            .total_cmp(&a.leak_score)
            .then(b.count.cmp(&a.count))
            .then(a.id.cmp(&b.id))
    });
    let cluster_of = |group: u32| clusters.list[clusters.of_group[group as usize]].id.clone();
    let locks = locks::find(&found.traces, &found.symbols, &cluster_of);
    Document {
        format: 1,
        source: summary(found),
        sources: found.sources.iter().map(facts).collect(),
        clusters: list,
        locks: locks.locks,
        waits_for: locks.edges,
        deadlocks: locks.circles,
        crashes: found
            .crashes
            .iter()
            .map(|(s, c)| writer.crash(name(*s), c))
            .collect(),
        races: found
            .races
            .iter()
            .map(|(source, race)| {
                let accesses: Vec<_> = race.accesses.iter().map(|a| writer.access(a)).collect();
                RaceFacts {
                    source: name(*source).to_owned(),
                    line: race.line,
                    address: race.address.clone(),
                    changed: accesses.iter().any(|a| a.frames.iter().any(|f| f.changed)),
                    accesses,
                    created: race.created.iter().map(|a| writer.access(a)).collect(),
                }
            })
            .collect(),
        gone: None,
        figures: BTreeMap::new(),
        fail_if: None,
    }
}

fn summary(found: &Collector) -> Summary {
    let kinds: HashSet<&str> = found
        .sources
        .iter()
        .map(kind)
        .filter(|k| *k != "none")
        .collect();
    let mut kinds: Vec<&str> = kinds.into_iter().collect();
    let kind = match kinds.len() {
        0 => "none",
        1 => kinds.remove(0),
        _ => "mixed",
    };
    let all = |f: fn(&Source) -> u64| found.sources.iter().map(f).sum();
    Summary {
        kind: kind.to_owned(),
        goroutines: all(|s| s.goroutines),
        parsed: all(|s| s.parsed),
        truncated: found
            .sources
            .iter()
            .any(|s| s.truncated || s.broken.is_some()),
        not_parsed: not_parsed(found),
        not_parsed_lines: all(|s| s.unread),
    }
}

/// The lines that no reader knew.
pub fn not_parsed(found: &Collector) -> Vec<NotParsed> {
    let reason = |inside| {
        if inside {
            "no frame of a goroutine"
        } else {
            "no part of a dump"
        }
    };
    let notes = found.notes.iter();
    notes
        .map(|n| NotParsed {
            source: found.sources[n.source].name.clone(),
            line: n.line,
            lines: n.lines,
            reason: reason(n.inside),
            text: n.text.clone(),
        })
        .collect()
}

fn kind(s: &Source) -> &'static str {
    match s {
        s if s.proto => "proto",
        s if s.profile => "profile",
        s if s.crashes > 0 => "crash",
        s if s.stacks > 0 => "stacks",
        s if s.races > 0 => "race",
        _ => "none",
    }
}

fn facts(s: &Source) -> SourceFacts {
    SourceFacts {
        name: s.name.clone(),
        kind: kind(s),
        goroutines: s.goroutines,
        parsed: s.parsed,
        dumps: s.dumps,
        truncated: s.truncated,
        broken: s.broken.clone(),
        bytes: s.bytes,
    }
}

impl Document {
    /// Says of each cluster what became of it since an older dump.
    pub fn compare(&mut self, old: &[ClusterFacts]) {
        let by_id: HashMap<&str, usize> = old
            .iter()
            .enumerate()
            .map(|(i, c)| (c.id.as_str(), i))
            .collect();
        let mut taken = vec![false; old.len()];
        let mut partner: Vec<Option<usize>> = self
            .clusters
            .iter()
            .map(|c| by_id.get(c.id.as_str()).copied())
            .collect();
        for at in partner.iter().flatten() {
            taken[*at] = true;
        }
        // An edit above moves the line; the same functions at one place then and now are it.
        for (at, c) in self.clusters.iter().enumerate() {
            if partner[at].is_none()
                && self
                    .clusters
                    .iter()
                    .filter(|o| o.stack_id == c.stack_id)
                    .count()
                    == 1
            {
                let mut same =
                    (0..old.len()).filter(|i| old[*i].stack_id == c.stack_id && !taken[*i]);
                if let (Some(one), None) = (same.next(), same.next()) {
                    partner[at] = Some(one);
                    taken[one] = true;
                }
            }
        }
        for (c, partner) in self.clusters.iter_mut().zip(partner) {
            let before = partner.map(|at| old[at].count);
            c.delta = Some(delta(c.count, before));
        }
        let left = old.iter().zip(&taken).filter(|(_, taken)| !**taken);
        self.gone = Some(left.map(|(c, _)| c.vanished()).collect());
    }

    /// The figures that `--fail-if` may compare.
    pub fn count(&mut self) {
        let mut f: BTreeMap<String, f64> = figure_names().into_iter().map(|n| (n, 0.0)).collect();
        let mut add = |name: &str, changed: bool, count: u64| {
            #[expect(clippy::cast_precision_loss, reason = "no process has 2^53 goroutines")]
            let count = count as f64;
            *f.entry(name.to_owned()).or_default() += count;
            if changed {
                *f.entry(format!("{name}.changed")).or_default() += count;
            }
        };
        for c in &self.clusters {
            add("goroutines", c.changed, c.count);
            add("clusters", c.changed, 1);
            add("leaked", c.changed, c.leaked);
            add(c.dimension, c.changed, c.count);
            add(
                "blocked",
                c.changed,
                if is_blocked(c.dimension) { c.count } else { 0 },
            );
            add(
                "neverWakes",
                c.changed,
                if c.never_wakes { c.count } else { 0 },
            );
            if let Some(delta) = &c.delta {
                add(delta.kind, c.changed, delta.count.unsigned_abs());
            }
        }
        for c in self.gone.iter().flatten() {
            add(
                "gone",
                c.changed,
                c.delta.as_ref().map_or(0, |d| d.count.unsigned_abs()),
            );
        }
        for c in &self.crashes {
            add("crashes", c.changed, 1);
        }
        for r in &self.races {
            add("races", r.changed, 1);
        }
        add("notParsed", false, self.source.not_parsed_lines);
        add("deadlocks", false, self.deadlocks.len() as u64);
        add("truncated", false, u64::from(self.source.truncated));
        let max =
            |value: fn(&ClusterFacts) -> f64| self.clusters.iter().map(value).fold(0.0, f64::max);
        #[expect(clippy::cast_precision_loss, reason = "as above")]
        let largest = max(|c| c.count as f64);
        let minutes = max(|c| f64::from(c.wait_minutes.max));
        f.insert("largest".into(), largest);
        f.insert("minutes".into(), minutes);
        self.figures = f;
    }
}

impl ClusterFacts {
    /// The same cluster in a dump that no longer has it.
    fn vanished(&self) -> Self {
        Self {
            id: self.id.clone(),
            stack_id: self.stack_id.clone(),
            creator: self.creator.clone(),
            creator_file: self.creator_file.clone(),
            frames: self.frames.clone(),
            examples: Vec::new(),
            labels: Vec::new(),
            wait_minutes: Wait {
                ..self.wait_minutes
            },
            delta: Some(delta(0, Some(self.count))),
            changed_in: self.changed_in.clone(),
            count: 0,
            leaked: 0,
            locked_to_thread: 0,
            leak_score: 0.0,
            ..*self
        }
    }
}

fn delta(now: u64, before: Option<u64>) -> Delta {
    let count = i64::try_from(now).unwrap_or(i64::MAX)
        - before.map_or(0, |n| i64::try_from(n).unwrap_or(i64::MAX));
    let kind = match (before, count) {
        (None, _) => "new",
        (_, 0) => "same",
        (_, 1..) => "grown",
        _ => "gone",
    };
    Delta { kind, count }
}

fn is_blocked(dimension: &str) -> bool {
    Dimension::ALL
        .iter()
        .any(|d| d.as_str() == dimension && d.is_blocked())
}

/// The names of all figures.
pub fn figure_names() -> Vec<String> {
    const PARTED: &[&str] = &[
        "goroutines",
        "clusters",
        "leaked",
        "neverWakes",
        "blocked",
        "new",
        "grown",
        "gone",
        "same",
        "crashes",
        "races",
    ];
    let dimensions = Dimension::ALL.iter().map(|d| d.as_str());
    let mut names: Vec<String> = PARTED
        .iter()
        .copied()
        .chain(dimensions)
        .flat_map(|name| [name.to_owned(), format!("{name}.changed")])
        .collect();
    names.extend(["largest", "minutes", "notParsed", "deadlocks", "truncated"].map(String::from));
    names
}

/// The figures that need an older dump.
pub const COMPARED: &[&str] = &["new", "grown", "gone", "same"];
