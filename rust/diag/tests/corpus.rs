//! Dumps that real programs wrote, one folder for each Go version: `GOAT_DUMPS=DIR`, as
//! scripts/dumps leaves it. Without it there is nothing to look at.

use std::path::{Path, PathBuf};
use std::{env, fs};

use serde_json::{Value, json};

fn dump(paths: &[&Path]) -> Value {
    run("dump", paths)
}

fn run(op: &str, paths: &[&Path]) -> Value {
    let sources: Vec<Value> = paths
        .iter()
        .map(|p| json!({ "name": p.file_name().map(|n| n.to_string_lossy()), "path": p }))
        .collect();
    let request = json!({ "format": 1, "op": op, "sources": sources }).to_string();
    let answer = goat_diag::run(request.as_bytes(), &|| false).expect("an operation of this crate");
    let answer: Value = serde_json::from_slice(&answer).expect("JSON");
    assert!(answer["error"].is_null(), "{}: {paths:?}", answer["error"]);
    answer["result"].clone()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    files
}

/// Headers as a person counts them.
fn headers(text: &str) -> u64 {
    text.lines()
        .filter(|l| l.starts_with("goroutine ") && l.ends_with(':') && l.contains(" ["))
        .count() as u64
}

#[test]
fn every_goroutine_of_every_version_is_read() {
    let Ok(root) = env::var("GOAT_DUMPS") else {
        return;
    };
    let mut seen = 0;
    for folder in files(Path::new(&root)) {
        for file in files(&folder) {
            let name = file
                .file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            let kind = file.extension().and_then(|e| e.to_str()).unwrap_or("");
            if kind != "txt" && kind != "gz" {
                continue;
            }
            seen += 1;
            let found = dump(&[&file]);
            let source = &found["source"];
            assert_eq!(source["goroutines"], source["parsed"], "{}", file.display());
            assert_eq!(
                source["notParsedLines"],
                0,
                "{}: {source:#}",
                file.display()
            );
            if kind == "txt" && !name.starts_with("debug1") {
                let text = fs::read_to_string(&file).expect("text");
                let twice = if name.contains(".crash.") { 2 } else { 0 };
                let want = headers(&text);
                let got = source["parsed"].as_u64().expect("a number");
                assert!(
                    got <= want && got + twice >= want,
                    "{}: {got} of {want}",
                    file.display()
                );
            }
            let unknown: Vec<&Value> = found["clusters"]
                .as_array()
                .expect("clusters")
                .iter()
                .filter(|c| c["dimension"] == "unknown")
                .collect();
            assert!(unknown.is_empty(), "{}: {unknown:#?}", file.display());
        }
    }
    assert!(seen > 0, "no dumps below {root}");
}

/// The line of each shape's root cause, as the program's source says it.
fn roots() -> Vec<(String, u64)> {
    include_str!("../testdata/shapes/main.go")
        .lines()
        .zip(1..)
        .filter_map(|(line, number)| Some((line.split_once("// root: ")?.1.to_owned(), number)))
        .collect()
}

#[test]
fn every_shape_has_its_root_cause() {
    let Ok(dir) = env::var("GOAT_DUMPS") else {
        return;
    };
    let (mut seen, mut right, mut keys) = (0, 0, std::collections::HashMap::new());
    for folder in files(Path::new(&dir)) {
        for (shape, line) in roots() {
            let file = folder.join("shapes").join(format!("{shape}.txt"));
            let found = run("panics", &[&file]);
            let panics = found["panics"].as_array().expect("panics");
            seen += 1;
            let one = &panics[0];
            if panics.len() == 1 && one["place"]["line"] == line && one["class"] == "defect" {
                right += 1;
                let key = one["key"].as_str().expect("a key").to_owned();
                keys.entry(shape.clone())
                    .or_insert_with(std::collections::HashSet::new)
                    .insert(key);
            } else {
                println!("{}: {panics:#?}", file.display());
            }
        }
    }
    let split: Vec<_> = keys.iter().filter(|(_, keys)| keys.len() > 1).collect();
    println!(
        "root cause of {right} of {seen} crashes, {} of {} with one key over all versions",
        keys.len() - split.len(),
        keys.len()
    );
    assert!(split.is_empty(), "{split:?}");
    assert!(right * 100 >= seen * 95, "{right} of {seen}");
}
