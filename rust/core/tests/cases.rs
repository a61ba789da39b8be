//! Cases as data: two trees and what a person expects of the plan (see cases/README.md).
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use support::Tree;

/// What the release's files say in their `want` comments.
#[derive(Default)]
struct Wants {
    /// By file and line.
    lines: BTreeMap<(String, u32), Want>,
    /// By file and the line after which code was removed.
    deletions: BTreeMap<(String, u32), Want>,
    /// Places of points: file and offset; label and kind.
    places: BTreeMap<(String, u64), (String, String)>,
}

#[derive(Debug, PartialEq)]
enum Want {
    Points(Vec<String>),
    None(String),
}

#[test]
fn cases() {
    let mut failures = String::new();
    for path in support::data("cases", "txtar") {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        let result = std::panic::catch_unwind(|| run(&text));
        let problems = result.unwrap_or_else(|_| vec!["panicked".into()]);
        for problem in problems {
            writeln!(failures, "{name}: {problem}").unwrap();
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

#[test]
fn a_wrong_expectation_fails() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let text = fs::read_to_string(root.join("statements.txtar")).unwrap();
    assert!(run(&text).is_empty());
    assert!(!run(&text.replacen("// want point", "// want none: format //", 1)).is_empty());
    assert!(!run(&text.replacen("/*@", "/*", 1)).is_empty());
}

fn run(text: &str) -> Vec<String> {
    let (head, archive) = support::txtar(text);
    let head = Head::read(&head);
    let (mut base, mut release) = (Tree::new(), Tree::new());
    let mut wants = Wants::default();
    for (name, content) in archive {
        if let Some(path) = name.strip_prefix("base/") {
            base.insert(path.to_owned(), head.bytes(content));
        } else if let Some(path) = name.strip_prefix("release/") {
            let content = wants.take(path, &content);
            release.insert(path.to_owned(), head.bytes(content));
        }
    }
    let kept = base.iter().filter(|(path, _)| !head.delete.contains(*path));
    for (path, content) in kept {
        release
            .entry(path.clone())
            .or_insert_with(|| content.clone());
    }
    if head.has("crlf") {
        wants.shift(&release);
    }
    let root = tempfile::tempdir().unwrap();
    let (dir, out) = (root.path().join("repo"), root.path().join("out"));
    fs::create_dir(&dir).unwrap();
    support::repository(&dir, &base, &release);
    if head.has("staged") {
        support::git(&dir, &["add", "-A"]);
    }
    let mut options = head.options.clone();
    options["outDir"] = json!(out);
    let plan = match support::plan(&dir.join(&head.dir), &options) {
        Ok(plan) => plan,
        Err(error) => return vec![error.to_string()],
    };
    let mut problems = compare(&plan, &wants, &head);
    if !head.has("unbuilt") && problems.is_empty() {
        problems.extend(build(&release, plan["planDir"].as_str().unwrap(), &head));
    }
    problems
}

/// Builds the instrumented release with the real go command, in both forms.
fn build(release: &Tree, plan_dir: &str, head: &Head) -> Vec<String> {
    let mut problems = Vec::new();
    for exact in [false, true] {
        let root = tempfile::tempdir().unwrap();
        support::write(
            root.path(),
            &support::instrument_tree(release, plan_dir, exact),
        );
        let dir = root.path().join(&head.dir);
        let built = support::go(&dir, &["build", "./..."]);
        problems.extend(built.err());
    }
    problems
}

/// The lines above the archive: options and expectations without a line of their own.
#[derive(Default)]
struct Head {
    options: Value,
    dir: String,
    /// Words of `flags`: `unbuilt`, `staged`, `crlf`, `bom`.
    flags: BTreeSet<String>,
    delete: BTreeSet<String>,
    /// `files` of the plan: `path reason added`.
    files: Vec<String>,
    /// `summary.other` of the plan: `kind path old new`.
    other: Vec<String>,
    /// Deletions at the top of a file: `path reason`.
    top: Vec<String>,
    /// Number of deletions, where files were deleted.
    deletions: Option<u64>,
}

impl Head {
    fn read(text: &str) -> Self {
        let mut head = Self {
            options: json!({}),
            ..Self::default()
        };
        for line in text.lines() {
            let Some((key, value)) = line.split_once(": ") else {
                continue;
            };
            let value = value.trim();
            match key {
                "granularity" => head.options["granularity"] = json!(value),
                "precision" => head.options["precision"] = json!(value.parse::<u8>().unwrap()),
                "config" | "build-view" => {
                    let key = if key == "config" { "config" } else { "build" };
                    head.options[key] = serde_json::from_str(value).unwrap();
                }
                "dir" => value.clone_into(&mut head.dir),
                "flags" => head.flags.extend(value.split(' ').map(str::to_owned)),
                "delete" => head.delete.extend(value.split(' ').map(str::to_owned)),
                "file" => head.files.push(value.to_owned()),
                "other" => head.other.push(value.to_owned()),
                "top" => head.top.push(value.to_owned()),
                "deletions" => head.deletions = value.parse().ok(),
                _ => {}
            }
        }
        head
    }

    fn has(&self, flag: &str) -> bool {
        self.flags.contains(flag)
    }

    /// The bytes that a text of the archive stands for.
    fn bytes(&self, content: Vec<u8>) -> Vec<u8> {
        let mut text = String::from_utf8(content).unwrap();
        if self.has("crlf") {
            text = text.replace('\n', "\r\n");
        }
        if self.has("bom") && text.starts_with("package") {
            text.insert(0, '\u{feff}');
        }
        text.into_bytes()
    }
}

impl Wants {
    /// Takes the expectations out of a file.
    fn take(&mut self, path: &str, content: &[u8]) -> Vec<u8> {
        let mut out = String::new();
        for (index, line) in std::str::from_utf8(content)
            .unwrap()
            .split_inclusive('\n')
            .enumerate()
        {
            let number = u32::try_from(index).unwrap() + 1;
            let (code, end) = line
                .strip_suffix('\n')
                .map_or((line, ""), |code| (code, "\n"));
            let (code, wants) = match code.find("// want ") {
                Some(at) => (code[..at].trim_end(), &code[at + 8..]),
                None => (code, ""),
            };
            for want in wants.split("; ").filter(|want| !want.is_empty()) {
                let (deletion, want) = want
                    .strip_prefix("deletion ")
                    .map_or((false, want), |want| (true, want));
                let map = if deletion {
                    &mut self.deletions
                } else {
                    &mut self.lines
                };
                map.insert((path.to_owned(), number), Want::read(want));
            }
            let mut rest = code;
            while let Some(at) = rest.find("/*@") {
                let end = at + rest[at..].find("*/").unwrap();
                let mut words = rest[at + 3..end].split(' ');
                let label = words.next().unwrap().to_owned();
                let kind = words.next().unwrap_or("change").to_owned();
                out.push_str(&rest[..at]);
                self.places
                    .insert((path.to_owned(), out.len() as u64), (label, kind));
                rest = &rest[end + 2..];
            }
            out.push_str(rest);
            out.push_str(end);
        }
        out.into_bytes()
    }

    /// Moves the places behind the byte order mark and the carriage returns.
    fn shift(&mut self, release: &Tree) {
        let places = std::mem::take(&mut self.places);
        for ((path, at), place) in places {
            let text = &release[&path];
            let mark = if text.starts_with(b"\xEF\xBB\xBF") {
                3
            } else {
                0
            };
            let mut plain = 0;
            let real = text[mark..].iter().position(|&byte| {
                let here = plain == at && byte != b'\r';
                plain += u64::from(byte != b'\r');
                here
            });
            self.places.insert(
                (path, (mark + real.unwrap_or(text.len() - mark)) as u64),
                place,
            );
        }
    }
}

impl Want {
    fn read(text: &str) -> Self {
        if let Some(reason) = text.strip_prefix("none: ") {
            return Self::None(reason.trim().to_owned());
        }
        let labels = text.strip_prefix("point").unwrap_or(text).trim();
        Self::Points(
            labels
                .split(' ')
                .filter(|l| !l.is_empty())
                .map(str::to_owned)
                .collect(),
        )
    }
}

/// Everything in which the plan differs from what is wanted.
fn compare(plan: &Value, wants: &Wants, head: &Head) -> Vec<String> {
    let labels = labels(plan, wants);
    let mut problems = labels.problems;
    let label = |id: &Value| {
        labels
            .by_id
            .get(id.as_str().unwrap())
            .cloned()
            .unwrap_or_default()
    };
    let mut seen = BTreeSet::new();
    for entry in plan["account"].as_array().unwrap() {
        let file = entry["file"].as_str().unwrap().to_owned();
        let number = |key: &str| {
            entry
                .get(key)
                .map(|n| u32::try_from(n.as_u64().unwrap()).unwrap())
        };
        let (deletion, line) = match (number("line"), number("deletedAfter")) {
            (Some(line), None) => (false, line),
            (None, Some(line)) => (true, line),
            other => panic!("line and deletedAfter: {other:?}"),
        };
        let got = match entry["reason"].as_str() {
            Some(reason) => Want::None(reason.to_owned()),
            None => Want::Points(
                entry["points"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(label)
                    .collect(),
            ),
        };
        if deletion && line == 0 {
            let Want::None(reason) = &got else {
                panic!("a point above the file")
            };
            if !head.top.contains(&format!("{file} {reason}")) {
                problems.push(format!("{file}:0: deletion {got:?}"));
            }
            continue;
        }
        seen.insert((deletion, file.clone(), line));
        let map = if deletion {
            &wants.deletions
        } else {
            &wants.lines
        };
        let want = map.get(&(file.clone(), line));
        if want != Some(&got) {
            problems.push(format!(
                "{file}:{line}: deletion={deletion}: want {want:?}, got {got:?}"
            ));
        }
    }
    for (deletion, map) in [(false, &wants.lines), (true, &wants.deletions)] {
        for ((file, line), want) in map {
            if !seen.contains(&(deletion, file.clone(), *line)) {
                problems.push(format!(
                    "{file}:{line}: deletion={deletion}: {want:?} is not in the account"
                ));
            }
        }
    }
    problems.extend(compare_sums(plan, head));
    problems
}

struct Labels {
    by_id: BTreeMap<String, String>,
    problems: Vec<String>,
}

/// Finds every point at the place that its label marks.
fn labels(plan: &Value, wants: &Wants) -> Labels {
    let mut labels = Labels {
        by_id: BTreeMap::new(),
        problems: Vec::new(),
    };
    let mut missing: BTreeSet<_> = wants.places.keys().cloned().collect();
    for package in support::packages(plan["planDir"].as_str().unwrap()) {
        let points = package["points"].as_array().unwrap();
        for file in package["files"].as_array().unwrap() {
            for edit in file["edits"].as_array().unwrap() {
                let text = edit["text"].as_str().unwrap();
                let Some(point) = counter(text).map(|counter| &points[counter]) else {
                    continue;
                };
                let key = (
                    point["file"].as_str().unwrap().to_owned(),
                    edit["at"].as_u64().unwrap(),
                );
                missing.remove(&key);
                match wants.places.get(&key) {
                    Some((label, kind)) if point["kind"] == kind.as_str() => {
                        labels
                            .by_id
                            .insert(point["id"].as_str().unwrap().to_owned(), label.clone());
                    }
                    other => labels
                        .problems
                        .push(format!("{key:?}: want {other:?}, got {point}")),
                }
            }
        }
    }
    labels
        .problems
        .extend(missing.iter().map(|key| format!("{key:?}: no point")));
    labels
}

/// The counter that an insertion names; `None` for a closing brace.
fn counter(text: &str) -> Option<usize> {
    let from = ["goat_c_", "goat_h_", "goat_w_"]
        .iter()
        .find_map(|name| text.find(name))?;
    let open = from + text[from..].find(['[', '('])?;
    let digits = text[open + 1..].split([']', ')', ',']).next()?;
    digits.parse().ok()
}

fn compare_sums(plan: &Value, head: &Head) -> Vec<String> {
    let mut problems = Vec::new();
    let text = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    let rows = |list: &Value, keys: &[&str]| {
        let row = |item: &Value| {
            let row: Vec<String> = keys.iter().map(|key| text(&item[*key])).collect();
            row.join(" ").trim_end().to_owned()
        };
        list.as_array().unwrap().iter().map(row).collect::<Vec<_>>()
    };
    let files = rows(&plan["files"], &["file", "reason", "added"]);
    if files != head.files {
        problems.push(format!("files: {files:?}"));
    }
    let other = rows(&plan["summary"]["other"], &["kind", "path", "old", "new"]);
    if other != head.other {
        problems.push(format!("other: {other:?}"));
    }
    let summary = &plan["summary"];
    let sum = |key: &str| summary[key].as_u64().unwrap();
    if sum("addedLines") != sum("tracked") + sum("notExecutable") + sum("untracked") {
        problems.push(format!("sums: {summary}"));
    }
    if head
        .deletions
        .is_some_and(|wanted| wanted != sum("deletions"))
    {
        problems.push(format!("deletions: {summary}"));
    }
    problems
}

#[test]
fn the_guide_names_every_reason() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let all: String = support::data("cases", "txtar")
        .iter()
        .map(|p| fs::read_to_string(p).unwrap())
        .collect();
    assert!(root.join("README.md").is_file());
    for reason in [
        "blank",
        "comment",
        "format",
        "package",
        "import",
        "type",
        "const",
        "var",
        "signature",
        "brace",
        "label",
        "directive",
        "ignore_tag",
        "syntax_error",
        "assembly_stub",
        "nosplit",
        "cgo_preamble",
        "blank_variable",
    ] {
        assert!(
            all.contains(&format!("want none: {reason}")),
            "no case for {reason}"
        );
    }
    for reason in [
        "generated",
        "build_constraint",
        "ignored",
        "other_module",
        "vendor",
        "not_in_build",
    ] {
        assert!(all.contains(&format!(" {reason} ")), "no case for {reason}");
    }
}
