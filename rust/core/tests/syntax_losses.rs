//! How much of real code is lost to the grammar.
//!
//! `GOAT_LOSSES=/usr/local/go/src:/repo@v1.0.0..v1.1.0 cargo test --test syntax_losses --
//! --nocapture` prints what is lost in each: files, functions and lines, and for a
//! repository with two refs the changed lines of its account. Without the variable a
//! part of the standard library must be read whole.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use goat_core::control::Control;
use goat_core::model::Lines;
use goat_core::syntax;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Counts over the files of a directory.
#[derive(Default)]
struct Count {
    files: usize,
    damaged_files: usize,
    functions: usize,
    lost_functions: usize,
    lines: usize,
    lost_lines: usize,
}

#[test]
fn the_standard_library_is_read_whole() {
    let named = std::env::var("GOAT_LOSSES").unwrap_or_default();
    let mut roots: Vec<String> = named.split(':').map(str::to_owned).collect();
    if named.is_empty() {
        let src = common::goroot().join("src");
        let whole = ["sync", "net"].map(|dir| src.join(dir).display().to_string());
        roots = whole.to_vec();
    }
    for named_root in roots {
        let (root, range) = named_root.split_once('@').unwrap_or((&named_root, ""));
        let root = PathBuf::from(root);
        let mut count = Count::default();
        for path in common::go_files(&root) {
            add(&mut count, &path);
        }
        println!(
            "{}: lost {} of {} files, {} of {} functions, {} of {} lines",
            root.display(),
            count.damaged_files,
            count.files,
            count.lost_functions,
            count.functions,
            count.lost_lines,
            count.lines
        );
        if let Some((base, release)) = range.split_once("..") {
            let (lost, changed) = changed_lines(&root, base, release);
            println!("{named_root}: lost {lost} of {changed} changed lines");
        }
        assert!(!named.is_empty() || count.files > 0 && count.damaged_files == 0);
    }
}

/// Changed lines of the account that do not parse, and all of them.
fn changed_lines(root: &Path, base: &str, release: &str) -> (usize, u64) {
    let request = json!({
        "format": 1, "op": "plan", "dir": root, "base": base, "release": release,
        "range": "direct", "config": {},
    });
    let answer = goat_core::run(request.to_string().as_bytes(), &Control::new());
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    let plan = &answer["result"];
    assert!(plan.is_object(), "{answer}");
    let is_lost = |line: &&Value| {
        let reason = line["reason"].as_str().unwrap_or_default();
        matches!(reason, "syntax_error" | "rewrite_rejected")
    };
    let lost = plan["account"].as_array().unwrap().iter().filter(is_lost);
    (
        lost.count(),
        plan["summary"]["addedLines"].as_u64().unwrap(),
    )
}

fn add(count: &mut Count, path: &Path) {
    let source = std::fs::read(path).unwrap();
    let file = syntax::parse(&source);
    count.lines += Lines::new(&source).count() as usize;
    count.files += 1;
    count.functions += file.funcs.iter().filter(|func| !func.literal).count();
    count.damaged_files += usize::from(!file.errors.is_empty());
    for error in &file.errors {
        count.lost_functions += usize::from(error.func.is_some());
        let lines = Lines::new(&source);
        let line = lines.line(error.at);
        count.lost_lines +=
            (lines.line(error.span.end) - lines.line(error.span.start) + 1) as usize;
        let rest = source[error.at..]
            .split(|&byte| byte == b'\n')
            .next()
            .unwrap();
        println!(
            "{}:{line}: {}",
            path.display(),
            String::from_utf8_lossy(rest)
        );
    }
}
