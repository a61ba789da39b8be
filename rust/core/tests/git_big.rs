//! Comparison with git on any repository, by hand:
//! `GOAT_REPO=… GOAT_BASE=… GOAT_RELEASE=… cargo test --release -p goat-core --test git_big -- --ignored --nocapture`
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod git_support;

use std::path::PathBuf;
use std::time::Instant;

use git_support::{changes, oracle, ours, range};
use goat_core::control::Control;
use goat_core::git::{FileState, Repo};

fn asked() -> (PathBuf, String, String) {
    let variable = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("set {name}"));
    (
        variable("GOAT_REPO").into(),
        variable("GOAT_BASE"),
        variable("GOAT_RELEASE"),
    )
}

#[test]
#[ignore = "needs a repository of your own"]
fn changes_equal_git_diff() {
    let (dir, base, release) = asked();
    for renames in [true, false] {
        let start = Instant::now();
        let told = oracle(&dir, &base, &release, renames);
        let git = start.elapsed();
        let start = Instant::now();
        let repo = Repo::open(&dir).unwrap();
        let (_, changes) = changes(&repo, &range(&base, &release), renames);
        let own = start.elapsed();
        let ours = ours(&changes, &[]);
        eprintln!(
            "renames={renames}: {} files, {} lines, {} other; git {git:?}, goat {own:?}",
            ours.len(),
            changes
                .files
                .iter()
                .map(|file| file.lines.len())
                .sum::<usize>(),
            changes.other.len(),
        );
        for (path, told) in &told {
            assert_eq!(ours.get(path), Some(told), "{path}");
        }
        assert_eq!(ours.len(), told.len());
    }
}

/// `GOAT_BLAME` names a file with lines `path: 3 4 9` (new lines by `git blame`).
#[test]
#[ignore = "needs a repository of your own"]
fn blame_equals_git_blame() {
    let (dir, base, release) = asked();
    let told = std::fs::read_to_string(std::env::var("GOAT_BLAME").unwrap()).unwrap();
    let told: Vec<(&str, &str)> = told
        .lines()
        .map(|line| line.split_once(':').unwrap())
        .collect();
    let paths: Vec<String> = told.iter().map(|(path, _)| (*path).to_owned()).collect();
    let start = Instant::now();
    let repo = Repo::open(&dir).unwrap();
    let sides = repo.sides(&range(&base, &release)).unwrap();
    let ours = repo
        .blame_lines(&sides, &paths, &|_, _| None, &Control::new())
        .unwrap();
    let lines: usize = ours.values().map(Vec::len).sum();
    let used = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = used
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .unwrap_or_default();
    eprintln!(
        "{} files, {lines} new lines, {:?}, {peak}",
        ours.len(),
        start.elapsed()
    );
    let mut wrong = 0;
    for (path, lines) in told {
        let told: Vec<u32> = lines
            .split_whitespace()
            .map(|n| n.parse().unwrap())
            .collect();
        if ours[path] != told {
            wrong += 1;
            eprintln!(
                "{path}: git {} lines, goat {} lines",
                told.len(),
                ours[path].len()
            );
        }
    }
    assert_eq!(wrong, 0);
}

/// The working tree of `GOAT_REPO` against `GOAT_BASE`.
#[test]
#[ignore = "needs a repository of your own"]
fn the_working_tree_equals_git_diff() {
    let (dir, base, _) = asked();
    let start = Instant::now();
    let told = oracle(&dir, &base, "", true);
    let git = start.elapsed();
    let start = Instant::now();
    let repo = Repo::open(&dir).unwrap();
    let (sides, changes) = changes(&repo, &range(&base, ""), true);
    let own = start.elapsed();
    let start = Instant::now();
    let files = repo.release_go_files(&sides, &Control::new()).unwrap();
    let listed = start.elapsed();
    let start = Instant::now();
    let paths: Vec<String> = files.iter().map(|file| file.path.clone()).collect();
    let hashes = repo.hash_release(&sides, &paths, &Control::new()).unwrap();
    eprintln!(
        "git {git:?}, goat {own:?}; {} Go files listed in {listed:?}, hashed in {:?}",
        hashes.len(),
        start.elapsed()
    );
    let untracked: Vec<&str> = files
        .iter()
        .filter(|file| file.state == FileState::Untracked)
        .map(|file| file.path.as_str())
        .collect();
    assert_eq!(ours(&changes, &untracked), told);
}
