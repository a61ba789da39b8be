//! One build: its packages by stage, its processes on tracks, its cache, its path.

use std::collections::BTreeMap;

use serde::Serialize;

use super::log::{End, Header, Log, Ran};
use super::path::{self, CriticalPath};
use super::slots;
use super::units::ms;

/// What is counted of some processes.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Cost {
    tools: u64,
    wall_ms: f64,
    user_ms: f64,
    sys_ms: f64,
    max_rss: u64,
    #[serde(skip)]
    ns: [u64; 3],
}

impl Cost {
    fn add(&mut self, tool: &Ran) {
        self.tools += 1;
        self.more(tool.wall, tool.user * 1000, tool.sys * 1000);
        self.max_rss = self.max_rss.max(tool.rss);
    }

    fn more(&mut self, wall: u64, user: u64, sys: u64) {
        for (sum, part) in self.ns.iter_mut().zip([wall, user, sys]) {
            *sum += part;
        }
        [self.wall_ms, self.user_ms, self.sys_ms] = self.ns.map(ms);
    }

    fn cpu(&self) -> u64 {
        self.ns[1] + self.ns[2]
    }
}

/// A phase that a tool itself has timed.
#[derive(Clone, Debug, Serialize)]
struct Phase {
    name: String,
    ms: f64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Sum {
    stage: String,
    #[serde(flatten)]
    cost: Cost,
    /// In the order in which the tool goes through them; threads of one phase run at once.
    phases: Vec<Phase>,
}

/// One package in one stage.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Cell {
    stage: String,
    #[serde(flatten)]
    cost: Cost,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    package: String,
    /// The test or program that this compilation of the package is for.
    variant: String,
    /// Whether goat put points into it.
    points: bool,
    #[serde(flatten)]
    cost: Cost,
    /// How long it was ready and waited for a worker; null without an action graph.
    queued_ms: Option<f64>,
    /// CPU of goat's helper and of what it ran for itself.
    goat_ms: f64,
    lines: u64,
    funcs: u64,
    cells: Vec<Cell>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Process {
    package: String,
    variant: String,
    stage: String,
    /// The track; on one nothing overlaps.
    slot: usize,
    start_ms: f64,
    wall_ms: f64,
    user_ms: f64,
    sys_ms: f64,
    max_rss: u64,
    exit: i32,
    points: bool,
    /// Size of what it wrote.
    out_bytes: u64,
    phases: Vec<Phase>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Cache {
    /// Packages that go took from its cache; null without an action graph.
    hits: Option<usize>,
    misses: usize,
    /// `cold`, `partial`, `warm`, or `unknown`.
    class: &'static str,
}

/// Sums that must agree: what the log has, and what the kernel says.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Kernel {
    user_ms: f64,
    sys_ms: f64,
    max_rss: u64,
    /// CPU of go's children; null where the system does not tell.
    children_ms: Option<f64>,
    /// The log's CPU as a share of that.
    recorded: Option<f64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Own {
    /// CPU of the helper, in all of its processes.
    helper_ms: f64,
    /// CPU of what it ran for itself.
    tools_ms: f64,
    /// Both as a share of all CPU in the log.
    share: f64,
    packages: usize,
}

/// What is known of one build.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Build {
    source: String,
    verb: String,
    targets: Vec<String>,
    flags: Vec<String>,
    module: String,
    commit: String,
    dirty: bool,
    /// How many points the plan has.
    points: u64,
    goos: String,
    goarch: String,
    go_version: String,
    runner: String,
    start_unix_ms: u64,
    /// go's exit code; null where the log has no end.
    exit: Option<i32>,
    complete: bool,
    /// All of go, or from the first process to the last where the log has no end.
    wall_ms: f64,
    /// From the start to the first action: packages are loaded.
    load_ms: Option<f64>,
    /// All that was ready and waited for a worker, summed.
    queued_ms: Option<f64>,
    /// All tools; their wall times add up.
    sum: Cost,
    /// The most processes at once.
    concurrency: usize,
    cache: Cache,
    goat: Own,
    kernel: Option<Kernel>,
    stages: Vec<Sum>,
    packages: Vec<Row>,
    critical_path: Option<CriticalPath>,
    /// Why there is none.
    critical_path_why: Option<&'static str>,
    processes: Vec<Process>,
}

/// Makes the document of a log.
pub fn make(log: &Log) -> Build {
    let mut tools: Vec<&Ran> = log.tools.iter().collect();
    tools.sort_by_key(|t| (t.start, t.pid));
    let header = log.header.clone().unwrap_or_default();
    let (goos, goarch) = log.platform();
    let mut cost = Cost::default();
    for tool in &tools {
        cost.add(tool);
    }
    let (processes, concurrency) = processes(&tools, log.start());
    let workers = if header.workers > 0 {
        header.workers
    } else {
        concurrency.max(1)
    };
    let critical_path = path::find(&log.actions, workers);
    let mut packages = packages(log, &tools);
    packages.sort_by_key(|p| std::cmp::Reverse(p.cost.cpu()));
    Build {
        source: log.name.clone(),
        go_version: log.go().to_owned(),
        start_unix_ms: log.start() / 1_000_000,
        exit: log.end.as_ref().map(|e| e.exit),
        complete: log.end.is_some() || log.header.is_none(),
        wall_ms: ms(log.end.as_ref().map_or_else(|| span(&tools), |e| e.wall)),
        load_ms: load(log, &header),
        queued_ms: queued(log),
        goat: own(&tools, &cost, &packages),
        kernel: log.end.as_ref().map(|end| kernel(end, &tools)),
        stages: stages(log, &tools),
        critical_path_why: critical_path.is_none().then(|| why_no_path(log)),
        cache: cache(log),
        verb: header.verb,
        targets: header.targets,
        flags: header.flags,
        module: header.module,
        commit: header.commit,
        dirty: header.dirty,
        points: header.points,
        runner: header.runner,
        goos,
        goarch,
        sum: cost,
        concurrency,
        packages,
        critical_path,
        processes,
    }
}

fn why_no_path(log: &Log) -> &'static str {
    if log.actions.is_empty() {
        "the log has no action graph: the build was not run by goat, or did not end"
    } else if log.actions.iter().all(|a| a.took() == 0) {
        "the build did not run to its end"
    } else {
        "go did nothing that takes time"
    }
}

