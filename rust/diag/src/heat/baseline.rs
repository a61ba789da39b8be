//! History: builds that may be compared, and whether the newest costs more than they did.
//!
//! Compared is the user CPU time of the tools: wall time moves with whatever else the
//! machine does.

use serde::{Deserialize, Serialize};

use super::build::cache_class;
use super::log::Log;

/// So many builds before the ones in question make a baseline.
pub const ENOUGH: usize = 20;
/// The newest of them that count.
const WINDOW: usize = 30;
/// How many builds are looked at: one alone may be dear by chance.
const ROW: usize = 3;
/// What is less than this many seconds is no step, whatever its share.
const LEAST: f64 = 0.2;

/// How a build is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// The last three builds above the median, and two of them above median + max(1.5 σ,
    /// 20 %), σ from the median of deviations.
    MedianMad,
    /// Two builds in a row above 1.8 times the 90th percentile, or five above the 75th
    /// percentile and 15 %.
    Article,
}

/// What a rule says of the last value of a series.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Judgement {
    rule: Rule,
    /// `ok`, `alarm`, or `noBaseline` where there are too few builds.
    pub verdict: &'static str,
    /// The middle of the baseline, and what would be too much, in seconds of user CPU.
    median: Option<f64>,
    threshold: Option<f64>,
    reason: String,
}

impl Judgement {
    /// Whether it says that builds have become dearer.
    #[must_use]
    pub fn alarms(&self) -> bool {
        self.verdict == "alarm"
    }
}

/// Judges the last value of a series, the oldest first.
#[must_use]
pub fn judge(rule: Rule, series: &[f64]) -> Judgement {
    match rule {
        Rule::MedianMad => median_mad(series),
        Rule::Article => article(series),
    }
}

/// The baseline before the last `tested` values, sorted; none where it is too short.
fn before(series: &[f64], tested: usize) -> Option<Vec<f64>> {
    let history = &series[..series.len().saturating_sub(tested)];
    if history.len() < ENOUGH {
        return None;
    }
    let mut window = history[history.len().saturating_sub(WINDOW)..].to_vec();
    window.sort_by(f64::total_cmp);
    Some(window)
}

fn none(rule: Rule, series: &[f64], tested: usize) -> Judgement {
    let needed = ENOUGH + tested;
    Judgement {
        rule,
        verdict: "noBaseline",
        median: None,
        threshold: None,
        reason: format!(
            "{} comparable builds, {needed} make a baseline",
            series.len()
        ),
    }
}

fn median_mad(series: &[f64]) -> Judgement {
    let rule = Rule::MedianMad;
    let Some(window) = before(series, ROW) else {
        return none(rule, series, ROW);
    };
    let median = middle(&window);
    let mut deviations: Vec<f64> = window.iter().map(|v| (v - median).abs()).collect();
    deviations.sort_by(f64::total_cmp);
    let sigma = 1.4826 * middle(&deviations);
    let threshold = median + (1.5 * sigma).max(0.2 * median).max(LEAST);
    let last = &series[series.len() - ROW..];
    let dear = last.iter().filter(|v| **v > threshold).count();
    // One build may be lucky; what is no dearer than usual is no step.
    let alarm = dear + 1 >= ROW && last.iter().all(|v| *v > median);
    Judgement {
        rule,
        verdict: if alarm { "alarm" } else { "ok" },
        median: Some(median),
        threshold: Some(threshold),
        reason: said(alarm, last, threshold),
    }
}

fn article(series: &[f64]) -> Judgement {
    let rule = Rule::Article;
    let (Some(two), Some(five)) = (before(series, 2), before(series, 5)) else {
        return none(rule, series, 5);
    };
    let far = (1.8 * quantile(&two, 0.9)).max(middle(&two) + LEAST);
    let near = (1.15 * quantile(&five, 0.75)).max(middle(&five) + LEAST);
    let last = |n: usize| &series[series.len() - n..];
    let jumped = last(2).iter().all(|v| *v > far);
    let crept = last(5).iter().all(|v| *v > near);
    let (row, threshold) = if jumped { (2, far) } else { (5, near) };
    Judgement {
        rule,
        verdict: if jumped || crept { "alarm" } else { "ok" },
        median: Some(middle(&five)),
        threshold: Some(threshold),
        reason: said(jumped || crept, last(row), threshold),
    }
}

fn said(alarm: bool, last: &[f64], threshold: f64) -> String {
    let values: Vec<String> = last.iter().map(|v| format!("{v:.2}")).collect();
    let values = values.join(", ");
    if alarm {
        format!(
            "the last {} builds took {values} s of user CPU, more than {threshold:.2} s is too much",
            last.len()
        )
    } else {
        format!(
            "the last builds took {values} s of user CPU, more than {threshold:.2} s would be too much"
        )
    }
}

/// The middle of sorted values.
fn middle(sorted: &[f64]) -> f64 {
    quantile(sorted, 0.5)
}

