//! All Go files of the covered modules: hashes, main packages, tests.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::ledger::{Kind, Ledger, on_disk};
use super::scope::{is_hidden, is_vendored};
use crate::control::Control;
use crate::error::Result;
use crate::git::{GoSource, Repo, Stamp};
use crate::marks;
use crate::modules::{Covered, parent};
use crate::plan::{FORMAT, MainPackage, Shard, TestPackage, short_hash};
use crate::tree::{Asks, GoFile};

/// One directory of a covered module.
#[derive(Debug, Default)]
struct Directory {
    import_path: String,
    /// Directory names that `./...` does not go into.
    hidden: bool,
    /// Part of another module: no program and no test of it is looked for.
    foreign: bool,
    files: Vec<GoFile>,
}

/// What is known of the covered modules' Go files.
#[derive(Debug, Default)]
pub struct Sources {
    directories: BTreeMap<String, Directory>,
    /// Whether some file holds goat's marks.
    pub marked: bool,
    /// Files in which somebody asks for a point (`+goat:insert`).
    pub(super) requested: Vec<String>,
}

/// Reads them all, in parallel. What cannot be read is left out: it cannot be
/// compiled either, and the go command says so.
pub(super) fn read(
    disk: &Disk<'_>,
    covered: &Covered<'_>,
    listing: Vec<GoSource>,
    control: &Control,
) -> Result<Sources> {
    let mut wanted = Vec::new();
    let mut directories: BTreeMap<String, Directory> = BTreeMap::new();
    for file in listing {
        let dir = parent(&file.path);
        let Some(module) = covered.module_of(dir) else {
            continue;
        };
        let relative = module.relative(&file.path);
        if is_vendored(relative) || is_hidden(&file.path) {
            continue;
        }
        if !directories.contains_key(dir) {
            let directory = Directory {
                import_path: module.import_path(dir),
                hidden: parent(relative)
                    .split('/')
                    .any(|p| p == "testdata" || is_hidden(p)),
                foreign: false,
                files: Vec::new(),
            };
            directories.insert(dir.to_owned(), directory);
        }
        wanted.push(file.path);
    }
    control.check()?;
    control.tick("read", 0, wanted.len() as u64);
    let read: Vec<Option<Read>> = wanted
        .par_iter()
        .map(|path| disk.look(path, control))
        .collect();
    control.check()?;
    let (mut marked, mut requested) = (false, Vec::new());
    for read in read.into_iter().flatten() {
        marked |= read.marked;
        if read.requested && !read.file.is_test() {
            requested.push(read.file.path.clone());
        }
        if let Some(directory) = directories.get_mut(parent(&read.file.path)) {
            directory.files.push(read.file);
        }
    }
    Ok(Sources {
        directories,
        marked,
        requested,
    })
}

/// The way to the Go files of the release, past the ledger and through it.
pub(super) struct Disk<'a> {
    pub(super) read: &'a (dyn Fn(&str) -> Result<Vec<u8>> + Sync),
    pub(super) repo: &'a Repo,
    /// `None` where what is on disk is not the release.
    pub(super) ledger: Option<&'a Ledger>,
}

impl Disk<'_> {
    /// What is to be known of a file; not read where its stat data vouch for what was read.
    fn look(&self, path: &str, control: &Control) -> Option<Read> {
        control.check().ok()?;
        let vouched = self.ledger.and_then(|ledger| {
            let vouched = self.repo.vouched(path.as_bytes())?;
            Some((
                ledger,
                on_disk(Kind::Source, path.as_bytes(), &vouched),
                vouched,
            ))
        });
        if let Some(known) = vouched
            .as_ref()
            .and_then(|(ledger, key, _)| ledger.get(*key))
        {
            return Some(known);
        }
        let read = read_one(self.read, path)?;
        if let Some((ledger, key, _)) =
            vouched.filter(|(.., v)| self.repo.is_still(path.as_bytes(), v))
        {
            ledger.put(key, &read);
        }
        Some(read)
    }
}

/// What is known of a file with earlier stat data.
pub(super) fn known(ledger: &Ledger, path: &str, vouched: &Stamp) -> Option<GoFile> {
    let read: Option<Read> = ledger.get(on_disk(Kind::Source, path.as_bytes(), vouched));
    let plain = read.filter(|read| !read.marked && !read.requested);
    plain.map(|read| read.file)
}

