//! The changed code of upgraded modules (`deps` of the request).
//!
//! Which modules those are, and where both versions lie, the caller says: only the go
//! command knows. A module's versions have no history, so their files are compared by
//! path, and moved ones found as git finds them (not at precision 3).

mod tree;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use self::tree::list;
use super::options::Dependency;
use super::other::{is_embedded, kind_of, plain};
use super::scope::Scoped;
use super::{Options, Sources};
use crate::control::Control;
use crate::error::Result;
use crate::git::{added_lines, hunks, read_file, renamed};
use crate::model::FileChange;
use crate::modules::{join, parent};
use crate::plan::{Other, Warning};
use crate::tree::GoFile;

/// What was read, or in words why that is not possible.
type Reading<T> = std::result::Result<T, String>;

/// What the note of a tracked module says.
const TRACKED: &str = "tracked";

/// What it says of a module that the caller did not find in the build.
const UNUSED: &str = "not tracked: no package of it is in this build";

/// The upgraded modules, read.
#[derive(Debug, Default)]
pub(super) struct Upgraded {
    /// Their changed Go files, tests left out.
    pub(super) files: Vec<Scoped>,
    /// What else changed in them.
    other: Vec<Other>,
    /// What became of each module, by its path; `None` where nobody asked.
    notes: Option<BTreeMap<String, Note>>,
}

#[derive(Debug)]
struct Note {
    entry: Other,
    /// Why it is not tracked.
    problem: String,
}

/// One module, read.
struct Module {
    files: Vec<Scoped>,
    other: Vec<Other>,
    /// Directory in the document, import path and contents of every package.
    sources: Vec<(String, String, GoFile)>,
}

/// Reads both versions of every upgraded module. One that cannot be read is named.
pub(super) fn read(
    options: &Options,
    sources: &mut Sources,
    control: &Control,
) -> Result<Upgraded> {
    let Some(deps) = &options.deps else {
        return Ok(Upgraded::default());
    };
    let mut result = Upgraded::default();
    let mut notes = BTreeMap::new();
    for (done, dep) in deps.iter().enumerate() {
        control.check()?;
        control.tick("deps", done as u64, deps.len() as u64);
        let mut problem = dep.problem.clone();
        if problem.is_empty() {
            match module(dep, options.precision != 3, control)? {
                Ok(module) => {
                    result.files.extend(module.files);
                    result.other.extend(module.other);
                    for (dir, import_path, file) in module.sources {
                        sources.add(&dir, &import_path, file);
                    }
                }
                Err(why) => problem = why,
            }
        }
        let entry = Other {
            old: dep.old_version.clone(),
            new: dep.new_version.clone(),
            replaced: dep.replaced(),
            ..plain("module", &dep.path)
        };
        notes.insert(dep.path.clone(), Note { entry, problem });
    }
    result.notes = Some(notes);
    Ok(result)
}

/// Compares the two versions. The inner error says why that is not possible.
fn module(dep: &Dependency, find_renames: bool, control: &Control) -> Result<Reading<Module>> {
    let side = |dir: &str, version: &str| {
        list(Path::new(dir)).map_err(|e| format!("{}@{version} cannot be read: {e}", dep.path))
    };
    let sides = (
        side(&dep.old_dir, &dep.old_version),
        side(&dep.new_dir, &dep.new_version),
    );
    let (old, new) = match sides {
        (Ok(old), Ok(new)) => (old, new),
        (Err(why), _) | (_, Err(why)) => return Ok(Err(why)),
    };
    let mut paths: Vec<&String> = old.keys().chain(new.keys()).collect();
    paths.sort_unstable();
    paths.dedup();
    let read: Vec<Reading<Compared>> = paths
        .par_iter()
        .map(|path| {
            control.check()?;
            Ok(compare(dep, path, old.get(*path), new.get(*path)))
        })
        .collect::<Result<_>>()?;
    let mut read = match read.into_iter().collect::<Reading<Vec<_>>>() {
        Ok(read) => read,
        Err(why) => return Ok(Err(why)),
    };
    if find_renames {
        follow_renames(&mut read, control)?;
    }
    Ok(Ok(join_up(dep, read)))
}