/// A quantile of sorted values, between two of them by their distance.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a window has a few dozen values"
)]
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return 0.0;
    };
    let at = share * last as f64;
    let low = at.floor() as usize;
    let high = (low + 1).min(last);
    sorted[low] + (sorted[high] - sorted[low]) * (at - at.floor())
}

/// What is kept of a build of the history.
pub struct Entry {
    key: String,
    run: String,
    start: u64,
    /// Whether it went to its end, and well.
    whole: bool,
    user: f64,
    /// User CPU by package, in microseconds.
    packages: Vec<(String, u64)>,
}

impl Entry {
    /// What is kept of a log.
    pub fn of(log: &Log) -> Self {
        let mut packages = std::collections::BTreeMap::new();
        let mut user = 0;
        for tool in log.tools.iter().filter(|t| !t.own) {
            user += tool.user;
            if !tool.pkg.is_empty() {
                *packages.entry(tool.pkg.clone()).or_insert(0) += tool.user;
            }
        }
        let failed = log.tools.iter().any(|t| t.exit != 0 && !t.v);
        Self {
            key: key(log),
            run: log.name.clone(),
            start: log.start(),
            whole: log.end.as_ref().map_or(!failed, |end| end.exit == 0),
            user: seconds(user),
            packages: packages.into_iter().collect(),
        }
    }
}

/// Builds with the same key may be compared.
fn key(log: &Log) -> String {
    let header = log.header.clone().unwrap_or_default();
    let (os, arch) = log.platform();
    let what = [
        header.verb,
        header.flags.join(" "),
        header.targets.join(" "),
    ];
    let what: Vec<&str> = what
        .iter()
        .map(String::as_str)
        .filter(|w| !w.is_empty())
        .collect();
    let parts = [
        header.module,
        what.join(" "),
        format!("{os}/{arch}"),
        log.go().to_owned(),
        cache_class(log).to_owned(),
        header.runner,
    ];
    parts.join(" | ")
}

#[expect(clippy::cast_precision_loss, reason = "no build takes 2^53 us")]
fn seconds(us: u64) -> f64 {
    us as f64 / 1e6
}

/// Where a build stands in its history.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Baseline {
    /// What has to be equal: module, targets, platform, Go version, cache class, runner.
    key: String,
    /// What the deciding rule says, or `failed` of a build that did not go well.
    verdict: &'static str,
    rules: Vec<Judgement>,
    /// The builds that were compared, this one last.
    series: Vec<Member>,
    /// Packages that cost most more than their median, where the rule alarms.
    grown: Vec<Grown>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Member {
    source: String,
    start_unix_ms: u64,
    user_seconds: f64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Grown {
    package: String,
    user_seconds: f64,
    median_seconds: f64,
}

/// Holds one build against those before it.
pub fn compare(all: &[Entry], at: usize, rule: Rule) -> Baseline {
    let this = &all[at];
    let alike: Vec<&Entry> = all[..at]
        .iter()
        .filter(|e| e.whole && e.key == this.key)
        .chain([this])
        .collect();
    let values: Vec<f64> = alike.iter().map(|e| e.user).collect();
    let other = match rule {
        Rule::MedianMad => Rule::Article,
        Rule::Article => Rule::MedianMad,
    };
    let rules = vec![judge(rule, &values), judge(other, &values)];
    let verdict = if this.whole {
        rules[0].verdict
    } else {
        "failed"
    };
    let grown = if verdict == "alarm" {
        grown(&alike)
    } else {
        Vec::new()
    };
    let series = alike[alike.len().saturating_sub(WINDOW + ROW)..]
        .iter()
        .map(|e| Member {
            source: e.run.clone(),
            start_unix_ms: e.start / 1_000_000,
            user_seconds: e.user,
        })
        .collect();
    Baseline {
        key: this.key.clone(),
        verdict,
        rules,
        series,
        grown,
    }
}

/// The packages whose user CPU is most above its median in the builds before.
fn grown(alike: &[&Entry]) -> Vec<Grown> {
    let Some((this, before)) = alike.split_last() else {
        return Vec::new();
    };
    let before = &before[..before.len().saturating_sub(ROW - 1)];
    let before = &before[before.len().saturating_sub(WINDOW)..];
    let mut list: Vec<Grown> = this
        .packages
        .iter()
        .map(|(package, user)| {
            let of = |e: &&Entry| {
                let found = e.packages.binary_search_by(|(name, _)| name.cmp(package));
                seconds(found.map_or(0, |at| e.packages[at].1))
            };
            let mut values: Vec<f64> = before.iter().map(of).collect();
            values.sort_by(f64::total_cmp);
            Grown {
                package: package.clone(),
                user_seconds: seconds(*user),
                median_seconds: middle(&values),
            }
        })
        .filter(|g| g.user_seconds > g.median_seconds)
        .collect();
    list.sort_by(|a, b| {
        let by = |g: &Grown| g.user_seconds - g.median_seconds;
        by(b).total_cmp(&by(a))
    });
    list.truncate(5);
    list
}
