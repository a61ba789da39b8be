//! Comparison with git on any repository, by hand:
//! `GOAT_REPO=… GOAT_BASE=… GOAT_RELEASE=… cargo test --release -p goat-core --test git_big -- --ignored --nocapture`
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod git_support;

use std::path::PathBuf;
use std::time::Instant;

use git_support::{changes, oracle, ours, range};
use goat_core::git::Repo;

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
