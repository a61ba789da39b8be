//! The plan directory against the frozen one in testdata/plan (docs/plan-format.md).
//! After a change of the format that is meant, the frozen one is written again by
//! `GOAT_FREEZE=1 cargo test -p goat-core --test plan_format`.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use support::Tree;

fn frozen() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/plan")
}

fn json_files(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .collect()
}

/// Every document of a directory by its path, without what another version of goat
/// says differently.
fn documents(root: &Path) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    for folder in ["", "p", "s"] {
        for path in json_files(&root.join(folder)) {
            let mut value: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            let object = value.as_object_mut().unwrap();
            object.remove("goat");
            object.remove("planHash");
            object.remove("sum");
            let name = path.file_name().unwrap().to_string_lossy();
            found.insert(format!("{folder}/{name}"), value);
        }
    }
    found
}

/// Makes the frozen plan again, in a repository whose commit is always the same.
fn made_again(root: &Path) -> PathBuf {
    let text = fs::read_to_string(frozen().join("source.txtar")).unwrap();
    let (mut base, mut release) = (Tree::new(), Tree::new());
    for (name, content) in support::txtar(&text).1 {
        match name.split_once('/').unwrap() {
            ("base", path) => base.insert(path.to_owned(), content),
            (_, path) => release.insert(path.to_owned(), content),
        };
    }
    let (dir, out) = (root.join("repo"), root.join("out"));
    fs::create_dir(&dir).unwrap();
    support::git(&dir, &["init", "-q", "-b", "main"]);
    support::write(&dir, &base);
    support::git(&dir, &["add", "-A"]);
    support::commit_at(&dir, "2024-01-01T00:00:00Z");
    support::write(&dir, &release);
    let plan = support::plan(&dir, &json!({ "base": "main", "outDir": out })).unwrap();
    PathBuf::from(plan["planDir"].as_str().unwrap())
}

/// Replaces the frozen documents.
fn freeze(made: &Path) {
    for folder in ["", "p", "s"] {
        for path in json_files(&frozen().join(folder)) {
            fs::remove_file(path).unwrap();
        }
        for path in json_files(&made.join(folder)) {
            let to = frozen().join(folder).join(path.file_name().unwrap());
            fs::write(to, fs::read(&path).unwrap()).unwrap();
        }
    }
}

#[test]
fn the_format_is_the_frozen_one() {
    let root = tempfile::tempdir().unwrap();
    let again = made_again(root.path());
    if std::env::var_os("GOAT_FREEZE").is_some() {
        freeze(&again);
    }
    let (made, frozen) = (documents(&again), documents(&frozen()));
    assert_eq!(
        made.keys().collect::<Vec<_>>(),
        frozen.keys().collect::<Vec<_>>()
    );
    for (name, document) in &made {
        assert_eq!(document, &frozen[name], "{name}");
    }
}

#[test]
fn every_document_has_the_format_number_first() {
    for folder in ["", "p", "s"] {
        for path in json_files(&frozen().join(folder)) {
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.starts_with("{\"format\":1,"), "{}", path.display());
        }
    }
}
