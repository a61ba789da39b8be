//! What builds took: logs of the helper joined with go's action graph; the critical path,
//! baselines, and what to draw.

mod baseline;
mod build;
mod graph;
mod log;
mod path;
mod slots;
mod units;

pub use baseline::{Judgement, Rule, judge};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::stop::Stop;
use baseline::Baseline;
use build::Build;
use log::{Log, NotRead, Source};

/// One log to read. A log that was found in a directory is history as well as a build to
/// show; one that was named is shown.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SourceRequest {
    name: String,
    path: String,
    #[serde(default)]
    history: bool,
}

/// The request of `heat`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HeatRequest {
    format: u32,
    #[expect(dead_code, reason = "read before, by the head")]
    op: String,
    sources: Vec<SourceRequest>,
    /// How the deciding rule is called.
    #[serde(default)]
    rule: Option<Rule>,
    #[serde(default, rename = "controlFd")]
    _control: Option<i32>,
    #[serde(default, rename = "progressFd")]
    _progress: Option<i32>,
}

/// The answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    format: u32,
    /// The builds shown, the newest of each platform where a directory was named.
    builds: Vec<Build>,
    /// Where each of them stands in its history.
    baselines: Vec<Baseline>,
    /// How many builds were read, those shown among them.
    read: usize,
    not_read: Vec<NotRead>,
}

/// Reads logs and makes the document.
pub fn run(request: &HeatRequest, stop: Stop<'_>) -> Result<Document> {
    if request.format != 1 {
        let what = format!("request format {} is not 1", request.format);
        return Err(Error::new("bad_request", what).hint("rebuild with the same goat"));
    }
    let mut logs = Vec::new();
    let mut graphs = Vec::new();
    let mut not_read = Vec::new();
    for source in &request.sources {
        if stop() {
            return Err(Error::new("cancelled", "cancelled"));
        }
        match log::read(&source.name, &source.path, &mut not_read) {
            Ok(Source::Log(log)) => logs.push((*log, source.history)),
            Ok(Source::Graph(graph)) => graphs.push(graph),
            Err(error) if source.history => not_read.push(NotRead::whole(&source.name, &error)),
            Err(error) => return Err(error),
        }
    }
    logs.sort_by_key(|(log, _)| log.start());
    if logs.is_empty() {
        return Err(Error::new("no_timings", "no build was recorded here")
            .hint("record one: `goat build --timings=DIR`, then `goat heat DIR`"));
    }
    let shown = shown(&logs);
    join(&mut logs, &shown, graphs)?;
    let builds: Vec<Build> = shown.iter().map(|at| build::make(&logs[*at].0)).collect();
    let series: Vec<baseline::Entry> = logs
        .iter()
        .map(|(log, _)| baseline::Entry::of(log))
        .collect();
    let rule = request.rule.unwrap_or(Rule::MedianMad);
    let baselines = shown
        .iter()
        .map(|at| baseline::compare(&series, *at, rule))
        .collect();
    Ok(Document {
        format: 1,
        builds,
        baselines,
        read: logs.len(),
        not_read,
    })
}

/// Which builds are shown: those that were named, else the newest of each platform.
fn shown(logs: &[(Log, bool)]) -> Vec<usize> {
    let named: Vec<usize> = (0..logs.len()).filter(|at| !logs[*at].1).collect();
    if !named.is_empty() {
        return named;
    }
    let mut newest: Vec<usize> = Vec::new();
    for at in (0..logs.len()).rev() {
        let platform = logs[at].0.platform();
        if !newest.iter().any(|n| logs[*n].0.platform() == platform) {
            newest.push(at);
        }
    }
    newest
}

/// Gives a graph that was named beside its log to the log.
fn join(
    logs: &mut [(Log, bool)],
    shown: &[usize],
    mut graphs: Vec<Vec<graph::Action>>,
) -> Result<()> {
    match (graphs.len(), shown) {
        (0, _) => Ok(()),
        (1, [only]) => {
            logs[*only].0.actions = graphs.remove(0);
            Ok(())
        }
        _ => Err(
            Error::new("bad_request", "which action graph is of which build?")
                .hint("name one log and one graph"),
        ),
    }
}
