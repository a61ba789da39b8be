//! Prints how well the rules of `goat heat --baseline` do on synthetic series:
//!
//! ```sh
//! cargo run --release -p goat-diag --example detector
//! ```

#[path = "../tests/synthetic/mod.rs"]
mod synthetic;

use goat_diag::heat::Rule;
use synthetic::{Change, Noise, delays, false_alarms};

const SERIES: u64 = 2000;
const BUILDS: usize = 100_000;

fn main() {
    let rules = [("median-mad", Rule::MedianMad), ("article", Rule::Article)];
    let noises = [
        ("5 %", Noise::Quiet),
        ("5 %, outliers", Noise::Outliers),
        ("recorded", Noise::Recorded),
    ];
    let changes = [
        ("step 1.2", Change::Step(1.2)),
        ("step 1.5", Change::Step(1.5)),
        ("step 2", Change::Step(2.0)),
        ("drift 2 %", Change::Drift(1.02)),
    ];
    for (rule_name, rule) in rules {
        for (noise_name, noise) in noises {
            let mut cells = vec![rule_name.to_owned(), noise_name.to_owned()];
            for (_, change) in changes {
                cells.push(cell(&delays(rule, noise, change, SERIES)));
            }
            let alarms = false_alarms(rule, noise, BUILDS);
            cells.push(format!("{:.2}", share(alarms, BUILDS) * 500.0));
            println!("| {} |", cells.join(" | "));
        }
    }
}

/// The share within three builds, the share within thirty, and the median delay.
fn cell(delays: &[Option<usize>]) -> String {
    let mut found: Vec<usize> = delays.iter().flatten().copied().collect();
    found.sort_unstable();
    let soon = found.iter().filter(|delay| **delay <= 3).count();
    let percent = |n| format!("{:.1} %", share(n, delays.len()) * 100.0);
    let middle = found.get(found.len() / 2);
    let after = middle.map_or(String::new(), |delay| format!(", after {delay}"));
    format!("{} / {}{after}", percent(soon), percent(found.len()))
}

#[expect(clippy::cast_precision_loss, reason = "counts are small")]
fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}
