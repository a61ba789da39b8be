//! Requests that cannot be answered, and what is said then.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::path::Path;

use goat_core::{Control, descriptors};
use serde_json::{Value, json};

fn repository() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let tree = [
        ("go.mod", "module example.com/app\n"),
        ("a.go", "package app\n"),
    ];
    let tree = tree
        .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()))
        .into();
    support::repository(root.path(), &tree, &tree);
    root
}

fn code(error: &Value) -> &str {
    assert!(!error["message"].as_str().unwrap().is_empty());
    error["code"].as_str().unwrap()
}

#[test]
fn requests_that_are_not_understood() {
    for request in [
        json!({}),
        json!({ "format": 1, "op": "dance" }),
        json!({ "format": 2, "op": "version" }),
        json!({ "format": 1, "op": "plan" }),
        json!({ "format": 1, "op": "plan", "dir": ".", "colour": "red" }),
        json!({ "format": 1, "op": "plan", "dir": ".", "config": { "race": true } }),
    ] {
        assert_eq!(
            code(&support::request(&request).unwrap_err()),
            "bad_request",
            "{request}"
        );
    }
    let answer = goat_core::run(b"\xff{", &Control::new());
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!(code(&answer["error"]), "bad_request");
}

#[test]
fn values_that_are_not_allowed() {
    let root = repository();
    for more in [
        json!({ "granularity": "word" }),
        json!({ "precision": 4 }),
        json!({ "range": "x..y" }),
        json!({ "config": { "dataType": "float" } }),
        json!({ "config": { "ignores": ["a{"] } }),
        json!({ "config": { "workspace": "none.work" } }),
    ] {
        let result = support::plan(root.path(), &more);
        let Err(error) = result else {
            panic!("{more} is taken")
        };
        assert_eq!(code(&error), "bad_config", "{more}");
        assert!(!error["hint"].as_str().unwrap().is_empty());
    }
}

#[test]
fn places_without_a_plan() {
    let root = tempfile::tempdir().unwrap();
    assert_eq!(
        code(&support::plan(root.path(), &json!({})).unwrap_err()),
        "not_a_repository"
    );
    let root = repository();
    let unknown = support::plan(root.path(), &json!({ "base": "mian" })).unwrap_err();
    assert_eq!(code(&unknown), "unknown_ref");
    std::fs::remove_file(root.path().join("go.mod")).unwrap();
    let error = support::plan(root.path(), &json!({})).unwrap_err();
    assert_eq!(code(&error), "no_go_mod");
    assert!(error["hint"].as_str().unwrap().contains("go mod init"));
}

#[test]
fn a_plan_directory_that_cannot_be_written() {
    let root = repository();
    let file = root.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = support::plan(root.path(), &json!({ "outDir": file.join("below") })).unwrap_err();
    assert_eq!(code(&error), "unwritable");
}

#[test]
fn a_cancelled_plan_leaves_nothing() {
    let root = repository();
    let out = root.path().join("out");
    let request =
        json!({ "format": 1, "op": "plan", "dir": root.path(), "base": "HEAD", "outDir": out });
    let control = Control::new();
    control.cancel();
    let answer = goat_core::run(request.to_string().as_bytes(), &control);
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!(code(&answer["error"]), "cancelled");
    assert!(!out.exists());
}

#[test]
fn an_equal_plan_is_written_once() {
    let root = repository();
    let out = root.path().join("out");
    std::fs::write(root.path().join(".git/info/exclude"), "out\n").unwrap();
    let first = support::plan(root.path(), &json!({ "outDir": out })).unwrap();
    let dir = Path::new(first["planDir"].as_str().unwrap());
    let stamp = dir
        .join("index.json")
        .metadata()
        .unwrap()
        .modified()
        .unwrap();
    let second = support::plan(root.path(), &json!({ "outDir": out })).unwrap();
    assert_eq!(first, second);
    assert_eq!(
        dir.join("index.json")
            .metadata()
            .unwrap()
            .modified()
            .unwrap(),
        stamp
    );
    assert_eq!(std::fs::read_dir(&out).unwrap().count(), 1);
}

