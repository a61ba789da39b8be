//! How much of real code is lost to the grammar.
//!
//! `GOAT_LOSSES=/usr/local/go/src:/other cargo test --test syntax_losses -- --nocapture`
//! prints a table; without the variable the standard library's `sync` is read.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use goat_core::syntax;
use std::path::PathBuf;
use std::time::Instant;

#[test]
fn the_standard_library_is_read_whole() {
    let roots = std::env::var("GOAT_LOSSES").unwrap_or_default();
    let all = !roots.is_empty();
    let roots: Vec<PathBuf> = if all {
        roots.split(':').map(PathBuf::from).collect()
    } else {
        vec![
            common::goroot().join("src/sync"),
            common::goroot().join("src/net"),
        ]
    };
    for root in roots {
        let (mut files, mut bytes, mut functions, mut lost, mut damaged) = (0, 0, 0, 0, 0);
        let start = Instant::now();
        for path in common::go_files(&root) {
            let source = std::fs::read(&path).unwrap();
            let syntax = syntax::parse(&source);
            files += 1;
            bytes += source.len();
            functions += syntax.funcs.iter().filter(|func| !func.literal).count();
            lost += syntax
                .errors
                .iter()
                .filter(|error| error.func.is_some())
                .count();
            damaged += usize::from(!syntax.errors.is_empty());
            for error in &syntax.errors {
                let line = goat_core::model::Lines::new(&source).line(error.at);
                let rest = source[error.at..]
                    .split(|&byte| byte == b'\n')
                    .next()
                    .unwrap();
                let rest = String::from_utf8_lossy(rest);
                println!("{}:{line}: {} {rest}", path.display(), error.func.is_some());
            }
        }
        println!(
            "{}: {files} files, {bytes} bytes, {functions} functions; lost {damaged} files, {lost} functions; {:?}",
            root.display(),
            start.elapsed()
        );
        assert!(all || damaged == 0);
    }
}
