//! The acceptance corpus (testdata/cases/README.md) through the core alone: the
//! points of every case are those that its author expects.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use goat_core::Control;
use serde_json::{Value, json};

#[derive(Default)]
struct Case {
    header: Vec<(String, String)>,
    trees: BTreeMap<String, BTreeMap<String, String>>,
    /// `path:line kind` of the expected points.
    points: Vec<String>,
    /// Lines without a point, and why.
    none: Vec<(String, u64, String)>,
}

const KEYS: &[&str] = &[
    "granularity",
    "precision",
    "range",
    "dir",
    "commit",
    "crlf",
    "bom",
    "noeol",
    "want-file",
];

impl Case {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let mut case = Self::default();
        let mut file: Option<(String, String)> = None;
        for line in text.split_inclusive('\n') {
            let name = line
                .trim_end()
                .strip_prefix("-- ")
                .and_then(|rest| rest.strip_suffix(" --"));
            match (name, &mut file) {
                (Some(name), _) => {
                    case.take(file.replace((name.to_owned(), String::new())));
                }
                (None, Some((_, body))) => body.push_str(line),
                (None, None) => case.head(line.trim_end()),
            }
        }
        case.take(file);
        case
    }

    fn head(&mut self, line: &str) {
        if let Some((key, value)) = line.split_once(": ")
            && KEYS.contains(&key)
        {
            self.header.push((key.to_owned(), value.trim().to_owned()));
        }
    }

    fn all<'c>(&'c self, key: &'c str) -> impl Iterator<Item = &'c str> {
        self.header
            .iter()
            .filter(move |(known, _)| known == key)
            .map(|(_, value)| value.as_str())
    }

    fn one<'c>(&'c self, key: &'c str, fallback: &'c str) -> &'c str {
        self.all(key).next().unwrap_or(fallback)
    }

    fn take(&mut self, file: Option<(String, String)>) {
        let Some((name, body)) = file else { return };
        if name == "want" {
            for line in body.lines() {
                let (place, expectation) = line.split_once(' ').unwrap();
                let (path, line) = place.split_once(':').unwrap();
                self.expect(path, line.parse().unwrap(), expectation);
            }
            return;
        }
        let (tree, path) = name.split_once('/').unwrap();
        let body = if tree == "release" && Path::new(&name).extension().is_some_and(|e| e == "go") {
            self.without_wants(path, &body)
        } else {
            body
        };
        self.trees
            .entry(tree.to_owned())
            .or_default()
            .insert(path.to_owned(), body);
    }

    fn without_wants(&mut self, path: &str, body: &str) -> String {
        let mut plain = String::new();
        for (line, text) in (1..).zip(body.lines()) {
            let (code, expectation) = match text.split_once("// want ") {
                Some((code, expectation)) => (code.trim_end(), Some(expectation)),
                None => (text, None),
            };
            if let Some(expectation) = expectation {
                self.expect(path, line, expectation);
            }
            plain.push_str(code);
            plain.push('\n');
        }
        plain
    }

    fn expect(&mut self, path: &str, line: u64, expectation: &str) {
        if let Some(reason) = expectation.strip_prefix("none: ") {
            self.none
                .push((path.to_owned(), line, reason.trim().to_owned()));
            return;
        }
        for item in expectation.split(',') {
            let kind = item
                .split_whitespace()
                .find_map(|word| word.strip_prefix("kind="));
            self.points
                .push(format!("{path}:{line} {}", kind.unwrap_or("change")));
        }
    }

    fn bytes(&self, path: &str, text: &str) -> Vec<u8> {
        let has = |key: &str| self.all(key).any(|value| value == path);
        let mut text = text.to_owned();
        if has("noeol") {
            text.pop();
        }
        if has("crlf") {
            text = text.replace('\n', "\r\n");
        }
        if has("bom") {
            text.insert(0, '\u{feff}');
        }
        text.into_bytes()
    }

    fn write(&self, root: &Path, tree: &str) {
        for entry in fs::read_dir(root)
            .unwrap()
            .flatten()
            .filter(|e| e.file_name() != ".git")
        {
            let path = entry.path();
            if path.is_dir() {
                fs::remove_dir_all(path).unwrap();
            } else {
                fs::remove_file(path).unwrap();
            }
        }
        let files = &self.trees[tree];
        let put = |name: &str, content: &[u8]| {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        };
        for (name, text) in files {
            put(name, &self.bytes(name, text));
        }
        if !files.keys().any(|name| name.ends_with("go.mod")) {
            put("go.mod", b"module example.com/app\n\ngo 1.23\n");
        }
    }
}

