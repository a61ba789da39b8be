//! The allowed directions of ARCHITECTURE.md, read from the sources themselves:
//! who may name which crate, that the stages are siblings which know nothing of each
//! other, which floor of the git stage knows which, and that no two files of a crate
//! know each other, however far around.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

#[path = "layers/graph.rs"]
mod graph;

use graph::Graph;

/// A crate, and the only modules that may name it.
const CRATES: &[(&str, &[&str])] = &[
    ("git2", &["git"]),
    ("flate2", &["git"]),
    ("tree_sitter", &["syntax"]),
    ("tree_sitter_go", &["syntax"]),
    ("rayon", &["pipeline", "git"]),
    ("postcard", &["pipeline"]),
    (
        "serde",
        &[
            "plan", "request", "control", "pipeline", "inplace", "helper", "model", "tree",
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
fn git_knows_only_the_floors_below() {
    const FLOORS: [&str; 4] = ["git/blame/", "git/worktree/", "git/diff/", "git/repo/"];
    let floor = |file: &str| FLOORS.iter().position(|floor| file.starts_with(floor));
    let core = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let graph = graph::of_crate(&core);
    let below_git = graph.keys().filter(|file| file.starts_with("git/"));
    let homeless: Vec<&String> = below_git
        .filter(|file| *file != "git/mod.rs" && floor(file).is_none())
        .collect();
    assert!(homeless.is_empty(), "on no floor: {homeless:?}");
    let rising = rising(&graph, floor);
    assert!(rising.is_empty(), "{}", rising.join("\n"));
}

/// The names by which a file of a floor names one of a floor above; the first floor is
/// the top.
fn rising(graph: &Graph, floor: impl Fn(&str) -> Option<usize>) -> Vec<String> {
    let names = graph
        .iter()
        .flat_map(|(from, named)| named.iter().map(move |(to, what)| (from, to, what)));
    let up = names.filter(|(from, to, _)| match (floor(from), floor(to)) {
        (Some(from), Some(to)) => from > to,
        _ => false,
    });
    up.map(|(from, to, what)| format!("{from} names `{what}` of {to}, which stands above"))
        .collect()
}

#[test]
fn a_circle_and_a_rising_name_are_found() {
    let graph = |files: &[(&str, &str)]| {
        let own = |(path, text): &(&str, &str)| ((*path).to_owned(), (*text).to_owned());
        graph::of_files(&files.iter().map(own).collect::<Vec<_>>())
    };
    let straight = [
        ("lib.rs", "mod a;\npub mod c;"),
        (
            "a.rs",
            "mod b;\npub use b::B;\nuse crate::c::{self, C as D};\nfn f() { c::g() }",
        ),
        (
            "a/b.rs",
            "pub struct B; // super::f()\nconst T: &str = \"super::f()\";",
        ),
        (
            "c/mod.rs",
            "pub struct C;\n#[cfg(test)]\nmod tests { use crate::a::B; }",
        ),
    ];
    assert!(graph::circles(&graph(&straight)).is_empty());
    for (at, text) in [
        (2, "use super::f;\npub struct B;"),
        (2, "fn h() { super::super::a::f() }\npub struct B;"),
        (
            3,
            "pub struct C(crate::a::B);\nuse crate::a;\nfn g() { a::f() }",
        ),
        (3, "use crate::{a::{B, f as g}};\npub struct C;"),
    ] {
        let mut files = straight;
        files[at].1 = text;
        // The first of them needs the other half: `a` using what `b` defines.
        files[1].1 = "mod b;\npub use b::B;\nuse crate::c::C;\nfn f() -> B { B }";
        let found = graph::circles(&graph(&files));
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert!(found[0].contains(files[at].0), "{text}: {found:?}");
    }
    let floor = |file: &str| ["a", "c"].iter().position(|floor| file.starts_with(floor));
    assert!(rising(&graph(&straight), floor).is_empty());
    let upside_down = |file: &str| ["c", "a"].iter().position(|floor| file.starts_with(floor));
    assert_eq!(rising(&graph(&straight), upside_down).len(), 1);
}

#[test]
fn the_core_is_safe_rust_and_panics_unwind() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for crate_root in crates() {
        let boundary = crate_root.ends_with("capi/src");
        let lib = fs::read_to_string(crate_root.join("lib.rs")).expect("src/lib.rs");
        let safe = lib.contains("#![forbid(unsafe_code)]");
        assert!(safe || boundary, "unsafe code in {}", crate_root.display());
    }
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
