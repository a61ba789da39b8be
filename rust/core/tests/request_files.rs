//! The operation `files`: texts of both sides, from git alone.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::fs;
use std::path::Path;

use goat_core::Control;
use serde_json::{Value, json};

fn ask(dir: &Path, mut request: Value) -> Value {
    let object = request.as_object_mut().unwrap();
    object.insert("format".into(), 1.into());
    object.insert("op".into(), "files".into());
    object.insert("dir".into(), dir.to_str().unwrap().into());
    let answer = goat_core::run(request.to_string().as_bytes(), &Control::new());
    serde_json::from_slice(&answer).unwrap()
}

/// `path: base text -> release text` of each file.
fn told(answer: &Value) -> Vec<String> {
    let files = answer["result"]["files"].as_array();
    let files = files.unwrap_or_else(|| panic!("{answer}"));
    files
        .iter()
        .map(|f| format!("{}: {} -> {}", f["path"], f["base"], f["release"]))
        .collect()
}

#[test]
fn both_sides_are_read() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path();
    let write = |path: &str, text: &[u8]| {
        let path = dir.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    support::git(dir, &["init", "-q", "-b", "main"]);
    write("api/a.yaml", b"one\n");
    write("api/gone.yaml", b"gone\n");
    write("api/deep/b.yaml", b"deep\n");
    write("x.txt", b"x\n");
    write(".gitignore", b"ignored.yaml\n");
    support::git(dir, &["add", "-A"]);
    support::commit_at(dir, "2024-01-01T00:00:00Z");
    support::git(dir, &["tag", "v1"]);
    write("api/a.yaml", b"two\n");
    fs::remove_file(dir.join("api/gone.yaml")).unwrap();
    write("api/new.yaml", b"new\n");
    write("api/ignored.yaml", b"ignored\n");
    write("api/binary.yaml", b"\xff\xfe");

    let answer = ask(dir, json!({"base": "v1", "patterns": ["api/*.yaml"]}));
    assert_eq!(
        told(&answer),
        [
            r#""api/a.yaml": "one\n" -> "two\n""#,
            r#""api/binary.yaml": null -> null"#,
            r#""api/gone.yaml": "gone\n" -> null"#,
            r#""api/new.yaml": null -> "new\n""#,
        ]
    );
    assert_eq!(
        answer["result"]["files"][1]["problem"],
        "the release's text is not UTF-8"
    );
    assert_eq!(answer["result"]["release"]["worktree"], true);

    let answer = ask(dir, json!({"base": "v1", "patterns": ["**/*.yaml"]}));
    assert_eq!(told(&answer).len(), 5);
    let answer = ask(
        dir,
        json!({"base": "v1", "patterns": ["**/*.yaml", "!**/deep/**", "!api/new.*"]}),
    );
    assert_eq!(told(&answer).len(), 3);

    support::git(dir, &["add", "-A"]);
    support::commit_at(dir, "2024-01-02T00:00:00Z");
    support::git(dir, &["tag", "v2"]);
    write("api/a.yaml", b"three\n");
    let answer = ask(
        dir,
        json!({"base": "v1", "release": "v1", "patterns": ["api/a.yaml"]}),
    );
    assert_eq!(told(&answer), [r#""api/a.yaml": "one\n" -> "one\n""#]);
}

#[test]
fn what_cannot_be_asked_is_refused() {
    let root = tempfile::tempdir().unwrap();
    support::git(root.path(), &["init", "-q", "-b", "main"]);
    for request in [
        json!({"patterns": ["[a"]}),
        json!({"patterns": [], "range": "sideways"}),
        json!({"patterns": [], "unknown": 1}),
        json!({"patterns": ["a"], "base": "no-such-ref"}),
    ] {
        let answer = ask(root.path(), request.clone());
        assert!(
            answer["error"]["message"].is_string(),
            "{request}: {answer}"
        );
    }
    assert_eq!(
        ask(root.path(), json!({"patterns": ["**"]}))["result"]["files"],
        json!([])
    );
}
