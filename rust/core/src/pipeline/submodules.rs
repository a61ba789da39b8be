//! Code in submodules: it is compiled with the rest, and its history lies in
//! repositories of its own.

use std::path::Path;

use sha2::{Digest, Sha256};

use super::Options;
use super::blame::replace_lines;
use super::linked;
use super::other::plain;
use super::scope::Cleaner;
use crate::control::Control;
use crate::error::{Code, Error, Result};
use crate::git::{Changes, GoSource, Repo, Sides, Submodule};
use crate::modules::{Covered, is_below, join};
use crate::plan::{Other, Warning};

/// The submodules of the release, nested ones too, as far as they can be read.
pub(super) struct Submodules {
    all: Vec<One>,
    /// Those of the base that the release has not: path and commit.
    removed: Vec<(String, String)>,
}

struct One {
    /// Its directory from the root of the outermost repository.
    path: String,
    found: Submodule,
    /// Its repository and what is compared there, or why it cannot be looked into.
    state: std::result::Result<(Repo, Sides), String>,
}

impl Submodules {
    /// Opens them.
    pub(super) fn open(repo: &Repo, sides: &Sides) -> Result<Self> {
        let mut all = Vec::new();
        open_into(repo, sides, "", &mut all)?;
        let removed = repo.removed_submodules(sides)?;
        Ok(Self { all, removed })
    }

    /// Whether there is none.
    pub(super) const fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// A file of the release that lies in one of them.
    pub(super) fn read(&self, path: &str) -> Option<Vec<u8>> {
        let inside = self.all.iter().filter(|one| is_below(path, &one.path));
        let one = inside.max_by_key(|one| one.path.len())?;
        let (repo, sides) = one.state.as_ref().ok()?;
        let below = path.strip_prefix(&one.path)?.trim_start_matches('/');
        repo.read_release(sides, below).ok()
    }

    /// Adds their Go files, where the listing of the outer repository has none of them.
    pub(super) fn list(&self, listing: &mut Vec<GoSource>, control: &Control) -> Result<()> {
        for one in &self.all {
            let Ok((repo, sides)) = &one.state else {
                continue;
            };
            if sides.release.worktree {
                continue; // what is on disk has been found
            }
            for file in repo.release_go_files(sides, control)? {
                listing.push(GoSource {
                    path: join(&one.path, &file.path),
                    state: file.state,
                });
            }
        }
        listing.sort();
        Ok(())
    }

    /// Adds what changed in those that a covered module reaches into, and says of every
    /// other one that it moved.
    pub(super) fn add(
        &self,
        changes: &mut Changes,
        covered: &Covered<'_>,
        options: &Options,
        cleaner: &Cleaner,
        control: &Control,
    ) -> Result<(Vec<Other>, Vec<Warning>)> {
        let (mut other, mut warnings) = (Vec::new(), Vec::new());
        for one in &self.all {
            let problem = if one.is_reached(covered) {
                match one.compare(options, cleaner, control) {
                    Ok(inner) => {
                        one.merge(changes, inner);
                        String::new()
                    }
                    Err(error) if error.code == Code::Cancelled => return Err(error),
                    Err(error) => {
                        let why = explained(&error);
                        warnings.push(Warning {
                            path: one.path.clone(),
                            line: 0,
                            message: format!("the submodule is not tracked: {why}"),
                        });
                        why
                    }
                }
            } else {
                "no covered module reaches into it".to_owned()
            };
            other.extend(one.entry(&problem));
        }
        other.extend(self.removed.iter().map(|(path, commit)| Other {
            old: short(commit),
            ..plain("submodule", path)
        }));
        let key = |file: &crate::model::FileChange| (file.path.clone(), file.new.is_some());
        changes.files.sort_by_cached_key(key);
        Ok((other, warnings))
    }
}

fn short(commit: &str) -> String {
    commit.get(..12).unwrap_or(commit).to_owned()
}

fn open_into(repo: &Repo, sides: &Sides, prefix: &str, all: &mut Vec<One>) -> Result<()> {
    for found in repo.submodules(sides)? {
        let path = join(prefix, &found.path);
        let opened = open_one(repo.root(), &found).map(|inner| {
            let sides = Sides::between(&found.old, &found.new, sides.release.worktree);
            (inner, sides)
        });
        if let Ok((inner, sides)) = &opened {
            open_into(inner, sides, &path, all)?;
        }
        all.push(One {
            path,
            found,
            state: opened,
        });
    }
    Ok(())
}

