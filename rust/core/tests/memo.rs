//! Kept answers: what `memoDir` gives is what a fresh plan gives, whatever happened to
//! the repository in between.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use support::{Tree, git};

struct Place {
    _dir: tempfile::TempDir,
    repo: PathBuf,
    memo: PathBuf,
    out: PathBuf,
}

const SVC: &str =
    "package svc\n\nfunc Do(n int) int {\n\tif n > 1 {\n\t\treturn 2\n\t}\n\treturn n\n}\n";

fn tree(files: &[(&str, &str)]) -> Tree {
    let files = files.iter();
    files
        .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
        .collect()
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let repo = root.join("repo");
        fs::create_dir(&repo).unwrap();
        let base = [
            ("go.mod", "module example.com/app\n\ngo 1.23\n"),
            ("main.go", "package main\n\nfunc main() { println(1) }\n"),
            (
                "svc/svc.go",
                "package svc\n\nfunc Do(n int) int { return n }\n",
            ),
            (".gitignore", "*_ignored.go\n/go.work\n"),
        ];
        let mut release = tree(&base);
        release.insert("svc/svc.go".into(), SVC.into());
        support::repository(&repo, &tree(&base), &release);
        git(&repo, &["tag", "first"]);
        Self {
            repo,
            memo: root.join("memo"),
            out: root.join("plans"),
            _dir: dir,
        }
    }

    fn plan(&self, memo: bool) -> Value {
        let memo = if memo {
            self.memo.as_path()
        } else {
            Path::new("")
        };
        fs::create_dir_all(&self.out).unwrap();
        let options = json!({ "outDir": self.out, "memoDir": memo, "base": "first" });
        support::plan(&self.repo, &options).unwrap()
    }

    fn kept(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.memo).into_iter().flatten();
        let paths = entries.map(|entry| entry.unwrap().path());
        let answer = |path: &PathBuf| path.extension().is_some_and(|ext| ext == "json");
        let mut paths: Vec<PathBuf> = paths.filter(answer).collect();
        paths.sort();
        paths
    }

    /// Plans until an answer has been kept: not while a file is so new that it could
    /// change once more without looking different.
    fn settle(&self) -> PathBuf {
        let before = self.kept();
        loop {
            self.plan(true);
            if let Some(new) = self.kept().into_iter().find(|path| !before.contains(path)) {
                return new;
            }
        }
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.repo.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

/// Puts a word into a kept answer, so that its use can be seen.
fn sign(kept: &Path) {
    let text = fs::read_to_string(kept).unwrap();
    let (_, text) = text.split_once('\n').unwrap();
    let mut value: Value = serde_json::from_str(text).unwrap();
    let answer = value["answer"].as_str().unwrap();
    let mut answer: Value = serde_json::from_str(answer).unwrap();
    answer["signed"] = true.into();
    value["answer"] = answer.to_string().into();
    let text = value.to_string();
    let seal = goat_core::plan::short_sum(text.as_bytes());
    fs::write(kept, format!("{seal}\n{text}")).unwrap();
}

/// A module of its own is no part of the plan, whether git knows its go.mod, ignores it or
/// finds it in a directory that it does not track.
#[test]
fn a_module_that_appears_is_seen() {
    let place = Place::new();
    let write = |path: &str, text: &str| place.write(path, text);
    write(
        "svc/deep/deep.go",
        "package deep\n\nfunc F() { println(2) }\n",
    );
    for ignored in [false, true] {
        let rules = if ignored { "go.mod\n" } else { "" };
        write(".gitignore", &format!("*_ignored.go\n/go.work\n{rules}"));
        place.settle();
        let before = place.plan(false);
        write("svc/deep/go.mod", "module example.com/deep\n");
        let (warm, fresh) = (place.plan(true), place.plan(false));
        assert_eq!(warm, fresh, "ignored {ignored}");
        assert_ne!(fresh["planHash"], before["planHash"]);
        fs::remove_file(place.repo.join("svc/deep/go.mod")).unwrap();
        assert_eq!(place.plan(true), before);
    }
}

/// git follows no link to a directory: what lies behind one is gone, though its stat data are
/// those of before and the link itself is ignored.
#[cfg(unix)]
#[test]
fn a_directory_that_becomes_a_link_is_seen() {
    let place = Place::new();
    place.write(".gitignore", "/svc\n");
    place.settle();
    let before = place.plan(false);
    let (dir, aside) = (place.repo.join("svc"), place.out.join("aside"));
    fs::rename(&dir, &aside).unwrap();
    std::os::unix::fs::symlink(&aside, &dir).unwrap();
    let (warm, fresh) = (place.plan(true), place.plan(false));
    assert_eq!(warm, fresh);
    assert_ne!(fresh["planHash"], before["planHash"]);
}

#[test]
fn a_damaged_answer_is_not_believed() {
    let place = Place::new();
    let fresh = place.plan(false);
    let kept = place.settle();
    let whole = fs::read(&kept).unwrap();
    for at in [0, 5, whole.len() / 2, whole.len() - 2] {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        fs::write(&kept, damaged).unwrap();
        assert_eq!(place.plan(true), fresh, "byte {at}");
        fs::write(&kept, &whole).unwrap();
    }
}

#[test]
fn the_same_question_is_answered_once() {
    let place = Place::new();
    let fresh = place.plan(false);
    sign(&place.settle());
    let kept = place.plan(true);
    assert_eq!(kept["signed"], true, "the kept answer is used");
    assert_eq!(kept["points"], fresh["points"]);
    assert_eq!(kept["planHash"], fresh["planHash"]);
    assert!(place.plan(false).get("signed").is_none());
}

#[test]
fn another_question_is_another_answer() {
    let place = Place::new();
    sign(&place.settle());
    let ask = |more: Value| {
        let mut options = json!({ "outDir": place.out, "memoDir": place.memo, "base": "first" });
        for (key, value) in more.as_object().unwrap() {
            options[key] = value.clone();
        }
        support::plan(&place.repo, &options).unwrap()
    };
    assert_eq!(ask(json!({}))["signed"], true);
    for more in [
        json!({ "granularity": "line" }),
        json!({ "precision": 1 }),
        json!({ "brief": true }),
        json!({ "exact": true }),
        json!({ "config": { "ignores": ["svc"] } }),
        json!({ "base": "INIT" }),
        json!({ "build": { "goos": "linux", "goarch": "amd64" } }),
    ] {
        assert!(ask(more.clone()).get("signed").is_none(), "{more}");
    }
    assert!(
        ask(json!({ "brief": true }))["points"]
            .as_array()
            .unwrap()
            .is_empty()
    );
}

/// A name, and what happens to the repository.
type Event = (&'static str, fn(&Place));

const EVENTS: &[Event] = &[
    ("a tracked file is edited", |p| {
        p.write("svc/svc.go", &SVC.replace("return 2", "return 3"));
    }),
    ("a file is edited that has not changed so far", |p| {
        p.write("main.go", "package main\n\nfunc main() { println(2) }\n");
    }),
    ("a file git does not know appears", |p| {
        p.write("svc/new.go", "package svc\n\nfunc New() { println() }\n");
    }),
    ("it is edited, with the same length", |p| {
        p.write("svc/new.go", "package svc\n\nfunc Old() { println() }\n");
    }),
    ("an ignored file appears", |p| {
        p.write("svc/x_ignored.go", "package svc\n\nfunc X() {}\n");
    }),
    ("go.mod changes", |p| {
        p.write("go.mod", "module example.com/other\n\ngo 1.23\n");
    }),
    ("a module appears below", |p| {
        p.write("svc/go.mod", "module example.com/svc\n\ngo 1.23\n");
    }),
    ("an ignored go.work appears", |p| {
        p.write("go.work", "go 1.23\n\nuse (\n\t.\n\t./svc\n)\n");
    }),
    ("the ignored go.work changes", |p| {
        p.write("go.work", "go 1.23\n\nuse .\n");
    }),
    ("everything is committed", |p| {
        git(&p.repo, &["add", "-A"]);
        git(&p.repo, &["commit", "-q", "-m", "second"]);
    }),
    ("the base moves", |p| {
        git(&p.repo, &["tag", "-f", "first", "HEAD"]);
    }),
    ("attributes hide a file from the diff", |p| {
        p.write(".git/info/attributes", "*.go -diff\n");
        p.write("svc/svc.go", &SVC.replace("return 2", "return 4"));
    }),
    ("a file goes", |p| {
        fs::remove_file(p.repo.join("svc/new.go")).unwrap();
    }),
    ("a file becomes executable", |p| {
        git(&p.repo, &["update-index", "--chmod=+x", "main.go"]);
    }),
    ("the commit is replaced", |p| {
        git(&p.repo, &["replace", "first", "first~1"]);
    }),
    ("the plan directory is gone", |p| {
        fs::remove_dir_all(&p.out).unwrap();
    }),
    ("a file of the plan directory is gone", |p| {
        let hash = p.plan(false)["planHash"].as_str().unwrap().to_owned();
        fs::remove_dir_all(p.out.join(hash)).unwrap();
    }),
    ("kept answers are cut off", |p| {
        for path in p.kept() {
            let file = fs::File::options().write(true).open(path).unwrap();
            file.set_len(20).unwrap();
        }
    }),
];

#[test]
fn a_kept_answer_is_the_fresh_one_whatever_happens() {
    let place = Place::new();
    for (name, event) in EVENTS {
        place.settle_or_use();
        event(&place);
        let kept = place.plan(true);
        let directory = PathBuf::from(kept["planDir"].as_str().unwrap());
        assert!(directory.join("index.json").is_file(), "{name}");
        assert_eq!(kept, place.plan(false), "{name}");
    }
    // Asking twice in a row, with time to settle, gives the same once more.
    place.settle_or_use();
    assert_eq!(place.plan(true), place.plan(false));
}

impl Place {
    /// Plans until what is asked here has been kept, if it has not been before.
    fn settle_or_use(&self) {
        let used = |path: &PathBuf| fs::metadata(path).unwrap().modified().unwrap();
        let before: Vec<_> = self.kept().iter().map(used).collect();
        loop {
            self.plan(true);
            let now: Vec<_> = self.kept().iter().map(used).collect();
            if now != before {
                return;
            }
        }
    }
}
