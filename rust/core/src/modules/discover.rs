//! The modules around a directory.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::parse::{GoMod, parse_mod, parse_work};
use super::replaced::{Stated, replaced};
use crate::error::{Code, Error, Result};

/// A module inside the repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Module {
    /// Directory relative to the repository's root; empty for the root.
    pub dir: String,
    /// Module path, as packages import it.
    pub path: String,
}

/// Which go.work file counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Workspace {
    /// The nearest one upwards from the directory.
    Auto,
    /// None.
    Off,
    /// This one, relative to the repository's root.
    File(String),
}

/// What decides which modules are covered besides the files of the repository.
#[derive(Clone, Debug)]
pub struct Ground {
    /// The repository's root: where absolute paths lead into it.
    pub root: PathBuf,
    /// Which go.work counts.
    pub workspace: Workspace,
    /// A go.work outside the repository, and its directory.
    pub outer: Option<(PathBuf, GoMod)>,
    /// What stands for the go.mod of the module that was asked for (`-modfile`).
    pub alternate: Option<GoMod>,
}

impl Ground {
    /// A path as a go.mod or go.work file in `dir` names it; `None` if it leaves the
    /// repository.
    #[must_use]
    pub fn resolve(&self, dir: &str, named: &str) -> Option<String> {
        if Path::new(named).is_absolute() {
            return inside(&self.root, Path::new(named));
        }
        resolve(dir, named)
    }

    /// The module directories inside the repository that a go.work outside uses.
    #[must_use]
    pub fn outer_uses(&self) -> Vec<String> {
        let outer = self.outer.iter();
        let uses = outer.flat_map(|(dir, work)| work.uses.iter().map(move |used| (dir, used)));
        uses.filter_map(|(dir, used)| self.seen_from_outside(dir, used))
            .collect()
    }

    /// A path as a go.work outside the repository names it.
    fn seen_from_outside(&self, dir: &Path, named: &str) -> Option<String> {
        let path = dir.join(named);
        inside(&self.root, &path).filter(|_| path.exists())
    }
}

/// A path relative to the root, if it lies inside. What does not exist (any more) is
/// taken by its text.
#[must_use]
pub fn inside(root: &Path, path: &Path) -> Option<String> {
    let below = |root: &Path, path: &Path| {
        let below = path.strip_prefix(root).ok()?;
        let parts = below.iter().map(|part| part.to_string_lossy());
        let text = parts.collect::<Vec<_>>().join("/");
        resolve("", &text)
    };
    match (root.canonicalize(), path.canonicalize()) {
        (Ok(root), Ok(path)) => below(&root, &path),
        _ => below(root, path),
    }
}

/// Where to look.
#[derive(Clone, Copy)]
pub struct Find<'a> {
    /// Reads a file by its path relative to the repository's root; `None` if there is none.
    pub read: &'a dyn Fn(&str) -> Option<Vec<u8>>,
    /// Whether a directory may hold a go.mod at all, as far as that is known without a look.
    pub may_hold: &'a dyn Fn(&str) -> bool,
    /// The directory that was asked for, relative to the root.
    pub dir: &'a str,
    /// What decides besides the files.
    pub ground: &'a Ground,
}

/// The covered modules and a way to ask for a directory's module.
pub struct Covered<'a> {
    /// The module that was asked for.
    pub main: Module,
    /// All covered modules, by directory.
    pub modules: Vec<Module>,
    /// Nested modules are covered too, under their own paths.
    pub nested: bool,
    read: &'a dyn Fn(&str) -> Option<Vec<u8>>,
    may_hold: &'a dyn Fn(&str) -> bool,
    /// The modules of directories, as found so far.
    found: RefCell<HashMap<String, Option<Rc<Module>>>>,
}

impl std::fmt::Debug for Covered<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Covered")
            .field("main", &self.main)
            .field("modules", &self.modules)
            .finish_non_exhaustive()
    }
}