/// From the first start to the last end.
fn span(tools: &[&Ran]) -> u64 {
    let first = tools.first().map_or(0, |t| t.start);
    let last = tools.iter().map(|t| t.start + t.wall).max();
    last.map_or(0, |last| last - first)
}

fn load(log: &Log, header: &Header) -> Option<f64> {
    let first = log
        .actions
        .iter()
        .filter_map(super::graph::Action::ready)
        .min()?;
    (header.start > 0).then(|| ms(first.saturating_sub(header.start)))
}

fn queued(log: &Log) -> Option<f64> {
    let waits = log
        .actions
        .iter()
        .filter_map(|a| Some(a.started()?.saturating_sub(a.ready()?)));
    (!log.actions.is_empty()).then(|| ms(waits.sum()))
}

/// How much of a build go took from its cache.
pub fn cache_class(log: &Log) -> &'static str {
    cache(log).class
}

fn cache(log: &Log) -> Cache {
    let compiles: Vec<_> = log.actions.iter().filter(|a| a.compiles()).collect();
    if compiles.is_empty() {
        let mut seen: Vec<_> = log
            .tools
            .iter()
            .filter(|t| t.stage() == "compile")
            .map(|t| (&t.pkg, &t.var))
            .collect();
        seen.sort_unstable();
        seen.dedup();
        return Cache {
            hits: None,
            misses: seen.len(),
            class: "unknown",
        };
    }
    let misses = compiles.iter().filter(|a| a.ran()).count();
    let class = match misses {
        0 => "warm",
        n if n * 10 >= compiles.len() * 9 => "cold",
        _ => "partial",
    };
    Cache {
        hits: Some(compiles.len() - misses),
        misses,
        class,
    }
}