fn open_one(root: &Path, found: &Submodule) -> std::result::Result<Repo, String> {
    let dir = root.join(&found.path);
    let missing = || {
        format!(
            "it is not checked out; `git submodule update --init {}` gets it",
            found.path
        )
    };
    if found.new.is_empty() || !dir.join(".git").exists() {
        return Err(missing());
    }
    let repo = Repo::open(&dir).map_err(|error| explained(&error))?;
    let same = repo.root().canonicalize().ok() == dir.canonicalize().ok();
    if same { Ok(repo) } else { Err(missing()) }
}

/// An error in one line.
fn explained(error: &Error) -> String {
    let hint = &error.hint;
    if hint.is_empty() {
        error.message.clone()
    } else {
        format!("{}; {hint}", error.message)
    }
}

impl One {
    /// Whether a covered module holds it, or lies in it.
    fn is_reached(&self, covered: &Covered<'_>) -> bool {
        let inside = |dir: &str| is_below(dir, &self.path);
        covered.module_of(&self.path).is_some() || covered.modules.iter().any(|m| inside(&m.dir))
    }

    fn compare(&self, options: &Options, cleaner: &Cleaner, control: &Control) -> Result<Changes> {
        let (repo, sides) = self
            .state
            .as_ref()
            .map_err(|why| Error::new(Code::MissingObjects, why.clone()))?;
        let strip = |path: &str, bytes: &[u8]| cleaner.cleaned(&join(&self.path, path), bytes);
        let compared = repo.changes(sides, options.precision != 3, &strip, None, control);
        let mut changes = compared.map_err(|error| self.with_fetch(error))?;
        linked::add(&mut changes, repo, sides, cleaner, control)?;
        if options.precision == 1 {
            let listing = repo.release_go_files(sides, control)?;
            replace_lines(&mut changes, repo, sides, &listing, cleaner, control)?;
        }
        Ok(changes)
    }

    /// The base's commit may never have been fetched: then that is the command.
    fn with_fetch(&self, error: Error) -> Error {
        if error.code != Code::MissingObjects && error.code != Code::UnknownRef {
            return error;
        }
        Error::new(
            Code::MissingObjects,
            format!(
                "the commit {:.12} of the base is not in its clone",
                self.found.old
            ),
        )
        .hint(format!(
            "`git -C {} fetch origin {}` gets it",
            self.path, self.found.old
        ))
    }

    /// Adds the changes of its repository under the outer one's paths.
    fn merge(&self, changes: &mut Changes, inner: Changes) {
        let outer = |path: String| join(&self.path, &path);
        let inside = |path: &str| {
            path.strip_prefix(&self.path)
                .is_some_and(|r| r.starts_with('/'))
        };
        // A directory that became a submodule: what is gone here stands there.
        changes
            .files
            .retain(|file| file.new.is_some() || !inside(&file.path));
        changes
            .files
            .extend(inner.files.into_iter().map(|mut file| {
                file.path = outer(file.path);
                file.old_path = file.old_path.map(outer);
                file
            }));
        changes
            .other
            .extend(inner.other.into_iter().map(|mut other| {
                other.path = outer(other.path);
                other.old_path = other.old_path.map(outer);
                other
            }));
        changes.dirty.extend(inner.dirty.into_iter().map(outer));
        changes.dirty.sort();
        if let Some(hash) = inner.content_hash {
            let mut sum = Sha256::new();
            sum.update(changes.content_hash.take().unwrap_or_default());
            sum.update(&self.path);
            sum.update(hash);
            changes.content_hash = Some(data_encoding::HEXLOWER.encode(&sum.finalize()));
        }
    }

    /// What the account says of it, if it moved or cannot be looked into.
    fn entry(&self, problem: &str) -> Option<Other> {
        let moved = self.found.old != self.found.new;
        moved.then(|| Other {
            old: short(&self.found.old),
            new: short(&self.found.new),
            note: if problem.is_empty() {
                "tracked".to_owned()
            } else {
                format!("not tracked: {problem}")
            },
            ..plain("submodule", &self.path)
        })
    }
}
