//! What changed besides the covered modules' Go code.

use std::collections::{BTreeMap, BTreeSet};

use super::scope::is_vendored;
use super::{PlannedFile, Sources};
use crate::git::{OtherChange, Repo, Sides};
use crate::modules::{Covered, GoMod, join, parent, parse_mod};
use crate::plan::Other;
use crate::tree::matches_pattern;

/// Lists it, sorted.
pub(super) fn list(
    repo: &Repo,
    sides: &Sides,
    covered: &Covered<'_>,
    changes: &[OtherChange],
    files: &[PlannedFile],
    sources: &Sources,
) -> Vec<Other> {
    let texts = Texts { repo, sides };
    let mut found = BTreeSet::new();
    let embeds: Vec<(&str, &str)> = sources.embeds().collect();
    let mut vendored: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for file in files {
        note_vendored(&file.path, covered, &mut vendored);
        let here = || !is_vendored(&file.path) && covered.module_of(&file.dir).is_some();
        if let Some((old, new)) = file.asked.clone().filter(|_| here()) {
            found.insert(Other {
                old,
                new,
                ..plain("constraint", &file.path)
            });
        }
    }
    for change in changes {
        let path = change.path.as_str();
        note_vendored(path, covered, &mut vendored);
        if is_vendored(path) || covered.module_of(parent(path)).is_none() {
            continue;
        }
        match path.rsplit('/').next().unwrap_or(path) {
            "go.mod" | "go.work" => found.extend(texts.module_file(change)),
            name => {
                let kind = kind_of(name, sources.holds(parent(path)));
                found.extend(kind.map(|kind| plain(kind, path)));
            }
        }
        let holds = |(dir, pattern): &(&str, &str)| is_embedded(dir, pattern, path);
        if embeds.iter().any(holds) {
            found.insert(plain("embed", path));
        }
    }
    for (dir, paths) in vendored {
        found.extend(texts.vendor(&dir, &paths));
    }
    found.into_iter().collect()
}

pub(super) fn plain(kind: &'static str, path: &str) -> Other {
    let empty = String::new;
    Other {
        kind: kind.into(),
        path: path.to_owned(),
        old: empty(),
        new: empty(),
        replaced: empty(),
        note: empty(),
    }
}

/// What a file is to a build, by its name; `beside_go` says that Go files stand beside it.
pub(super) fn kind_of(name: &str, beside_go: bool) -> Option<&'static str> {
    if name == "default.pgo" {
        return Some("pgo");
    }
    let extension = name.rsplit_once('.').map(|(_, extension)| extension)?;
    let kind = match extension {
        "c" | "cc" | "cpp" | "cxx" | "m" | "h" | "hh" | "hpp" | "hxx" | "f" | "F" | "for"
        | "f90" | "swig" | "swigcxx" => "cgo",
        "s" | "S" | "sx" => "assembly",
        "syso" => "syso",
        _ => return None,
    };
    beside_go.then_some(kind)
}

pub(super) fn is_embedded(dir: &str, pattern: &str, path: &str) -> bool {
    let below = if dir.is_empty() {
        Some(path)
    } else {
        path.strip_prefix(dir)
            .and_then(|rest| rest.strip_prefix('/'))
    };
    below.is_some_and(|below| matches_pattern(pattern, below))
}

/// Files a path under its vendor directory, where a covered module owns that.
fn note_vendored<'p>(
    path: &'p str,
    covered: &Covered<'_>,
    vendored: &mut BTreeMap<String, Vec<&'p str>>,
) {
    let Some(module) = covered.module_of(parent(path)) else {
        return;
    };
    if let Some(below) = module.relative(path).strip_prefix("vendor/") {
        vendored
            .entry(join(&module.dir, "vendor"))
            .or_default()
            .push(below);
    }
}

struct Texts<'r> {
    repo: &'r Repo,
    sides: &'r Sides,
}

impl Texts<'_> {
    fn old(&self, path: &str) -> Vec<u8> {
        self.repo
            .read_base(self.sides, path)
            .ok()
            .flatten()
            .unwrap_or_default()
    }

    fn released(&self, path: &str) -> Vec<u8> {
        self.repo.read_release(self.sides, path).unwrap_or_default()
    }

    /// What a go.mod or go.work file says differently.
    fn module_file(&self, change: &OtherChange) -> Vec<Other> {
        let path = change.path.as_str();
        let old = parse_mod(&self.old(change.old_path.as_deref().unwrap_or(path)));
        let new = parse_mod(&self.released(path));
        let mut found = Vec::new();
        for (kind, old, new) in [
            ("go", &old.go, &new.go),
            ("toolchain", &old.toolchain, &new.toolchain),
        ] {
            if old != new {
                let (old, new) = (old.clone(), new.clone());
                found.push(Other {
                    old,
                    new,
                    ..plain(kind, path)
                });
            }
        }
        found.extend(modules(&old, &new));
        found
    }

    /// One entry per vendored module whose version or files changed.
    fn vendor(&self, dir: &str, paths: &[&str]) -> Vec<Other> {
        let list = join(dir, "modules.txt");
        let (old, new) = (vendored(&self.old(&list)), vendored(&self.released(&list)));
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        let touched: BTreeSet<&String> = paths
            .iter()
            .filter_map(|path| owner(&names, path))
            .collect();
        let version = |map: &BTreeMap<String, String>, name: &String| {
            map.get(name).cloned().unwrap_or_default()
        };
        let changed = names
            .iter()
            .filter(|name| old.get(**name) != new.get(**name) || touched.contains(*name));
        changed
            .map(|name| Other {
                old: version(&old, name),
                new: version(&new, name),
                ..plain("vendor", name)
            })
            .collect()
    }
}

/// The vendored module that a path belongs to: the longest name that leads to it.
fn owner<'n>(names: &BTreeSet<&'n String>, path: &str) -> Option<&'n String> {
    let ends = path
        .rmatch_indices('/')
        .map(|(at, _)| path[..at].to_owned());
    let mut found = ends.filter_map(|dir| names.get(&dir).copied());
    found.next()
}

/// Versions by module path from a vendor/modules.txt.
fn vendored(text: &[u8]) -> BTreeMap<String, String> {
    let text = String::from_utf8_lossy(text);
    let lines = text.lines().filter_map(|line| line.strip_prefix("# "));
    let entries = lines.filter_map(|line| line.split_once(' '));
    // At the end go lists the replacements once more, without a version in front.
    let entries = entries.filter(|(_, version)| !version.starts_with("=>"));
    entries
        .map(|(path, version)| (path.to_owned(), version.to_owned()))
        .collect()
}

/// Modules whose version or replacement differs.
fn modules(old: &GoMod, new: &GoMod) -> Vec<Other> {
    let names: BTreeSet<&String> = old.require.keys().chain(new.require.keys()).collect();
    let state = |side: &GoMod, name: &String| {
        let version = side.require.get(name).cloned().unwrap_or_default();
        let replaced = replacement(side, name, &version);
        (version, replaced)
    };
    let differing = names.into_iter().filter_map(|name| {
        let (before, after) = (state(old, name), state(new, name));
        (before != after).then(|| Other {
            old: before.0,
            new: after.0,
            replaced: after.1,
            ..plain("module", name)
        })
    });
    differing.collect()
}

/// What takes a module's place: `path version` or a directory; empty for nothing.
fn replacement(side: &GoMod, name: &str, version: &str) -> String {
    side.replacing(name, version).map_or_else(String::new, |r| {
        format!("{} {}", r.new, r.new_version).trim_end().to_owned()
    })
}