fn git(root: &Path, args: &[&str]) {
    let output = Command::new("git")
        .args([
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.com",
            "-c",
            "core.autocrlf=false",
        ])
        .args(args)
        .current_dir(root)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(output.status.success(), "git {args:?}: {output:?}");
}

fn commit(case: &Case, root: &Path, tree: &str) {
    case.write(root, tree);
    git(root, &["add", "-A"]);
    git(root, &["commit", "-q", "--allow-empty", "-m", tree]);
}

fn repository(case: &Case, root: &Path) {
    git(root, &["init", "-q", "-b", "main"]);
    let fork = case.trees.contains_key("fork");
    commit(case, root, if fork { "fork" } else { "base" });
    git(root, &["checkout", "-q", "-b", "release"]);
    if fork {
        git(root, &["checkout", "-q", "main"]);
        commit(case, root, "base");
        git(root, &["checkout", "-q", "release"]);
    }
    if case.one("commit", "yes") == "no" {
        case.write(root, "release");
    } else {
        commit(case, root, "release");
    }
}

/// The list of `ignores: ["a", "b"]` in a case's goat.yaml.
fn ignores(case: &Case) -> Value {
    let yaml = case.trees["release"].get("goat.yaml");
    let line = yaml.and_then(|text| text.lines().find_map(|line| line.strip_prefix("ignores: ")));
    line.map_or(json!([]), |list| serde_json::from_str(list).unwrap())
}

fn plan(case: &Case, root: &Path) -> Value {
    let precision: u8 = case.one("precision", "2").parse().unwrap();
    let request = json!({
        "format": 1, "op": "plan", "dir": root.join(case.one("dir", ".")), "base": "main",
        "range": case.one("range", ""), "precision": precision,
        "granularity": case.one("granularity", ""), "config": {"ignores": ignores(case)},
    });
    let answer = goat_core::run(request.to_string().as_bytes(), &Control::new());
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    assert!(answer.get("error").is_none(), "{answer}");
    answer["result"].clone()
}

/// What is wrong with a case; empty if nothing is.
fn check(path: &Path) -> String {
    let mut case = Case::read(path);
    let root = tempfile::tempdir().unwrap();
    repository(&case, root.path());
    let plan = plan(&case, root.path());
    // A file that only a build leaves out has its points in a plan for all builds.
    let left_out: Vec<&str> = case
        .all("want-file")
        .filter_map(|f| f.split(' ').next())
        .collect();
    let points = plan["points"].as_array().unwrap().iter();
    let mut got: Vec<String> = points
        .filter(|point| !left_out.contains(&point["file"].as_str().unwrap()))
        .map(|p| {
            format!(
                "{}:{} {}",
                p["file"].as_str().unwrap(),
                p["start"]["line"],
                p["kind"].as_str().unwrap()
            )
        })
        .collect();
    got.sort();
    let mut wrong = String::new();
    let mut want = std::mem::take(&mut case.points);
    want.sort();
    if got != want {
        writeln!(wrong, "points {got:?}, want {want:?}").unwrap();
    }
    for (file, line, reason) in &case.none {
        let account = plan["account"].as_array().unwrap().iter();
        let found = account
            .clone()
            .find(|e| e["file"] == **file && e["line"] == *line);
        let got = found.map_or(&Value::Null, |entry| &entry["reason"]);
        if *got != **reason {
            writeln!(wrong, "{file}:{line}: {got}, want {reason}").unwrap();
        }
    }
    wrong
}

#[test]
fn every_case_has_the_points_that_its_author_expects() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/cases");
    let files = fs::read_dir(folder)
        .unwrap()
        .flatten()
        .map(|entry| entry.path());
    let mut files: Vec<PathBuf> = files
        .filter(|path| path.extension().is_some_and(|ending| ending == "txtar"))
        .collect();
    files.sort();
    assert!(files.len() > 50);
    let wrong: Vec<String> = files
        .iter()
        .map(|path| (path, check(path)))
        .filter(|(_, wrong)| !wrong.is_empty())
        .map(|(path, wrong)| format!("{}: {wrong}", path.file_stem().unwrap().display()))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
