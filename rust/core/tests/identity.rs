//! Ids of real regions: no two alike, and each the region's own.
//!
//! `cargo test --release --test identity -- --ignored --nocapture` does it for the
//! whole standard library: more than a million regions.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use goat_core::change::{Side, delta};
use goat_core::model::{FileChange, Granularity, Hunk, Lines, Point, PointKind};
use goat_core::points::{self, Input};
use goat_core::syntax;
use goat_core::token::{TokenKind, scan};

const GRANULARITIES: [Granularity; 4] = [
    Granularity::Line,
    Granularity::Patch,
    Granularity::Scope,
    Granularity::Func,
];

/// The points of a file of which all is new.
fn plan(source: &[u8], package: &str, file: &str, granularity: Granularity) -> Vec<Point> {
    let (tokens, lines) = (scan(source), Lines::new(source));
    let count = lines.count();
    let change = FileChange {
        path: file.to_owned(),
        new: Some(source.to_vec()),
        hunks: vec![Hunk {
            old_start: 0,
            old_lines: 0,
            new_start: 1,
            new_lines: count,
        }],
        lines: (1..=count).collect(),
        ..FileChange::default()
    };
    let side = Side::new(source, &tokens);
    let delta = delta(&change, &Side::new(b"", &[]), &side);
    let syntax = syntax::parse(source);
    let input = Input {
        source,
        tokens: &tokens,
        words: &side.words,
        syntax: &syntax,
        lines: &lines,
        delta: &delta,
        old: None,
        granularity,
        import_path: package,
        file,
    };
    points::plan(&input).points
}

/// The ids of all regions below a directory of the standard library; how many there are.
fn assert_no_collision(root: &Path) -> usize {
    let src = common::goroot().join("src");
    let mut seen: HashMap<String, String> = HashMap::new();
    for path in common::go_files(root) {
        let source = std::fs::read(&path).unwrap();
        let relative = path.strip_prefix(&src).unwrap();
        let (dir, file) = (relative.parent().unwrap(), relative.file_name().unwrap());
        let (dir, file) = (dir.to_str().unwrap(), file.to_str().unwrap());
        for granularity in GRANULARITIES {
            for point in plan(&source, dir, file, granularity) {
                let region = format!(
                    "{dir}/{file}@{} {granularity:?} {:?}",
                    point.region.start, point.kind
                );
                if let Some(other) = seen.insert(point.id.clone(), region.clone()) {
                    panic!("{} is the id of {other} and of {region}", point.id);
                }
            }
        }
    }
    seen.len()
}

#[test]
fn regions_of_a_part_of_the_standard_library_have_ids_of_their_own() {
    let src = common::goroot().join("src");
    let count: usize = ["encoding/json", "encoding/xml", "text", "sync"]
        .iter()
        .map(|dir| assert_no_collision(&src.join(dir)))
        .sum();
    println!("{count} regions");
    assert!(count > 10_000, "only {count} regions");
}

#[test]
#[ignore = "reads all of GOROOT/src"]
fn a_million_regions_have_ids_of_their_own() {
    let count = assert_no_collision(&common::goroot().join("src"));
    println!("{count} regions, no two with one id");
    assert!(count >= 1_000_000, "only {count} regions");
}

/// Files with every kind of statement.
fn samples() -> Vec<(String, Vec<u8>)> {
    let src = common::goroot().join("src");
    ["encoding/json/decode.go", "text/template/exec.go"]
        .iter()
        .map(|file| {
            let source = std::fs::read(src.join(file)).unwrap();
            (file.rsplit('/').next().unwrap().to_owned(), source)
        })
        .collect()
}

fn ids(points: &[Point]) -> BTreeSet<&str> {
    points.iter().map(|point| point.id.as_str()).collect()
}

/// What stands above, below and between, comments and formatting are none of a
/// region's business.
#[test]
fn ids_stay_through_unrelated_edits() {
    for (file, source) in samples() {
        let text = String::from_utf8(source.clone()).unwrap();
        let (head, body) = text.split_once("\n)\n").unwrap();
        let edited = [
            format!("{head}\n)\n\nfunc goatAbove() {{ println(1) }}\n{body}"),
            format!("{text}\nfunc goatBelow() {{ println(1) }}\n"),
            text.replace("\n}\n\nfunc ", "\n}\n\n// More words.\n\n\nfunc "),
            text.replace('\n', "\r\n"),
            text.replace("\n\t", "\n\t\t\t"),
        ];
        for granularity in GRANULARITIES {
            let before = plan(&source, "example.com/p", &file, granularity);
            for edited in &edited {
                let after = plan(edited.as_bytes(), "example.com/p", &file, granularity);
                let (old, new) = (ids(&before), ids(&after));
                let lost: Vec<_> = old.difference(&new).collect();
                assert!(lost.is_empty(), "{file} {granularity:?}: {lost:?} are gone");
            }
        }
    }
}

/// Another package, file, granularity or kind is another id.
#[test]
fn ids_say_where_and_what() {
    for (file, source) in samples() {
        let mut seen = BTreeMap::new();
        for granularity in GRANULARITIES {
            for (package, file) in [("p", file.as_str()), ("p", "other.go"), ("q", &file)] {
                for point in plan(&source, package, file, granularity) {
                    let place = (package.to_owned(), file.to_owned(), granularity.as_str());
                    let other = seen.insert(point.id, (place, point.region));
                    assert!(other.is_none(), "{other:?}");
                }
            }
        }
    }
}

/// One token of a region is another one: its id is, too, and that of no region outside
/// the function (whose regions are counted together) is.
#[test]
fn an_id_changes_with_the_code_of_its_region() {
    let mut checked = 0;
    for (file, source) in samples() {
        let before = plan(&source, "example.com/p", &file, Granularity::Line);
        let statements = before.iter().filter(|p| p.kind == PointKind::Change);
        for point in statements.step_by(11) {
            let inside = |at: usize| point.region.contains(at);
            let tokens = scan(&source);
            let Some(name) = tokens.iter().find(|token| {
                token.kind == TokenKind::Ident
                    && inside(token.span.start)
                    && inside(token.span.end - 1)
            }) else {
                continue;
            };
            let mut edited = source.clone();
            edited.splice(name.span.end..name.span.end, *b"Goat");
            let after = plan(&edited, "example.com/p", &file, Granularity::Line);
            assert_eq!(after.len(), before.len());
            let own = before
                .iter()
                .position(|other| other.id == point.id)
                .unwrap();
            assert_ne!(after[own].id, point.id, "{}", point.func);
            assert!(
                !ids(&after).contains(point.id.as_str()) || is_counted(&before, point, &source),
                "{} in {} stays",
                point.id,
                point.func
            );
            for (old, new) in before
                .iter()
                .zip(&after)
                .filter(|(old, _)| old.func != point.func)
            {
                assert_eq!(old.id, new.id, "{} is not {}", old.func, point.func);
            }
            checked += 1;
        }
    }
    assert!(checked > 50, "{checked} regions changed");
}

/// Whether an equal statement stands in the function, so that the k of n of another one
/// may now be what this one's was.
fn is_counted(points: &[Point], point: &Point, source: &[u8]) -> bool {
    let text = |point: &Point| point.region.of(source).to_vec();
    let equal = |other: &&Point| other.func == point.func && text(other) == text(point);
    points.iter().filter(equal).count() > 1
}
