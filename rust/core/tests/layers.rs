//! The allowed directions of ARCHITECTURE.md, read from the sources themselves:
//! who may name which crate, and that the stages are siblings which know
//! nothing of each other.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

#[path = "layers/graph.rs"]
mod graph;

/// A crate, and the only modules that may name it.
const CRATES: &[(&str, &[&str])] = &[
    ("git2", &["git"]),
    ("tree_sitter", &["syntax"]),
    ("tree_sitter_go", &["syntax"]),
    ("rayon", &["pipeline", "git"]),
    (
        "serde",
        &[
            "plan", "request", "control", "pipeline", "inplace", "helper",
        ],
    ),
];

/// What every module may use.
const LEAVES: &[&str] = &["error", "model", "token", "control"];

/// Modules that put the others together, and the helper's short way, which is an entry
/// of its own and looks into plan directories.
const CONDUCTORS: &[&str] = &["lib", "pipeline", "request", "inplace", "helper"];

#[test]
fn crates_stay_behind_their_module() {
    let mut wrong = Vec::new();
    for file in sources() {
        for (name, owners) in CRATES {
            if !owners.contains(&file.module.as_str()) && file.names(name) {
                wrong.push(format!(
                    "{}: names `{name}`, which belongs to {owners:?}",
                    file.path.display()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn stages_are_siblings() {
    let modules: BTreeSet<String> = sources().into_iter().map(|f| f.module).collect();
    let mut wrong = Vec::new();
    for file in sources() {
        if CONDUCTORS.contains(&file.module.as_str()) {
            continue;
        }
        for other in &modules {
            let allowed = *other == file.module || LEAVES.contains(&other.as_str());
            if !allowed && file.names_path("crate", other) {
                wrong.push(format!(
                    "{}: `{}` must not know `{other}`",
                    file.path.display(),
                    file.module
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_form_no_circle() {
    let mut found = Vec::new();
    for root in crates() {
        let graph = graph::of_crate(&root);
        assert!(!graph.is_empty(), "no sources below {}", root.display());
        found.extend(graph::circles(&graph));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_core_is_safe_rust_and_panics_unwind() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let lib = fs::read_to_string(root.join("src/lib.rs")).expect("src/lib.rs");
    assert!(lib.contains("#![forbid(unsafe_code)]"));
    let workspace = fs::read_to_string(root.join("../../Cargo.toml")).expect("Cargo.toml");
    assert!(
        !workspace.contains("panic = \"abort\""),
        "the C boundary turns panics into error values, which needs unwinding"
    );
    assert!(
        !workspace.contains("lto = \"fat\"") && !workspace.contains("lto = true"),
        "fat LTO clashes with other Rust static libraries"
    );
}

#[test]
fn a_forbidden_name_is_found() {
    let file = |text: &str| Source {
        module: "change".into(),
        path: PathBuf::from("change.rs"),
        code: code_of(text),
    };
    let direct = file("use crate::git::Repo; // crate::plan\n");
    assert!(direct.names_path("crate", "git"));
    assert!(!direct.names_path("crate", "plan"), "a comment is no use");
    assert!(!direct.names_path("crate", "gi"));
    let nested = file("use crate::{error::Result, git};\nuse rayon::prelude::*;");
    assert!(nested.names_path("crate", "git"));
    assert!(nested.names("rayon"));
    assert!(!nested.names("ray"));
    assert!(!file("use tree_sitter_go::LANGUAGE;").names("tree_sitter"));
}

/// The source folders of all crates.
fn crates() -> Vec<PathBuf> {
    let rust = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folders = fs::read_dir(rust).expect("the folder of the crates");
    let mut found: Vec<PathBuf> = folders
        .map(|entry| entry.expect("a directory entry").path().join("src"))
        .filter(|path| path.is_dir())
        .collect();
    found.sort();
    assert!(found.len() > 1, "no crates");
    found
}

struct Source {
    /// First path element below `src`, without the extension.
    module: String,
    path: PathBuf,
    /// The text without line comments; they may name whom they like.
    code: String,
}

impl Source {
    /// Whether a path starts with this crate's name.
    fn names(&self, name: &str) -> bool {
        self.code.match_indices(name).any(|(at, _)| {
            let before = self.code[..at].chars().next_back();
            let after = &self.code[at + name.len()..];
            before.is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != ':')
                && (after.starts_with("::") || after.starts_with(';'))
        })
    }

    /// Whether `root::module` occurs, also inside `use root::{…}`.
    fn names_path(&self, root: &str, module: &str) -> bool {
        let direct = format!("{root}::{module}");
        let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        if self
            .code
            .match_indices(&direct)
            .any(|(at, text)| ends(&self.code[at + text.len()..]))
        {
            return true;
        }
        let group = format!("use {root}::{{");
        self.code.match_indices(&group).any(|(at, text)| {
            let rest = &self.code[at + text.len()..];
            let list = rest.split_once(';').map_or(rest, |(list, _)| list);
            list.split([',', '{', '}'])
                .any(|item| item.trim().split("::").next() == Some(module))
        })
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    collect(&root, &root, &mut found);
    assert!(found.len() > 5, "no sources below {}", root.display());
    found
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).expect("a readable source folder") {
        let path = entry.expect("a directory entry").path();
        if path.is_dir() {
            collect(root, &path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let below = path.strip_prefix(root).expect("below src");
            let first = below.iter().next().expect("a name");
            let text = fs::read_to_string(&path).expect("a readable source");
            found.push(Source {
                module: first.to_string_lossy().trim_end_matches(".rs").to_owned(),
                code: code_of(&text),
                path,
            });
        }
    }
}

fn code_of(text: &str) -> String {
    text.lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
}