/// Compares files that moved with what they were, and forgets that those are gone.
fn follow_renames(read: &mut [Compared], control: &Control) -> Result<()> {
    let sides = |gone: bool| -> Vec<usize> {
        let is_wanted = |change: &FileChange| {
            if gone {
                change.new.is_none()
            } else {
                change.old.is_none()
            }
        };
        let all = read.iter().enumerate();
        let wanted = all.filter(|(_, one)| one.change.as_ref().is_some_and(is_wanted));
        wanted.map(|(index, _)| index).collect()
    };
    let (removed, added) = (sides(true), sides(false));
    let contents = |indices: &[usize]| -> Vec<(&str, &[u8])> {
        let changes = indices.iter().filter_map(|&at| read[at].change.as_ref());
        changes
            .map(|change| {
                let content = change.new.as_deref().or(change.old.as_deref());
                (change.path.as_str(), content.unwrap_or_default())
            })
            .collect()
    };
    let moved = renamed(&contents(&removed), &contents(&added), control)?;
    let mut moved: Vec<(usize, usize)> = moved.into_iter().collect();
    moved.sort_unstable();
    let mut sources = BTreeMap::new();
    for &(_, source) in &moved {
        let gone = read[removed[source]].change.take();
        sources.extend(gone.map(|gone| (source, gone)));
    }
    for (target, source) in moved {
        let (Some(change), Some(gone)) =
            (read[added[target]].change.as_mut(), sources.get(&source))
        else {
            continue;
        };
        change.old_path = Some(gone.path.clone());
        change.old.clone_from(&gone.old);
        change.hunks = hunks(change.old.as_deref(), change.new.as_deref())?;
        change.lines = added_lines(&change.hunks);
    }
    Ok(())
}

/// A file of a module: what it is in the release, and how it changed.
#[derive(Default)]
struct Compared {
    go: Option<GoFile>,
    change: Option<FileChange>,
    /// A changed file that is no Go code: its path below the module.
    other: Option<String>,
}

fn compare(
    dep: &Dependency,
    path: &str,
    old: Option<&PathBuf>,
    new: Option<&PathBuf>,
) -> Reading<Compared> {
    let bytes = |file: Option<&PathBuf>| {
        let read = file.map(|file| read_file(file)).transpose();
        read.map_err(|cause| format!("{path} of {} cannot be read: {cause}", dep.name()))
    };
    let is_go = Path::new(path).extension().is_some_and(|ext| ext == "go");
    let (old, new) = (bytes(old)?, bytes(new)?);
    if let Some(new) = new.as_ref().filter(|_| is_go) {
        check_vendored(dep, path, new)?;
    }
    let shown = join(&dep.name(), path);
    let mut compared = Compared {
        go: new
            .as_ref()
            .filter(|_| is_go)
            .map(|new| GoFile::read(&shown, new)),
        ..Compared::default()
    };
    if old == new {
        return Ok(compared);
    }
    if !is_go {
        compared.other = Some(path.to_owned());
    } else if !path.ends_with("_test.go") {
        compared.change = Some(change(shown, old, new)?);
    }
    Ok(compared)
}

fn change(path: String, old: Option<Vec<u8>>, new: Option<Vec<u8>>) -> Reading<FileChange> {
    let hunks = hunks(old.as_deref(), new.as_deref())
        .map_err(|error| format!("{path} cannot be compared: {}", error.message))?;
    Ok(FileChange {
        lines: if new.is_some() {
            added_lines(&hunks)
        } else {
            Vec::new()
        },
        path,
        old,
        new,
        hunks,
        ..FileChange::default()
    })
}

/// A vendored copy that somebody has edited is compiled, but it is not this version.
fn check_vendored(dep: &Dependency, path: &str, new: &[u8]) -> Reading<()> {
    if dep.vendor_dir.is_empty() {
        return Ok(());
    }
    match read_file(&Path::new(&dep.vendor_dir).join(path)) {
        Ok(bytes) if bytes != new => Err(format!(
            "vendor/{}/{path} is not the file of {}",
            dep.path,
            dep.name()
        )),
        _ => Ok(()),
    }
}

