//! Damaged Go files: whatever bytes come, the core reads them, accounts for every
//! line once, and what it writes can be taken out again to the byte.
//!
//! Runs a fixed number of cases; `GOAT_FUZZ_SECONDS=600 cargo test --test fuzz` runs
//! as long as that, from a seed that a failure prints (`GOAT_FUZZ_SEED`).
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use goat_core::change::{Side, delta};
use goat_core::instrument::{self, Forms, Names, Text};
use goat_core::model::{FileChange, FileSyntax, Granularity, Hunk, Lines, Span};
use goat_core::points::{self, Input};
use goat_core::token::{self, Token};
use goat_core::{marks, syntax};

const CASES: u64 = 800;

#[test]
fn any_bytes_are_read_and_written_back() {
    let seconds = std::env::var("GOAT_FUZZ_SECONDS").ok();
    let seed = match std::env::var("GOAT_FUZZ_SEED") {
        Ok(text) => text.parse().unwrap(),
        Err(_) if seconds.is_some() => u64::from(std::process::id()),
        Err(_) => 1,
    };
    let end = seconds.map(|text| Instant::now() + Duration::from_secs(text.parse().unwrap()));
    let corpus = corpus();
    let mut case = 0;
    while end.map_or(case < CASES, |end| Instant::now() < end) {
        let source = Random(seed.wrapping_mul(0x9e37_79b9).wrapping_add(case) | 1).damage(&corpus);
        let verdict = catch_unwind(AssertUnwindSafe(|| check(&source)));
        assert!(
            verdict.is_ok(),
            "GOAT_FUZZ_SEED={seed}, case {case}; the source:\n{}",
            String::from_utf8_lossy(&source)
        );
        case += 1;
    }
    println!("{case} cases from seed {seed}");
}

#[test]
fn whole_files_are_read_and_written_back() {
    for source in corpus() {
        let errors = check(&source);
        assert_eq!(errors, 0, "{}", String::from_utf8_lossy(&source));
    }
}

/// Checks everything that must hold for any bytes; the number of parts that do
/// not parse.
fn check(source: &[u8]) -> usize {
    let tokens = token::scan(source);
    assert_ordered(tokens.iter().map(|t| t.span), source.len());
    let syntax = syntax::parse(source);
    assert_ordered(syntax.owners.iter().map(|&(span, _)| span), source.len());
    assert_inside(&syntax, source.len());
    if let Ok(Some(clean)) = marks::strip(source) {
        assert!(clean.len() <= source.len(), "removing marks adds nothing");
    }
    for granularity in [
        Granularity::Line,
        Granularity::Patch,
        Granularity::Scope,
        Granularity::Func,
    ] {
        round_trip(source, &tokens, &syntax, granularity);
    }
    for step in [7, 101] {
        parts(source, &tokens, &syntax, step);
    }
    syntax.errors.len()
}

/// Every so many lines are new or have lost lines: the plan is the same whether the whole
/// file is read or only the declarations that matter.
fn parts(source: &[u8], tokens: &[Token], syntax: &FileSyntax, step: usize) {
    let lines = Lines::new(source);
    let hunk = |line: u32| Hunk {
        old_start: u32::from(line.is_multiple_of(2)),
        old_lines: u32::from(line.is_multiple_of(2)),
        new_start: line,
        new_lines: u32::from(!line.is_multiple_of(4)),
    };
    let hunks: Vec<Hunk> = (2..=lines.count()).step_by(step).map(hunk).collect();
    let new = hunks.iter().filter(|hunk| hunk.new_lines > 0);
    let change = FileChange {
        lines: new.map(|hunk| hunk.new_start).collect(),
        hunks,
        ..added(source, 0)
    };
    let old = b"\tremoved()\n";
    let old_tokens = token::scan(old);
    let side = Side::new(source, tokens);
    let delta = delta(&change, &Side::new(old, &old_tokens), &side);
    let some = syntax::parse_parts(source, tokens, &points::wanted(source, &lines, &delta));
    let plan = |syntax| {
        points::plan(&Input {
            source,
            tokens,
            words: &side.words,
            syntax,
            lines: &lines,
            delta: &delta,
            old: None,
            granularity: Granularity::Patch,
            import_path: "example.com/fuzz",
            file: "fuzz.go",
        })
    };
    assert_eq!(plan(&some), plan(syntax));
}

