//! Properties of plans over real functions with random edits.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod grammar;
mod support;

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use goat_core::syntax;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use support::Tree;

/// Real files with every kind of statement: parts of the standard library.
const FILES: [&str; 6] = [
    "net/http/server.go",
    "encoding/json/decode.go",
    "text/template/exec.go",
    "go/printer/nodes.go",
    "database/sql/sql.go",
    "regexp/onepass.go",
];

/// An edit of one line.
#[derive(Clone, Debug)]
enum Edit {
    Drop,
    Double,
    Join,
    Comment,
    Indent,
    Number,
    Blank,
}

fn edits() -> impl Strategy<Value = Vec<(usize, Edit)>> {
    let edit = prop_oneof![
        Just(Edit::Drop),
        Just(Edit::Double),
        Just(Edit::Join),
        Just(Edit::Comment),
        Just(Edit::Indent),
        Just(Edit::Number),
        Just(Edit::Blank),
    ];
    prop::collection::vec((any::<usize>(), edit), 1..40)
}

fn apply(source: &str, edits: &[(usize, Edit)], crlf: bool) -> String {
    let mut lines: Vec<String> = source.lines().map(str::to_owned).collect();
    for (at, edit) in edits {
        let at = at % (lines.len() - 1);
        match edit {
            Edit::Drop => drop(lines.remove(at)),
            Edit::Double => lines.insert(at, lines[at].clone()),
            Edit::Join => {
                let next = lines.remove(at + 1);
                lines[at].push_str(next.trim_start());
            }
            Edit::Comment => lines[at].push_str(" // words"),
            Edit::Indent => lines[at].insert_str(0, "\t\t"),
            Edit::Number => lines[at] = lines[at].replace(['0', '1', '2'], "7"),
            Edit::Blank => lines.insert(at, String::new()),
        }
    }
    lines.join(if crlf { "\r\n" } else { "\n" })
}

fn goroot() -> PathBuf {
    PathBuf::from(
        support::go(Path::new("/"), &["env", "GOROOT"])
            .unwrap()
            .trim(),
    )
}

#[test]
fn plans_of_random_edits() {
    let goroot = goroot();
    let texts: Vec<String> = FILES
        .iter()
        .map(|file| std::fs::read_to_string(goroot.join("src").join(file)).unwrap())
        .collect();
    let granularity = prop::sample::select(vec!["line", "patch", "scope", "func"]);
    let strategy = (0..texts.len(), edits(), granularity, any::<bool>());
    let mut runner = TestRunner::new(Config {
        cases: 48,
        ..Config::default()
    });
    runner
        .run(&strategy, |(file, edits, granularity, crlf)| {
            let new = apply(&texts[file], &edits, crlf);
            drop(check(&texts[file], &new, granularity));
            Ok(())
        })
        .unwrap();
}

/// Programs with every kind of statement and edits that move code into comments and out:
/// the account is git's, the rewritten text is Go, and no edit means no point.
#[test]
fn plans_of_drawn_programs() {
    let drawn = tempfile::tempdir().unwrap();
    let (mut placed, mut granularities) = (0, ["line", "patch", "scope", "func"].iter().cycle());
    for seed in 1..=20 {
        let (old, new) = grammar::pair(seed);
        let (_root, plan) = check(&old, &new, granularities.next().unwrap());
        placed += points(&plan).count();
        let mut texts = vec![old.into_bytes(), new.clone().into_bytes()];
        for package in support::packages(plan["planDir"].as_str().unwrap()) {
            texts.extend(
                [false, true]
                    .map(|exact| support::instrumented(new.as_bytes(), &package, "a.go", exact)),
            );
        }
        for (index, text) in texts.iter().enumerate() {
            std::fs::write(drawn.path().join(format!("{seed}_{index}.go")), text).unwrap();
        }
        if seed % 5 == 0 {
            let (_root, plan) = check(&new, &new, "patch");
            assert_eq!(points(&plan).count(), 0, "seed {seed}");
        }
    }
    assert!(placed > 200, "only {placed} points");
    let judged = std::process::Command::new("gofmt")
        .args(["-l", "."])
        .current_dir(drawn.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&judged.stderr);
    assert!(judged.status.success(), "{said}");
}

fn tree(source: &str) -> Tree {
    let module = "module example.com/app\n\ngo 1.23\n";
    [("go.mod", module), ("a.go", source)]
        .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()))
        .into()
}

fn check(old: &str, new: &str, granularity: &str) -> (tempfile::TempDir, Value) {
    let root = tempfile::tempdir().unwrap();
    let (dir, out) = (root.path().join("repo"), root.path().join("out"));
    std::fs::create_dir(&dir).unwrap();
    support::repository(&dir, &tree(old), &tree(new));
    let options = json!({ "granularity": granularity, "outDir": out });
    let plan = support::plan(&dir, &options).unwrap();
    assert_eq!(
        plan,
        support::plan(&dir, &options).unwrap(),
        "not deterministic"
    );
    check_account(&dir, &plan);
    check_points(&plan, new);
    (root, plan)
}