/// Finds the modules that a plan for a directory covers: its own, those of the
/// workspace, and the local targets of their `replace` directives.
pub fn discover(find: Find<'_>, nested: bool) -> Result<Covered<'_>> {
    let own = upwards(find.dir, |dir| (find.read)(&join(dir, "go.mod")).is_some());
    let work = workspace(find)?;
    let mut modules: BTreeMap<String, String> = BTreeMap::new();
    let mut sources: Vec<(String, GoMod)> = Vec::new();
    let ground = find.ground;
    let used = work.iter().flat_map(|(dir, work)| {
        let uses = work.uses.iter();
        uses.filter_map(|used| ground.resolve(dir, used))
            .collect::<Vec<_>>()
    });
    let outer = ground.outer.iter().filter(|_| work.is_none());
    let outer_uses = outer.clone().flat_map(|_| ground.outer_uses());
    for dir in own.iter().cloned().chain(used).chain(outer_uses) {
        if let Some(text) = (find.read)(&join(&dir, "go.mod")) {
            let alternate = ground
                .alternate
                .as_ref()
                .filter(|_| own.as_ref() == Some(&dir));
            let parsed = alternate.cloned().unwrap_or_else(|| parse_mod(&text));
            modules.insert(dir.clone(), parsed.module.clone());
            sources.push((dir, parsed));
        }
    }
    let main_dir = own.or_else(|| sources.first().map(|(dir, _)| dir.clone()));
    let main = main_dir.ok_or_else(|| no_module(find.dir))?;
    let outside = outer.map(|(dir, work)| Stated {
        file: work,
        resolve: Box::new(move |named| ground.seen_from_outside(dir, named)),
    });
    let inside = work.iter().chain(&sources).map(|(dir, file)| Stated {
        file,
        resolve: Box::new(move |named| ground.resolve(dir, named)),
    });
    let files: Vec<Stated<'_>> = outside.chain(inside).collect();
    for (dir, path) in replaced(modules.values(), &files) {
        modules.entry(dir).or_insert(path);
    }
    let modules: Vec<Module> = modules
        .into_iter()
        .map(|(dir, path)| Module { dir, path })
        .collect();
    let main = modules
        .iter()
        .find(|m| m.dir == main)
        .cloned()
        .ok_or_else(|| no_module(find.dir))?;
    Ok(Covered {
        main,
        modules,
        nested,
        read: find.read,
        may_hold: find.may_hold,
        found: RefCell::default(),
    })
}

fn no_module(dir: &str) -> Error {
    Error::new(
        Code::NoGoMod,
        "no go.mod in this directory or above it, up to the repository's root",
    )
    .hint("run goat inside a Go module, or make one with `go mod init`; `go build` builds without goat (`goat help refusals`)")
    .path(if dir.is_empty() { "." } else { dir })
}

fn workspace(find: Find<'_>) -> Result<Option<(String, GoMod)>> {
    let file = match &find.ground.workspace {
        Workspace::Off => return Ok(None),
        Workspace::Auto => {
            let dir = upwards(find.dir, |dir| (find.read)(&join(dir, "go.work")).is_some());
            match dir {
                Some(dir) => join(&dir, "go.work"),
                None => return Ok(None),
            }
        }
        Workspace::File(file) => file.clone(),
    };
    let text = (find.read)(&file).ok_or_else(|| {
        Error::new(Code::BadConfig, "the go.work file cannot be read")
            .hint("set GOWORK to a go.work file, to off, or unset it")
            .path(&file)
    })?;
    Ok(Some((parent(&file).to_owned(), parse_work(&text))))
}

impl Covered<'_> {
    /// The covered module that a directory belongs to.
    pub fn module_of(&self, dir: &str) -> Option<Rc<Module>> {
        if let Some(known) = self.found.borrow().get(dir) {
            return known.clone();
        }
        let found = self.find(dir);
        let mut all = self.found.borrow_mut();
        all.insert(dir.to_owned(), found.clone());
        found
    }

    /// That of the go.mod at or above a directory, if it is covered.
    fn find(&self, dir: &str) -> Option<Rc<Module>> {
        if let Some(module) = self.modules.iter().find(|m| m.dir == dir) {
            return Some(Rc::new(module.clone()));
        }
        let text = (self.may_hold)(dir).then(|| (self.read)(&join(dir, "go.mod")));
        let Some(text) = text.flatten() else {
            return (!dir.is_empty())
                .then(|| self.module_of(parent(dir)))
                .flatten();
        };
        let below = self.nested && is_below(dir, &self.main.dir);
        below.then(|| {
            Rc::new(Module {
                path: parse_mod(&text).module,
                dir: dir.to_owned(),
            })
        })
    }
}

impl Module {
    /// The import path of a directory of the module.
    #[must_use]
    pub fn import_path(&self, dir: &str) -> String {
        let below = dir
            .strip_prefix(&self.dir)
            .unwrap_or(dir)
            .trim_start_matches('/');
        if below.is_empty() {
            self.path.clone()
        } else {
            format!("{}/{below}", self.path)
        }
    }

    /// The path of something below the module's directory, relative to it.
    #[must_use]
    pub fn relative<'p>(&self, path: &'p str) -> &'p str {
        path.strip_prefix(&self.dir)
            .unwrap_or(path)
            .trim_start_matches('/')
    }
}

/// `dir/name`, or `name` at the root.
#[must_use]
pub fn join(dir: &str, name: &str) -> String {
    if dir.is_empty() {
        name.to_owned()
    } else {
        format!("{dir}/{name}")
    }
}

/// The directory of a path; empty at the root.
#[must_use]
pub fn parent(path: &str) -> &str {
    // Asked for every file: a search for a character of any length is slower.
    memchr::memrchr(b'/', path.as_bytes()).map_or("", |at| &path[..at])
}

/// Whether a directory is another one or below it.
#[must_use]
pub fn is_below(dir: &str, other: &str) -> bool {
    other.is_empty() || dir == other || dir.strip_prefix(other).is_some_and(|r| r.starts_with('/'))
}

/// The first directory upwards that has what is asked for.
fn upwards(from: &str, has: impl Fn(&str) -> bool) -> Option<String> {
    let mut dir = from;
    loop {
        if has(dir) {
            return Some(dir.to_owned());
        }
        if dir.is_empty() {
            return None;
        }
        dir = parent(dir);
    }
}

/// A relative path seen from a directory; `None` if it leaves the repository.
#[must_use]
pub fn resolve(dir: &str, relative: &str) -> Option<String> {
    if relative.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = dir.split('/').filter(|part| !part.is_empty()).collect();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}