/// One file, marks removed.
#[derive(Serialize, Deserialize)]
struct Read {
    file: GoFile,
    marked: bool,
    requested: bool,
}

fn read_one(read_release: &(dyn Fn(&str) -> Result<Vec<u8>> + Sync), path: &str) -> Option<Read> {
    let source = read_release(path).ok()?;
    // The plan of a marked tree is that of the tree without marks.
    let clean = marks::strip(&source).ok().flatten();
    let text = clean.as_ref().unwrap_or(&source);
    Some(Read {
        file: GoFile::read(path, text),
        marked: clean.is_some(),
        requested: !marks::inserts(text).is_empty(),
    })
}

impl Directory {
    /// The files that count as code: no tests, none of goat's own.
    fn code(&self) -> impl Iterator<Item = &GoFile> {
        self.files
            .iter()
            .filter(|file| !file.is_test() && !file.header.own)
    }

    /// The files that some build may compile as a part of the package.
    fn built(&self) -> impl Iterator<Item = &GoFile> {
        self.code().filter(|file| file.header.asks != Asks::Ignore)
    }

    /// The package's name: the most frequent one of the files that every build takes,
    /// else of all; then the first.
    fn package(&self) -> &str {
        let mut names: Vec<(&str, usize)> = Vec::new();
        let always = self.built().any(|file| file.header.asks == Asks::Nothing);
        let counts = |file: &&GoFile| !always || file.header.asks == Asks::Nothing;
        for file in self.built().filter(counts) {
            let name = file.header.package.as_str();
            match names.iter_mut().find(|(known, _)| *known == name) {
                Some((_, count)) => *count += 1,
                None => names.push((name, 1)),
            }
        }
        let best = names.iter().map(|(_, count)| *count).max().unwrap_or(0);
        names
            .iter()
            .find(|(_, count)| *count == best)
            .map_or("", |(name, _)| name)
    }
}

impl Sources {
    /// Adds a file of a package of another module. No main and no test is looked for
    /// there.
    pub(super) fn add(&mut self, dir: &str, import_path: &str, file: GoFile) {
        let directory = self.directories.entry(dir.to_owned());
        let directory = directory.or_insert_with(|| Directory {
            import_path: import_path.to_owned(),
            hidden: true,
            foreign: true,
            files: Vec::new(),
        });
        directory.files.push(file);
    }

    /// The name of the package in a directory; empty if it holds none.
    #[must_use]
    pub fn package(&self, dir: &str) -> &str {
        self.directories
            .get(dir)
            .map_or("", |directory| directory.package())
    }

    /// Every word in a directory's Go files that looks like one of goat's, and the
    /// files' names.
    pub(super) fn taken(&self, dir: &str) -> BTreeSet<&str> {
        let files = self.directories.get(dir).into_iter().flat_map(|d| &d.files);
        files
            .flat_map(|file| {
                let base = file.path.rsplit('/').next();
                file.names.iter().map(String::as_str).chain(base)
            })
            .collect()
    }

    /// Whether a package declares a name that the added file needs with Go's meaning.
    pub(super) fn shadows(&self, dir: &str) -> bool {
        self.directories
            .get(dir)
            .is_some_and(|d| d.files.iter().any(|file| file.shadows))
    }

    /// What is known of a file.
    pub(super) fn file(&self, path: &str) -> Option<&GoFile> {
        let directory = self.directories.get(parent(path))?;
        directory.files.iter().find(|file| file.path == path)
    }

    /// Whether a directory holds Go files of a covered module.
    pub(super) fn holds(&self, dir: &str) -> bool {
        self.directories.contains_key(dir)
    }

    /// `//go:embed` patterns, with the directory of the file that holds them.
    pub(super) fn embeds(&self) -> impl Iterator<Item = (&str, &str)> {
        self.directories.iter().flat_map(|(dir, directory)| {
            let patterns = directory.code().flat_map(|file| &file.embeds);
            patterns.map(move |pattern| (dir.as_str(), pattern.as_str()))
        })
    }

    /// The hash documents, by file name.
    pub(super) fn shards(&self) -> BTreeMap<String, Shard> {
        let mut shards: BTreeMap<String, Shard> = BTreeMap::new();
        for directory in self.directories.values() {
            let hashes: BTreeMap<String, String> = directory
                .code()
                .map(|file| (base(&file.path), file.hash.clone()))
                .collect();
            if hashes.is_empty() {
                continue;
            }
            let name = shard_of(&directory.import_path);
            let empty = || Shard {
                format: FORMAT,
                packages: BTreeMap::new(),
            };
            let shard = shards.entry(name).or_insert_with(empty);
            shard.packages.insert(directory.import_path.clone(), hashes);
        }
        shards
    }

