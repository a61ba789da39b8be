//! Work on one huge file is left in the middle, in every stage of it, and with nothing
//! written.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};

use goat_core::change::{self, Side};
use goat_core::control::step;
use goat_core::error::{Code, Result};
use goat_core::instrument::{self, Forms, Names, Text};
use goat_core::model::{Delta, FileChange, Granularity, Hunk, Lines};
use goat_core::token::{Token, scan};
use goat_core::{Control, points, syntax};
use support::Tree;

const COUNT: usize = 1_000;

/// One function with many blocks, side by side or in each other.
fn huge(nested: bool) -> Vec<u8> {
    let (block, end) = if nested {
        ("if b {\n\tn++\n", "}\n")
    } else {
        ("if b {\n\tn++\n}\n", "")
    };
    let (blocks, ends) = (block.repeat(COUNT), end.repeat(COUNT));
    format!("package p\n\nfunc f(n int, b bool) {{\n{blocks}{ends}}}\n").into_bytes()
}

/// Does work after somebody has cancelled: it must not come to its end.
fn assert_left<T>(work: impl FnOnce() -> T) {
    let control = Control::new();
    let mut ended = false;
    let done: Result<()> = control.guard(|| {
        control.cancel();
        work();
        ended = true;
        Ok(())
    });
    assert!(!ended, "the work went on to its end");
    assert_eq!(done.unwrap_err().code, Code::Cancelled);
}

/// A new file, as far as it is planned.
struct Planned {
    source: Vec<u8>,
    tokens: Vec<Token>,
    lines: Lines,
}

impl Planned {
    fn new(source: Vec<u8>) -> Self {
        let (tokens, lines) = (scan(&source), Lines::new(&source));
        Self {
            source,
            tokens,
            lines,
        }
    }

    fn delta(&self, side: &Side<'_>) -> Delta {
        let count = self.lines.count();
        let hunk = Hunk {
            old_start: 0,
            old_lines: 0,
            new_start: 1,
            new_lines: count,
        };
        let file = FileChange {
            path: "f.go".into(),
            new: Some(self.source.clone()),
            hunks: vec![hunk],
            lines: (1..=count).collect(),
            ..FileChange::default()
        };
        change::delta(&file, &Side::new(b"", &[]), side)
    }

    fn input<'a>(&'a self, side: &'a Side<'a>, delta: &'a Delta) -> points::Input<'a> {
        let wanted = points::wanted(&self.source, &self.lines, delta);
        let syntax = Box::leak(Box::new(syntax::parse_parts(
            &self.source,
            &self.tokens,
            &wanted,
        )));
        points::Input {
            source: &self.source,
            tokens: &self.tokens,
            words: &side.words,
            syntax,
            lines: &self.lines,
            delta,
            old: None,
            granularity: Granularity::Line,
            import_path: "p",
            file: "f.go",
        }
    }
}

#[test]
fn every_stage_is_left_in_the_middle() {
    for nested in [false, true] {
        let file = Planned::new(huge(nested));
        let side = Side::new(&file.source, &file.tokens);
        let delta = file.delta(&side);
        let input = file.input(&side, &delta);
        let found = points::plan(&input);
        assert!(found.points.len() >= COUNT);
        let text = Text {
            source: &file.source,
            tokens: &file.tokens,
            lines: &file.lines,
        };
        let names = Names::choose(&"0".repeat(64), |_| false);
        assert_left(|| scan(&file.source));
        assert_left(|| syntax::parse_parts(&file.source, &file.tokens, &[]));
        assert_left(|| syntax::parse(&file.source));
        assert_left(|| file.delta(&side));
        assert_left(|| points::plan(&input));
        assert_left(|| instrument::edits(text, &found.points, 0, &names, Forms::Chosen));
    }
}

#[test]
fn a_plan_that_is_left_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (repo, out, memo) = (
        dir.path().join("repo"),
        dir.path().join("plans"),
        dir.path().join("memo"),
    );
    fs::create_dir(&repo).unwrap();
    let file = |path: &str, text: &[u8]| (path.to_owned(), text.to_vec());
    let base = Tree::from([file("go.mod", b"module example.com/p\n\ngo 1.23\n")]);
    let mut release = base.clone();
    release.extend([file("f.go", &huge(true))]);
    support::repository(&repo, &base, &release);
    let request = serde_json::json!({
        "format": 1, "op": "plan", "dir": repo, "base": "HEAD", "outDir": out, "memoDir": memo,
    });
    let request = request.to_string();
    for stage in ["read", "analyse", "write"] {
        let control = Control::new();
        let stop = control.clone();
        let control = control.with_report(move |at, _, _| {
            if at == stage {
                stop.cancel();
            }
        });
        let answer = goat_core::run(request.as_bytes(), &control);
        let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap();
        if stage == "write" {
            assert!(
                answer["error"].is_null(),
                "what is being written is written"
            );
        } else {
            assert_eq!(answer["error"]["code"], "cancelled", "at {stage}");
            assert!(!out.exists(), "at {stage}");
            assert!(!memo.exists(), "at {stage}");
        }
    }
}

#[test]
fn only_the_guarded_work_is_left() {
    let many = || (0..COUNT).for_each(|_| step());
    // Nobody asked this thread to stop, or nobody does any more.
    many();
    let control = Control::new();
    let done: Result<usize> = control.guard(|| {
        many();
        Ok(1)
    });
    assert_eq!(done.unwrap(), 1);
    control.cancel();
    many();
    // What goes wrong by itself is no cancellation.
    let panic = catch_unwind(AssertUnwindSafe(|| {
        Control::new().guard(|| -> Result<()> { std::panic::resume_unwind(Box::new("own")) })
    }));
    assert_eq!(*panic.unwrap_err().downcast::<&str>().unwrap(), "own");
    many();
}
