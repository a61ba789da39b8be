//! How much of real code is lost to the grammar.
//!
//! `GOAT_LOSSES=/usr/local/go/src:/other cargo test --test syntax_losses -- --nocapture`
//! prints what is lost in each; without the variable a part of the standard library
//! must be read whole.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use goat_core::model::Lines;
use goat_core::syntax;
use std::path::{Path, PathBuf};

/// Counts over the files of a directory.
#[derive(Default)]
struct Count {
    files: usize,
    damaged_files: usize,
    functions: usize,
    lost_functions: usize,
}

#[test]
fn the_standard_library_is_read_whole() {
    let named = std::env::var("GOAT_LOSSES").unwrap_or_default();
    let mut roots: Vec<PathBuf> = named.split(':').map(PathBuf::from).collect();
    if named.is_empty() {
        roots = ["sync", "net"]
            .iter()
            .map(|dir| common::goroot().join("src").join(dir))
            .collect();
    }
    for root in roots {
        let mut count = Count::default();
        for path in common::go_files(&root) {
            add(&mut count, &path);
        }
        println!(
            "{}: lost {} of {} files, {} of {} functions",
            root.display(),
            count.damaged_files,
            count.files,
            count.lost_functions,
            count.functions
        );
        assert!(!named.is_empty() || count.files > 0 && count.damaged_files == 0);
    }
}

fn add(count: &mut Count, path: &Path) {
    let source = std::fs::read(path).unwrap();
    let file = syntax::parse(&source);
    count.files += 1;
    count.functions += file.funcs.iter().filter(|func| !func.literal).count();
    count.damaged_files += usize::from(!file.errors.is_empty());
    for error in &file.errors {
        count.lost_functions += usize::from(error.func.is_some());
        let line = Lines::new(&source).line(error.at);
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