fn own(tools: &[&Ran], cost: &Cost, packages: &[Row]) -> Own {
    let helper: u64 = tools.iter().map(|t| t.helper[0] + t.helper[1]).sum();
    let inner: u64 = tools.iter().filter(|t| t.own).map(|t| t.user + t.sys).sum();
    let all = cost.cpu() / 1000 + helper;
    Own {
        helper_ms: ms(helper * 1000),
        tools_ms: ms(inner * 1000),
        share: share(helper + inner, all).unwrap_or(0.0),
        packages: packages.iter().filter(|p| p.points).count(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "no build takes 2^53 us")]
fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| (part as f64 / whole as f64 * 1e4).round() / 1e4)
}

fn kernel(end: &End, tools: &[&Ran]) -> Kernel {
    let recorded: u64 = tools
        .iter()
        .map(|t| t.user + t.sys + t.helper[0] + t.helper[1])
        .sum();
    let children = end.children.map(|c| c[0] + c[1]);
    Kernel {
        user_ms: ms(end.user * 1000),
        sys_ms: ms(end.sys * 1000),
        max_rss: end.rss,
        children_ms: children.map(|us| ms(us * 1000)),
        recorded: children.and_then(|us| share(recorded, us)),
    }
}

/// Stages in the order of their CPU, the phases of all of their processes summed.
fn stages(log: &Log, tools: &[&Ran]) -> Vec<Sum> {
    type Parts<'log> = (Cost, Vec<(&'log str, u64)>);
    let mut by: BTreeMap<&str, Parts<'_>> = BTreeMap::new();
    for tool in tools {
        let (cost, phases) = by.entry(tool.stage()).or_default();
        cost.add(tool);
        for (name, took) in &tool.phases {
            match phases.iter_mut().find(|(known, _)| known == name) {
                Some((_, sum)) => *sum += took,
                None => phases.push((name, *took)),
            }
        }
    }
    let mut cc = Cost::default();
    for extra in compilers(log).into_values() {
        cc.tools += 1;
        cc.more(extra[0], extra[1], extra[2]);
    }
    if cc.tools > 0 {
        by.insert("cc", (cc, Vec::new()));
    }
    let mut list: Vec<Sum> = by
        .into_iter()
        .map(|(stage, (cost, phases))| Sum {
            stage: stage.to_owned(),
            cost,
            phases: phases
                .into_iter()
                .map(|(name, took)| Phase {
                    name: name.to_owned(),
                    ms: ms(took),
                })
                .collect(),
        })
        .collect();
    list.sort_by_key(|s| std::cmp::Reverse(s.cost.cpu()));
    list
}

/// What C compilers took for packages with cgo: go runs them itself, so that only its
/// graph knows, as what an action took beyond its tools. Wall, user and system time.
fn compilers(log: &Log) -> BTreeMap<&str, [u64; 3]> {
    let mut left: BTreeMap<&str, [u64; 3]> = BTreeMap::new();
    for tool in log.tools.iter().filter(|t| t.tool == "cgo" && !t.v) {
        left.entry(&tool.pkg).or_default();
    }
    for action in log.actions.iter().filter(|a| a.mode != "link") {
        if let Some(sum) = left.get_mut(action.package.as_str()) {
            for (sum, part) in
                sum.iter_mut()
                    .zip([action.cmd_real, action.cmd_user, action.cmd_sys])
            {
                *sum += part;
            }
        }
    }
    for tool in log
        .tools
        .iter()
        .filter(|t| !t.v && t.tool != "link" && t.tool != "vet")
    {
        if let Some(sum) = left.get_mut(tool.pkg.as_str()) {
            let parts = [
                tool.wall,
                (tool.user + tool.helper[0]) * 1000,
                (tool.sys + tool.helper[1]) * 1000,
            ];
            for (sum, part) in sum.iter_mut().zip(parts) {
                *sum = sum.saturating_sub(part);
            }
        }
    }
    // A package without C has a rest, too: the time between two tools.
    left.retain(|_, rest| rest[1] >= 10_000_000);
    left
}

