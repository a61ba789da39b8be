//! What the tests of the core share: real repositories, real plans, real builds.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use goat_core::Control;
use serde_json::{Value, json};

/// Relative path and content.
pub type Tree = BTreeMap<String, Vec<u8>>;

/// Runs a request; the error is the wire error.
pub fn request(request: &Value) -> Result<Value, Value> {
    let answer = goat_core::run(request.to_string().as_bytes(), &Control::new());
    let mut answer: Value = serde_json::from_slice(&answer).unwrap();
    match answer.get_mut("result") {
        Some(result) => Ok(result.take()),
        None => Err(answer["error"].take()),
    }
}

/// A plan request for a directory with more fields.
pub fn plan(dir: &Path, more: &Value) -> Result<Value, Value> {
    let mut all = json!({ "format": 1, "op": "plan", "dir": dir, "base": "HEAD" });
    for (key, value) in more.as_object().unwrap() {
        all[key] = value.clone();
    }
    request(&all)
}

/// Runs git in a directory and gives what it prints.
pub fn git(dir: &Path, args: &[&str]) -> String {
    let identity = [
        "-c",
        "user.name=t",
        "-c",
        "user.email=t@example.com",
        "-c",
        "core.autocrlf=false",
    ];
    let output = Command::new("git")
        .args(identity)
        .args(args)
        .current_dir(dir)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {args:?}: {error}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Commits the index at a fixed moment, so that the commit is the same everywhere.
pub fn commit_at(dir: &Path, date: &str) {
    let status = Command::new("git")
        .args(["-c", "user.name=t", "-c", "user.email=t@example.com"])
        .args(["commit", "-q", "-m", "base", "--date", date])
        .env("GIT_COMMITTER_DATE", date)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .current_dir(dir)
        .status()
        .unwrap();
    assert!(status.success());
}

/// Writes files below a directory.
pub fn write(dir: &Path, tree: &Tree) {
    for (path, content) in tree {
        let path = dir.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

/// A repository whose HEAD holds `base` and whose working tree holds `release`.
pub fn repository(dir: &Path, base: &Tree, release: &Tree) {
    git(dir, &["init", "-q", "-b", "main"]);
    write(dir, base);
    git(dir, &["add", "-A", "-f"]);
    git(dir, &["commit", "-q", "--allow-empty", "-m", "base"]);
    for path in base.keys().filter(|path| !release.contains_key(*path)) {
        fs::remove_file(dir.join(path)).unwrap();
    }
    write(dir, release);
}

/// One JSON document of a plan directory.
pub fn document(plan_dir: &str, name: &str) -> Value {
    let path = Path::new(plan_dir).join(name);
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// The documents of the packages with points.
pub fn packages(plan_dir: &str) -> Vec<Value> {
    let index = document(plan_dir, "index.json");
    let packages = index["packages"].as_array().unwrap();
    packages
        .iter()
        .map(|p| document(plan_dir, p["doc"].as_str().unwrap()))
        .collect()
}

/// The source of a file with a document's edits applied, by the public operation.
pub fn instrumented(source: &[u8], package: &Value, file: &str, exact: bool) -> Vec<u8> {
    let answer = request(&json!({
        "format": 1, "op": "instrument", "source": String::from_utf8_lossy(source),
        "package": package, "file": file, "exact": exact,
    }));
    answer.unwrap()["source"]
        .as_str()
        .unwrap()
        .as_bytes()
        .to_vec()
}

/// What `instrument` inserts is taken out again.
pub fn stripped(instrumented: &[u8], package: &Value, file: &str, exact: bool) -> Vec<u8> {
    let files = package["files"].as_array().unwrap();
    let entry = files.iter().find(|entry| entry["name"] == file).unwrap();
    let mut out = Vec::new();
    let (mut from, mut original) = (0, 0);
    for edit in entry["edits"].as_array().unwrap() {
        let at = usize::try_from(edit["at"].as_u64().unwrap()).unwrap();
        let text = if exact {
            edit.get("exact").unwrap_or(&edit["text"])
        } else {
            &edit["text"]
        };
        let text = text.as_str().unwrap().as_bytes();
        out.extend_from_slice(&instrumented[from..from + at - original]);
        from += at - original;
        original = at;
        assert_eq!(&instrumented[from..from + text.len()], text);
        from += text.len();
    }
    out.extend_from_slice(&instrumented[from..]);
    out
}

/// Copies a tree and puts every package's points into the copy.
pub fn instrument_tree(tree: &Tree, plan_dir: &str, exact: bool) -> Tree {
    let mut copy = tree.clone();
    for package in packages(plan_dir) {
        let dir = package["dir"].as_str().unwrap();
        let join = |name: &str| {
            if dir.is_empty() {
                name.to_owned()
            } else {
                format!("{dir}/{name}")
            }
        };
        for file in package["files"].as_array().unwrap() {
            let name = file["name"].as_str().unwrap();
            let source = &tree[&join(name)];
            let rewritten = instrumented(source, &package, name, exact);
            assert_eq!(
                &stripped(&rewritten, &package, name, exact),
                source,
                "{name}"
            );
            copy.insert(join(name), rewritten);
        }
        let added = &package["added"];
        let name = added["name"].as_str().unwrap();
        copy.insert(
            join(name),
            added["text"].as_str().unwrap().as_bytes().to_vec(),
        );
    }
    copy
}

/// Runs the go command; the error is what it prints.
pub fn go(dir: &Path, args: &[&str]) -> Result<String, String> {
    let output = Command::new("go")
        .args(args)
        .current_dir(dir)
        .env("GOWORK", "off")
        .env("GOFLAGS", "-buildvcs=false")
        .env("GOTOOLCHAIN", "local")
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(text(&output.stderr))
    }
}

/// Reads a txtar archive: the comment and the files.
pub fn txtar(text: &str) -> (String, Tree) {
    let mut comment = String::new();
    let mut tree = Tree::new();
    let mut current: Option<String> = None;
    for line in text.split_inclusive('\n') {
        let name = line
            .trim_end()
            .strip_prefix("-- ")
            .and_then(|rest| rest.strip_suffix(" --"));
        if let Some(name) = name {
            tree.insert(name.trim().to_owned(), Vec::new());
            current = Some(name.trim().to_owned());
        } else if let Some(name) = &current {
            tree.get_mut(name)
                .unwrap()
                .extend_from_slice(line.as_bytes());
        } else {
            comment.push_str(line);
        }
    }
    (comment, tree)
}

/// All files of a folder of the tests with an extension, sorted.
pub fn data(folder: &str, extension: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(folder);
    let mut found: Vec<PathBuf> = fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == extension))
        .collect();
    found.sort();
    assert!(!found.is_empty());
    found
}