/// The account's lines are git's, each once; the sums are theirs.
fn check_account(dir: &Path, plan: &Value) {
    let diff = support::git(
        dir,
        &[
            "-c",
            "diff.algorithm=myers",
            "-c",
            "diff.indentHeuristic=true",
            "diff",
            "--no-ext-diff",
            "--no-textconv",
            "-U0",
            "-l0",
            "-M50%",
            "HEAD",
            "--",
            "a.go",
        ],
    );
    let (mut wanted, mut removed) = (BTreeSet::new(), BTreeSet::new());
    for header in diff.lines().filter(|line| line.starts_with("@@ ")) {
        let new = header.split(' ').nth(2).unwrap().trim_start_matches('+');
        let (start, count) = new.split_once(',').unwrap_or((new, "1"));
        let (start, count): (u64, u64) = (start.parse().unwrap(), count.parse().unwrap());
        wanted.extend(start..start + count);
        if count == 0 {
            removed.insert(start);
        }
    }
    if plan["files"]
        .as_array()
        .unwrap()
        .iter()
        .any(|file| file["file"] == "a.go")
    {
        return;
    }
    let account = plan["account"].as_array().unwrap();
    let numbers =
        |key: &str| -> Vec<u64> { account.iter().filter_map(|e| e[key].as_u64()).collect() };
    assert_eq!(numbers("line"), wanted.iter().copied().collect::<Vec<_>>());
    assert_eq!(
        numbers("deletedAfter"),
        removed.iter().copied().collect::<Vec<_>>()
    );
    let classes = |class: &str| {
        account
            .iter()
            .filter(|e| e["class"] == class && e["line"].is_u64())
            .count() as u64
    };
    let summary = &plan["summary"];
    assert_eq!(summary["tracked"], classes("tracked"));
    assert_eq!(summary["notExecutable"], classes("not_executable"));
    assert_eq!(summary["untracked"], classes("untracked"));
    assert_eq!(summary["addedLines"], wanted.len() as u64);
    let ids: BTreeSet<&str> = points(plan)
        .map(|point| point["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), points(plan).count(), "ids collide");
    for entry in account {
        let known = |id: &Value| ids.contains(id.as_str().unwrap());
        match entry["points"].as_array() {
            Some(points) => assert!(!points.is_empty() && points.iter().all(known), "{entry}"),
            None => assert!(entry["reason"].is_string(), "{entry}"),
        }
    }
}

fn points(plan: &Value) -> impl Iterator<Item = &Value> {
    plan["points"].as_array().unwrap().iter()
}

/// The rewritten source is sound and holds the original.
fn check_points(plan: &Value, source: &str) {
    let before = syntax::parse(source.as_bytes());
    let mut placed = 0;
    for package in support::packages(plan["planDir"].as_str().unwrap()) {
        for exact in [false, true] {
            let rewritten = support::instrumented(source.as_bytes(), &package, "a.go", exact);
            let stripped = support::stripped(&rewritten, &package, "a.go", exact);
            assert_eq!(stripped, source.as_bytes());
            let after = syntax::parse(&rewritten);
            assert!(after.errors.len() <= before.errors.len());
            assert_eq!(lines(&rewritten), lines(source.as_bytes()), "lines moved");
        }
        placed += package["points"].as_array().unwrap().len();
    }
    assert_eq!(placed, points(plan).count());
}

fn lines(source: &[u8]) -> usize {
    source.split(|&byte| byte == b'\n').count()
}

#[test]
fn ids_do_not_depend_on_what_stands_elsewhere() {
    let old = "package app\n\nfunc f(x int) int {\n\tx++\n\treturn x\n}\n";
    let body = "func f(x int) int {\n\tx += 2\n\treturn x\n}\n";
    let here = ids(old, &format!("package app\n\n{body}"));
    let below = ids(
        old,
        &format!("package app\n\n// Words.\n\nvar y = 3\n\n{body}\nfunc g() {{}}\n"),
    );
    assert_eq!(here, below);
    let other = ids(
        old,
        &format!("package app\n\n{}", body.replace("+= 2", "+= 3")),
    );
    assert_ne!(here, other);
    let spaced = ids(
        old,
        &format!(
            "package app\n\n{}",
            body.replace("x += 2", "x  +=  2 // two")
        ),
    );
    assert_eq!(here, spaced);
}

#[test]
fn equal_regions_are_told_apart() {
    let old = "package app\n\nfunc f() {\n}\n";
    let one = ids(
        old,
        "package app\n\nfunc f() {\n\tif true {\n\t\tprintln(1)\n\t}\n}\n",
    );
    let two = ids(
        old,
        "package app\n\nfunc f() {\n\tif true {\n\t\tprintln(1)\n\t}\n\tif true {\n\t\tprintln(1)\n\t}\n}\n",
    );
    assert_eq!(two.len(), 4);
    assert_eq!(two.values().map(Vec::len).sum::<usize>(), 4);
    assert!(
        one.keys().all(|id| !two.contains_key(id)),
        "twins keep the id of the one"
    );
}

/// Points by id.
fn ids(old: &str, new: &str) -> HashMap<String, Vec<Value>> {
    let root = tempfile::tempdir().unwrap();
    support::repository(root.path(), &tree(old), &tree(new));
    let plan = support::plan(root.path(), &json!({})).unwrap();
    let mut found: HashMap<String, Vec<Value>> = HashMap::new();
    for point in points(&plan) {
        found
            .entry(point["id"].as_str().unwrap().to_owned())
            .or_default()
            .push(point["kind"].clone());
    }
    found
}

#[test]
fn a_plan_does_not_know_where_it_was_made() {
    let old = "package app\n\nfunc f(x int) int {\n\tx++\n\treturn x\n}\n";
    let new = old.replace("x++", "x--");
    let mut plans = BTreeSet::new();
    for name in ["one", "two/deeper"] {
        let root = tempfile::tempdir().unwrap();
        let (dir, out) = (root.path().join(name), root.path().join("out"));
        std::fs::create_dir_all(&dir).unwrap();
        support::git(&dir, &["init", "-q", "-b", "main"]);
        support::write(&dir, &tree(old));
        support::git(&dir, &["add", "-A"]);
        support::commit_at(&dir, "2020-01-01T00:00:00Z");
        support::write(&dir, &tree(&new));
        let plan = support::plan(&dir, &json!({ "outDir": out })).unwrap();
        let plan_dir = plan["planDir"].as_str().unwrap();
        let index = std::fs::read_to_string(Path::new(plan_dir).join("index.json")).unwrap();
        assert!(!index.contains(root.path().to_str().unwrap()));
        plans.insert((plan["planHash"].as_str().unwrap().to_owned(), index));
    }
    assert_eq!(plans.len(), 1);
}

#[test]
fn a_commit_is_planned_like_the_working_tree() {
    let old = "package app\n\nfunc f(x int) int {\n\tx++\n\treturn x\n}\n";
    let root = tempfile::tempdir().unwrap();
    let (dir, out) = (root.path().join("repo"), root.path().join("out"));
    std::fs::create_dir(&dir).unwrap();
    support::repository(&dir, &tree(old), &tree(&old.replace("x++", "x--")));
    let dirty = support::plan(&dir, &json!({ "outDir": out })).unwrap();
    support::git(&dir, &["commit", "-q", "-a", "-m", "release"]);
    support::git(&dir, &["tag", "v2"]);
    // The working tree has gone on since.
    support::git(&dir, &["commit", "-q", "--allow-empty", "-m", "later"]);
    support::write(&dir, &tree("package app\n"));
    let request = json!({ "base": "HEAD~2", "release": "v2", "outDir": out });
    let commit = support::plan(&dir, &request).unwrap();
    for key in ["points", "account", "summary"] {
        assert_eq!(dirty[key], commit[key], "{key}");
    }
    assert_eq!(commit["release"]["dirty"], false);
    let documents = |plan: &Value| support::packages(plan["planDir"].as_str().unwrap());
    assert_eq!(documents(&dirty), documents(&commit));
}

#[test]
fn an_edit_elsewhere_recompiles_nothing() {
    let file = |name: &str, body: &str| {
        (
            format!("{name}/{name}.go"),
            format!("package {name}\n\nfunc F(x int) int {{\n\t{body}\n\treturn x\n}}\n")
                .into_bytes(),
        )
    };
    let module = ("go.mod".to_owned(), b"module example.com/app\n".to_vec());
    let base: Tree = [module.clone(), file("a", "x++"), file("b", "x++")].into();
    let markers = |release: Tree| {
        let root = tempfile::tempdir().unwrap();
        let (dir, out) = (root.path().join("repo"), root.path().join("out"));
        std::fs::create_dir(&dir).unwrap();
        support::repository(&dir, &base, &release);
        let plan = support::plan(&dir, &json!({ "outDir": out })).unwrap();
        let packages = support::packages(plan["planDir"].as_str().unwrap()).into_iter();
        packages
            .map(|p| {
                (
                    p["importPath"].as_str().unwrap().to_owned(),
                    p["marker"].as_str().unwrap().to_owned(),
                )
            })
            .collect::<HashMap<_, _>>()
    };
    let one = markers([module.clone(), file("a", "x++"), file("b", "x--")].into());
    let two = markers([module, file("a", "x--"), file("b", "x--")].into());
    assert_eq!((one.len(), two.len()), (1, 2));
    assert_eq!(one["example.com/app/b"], two["example.com/app/b"]);
}
