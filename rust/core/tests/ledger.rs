//! What is kept of each file: with it, without it and with what is left of it after any
//! damage a plan has the same bytes.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use support::{Tree, git};

/// How many files the repository has.
const FILES: usize = 6;

struct Place {
    dir: tempfile::TempDir,
    repo: PathBuf,
}

/// A file of the repository: its functions, each with a number of statements.
type Source = Vec<u8>;

fn path(file: usize) -> String {
    format!("p{}/f{file}.go", file / 2)
}

fn source(file: usize, functions: &Source) -> Vec<u8> {
    let mut text = format!("package p{}\n", file / 2);
    for (number, statements) in functions.iter().enumerate() {
        let _ = write!(text, "\nfunc F{file}x{number}(n int) int {{\n");
        for statement in 0..*statements {
            let _ = write!(
                text,
                "\tif n > {statement} {{\n\t\tn += {statements}\n\t}}\n"
            );
        }
        text.push_str("\treturn n\n}\n");
    }
    text.into_bytes()
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let repo = root.join("repo");
        fs::create_dir(&repo).unwrap();
        let mut base = Tree::new();
        base.insert(
            "go.mod".into(),
            b"module example.com/app\n\ngo 1.23\n".into(),
        );
        for file in 0..FILES {
            base.insert(path(file), source(file, &vec![1, 2]));
        }
        support::repository(&repo, &base, &base.clone());
        git(&repo, &["tag", "first"]);
        Self { dir, repo }
    }

    fn ask(&self, memo: &str, more: &Value) -> Result<Value, Value> {
        let place = |name: &str| match name {
            "" => PathBuf::new(),
            name => self.dir.path().join(name),
        };
        let mut options =
            json!({ "outDir": place("plans"), "memoDir": place(memo), "base": "first" });
        for (key, value) in more.as_object().unwrap() {
            options[key] = value.clone();
        }
        support::plan(&self.repo, &options)
    }

    /// The kept files, apart from whole answers: those are taken away, so that every plan
    /// is made.
    fn packs(&self, memo: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.dir.path().join(memo))
            .into_iter()
            .flatten();
        let (packs, answers): (Vec<PathBuf>, Vec<PathBuf>) = entries
            .map(|entry| entry.unwrap().path())
            .partition(|path| path.extension().is_some_and(|ext| ext == "files"));
        for answer in answers {
            fs::remove_file(answer).unwrap();
        }
        packs
    }

    fn write(&self, path: &str, text: &[u8]) {
        let path = self.repo.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

#[derive(Clone, Debug)]
enum Event {
    Write(usize, Source),
    Remove(usize),
    Rename(usize, usize),
    Header(usize, bool),
    Untracked(Source),
    /// A package becomes a module of its own, or is none any longer.
    Module(usize, bool),
    /// A package's directory becomes a link to another one, or a directory again.
    Link(usize, bool),
    Commit,
}

#[derive(Clone, Debug)]
enum Damage {
    None,
    Flip(usize, u8),
    Cut(usize),
    Empty,
    /// That of the other settings takes its place.
    Swap,
}

fn events() -> impl Strategy<Value = Event> {
    let functions = || prop::collection::vec(0u8..5, 0..4);
    prop_oneof![
        5 => (0..FILES, functions()).prop_map(|(file, text)| Event::Write(file, text)),
        1 => (0..FILES).prop_map(Event::Remove),
        2 => (0..FILES + 2, 0..FILES + 2).prop_map(|(from, to)| Event::Rename(from, to)),
        1 => (0..FILES, any::<bool>()).prop_map(|(file, own)| Event::Header(file, own)),
        1 => functions().prop_map(Event::Untracked),
        1 => (0..FILES / 2, any::<bool>()).prop_map(|(at, own)| Event::Module(at, own)),
        1 => (0..FILES / 2, any::<bool>()).prop_map(|(at, link)| Event::Link(at, link)),
        1 => Just(Event::Commit),
    ]
}

fn damages() -> impl Strategy<Value = Damage> {
    prop_oneof![
        3 => Just(Damage::None),
        2 => (any::<usize>(), 0u8..8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        1 => any::<usize>().prop_map(Damage::Cut),
        1 => Just(Damage::Empty),
        1 => Just(Damage::Swap),
    ]
}

fn happen(place: &Place, event: &Event) {
    let repo = &place.repo;
    match event {
        Event::Write(file, text) => place.write(&path(*file), &source(*file, text)),
        Event::Remove(file) => drop(fs::remove_file(repo.join(path(*file)))),
        Event::Rename(from, to) => {
            let to = repo.join(path(*to));
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            drop(fs::rename(repo.join(path(*from)), to));
        }
        Event::Header(file, own) => {
            let head = if *own { "goat" } else { "x" };
            let old = fs::read(repo.join(path(*file))).unwrap_or_default();
            let head = format!("// Code generated by {head}. DO NOT EDIT.\n\n");
            place.write(&path(*file), &[head.as_bytes(), &old].concat());
        }
        Event::Untracked(text) => place.write("p0/new.go", &source(0, text)),
        Event::Module(package, own) => {
            let file = format!("p{package}/go.mod");
            if *own {
                place.write(&file, b"module example.com/other\n");
            } else {
                drop(fs::remove_file(repo.join(file)));
            }
        }
        Event::Link(package, link) => link_directory(repo, *package, *link),
        Event::Commit => {
            git(repo, &["add", "-A"]);
            git(repo, &["commit", "-q", "--allow-empty", "-m", "x"]);
        }
    }
}

#[cfg(unix)]
fn link_directory(repo: &Path, package: usize, link: bool) {
    let (dir, aside) = (
        repo.join(format!("p{package}")),
        repo.join(format!("_p{package}")),
    );
    let linked = dir.is_symlink();
    if link && !linked {
        fs::rename(&dir, &aside).unwrap();
        std::os::unix::fs::symlink(aside.file_name().unwrap(), &dir).unwrap();
    } else if !link && linked {
        fs::remove_file(&dir).unwrap();
        fs::rename(&aside, &dir).unwrap();
    }
}

#[cfg(not(unix))]
fn link_directory(_: &Path, _: usize, _: bool) {}

fn harm(packs: &[PathBuf], damage: &Damage) {
    let all: Vec<Vec<u8>> = packs.iter().map(|pack| fs::read(pack).unwrap()).collect();
    for (index, (pack, bytes)) in packs.iter().zip(&all).enumerate() {
        let mut bytes = bytes.clone();
        match damage {
            _ if bytes.is_empty() => continue,
            Damage::None => continue,
            Damage::Flip(at, bit) => {
                let at = at % bytes.len();
                bytes[at] ^= 1 << bit;
            }
            Damage::Cut(at) => bytes.truncate(at % bytes.len()),
            Damage::Empty => bytes.clear(),
            Damage::Swap => bytes.clone_from(&all[(index + 1) % all.len()]),
        }
        fs::write(pack, bytes).unwrap();
    }
}

#[test]
fn plans_are_the_same_with_any_ledger() {
    let steps = prop::collection::vec((events(), damages(), any::<bool>()), 3..7);
    let mut runner = TestRunner::new(Config {
        cases: 8,
        failure_persistence: None,
        ..Config::default()
    });
    let check = |steps: Vec<(Event, Damage, bool)>| {
        let place = Place::new();
        for (event, damage, exact) in steps {
            happen(&place, &event);
            harm(&place.packs("warm"), &damage);
            for more in [
                json!({ "exact": exact }),
                json!({ "granularity": "line", "precision": 3 }),
                json!({ "precision": 1 }),
                json!({ "release": "HEAD" }),
            ] {
                let fresh = place.ask("", &more);
                prop_assert_eq!(&place.ask("warm", &more), &fresh, "{} {:?}", more, event);
                let _ = fs::remove_dir_all(place.dir.path().join("cold"));
                prop_assert_eq!(&place.ask("cold", &more), &fresh, "{} {:?}", more, event);
            }
        }
        Ok(())
    };
    runner.run(&steps, check).unwrap();
}

/// A plan hash covers every byte of the plan directory; here they are compared themselves.
#[test]
fn an_edit_writes_what_a_fresh_plan_writes() {
    let place = Place::new();
    for file in 0..FILES {
        place.write(&path(file), &source(file, &vec![3, 2, 1]));
    }
    place.ask("warm", &json!({})).unwrap();
    place.write(&path(1), &source(1, &vec![1, 4, 4]));
    place.packs("warm");
    let written = |memo: &str| -> BTreeMap<PathBuf, Vec<u8>> {
        let answer = place.ask(memo, &json!({})).unwrap();
        let dir = PathBuf::from(answer["planDir"].as_str().unwrap());
        let files = files_below(&dir);
        fs::remove_dir_all(dir).unwrap();
        files
    };
    assert_eq!(written("warm"), written(""));
}

/// What an edit adds stands behind what was there, until more is out of use than in use.
#[test]
fn a_pack_grows_by_what_is_new_and_is_written_anew_in_time() {
    let place = Place::new();
    for file in 0..FILES {
        place.write(&path(file), &source(file, &vec![3, 2, 1]));
    }
    place.ask("warm", &json!({})).unwrap();
    let pack = || fs::read(&place.packs("warm")[0]).unwrap();
    let first = pack();
    let (mut before, mut anew) = (first.clone(), 0);
    for round in 0..60 {
        place.write(&path(5), &source(5, &vec![round % 7, round % 5, 4]));
        place.ask("warm", &json!({})).unwrap();
        let now = pack();
        assert!(now.len() < first.len() * 5, "{}", now.len());
        if now.starts_with(&before) {
            assert!(now.len() - before.len() < first.len());
        } else {
            anew += 1;
        }
        before = now;
    }
    assert!((1..45).contains(&anew), "{anew}");
    assert_eq!(place.ask("warm", &json!({})), place.ask("", &json!({})));
}

/// A file that a plan directory shares with the last one is there once; one that is not what
/// it was is not shared.
#[cfg(unix)]
#[test]
fn plan_directories_share_what_is_the_same() {
    use std::os::unix::fs::MetadataExt;
    let place = Place::new();
    place.write(&path(0), &source(0, &vec![3, 2]));
    place.write(&path(4), &source(4, &vec![2, 2]));
    let edited = |statements: u8, memo: &str| {
        place.write(&path(4), &source(4, &vec![2, statements]));
        if !memo.is_empty() {
            place.packs(memo);
        }
        let answer = place.ask(memo, &json!({})).unwrap();
        PathBuf::from(answer["planDir"].as_str().unwrap())
    };
    let of_first_package = |dir: &Path| document_of(dir, "p0");
    let node = |path: &Path| fs::metadata(path).unwrap().ino();
    let (first, second) = (edited(3, "warm"), edited(4, "warm"));
    let (a, b) = (of_first_package(&first), of_first_package(&second));
    assert_ne!(first, second);
    assert_eq!(node(&a), node(&b));
    fs::write(&b, b"{}").unwrap();
    let third = edited(5, "warm");
    let warm = files_below(&third);
    assert_ne!(node(&b), node(&of_first_package(&third)));
    fs::remove_dir_all(&third).unwrap();
    assert_eq!(edited(5, ""), third);
    assert_eq!(warm, files_below(&third));
}

/// One more point in the first package gives all points behind it other names, and only that
/// package another document.
#[test]
fn a_point_more_changes_the_document_of_its_package_only() {
    let place = Place::new();
    place.write(&path(4), &source(4, &vec![2, 2]));
    let planned = |statements: u8| {
        place.write(&path(0), &source(0, &vec![1, statements]));
        place.packs("warm");
        let answer = place.ask("warm", &json!({})).unwrap();
        let last = answer["points"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(last["file"], path(4).as_str());
        (PathBuf::from(answer["planDir"].as_str().unwrap()), last)
    };
    let ((first, before), (second, after)) = (planned(3), planned(5));
    assert_ne!(before["name"], after["name"]);
    assert_eq!(before["id"], after["id"]);
    let text = |dir: &Path, package: &str| fs::read(document_of(dir, package)).unwrap();
    assert_eq!(text(&first, "p2"), text(&second, "p2"));
    assert_ne!(text(&first, "p0"), text(&second, "p0"));
}

/// What two trees differ in is kept by their ids; another object may be put in a tree's place.
#[test]
fn a_replaced_tree_is_another_tree() {
    let place = Place::new();
    place.write(&path(0), &source(0, &vec![3, 2]));
    place.ask("warm", &json!({})).unwrap();
    git(&place.repo, &["add", "-A"]);
    git(&place.repo, &["commit", "-q", "-m", "x"]);
    git(&place.repo, &["replace", "first^{tree}", "HEAD^{tree}"]);
    place.write(&path(2), &source(2, &vec![2, 2]));
    place.packs("warm");
    let warm = place.ask("warm", &json!({})).unwrap();
    assert_eq!(warm, place.ask("", &json!({})).unwrap());
    let points = warm["points"].as_array().unwrap();
    assert!(points.iter().all(|point| point["file"] == path(2).as_str()));
}

/// The document of a package in a plan directory.
fn document_of(dir: &Path, package: &str) -> PathBuf {
    let all = fs::read_dir(dir.join("p")).unwrap();
    let mut all = all.map(|entry| entry.unwrap().path());
    let path = format!("\"importPath\":\"example.com/app/{package}\"");
    all.find(|file| fs::read_to_string(file).unwrap().contains(&path))
        .unwrap()
}

fn files_below(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    files
}

/// What nobody changed is not even read: git has lost it here, and only a fresh plan
/// misses it.
#[test]
fn an_edit_reads_no_other_file_of_the_base() {
    let place = Place::new();
    for file in 0..FILES {
        place.write(&path(file), &source(file, &vec![3, 2]));
    }
    place.ask("warm", &json!({})).unwrap();
    let lost = git(&place.repo, &["rev-parse", &format!("first:{}", path(3))]);
    let (dir, name) = lost.trim().split_at(2);
    fs::remove_file(place.repo.join(".git/objects").join(dir).join(name)).unwrap();
    place.write(&path(0), &source(0, &vec![3, 3]));
    place.packs("warm");
    assert!(place.ask("", &json!({})).is_err());
    let points = place.ask("warm", &json!({})).unwrap();
    let of_the_lost = |point: &&Value| point["file"] == path(3).as_str();
    let points = points["points"].as_array().unwrap();
    assert!(points.iter().any(|point| of_the_lost(&point)), "{points:?}");
}

/// A pack that is sealed is believed; one in which the hash is that of something else is not.
#[test]
fn only_the_seal_makes_an_entry() {
    let place = Place::new();
    place.write(&path(0), &source(0, &vec![3, 2]));
    place.write(&path(2), &source(2, &vec![1]));
    let fresh = place.ask("warm", &json!({})).unwrap();
    let id = fresh["points"][0]["id"].as_str().unwrap().to_owned();
    let other = format!("{}0", &id[..id.len() - 1]);
    let packs = place.packs("warm");
    let [pack] = packs.as_slice() else {
        panic!("{packs:?}")
    };
    let mut bytes = fs::read(pack).unwrap();
    // Wherever it stands: the order of the entries is that of their keys.
    let all: Vec<usize> = (0..bytes.len() - id.len())
        .filter(|&at| bytes[at..].starts_with(id.as_bytes()))
        .collect();
    assert!(!all.is_empty());
    for at in all {
        bytes[at..at + id.len()].copy_from_slice(other.as_bytes());
    }
    for sealed in [false, true] {
        if sealed {
            seal(&mut bytes, pack.file_name().unwrap().len());
        }
        fs::write(pack, &bytes).unwrap();
        place.write(&path(2), &source(2, &vec![1, 1]));
        place.packs("warm");
        let points = place.ask("warm", &json!({})).unwrap()["points"].to_string();
        assert_eq!(points.contains(&other), sealed);
    }
}

/// Makes the only part of a pack list what it holds.
fn seal(pack: &mut [u8], name: usize) {
    let number =
        |bytes: &[u8]| usize::try_from(u32::from_le_bytes(bytes.try_into().unwrap())).unwrap();
    let end = 36 + number(&pack[32..36]);
    let mut value = end;
    for entry in (36 + name..end).step_by(28) {
        let next = end + number(&pack[entry + 16..entry + 20]);
        let check = Sha256::digest(&pack[value..next]);
        pack[entry + 20..entry + 28].copy_from_slice(&check[..8]);
        value = next;
    }
    let sum = Sha256::digest(&pack[32..end]);
    pack[..32].copy_from_slice(&sum);
}

/// Stat data vouch for a file that has long been as it is. One with another content, the same
/// length and the same time of writing is another one.
#[test]
fn a_file_with_the_same_length_and_time_is_read_again() {
    let place = Place::new();
    place.write(&path(0), &source(0, &vec![3, 2]));
    let file = place.repo.join(path(3));
    let age = || fs::metadata(&file).unwrap().modified().unwrap().elapsed();
    let old = std::time::Duration::from_millis(200);
    while age().is_ok_and(|age| age < old) {
        std::thread::yield_now();
    }
    place.ask("warm", &json!({})).unwrap();
    let written = fs::metadata(&file).unwrap().modified().unwrap();
    let text = String::from_utf8(fs::read(&file).unwrap()).unwrap();
    // The hash of the file stands in the plan, though none of its lines is in the change.
    place.write(&path(3), text.replace("F3x0", "G3x0").as_bytes());
    let opened = fs::File::options().write(true).open(&file).unwrap();
    opened.set_modified(written).unwrap();
    drop(opened);
    git(
        &place.repo,
        &["update-index", "--assume-unchanged", &path(3)],
    );
    place.packs("warm");
    let warm = place.ask("warm", &json!({})).unwrap();
    assert_eq!(warm, place.ask("", &json!({})).unwrap());
}
