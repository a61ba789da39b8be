//! How long a dump takes to read: `cargo run --release -p goat-diag --example time FILE`.
//! Prints the CPU time of one run, and the most memory that the process has had.

use std::{env, fs};

use serde_json::{Value, json};

const RUNS: u32 = 20;

/// User and system time of this process, in hundredths of a second.
fn ticks() -> u32 {
    let stat = fs::read_to_string("/proc/self/stat").expect("/proc/self/stat");
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let times = fields.split_whitespace().skip(11).take(2);
    times.map(|text| text.parse::<u32>().unwrap_or(0)).sum()
}

fn main() {
    let path = env::args().nth(1).expect("usage: time FILE");
    let sources = json!([{ "name": path, "path": path }]);
    let request = json!({ "format": 1, "op": "dump", "sources": sources }).to_string();
    let mut answer = Vec::new();
    let before = ticks();
    for _ in 0..RUNS {
        answer = goat_diag::run(request.as_bytes(), &|| false).expect("an answer");
    }
    let ticks = ticks() - before;
    let answer: Value = serde_json::from_slice(&answer).expect("JSON");
    let found = &answer["result"];
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status
        .lines()
        .find(|l| l.starts_with("VmHWM"))
        .unwrap_or("");
    println!(
        "{:.1} ms, {} goroutines, {} clusters, {} bytes, {}",
        f64::from(ticks) * 10.0 / f64::from(RUNS),
        found["source"]["parsed"],
        found["clusters"].as_array().map_or(0, Vec::len),
        fs::metadata(&path).map_or(0, |m| m.len()),
        peak.split_whitespace().collect::<Vec<_>>().join(" "),
    );
}