/// Sorts what was read of a module.
fn join_up(dep: &Dependency, read: Vec<Compared>) -> Module {
    let mut module = Module {
        files: Vec::new(),
        other: Vec::new(),
        sources: Vec::new(),
    };
    let mut changed = Vec::new();
    for Compared { go, change, other } in read {
        changed.extend(other);
        if let Some(file) = go {
            let dir = parent(&file.path).to_owned();
            let import_path = dep.import_path(&dir);
            module.sources.push((dir, import_path, file));
        }
        if let Some(change) = change {
            let import_path = dep.import_path(parent(&change.path));
            module.files.push(Scoped {
                change,
                import_path,
                reason: None,
            });
        }
    }
    module.other = others(dep, &changed, &module.sources);
    module
}

/// What the changed files that are no Go code are to a build.
fn others(
    dep: &Dependency,
    changed: &[String],
    sources: &[(String, String, GoFile)],
) -> Vec<Other> {
    let mut found = Vec::new();
    for path in changed {
        let shown = join(&dep.name(), path);
        let name = path.rsplit('/').next().unwrap_or(path);
        let beside_go = sources.iter().any(|(dir, ..)| dir == parent(&shown));
        // A profile counts in the main package's module only.
        let kind = kind_of(name, beside_go).filter(|kind| *kind != "pgo");
        found.extend(kind.map(|kind| plain(kind, &shown)));
        let embedded = sources
            .iter()
            .filter(|(_, _, file)| !file.is_test())
            .any(|(dir, _, file)| file.embeds.iter().any(|p| is_embedded(dir, p, &shown)));
        found.extend(embedded.then(|| plain("embed", &shown)));
    }
    found
}

impl Upgraded {
    /// Adds what became of the upgraded modules to what else changed, and warns of those
    /// that are not tracked.
    pub(super) fn note(self, other: &mut Vec<Other>, go_mod: &str, warnings: &mut Vec<Warning>) {
        let Some(mut notes) = self.notes else { return };
        for entry in other.iter_mut().filter(|entry| entry.kind == "module") {
            match notes.remove(&entry.path) {
                Some(note) => entry.note = note.text(),
                // Nothing of a removed module is left to run.
                None if entry.new.is_empty() => {}
                None => UNUSED.clone_into(&mut entry.note),
            }
            warn(entry, go_mod, warnings);
        }
        for note in notes.into_values() {
            let entry = Other {
                note: note.text(),
                ..note.entry
            };
            warn(&entry, go_mod, warnings);
            other.push(entry);
        }
        other.extend(self.other);
        other.sort();
    }
}

impl Note {
    fn text(&self) -> String {
        match self.problem.as_str() {
            "" => TRACKED.to_owned(),
            problem => format!("not tracked: {problem}"),
        }
    }
}

fn warn(entry: &Other, go_mod: &str, warnings: &mut Vec<Warning>) {
    if entry.note.is_empty() || entry.note == TRACKED {
        return;
    }
    let versions: Vec<&str> = [entry.path.as_str(), &entry.old, &entry.new]
        .into_iter()
        .filter(|word| !word.is_empty())
        .collect();
    warnings.push(Warning {
        path: go_mod.to_owned(),
        line: 0,
        message: format!("{}: {}", versions.join(" "), entry.note),
    });
}

impl Dependency {
    /// How the document calls it: the module that the bytes come from, with its version.
    fn name(&self) -> String {
        let path = if self.new_path.is_empty() {
            &self.path
        } else {
            &self.new_path
        };
        format!("{path}@{}", self.new_version)
    }

    /// What takes its place by `replace`.
    fn replaced(&self) -> String {
        if self.new_path.is_empty() {
            String::new()
        } else {
            format!("{} {}", self.new_path, self.new_version)
        }
    }

    /// The import path of a directory of the document.
    fn import_path(&self, dir: &str) -> String {
        let below = dir.strip_prefix(&self.name()).unwrap_or(dir);
        format!("{}{below}", self.path)
    }
}