fn packages(log: &Log, tools: &[&Ran]) -> Vec<Row> {
    let mut by: BTreeMap<(&str, &str), Row> = BTreeMap::new();
    for tool in tools.iter().filter(|t| !t.pkg.is_empty() && !t.v) {
        let package = by.entry((&tool.pkg, &tool.var)).or_insert_with(|| Row {
            package: tool.pkg.clone(),
            variant: tool.var.clone(),
            points: false,
            cost: Cost::default(),
            queued_ms: None,
            goat_ms: 0.0,
            lines: 0,
            funcs: 0,
            cells: Vec::new(),
        });
        package.take(tool);
    }
    for (name, rest) in compilers(log) {
        if let Some((_, package)) = by.iter_mut().find(|((p, _), _)| *p == name) {
            let mut cost = Cost {
                tools: 1,
                ..Cost::default()
            };
            cost.more(rest[0], rest[1], rest[2]);
            package.cost.more(rest[0], rest[1], rest[2]);
            package.cells.push(Cell {
                stage: "cc".to_owned(),
                cost,
            });
        }
    }
    for action in log.actions.iter().filter(|a| a.compiles() && a.ran()) {
        if let (Some(ready), Some(started)) = (action.ready(), action.started()) {
            // Which of the variants it was, the time tells.
            let during = |p: &Row| {
                tools.iter().any(|t| {
                    t.pkg == p.package
                        && t.var == p.variant
                        && t.start >= started
                        && Some(t.start) <= action.done()
                })
            };
            let package = by
                .values_mut()
                .find(|p| p.package == action.package && during(p));
            if let Some(package) = package {
                package.queued_ms = Some(ms(started.saturating_sub(ready)));
            }
        }
    }
    by.into_values().collect()
}

impl Row {
    fn take(&mut self, tool: &Ran) {
        self.points |= tool.points;
        self.cost.add(tool);
        self.lines += tool.lines;
        self.funcs += tool.funcs;
        let own = if tool.own { tool.user + tool.sys } else { 0 };
        self.goat_ms += ms((own + tool.helper[0] + tool.helper[1]) * 1000);
        self.goat_ms = (self.goat_ms * 1000.0).round() / 1000.0;
        let stage = tool.stage();
        if let Some(cell) = self.cells.iter_mut().find(|c| c.stage == stage) {
            cell.cost.add(tool);
            return;
        }
        let mut cost = Cost::default();
        cost.add(tool);
        self.cells.push(Cell {
            stage: stage.to_owned(),
            cost,
        });
    }
}

/// The processes on their tracks, and how many tracks there are.
fn processes(tools: &[&Ran], from: u64) -> (Vec<Process>, usize) {
    let spans: Vec<(u64, u64)> = tools.iter().map(|t| (t.start, t.wall)).collect();
    let tracks = slots::assign(&spans);
    let count = tracks.iter().max().map_or(0, |last| last + 1);
    let list = tools
        .iter()
        .zip(tracks)
        .map(|(tool, slot)| Process {
            package: tool.pkg.clone(),
            variant: tool.var.clone(),
            stage: tool.stage().to_owned(),
            slot,
            start_ms: ms(tool.start.saturating_sub(from)),
            wall_ms: ms(tool.wall),
            user_ms: ms(tool.user * 1000),
            sys_ms: ms(tool.sys * 1000),
            max_rss: tool.rss,
            exit: tool.exit,
            points: tool.points,
            out_bytes: tool.out,
            phases: fitted(tool),
        })
        .collect();
    (list, count)
}

/// The phases of a process, so that they fit into it: clocks differ a little.
fn fitted(tool: &Ran) -> Vec<Phase> {
    let sum: u64 = tool.phases.iter().map(|(_, took)| took).sum();
    let scale = |took: u64| {
        if sum > tool.wall {
            u64::try_from(u128::from(took) * u128::from(tool.wall) / u128::from(sum)).unwrap_or(0)
        } else {
            took
        }
    };
    tool.phases
        .iter()
        .map(|(name, took)| Phase {
            name: name.clone(),
            ms: ms(scale(*took)),
        })
        .collect()
}
