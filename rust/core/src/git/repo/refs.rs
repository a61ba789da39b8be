//! Refs and revision names.

use std::collections::BTreeMap;
use std::path::Path;

use git2::{ObjectType, Oid};

use super::layout::Layout;
use super::paths::{check_file, read_file, read_text};
use super::store::Store;
use crate::error::{Code, Error, Result};

/// How many symbolic refs git follows.
const SYMBOLIC_DEPTH: usize = 5;
/// The order in which git completes a short name.
const RULES: [(&str, &str); 6] = [
    ("", ""),
    ("refs/", ""),
    ("refs/tags/", ""),
    ("refs/heads/", ""),
    ("refs/remotes/", ""),
    ("refs/remotes/", "/HEAD"),
];

/// All refs of a repository, read once.
#[derive(Debug, Default)]
pub(in crate::git) struct Refs {
    direct: BTreeMap<String, Oid>,
    symbolic: BTreeMap<String, String>,
}

impl Refs {
    /// Reads packed refs, then loose ones over them, then those of the worktree.
    pub fn read(layout: &Layout) -> Result<Self> {
        let mut refs = Self::default();
        let packed = layout.common.join("packed-refs");
        match read_file(&packed) {
            Ok(text) if refs.add_packed(&String::from_utf8_lossy(&text)) => {}
            Ok(_) => return Err(damaged(&packed)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => return Err(damaged(&packed).cause(e)),
        }
        refs.add_loose(&layout.common, "refs")?;
        if layout.git_dir != layout.common {
            refs.add_loose(&layout.git_dir, "refs")?;
        }
        for name in [
            "HEAD",
            "ORIG_HEAD",
            "FETCH_HEAD",
            "MERGE_HEAD",
            "CHERRY_PICK_HEAD",
        ] {
            refs.add_file(&layout.git_dir.join(name), name)?;
        }
        Ok(refs)
    }

    /// Adds all, or reports that there is a line which git would not read either.
    fn add_packed(&mut self, text: &str) -> bool {
        let mut lines = text.lines().filter(|line| !line.starts_with(['#', '^']));
        let known = lines.all(|line| {
            let named = line.split_once(' ');
            let named = named.and_then(|(id, name)| Some((object(id)?, name)));
            named.is_some_and(|(id, name)| {
                self.direct.insert(name.to_owned(), id);
                !name.is_empty()
            })
        });
        known && (text.is_empty() || text.ends_with('\n'))
    }

    /// The refs below a directory. A link to a directory is left alone: it may lead back
    /// here, or to the root of the machine.
    fn add_loose(&mut self, base: &Path, name: &str) -> Result<()> {
        let Ok(entries) = std::fs::read_dir(base.join(name)) else {
            return Ok(());
        };
        for entry in entries.flatten() {
            let Some(file) = entry.file_name().to_str().map(str::to_owned) else {
                continue;
            };
            let full = format!("{name}/{file}");
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => self.add_loose(base, &full)?,
                Ok(_) => self.add_file(&entry.path(), &full)?,
                Err(_) => {}
            }
        }
        Ok(())
    }

    fn add_file(&mut self, path: &Path, name: &str) -> Result<()> {
        if let Ok(target) = std::fs::read_link(path) {
            // git once wrote symbolic refs as symbolic links.
            if let Some(target) = target.to_str().filter(|t| t.starts_with("refs/")) {
                self.symbolic.insert(name.to_owned(), target.to_owned());
                return Ok(());
            }
        }
        let Ok(text) = read_text(path) else {
            return check_file(path);
        };
        if let Some(target) = text.strip_prefix("ref:") {
            self.symbolic
                .insert(name.to_owned(), target.trim().to_owned());
        } else if let Some(id) = text.split(char::is_whitespace).next().and_then(object) {
            self.direct.insert(name.to_owned(), id);
            self.symbolic.remove(name);
        }
        Ok(())
    }

    /// The full name that a ref stands for after symbolic refs.
    pub fn target<'a>(&'a self, name: &'a str) -> &'a str {
        let mut current = name;
        for _ in 0..SYMBOLIC_DEPTH {
            match self.symbolic.get(current) {
                Some(next) => current = next,
                None => break,
            }
        }
        current
    }

    /// The object of a full ref name.
    pub fn full(&self, name: &str) -> Option<Oid> {
        self.direct.get(self.target(name)).copied()
    }

    /// The refs whose full names start so, with the rest of their names.
    pub fn with_prefix<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, Oid)> {
        self.direct
            .range(prefix.to_owned()..)
            .map_while(move |(name, &id)| name.strip_prefix(prefix).map(|rest| (rest, id)))
    }

    /// The full name that a short name means, by git's rules.
    pub fn expand(&self, short: &str) -> Option<String> {
        let known = |name: &String| {
            self.full(name).is_some() && (name.starts_with("refs/") || is_root_ref(name))
        };
        RULES
            .iter()
            .map(|(before, after)| format!("{before}{short}{after}"))
            .find(known)
    }

    /// The branch that is checked out, `refs/heads/…`; `None` when HEAD is detached.
    pub fn head_branch(&self) -> Option<&str> {
        self.symbolic.get("HEAD").map(String::as_str)
    }

    /// Short names of all branches, tags and remote branches.
    pub fn short_names(&self) -> impl Iterator<Item = &str> {
        ["refs/heads/", "refs/tags/", "refs/remotes/"]
            .into_iter()
            .flat_map(|prefix| self.with_prefix(prefix).map(|(rest, _)| rest))
    }

    /// Names of the remotes that have refs.
    pub fn remotes(&self) -> Vec<String> {
        let names = self.direct.keys().chain(self.symbolic.keys());
        let mut remotes: Vec<String> = names
            .filter_map(|name| name.strip_prefix("refs/remotes/")?.split_once('/'))
            .map(|(remote, _)| remote.to_owned())
            .collect();
        remotes.sort();
        remotes.dedup();
        remotes
    }
}

/// The object that a whole name stands for.
fn object(hex: &str) -> Option<Oid> {
    Oid::from_str(hex).ok().filter(|_| hex.len() == 40)
}

fn damaged(packed: &Path) -> Error {
    Error::new(Code::Git, "cannot read packed-refs")
        .path(packed.to_string_lossy())
        .hint("`git show-ref` says what is wrong with it; `go build -buildvcs=false` builds without goat")
}

fn is_root_ref(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
}

/// The object a tag (of a tag …) stands for.
pub(in crate::git) fn peel(store: &Store, id: Oid) -> Result<(Oid, ObjectType)> {
    let mut current = id;
    loop {
        let (kind, data) = store.read(current)?;
        let target = data
            .strip_prefix(b"object ")
            .and_then(|rest| rest.get(..40));
        let next = target.and_then(|hex| Oid::from_str(std::str::from_utf8(hex).ok()?).ok());
        match (kind, next) {
            (ObjectType::Tag, Some(next)) => current = next,
            (ObjectType::Tag, None) => {
                return Err(
                    Error::new(Code::Git, format!("tag {current} cannot be read"))
                        .hint("run `git fsck` to check the repository"),
                );
            }
            _ => return Ok((current, kind)),
        }
    }
}