/// Plans the file as wholly new, writes the points, and takes them out again.
fn round_trip(source: &[u8], tokens: &[Token], syntax: &FileSyntax, granularity: Granularity) {
    let lines = Lines::new(source);
    let change = added(source, lines.count());
    let side = Side::new(source, tokens);
    let delta = delta(&change, &Side::new(b"", &[]), &side);
    let planned = points::plan(&Input {
        source,
        tokens,
        words: &side.words,
        syntax,
        lines: &lines,
        delta: &delta,
        old: None,
        granularity,
        import_path: "example.com/fuzz",
        file: "fuzz.go",
    });
    let accounted: Vec<u32> = planned.lines.iter().map(|&(line, _)| line).collect();
    assert_eq!(accounted, change.lines, "every line exactly once");

    let names = Names::choose("0123456789abcdef", |_| false);
    let text = Text {
        source,
        tokens,
        lines: &lines,
    };
    let edits = instrument::edits(text, &planned.points, 0, &names, Forms::Chosen);
    for exact in [false, true] {
        let written = instrument::apply(source, &edits, exact);
        let added = |edit: &goat_core::model::Edit| {
            edit.exact
                .as_ref()
                .filter(|_| exact)
                .unwrap_or(&edit.text)
                .len()
        };
        let mut stripped = Vec::new();
        let (mut from, mut shift) = (0, 0);
        for edit in &edits {
            stripped.extend_from_slice(&written[from + shift..edit.at + shift]);
            shift += added(edit);
            from = edit.at;
        }
        stripped.extend_from_slice(&written[from + shift..]);
        assert_eq!(
            stripped, source,
            "the original is in the written file, to the byte"
        );
        // Where the file is damaged already, a longer text may be recovered from
        // elsewhere; the plan parses again and drops what does not hold.
        assert!(
            !syntax.errors.is_empty() || syntax::parse(&written).errors.is_empty(),
            "a point broke what parsed:\n{}",
            String::from_utf8_lossy(&written)
        );
    }
}

fn added(source: &[u8], count: u32) -> FileChange {
    FileChange {
        path: "fuzz.go".into(),
        new: Some(source.to_vec()),
        hunks: vec![Hunk {
            old_start: 0,
            old_lines: 0,
            new_start: 1,
            new_lines: count,
        }],
        lines: (1..=count).collect(),
        ..FileChange::default()
    }
}

fn assert_ordered(spans: impl Iterator<Item = Span>, len: usize) {
    let mut end = 0;
    for span in spans {
        assert!(
            end <= span.start && span.start <= span.end && span.end <= len,
            "{span:?} after {end}"
        );
        end = span.end;
    }
}

fn assert_inside(syntax: &FileSyntax, len: usize) {
    let file = Span::new(0, len);
    for block in &syntax.blocks {
        assert!(file.encloses(block.span) && block.entry <= len, "{block:?}");
    }
    for stmt in &syntax.stmts {
        assert!(file.encloses(stmt.span), "{stmt:?}");
        assert!(
            stmt.blocks.iter().all(|&b| b < syntax.blocks.len()),
            "{stmt:?}"
        );
    }
    for func in &syntax.funcs {
        assert!(file.encloses(func.span), "{func:?}");
    }
}

/// Real files, not too large: a case is to take milliseconds.
fn corpus() -> Vec<Vec<u8>> {
    let root = common::goroot().join("src");
    ["sync", "text/template/parse", "go/ast", "container/list"]
        .iter()
        .flat_map(|dir| common::go_files(&root.join(dir)))
        .map(|path| fs::read(path).unwrap())
        .filter(|source| source.len() < 12_000)
        .collect()
}

/// A small generator of its own, so that a seed means the same for ever.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// A piece of a real file with a few injuries.
    fn damage(&mut self, corpus: &[Vec<u8>]) -> Vec<u8> {
        let mut source = self.pick(corpus).clone();
        for _ in 0..=self.below(6) {
            let at = self.below(source.len());
            let end = (at + self.below(60)).min(source.len());
            match self.below(6) {
                0 => drop(source.drain(at..end)),
                1 => {
                    let piece = source[at..end].to_vec();
                    let to = self.below(source.len());
                    source.splice(to..to, piece);
                }
                2 => {
                    let other = self.pick(corpus);
                    let from = self.below(other.len());
                    let to = (from + self.below(200)).min(other.len());
                    source.splice(at..end, other[from..to].iter().copied());
                }
                3 => {
                    let words: [&[u8]; 14] = [
                        b"{",
                        b"}",
                        b"(",
                        b")",
                        b"\"",
                        b"`",
                        b"/*",
                        b"*/",
                        b"//",
                        b"\n",
                        b"\r\n",
                        b"\xff\xfe",
                        b" else if ",
                        b"case ",
                    ];
                    let word = self.pick(&words);
                    source.splice(at..at, word.iter().copied());
                }
                4 if at < source.len() => source[at] = self.next() as u8,
                _ => source.truncate(source.len() - self.below(200).min(source.len())),
            }
        }
        source
    }
}