#[test]
fn a_damaged_plan_directory_is_made_whole() {
    let root = repository();
    let out = root.path().join("out");
    std::fs::write(root.path().join(".git/info/exclude"), "out\n").unwrap();
    std::fs::write(
        root.path().join("a.go"),
        "package app\n\nfunc f() { println() }\n",
    )
    .unwrap();
    let plan = || support::plan(root.path(), &json!({ "outDir": out })).unwrap();
    let first = plan();
    let dir = Path::new(first["planDir"].as_str().unwrap());
    let document = std::fs::read_dir(dir.join("p"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    for name in [dir.join("index.json"), document] {
        let whole = std::fs::read(&name).unwrap();
        std::fs::write(&name, &whole[..whole.len() / 2]).unwrap();
        assert_eq!(plan(), first);
        assert_eq!(std::fs::read(&name).unwrap(), whole);
        std::fs::remove_file(&name).unwrap();
        assert_eq!(plan(), first);
        assert_eq!(std::fs::read(&name).unwrap(), whole);
    }
    std::fs::remove_dir_all(dir.join("s")).unwrap();
    plan();
    assert!(dir.join("s").read_dir().unwrap().next().is_some());
    assert_eq!(std::fs::read_dir(&out).unwrap().count(), 1);
}

#[test]
fn no_change_is_no_error() {
    let root = repository();
    let plan = support::plan(root.path(), &json!({})).unwrap();
    assert_eq!(plan["summary"]["points"], 0);
    assert_eq!(plan["summary"]["addedLines"], 0);
}

#[test]
fn the_descriptors_are_found() {
    let found = descriptors(br#"{"op":"plan","controlFd":3,"progressFd":4,"unknown":1}"#);
    assert_eq!((found.control, found.progress), (3, 4));
    let none = descriptors(b"no json");
    assert_eq!((none.control, none.progress), (-1, -1));
}

#[test]
fn inspect_shows_a_file() {
    let source = "package a\n\nfunc f() {\n\tif true {\n\t\tgo func() {}()\n\t}\n}\n";
    let shown =
        support::request(&json!({ "format": 1, "op": "inspect", "source": source })).unwrap();
    assert_eq!(shown["package"], "a");
    assert_eq!(shown["functions"].as_array().unwrap().len(), 2);
    assert_eq!(shown["statements"][0]["kind"], "if");
    assert_eq!(shown["errors"], json!([]));
}

#[test]
fn instrument_refuses_another_source() {
    let root = repository();
    let out = root.path().join("out");
    std::fs::write(
        root.path().join("a.go"),
        "package app\n\nfunc f() { println() }\n",
    )
    .unwrap();
    let plan = support::plan(root.path(), &json!({ "outDir": out })).unwrap();
    let package = &support::packages(plan["planDir"].as_str().unwrap())[0];
    let request = |source: &str, package: &Value| json!({ "format": 1, "op": "instrument", "source": source, "package": package, "file": "a.go" });
    let error = support::request(&request("package", package)).unwrap_err();
    assert_eq!(code(&error), "plan_mismatch");
    let mut other = package.clone();
    other["format"] = json!(2);
    let error = support::request(&request("package app", &other)).unwrap_err();
    assert_eq!(code(&error), "plan_mismatch");
}

/// What cannot be read stands in the account, and a warning says why.
#[test]
fn an_unreadable_file_is_named_with_the_cause() {
    let root = repository();
    let write = |path: &str, text: &str| std::fs::write(root.path().join(path), text).unwrap();
    support::git(root.path(), &["config", "filter.secret.clean", "cat"]);
    write(".gitattributes", "a.go filter=secret\n");
    write("a.go", "package app\n\nfunc f() { println() }\n");
    let plan = support::plan(root.path(), &json!({})).unwrap();
    assert_eq!(plan["files"][0]["reason"], "unreadable");
    let warning = &plan["warnings"][0];
    assert_eq!(warning["path"], "a.go");
    let message = warning["message"].as_str().unwrap();
    assert!(
        message.starts_with("not tracked: ") && message.contains("secret"),
        "{message}"
    );
}