    /// Directories with a main package that a build may take, also those that `./...`
    /// passes over: a command line may name them.
    pub(super) fn mains(&self) -> Vec<MainPackage> {
        let own = self.directories.iter().filter(|(_, d)| !d.foreign);
        own.filter_map(|(dir, directory)| main(dir, directory))
            .collect()
    }

    /// Directories with tests.
    pub(super) fn tests(&self) -> Vec<TestPackage> {
        let own = self.directories.iter().filter(|(_, d)| !d.foreign);
        own.filter_map(|(dir, directory)| tests(dir, directory))
            .collect()
    }
}

impl Sources {
    /// Per directory with tests its import path and those of the covered packages that
    /// its test binary may link, under whatever build tags.
    pub fn linked_by_tests(&self) -> impl Iterator<Item = (&str, BTreeSet<&str>)> {
        let known: BTreeMap<&str, &Directory> = self
            .directories
            .values()
            .map(|directory| (directory.import_path.as_str(), directory))
            .collect();
        let own = self.directories.values().filter(|d| !d.foreign);
        own.filter(|directory| directory.files.iter().any(GoFile::is_test))
            .map(move |directory| (directory.import_path.as_str(), links(directory, &known)))
    }
}

/// What the tests of a directory and the packages below them import of the known ones.
fn links<'a>(tested: &'a Directory, known: &BTreeMap<&'a str, &'a Directory>) -> BTreeSet<&'a str> {
    let tests = tested.files.iter().filter(|file| file.is_test());
    let imported = tests.flat_map(|file| &file.header.imports);
    let mut todo: Vec<&str> = imported.map(String::as_str).collect();
    todo.push(&tested.import_path);
    let mut linked = BTreeSet::new();
    while let Some(path) = todo.pop() {
        let Some((path, directory)) = known.get_key_value(path) else {
            continue;
        };
        if linked.insert(*path) {
            let imported = directory.built().flat_map(|file| &file.header.imports);
            todo.extend(imported.map(String::as_str));
        }
    }
    linked
}

/// The name of the hash document that a package stands in.
pub(super) fn shard_of(import_path: &str) -> String {
    format!("s/{}.json", &short_hash(import_path)[..2])
}

fn base(path: &str) -> String {
    path.rsplit('/').next().unwrap_or(path).to_owned()
}

fn main(dir: &str, directory: &Directory) -> Option<MainPackage> {
    let files: Vec<&GoFile> = directory
        .built()
        .filter(|f| f.header.package == "main")
        .collect();
    if files.is_empty() {
        return None;
    }
    let imports: BTreeSet<&String> = files.iter().flat_map(|file| &file.header.imports).collect();
    Some(MainPackage {
        import_path: directory.import_path.clone(),
        dir: dir.to_owned(),
        files: files.iter().map(|file| base(&file.path)).collect(),
        imports: imports.into_iter().cloned().collect(),
        hidden: directory.hidden,
    })
}

fn tests(dir: &str, directory: &Directory) -> Option<TestPackage> {
    let tests = directory
        .files
        .iter()
        .filter(|f| f.is_test() && !f.header.own && f.header.asks != Asks::Ignore);
    let names: BTreeSet<&str> = tests
        .map(|file| file.header.package.as_str())
        .filter(|name| !name.is_empty())
        .collect();
    if names.is_empty() {
        return None;
    }
    let own = directory.package();
    let external = |name: &str| name.ends_with("_test") && name != own;
    // Build tags may tell tests of other packages apart: those of this one count.
    let find = |outside: bool| {
        let usual = format!("{own}{}", if outside { "_test" } else { "" });
        let mut fitting = names.iter().filter(|name| external(name) == outside);
        let first = fitting.clone().find(|name| **name == usual);
        first
            .or_else(|| fitting.next())
            .map_or("", |name| name)
            .to_owned()
    };
    Some(TestPackage {
        import_path: directory.import_path.clone(),
        dir: dir.to_owned(),
        internal: find(false),
        external: find(true),
        hidden: directory.hidden,
    })
}
