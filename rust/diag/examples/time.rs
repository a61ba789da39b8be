//! How long a dump takes to read: `cargo run --release -p goat-diag --example time FILE`.
//! Prints the least of some runs, and the most memory that the process has had.

use std::time::{Duration, Instant};
use std::{env, fs};

use serde_json::{Value, json};

fn main() {
    let path = env::args().nth(1).expect("usage: time FILE");
    let sources = json!([{ "name": path, "path": path }]);
    let request = json!({ "format": 1, "op": "dump", "sources": sources }).to_string();
    let mut least = Duration::MAX;
    let mut answer = Vec::new();
    for _ in 0..7 {
        let start = Instant::now();
        answer = goat_diag::run(request.as_bytes(), &|| false).expect("an answer");
        least = least.min(start.elapsed());
    }
    let answer: Value = serde_json::from_slice(&answer).expect("JSON");
    let found = &answer["result"];
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|l| l.starts_with("VmHWM")).unwrap_or("");
    println!(
        "{:.1} ms, {} goroutines, {} clusters, {} bytes, {}",
        least.as_secs_f64() * 1e3,
        found["source"]["parsed"],
        found["clusters"].as_array().map_or(0, Vec::len),
        fs::metadata(&path).map_or(0, |m| m.len()),
        peak.split_whitespace().collect::<Vec<_>>().join(" "),
    );
}
