//! Whatever a change looks like, `clean` undoes `track` byte for byte.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;
mod grammar;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use goat_core::Control;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

/// Real files with many forms of statements, below GOROOT/src.
const FILES: &[&str] = &[
    "bufio/scan.go",
    "encoding/json/decode.go",
    "go/printer/nodes.go",
    "net/http/server.go",
    "net/url/url.go",
    "os/exec/exec.go",
    "regexp/syntax/parse.go",
    "sync/waitgroup.go",
    "text/template/exec.go",
    "time/format.go",
];

/// A change of one line.
#[derive(Clone, Copy, Debug)]
enum Edit {
    Delete,
    Double,
    /// Puts the line and the next one together, as people do with short bodies.
    Join,
    /// Other code: the first digit or letter becomes another.
    Touch,
    Comment,
    Insert,
}

fn edits() -> impl Strategy<Value = Vec<(Index, Edit)>> {
    let edit = prop_oneof![
        Just(Edit::Delete),
        Just(Edit::Double),
        Just(Edit::Join),
        Just(Edit::Touch),
        Just(Edit::Comment),
        Just(Edit::Insert),
    ];
    proptest::collection::vec((any::<Index>(), edit), 1..30)
}

fn apply(source: &str, edits: &[(Index, Edit)]) -> String {
    let mut lines: Vec<String> = source.lines().map(str::to_owned).collect();
    for (index, edit) in edits {
        let at = index.index(lines.len());
        match edit {
            Edit::Delete => drop(lines.remove(at)),
            Edit::Double => lines.insert(at, lines[at].clone()),
            Edit::Join if at + 1 < lines.len() && !lines[at].contains("//") => {
                let next = lines.remove(at + 1);
                lines[at] = format!("{} {}", lines[at], next.trim_start());
            }
            Edit::Touch => lines[at] = lines[at].replacen(|c: char| c.is_ascii_digit(), "7", 1),
            Edit::Comment => lines[at].push_str(" /* why */"),
            Edit::Insert => lines.insert(at, "\t// +goat:insert".to_owned()),
            Edit::Join => {}
        }
        if lines.is_empty() {
            lines.push("package gone".to_owned());
        }
    }
    lines.join("\n") + "\n"
}

fn git(dir: &Path, args: &[&str]) {
    let status = Command::new("git")
        .args([
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.com",
            "-c",
            "core.autocrlf=false",
        ])
        .args(args)
        .current_dir(dir)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(status.status.success(), "git {args:?}: {status:?}");
}

fn run(request: &Value) -> Value {
    let answer = goat_core::run(request.to_string().as_bytes(), &Control::new());
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    assert!(answer.get("error").is_none(), "{request}\n{answer}");
    answer["result"].clone()
}

fn tree(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(dir).unwrap().flatten() {
            let path = entry.path();
            if entry.file_name() == ".git" {
                continue;
            }
            let name = path.strip_prefix(root).unwrap().display().to_string();
            if path.is_dir() {
                found.insert(name, Vec::new());
                open.push(path);
            } else {
                found.insert(name, fs::read(path).unwrap());
            }
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn clean_undoes_track(changes in proptest::collection::vec((0..FILES.len(), edits()), 1..5), crlf: bool) {
        let source = common::goroot().join("src");
        let repository = tempfile::tempdir().unwrap();
        let root = repository.path();
        let ends = |text: &str| if crlf { text.replace('\n', "\r\n") } else { text.to_owned() };
        git(root, &["init", "-q", "-b", "main"]);
        fs::write(root.join("go.mod"), "module example.com/app\n\ngo 1.23\n").unwrap();
        let path = |index: usize| root.join(format!("p{index}")).join("a.go");
        for (index, _) in &changes {
            fs::create_dir_all(path(*index).parent().unwrap()).unwrap();
            let text = fs::read_to_string(source.join(FILES[*index])).unwrap();
            fs::write(path(*index), ends(&text)).unwrap();
        }
        git(root, &["add", "-A"]);
        git(root, &["commit", "-q", "-m", "base"]);
        for (index, edits) in &changes {
            let text = fs::read_to_string(source.join(FILES[*index])).unwrap();
            fs::write(path(*index), ends(&apply(&text, edits))).unwrap();
        }
        let before = tree(root);
        for granularity in ["line", "patch", "scope", "func"] {
            let request = json!({
                "format": 1, "op": "track", "runtime": {"goatrt.go": "package goat\n"},
                "plan": {"dir": root, "base": "main", "range": "direct", "granularity": granularity},
            });
            let tracked = run(&request);
            let marked = tree(root);
            let again = run(&request);
            prop_assert_eq!(again["files"].as_array().unwrap().len(), 0, "{}", again);
            prop_assert_eq!(&again["planHash"], &tracked["planHash"]);
            let calls = marked.values().map(|text| memchr::memmem::find_iter(text, b".Track(").count());
            let inits = marked.values().map(|text| memchr::memmem::find_iter(text, b".TrackInit(").count());
            let old = before.values().map(|text| memchr::memmem::find_iter(text, b".Track(").count());
            prop_assert_eq!(
                (calls.sum::<usize>() + inits.sum::<usize>() - old.sum::<usize>()) as u64,
                tracked["points"].as_u64().unwrap()
            );
            run(&json!({"format": 1, "op": "clean", "dir": root}));
            prop_assert_eq!(&tree(root), &before, "{} {}", granularity, tracked);
        }
    }
}

#[test]
fn clean_undoes_track_of_drawn_programs() {
    let repository = tempfile::tempdir().unwrap();
    let root = repository.path();
    let path = |seed: u64| root.join(format!("p{seed}")).join("a.go");
    let drawn: Vec<(u64, (String, String))> =
        (40..52).map(|seed| (seed, grammar::pair(seed))).collect();
    git(root, &["init", "-q", "-b", "main"]);
    fs::write(root.join("go.mod"), "module example.com/app\n\ngo 1.23\n").unwrap();
    for (seed, (old, _)) in &drawn {
        fs::create_dir_all(path(*seed).parent().unwrap()).unwrap();
        fs::write(path(*seed), old).unwrap();
    }
    git(root, &["add", "-A"]);
    git(root, &["commit", "-q", "-m", "base"]);
    for (seed, (_, new)) in &drawn {
        fs::write(path(*seed), new).unwrap();
    }
    let before = tree(root);
    for granularity in ["line", "patch"] {
        let tracked = run(&json!({
            "format": 1, "op": "track", "runtime": {"goatrt.go": "package goat\n"},
            "plan": {"dir": root, "base": "main", "range": "direct", "granularity": granularity},
        }));
        assert!(tracked["points"].as_u64().unwrap() > 50, "{tracked}");
        let judged = Command::new("gofmt")
            .args(["-l", "."])
            .current_dir(root)
            .output()
            .unwrap();
        assert!(
            judged.status.success(),
            "{}",
            String::from_utf8_lossy(&judged.stderr)
        );
        run(&json!({"format": 1, "op": "clean", "dir": root}));
        assert_eq!(tree(root), before, "{granularity}");
    }
}
