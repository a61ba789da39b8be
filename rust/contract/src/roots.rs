//! Which directory gives a file the name under which others import it.

use std::collections::BTreeSet;

use globset::{GlobBuilder, GlobMatcher};

use crate::error::{Error, Result};

/// A directory from which imports are resolved.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Root {
    /// From the repository's root; empty for that itself.
    pub dir: String,
    /// What import paths have in front; empty for nothing.
    pub prefix: String,
}

impl Root {
    /// The name under which a file is imported; none where it is not below the directory.
    pub fn name(&self, path: &str) -> Option<String> {
        let rest = below(&self.dir, path)?;
        Some(join(&self.prefix, rest))
    }

    /// The file that an import means, if this is its directory.
    pub fn path(&self, import: &str) -> Option<String> {
        Some(join(&self.dir, below(&self.prefix, import)?))
    }

    /// As people write it.
    pub fn said(&self) -> String {
        let dir = if self.dir.is_empty() { "." } else { &self.dir };
        if self.prefix.is_empty() {
            dir.to_owned()
        } else {
            format!("{}={dir}", self.prefix)
        }
    }
}

fn below<'p>(dir: &str, path: &'p str) -> Option<&'p str> {
    if dir.is_empty() {
        return Some(path);
    }
    path.strip_prefix(dir)?.strip_prefix('/')
}

fn join(dir: &str, rest: &str) -> String {
    if dir.is_empty() {
        rest.to_owned()
    } else {
        format!("{dir}/{rest}")
    }
}

/// What a setting says: `DIR`, `PREFIX=DIR`, each part of DIR with globs.
struct Pattern {
    said: String,
    prefix: String,
    parts: Vec<GlobMatcher>,
}

impl Pattern {
    fn parse(said: &str) -> Result<Self> {
        let (prefix, dir) = said.split_once('=').unwrap_or(("", said));
        let (prefix, dir) = (clean(prefix, said)?, clean(dir, said)?);
        let parts = dir.split('/').filter(|part| !part.is_empty());
        let glob = |part: &str| {
            let built = GlobBuilder::new(part).literal_separator(true).build();
            let glob = built.map_err(|e| bad(said, "its globs cannot be read").cause(e))?;
            Ok(glob.compile_matcher())
        };
        Ok(Self {
            said: said.to_owned(),
            prefix,
            parts: parts.map(glob).collect::<Result<_>>()?,
        })
    }

    /// The directory of this pattern that holds a file.
    fn holds(&self, path: &str) -> Option<Root> {
        let mut rest = path;
        for part in &self.parts {
            let (first, after) = rest.split_once('/')?;
            if !part.is_match(first) {
                return None;
            }
            rest = after;
        }
        let dir = path[..path.len() - rest.len()].trim_end_matches('/');
        Some(Root {
            dir: dir.to_owned(),
            prefix: self.prefix.clone(),
        })
    }
}

/// A path without `.` and doubled slashes; one that leaves the repository is refused.
fn clean(path: &str, said: &str) -> Result<String> {
    if path.starts_with('/') || path.split('/').any(|part| part == "..") {
        return Err(bad(said, "it is not below the repository's root"));
    }
    let parts: Vec<&str> = path
        .split('/')
        .filter(|p| !p.is_empty() && *p != ".")
        .collect();
    if parts.contains(&"**") {
        return Err(bad(said, "** could be any number of directories"));
    }
    Ok(parts.join("/"))
}

fn bad(said: &str, why: &str) -> Error {
    Error::new(
        "bad_request",
        format!("the directory {said:?} cannot be taken: {why}"),
    )
    .hint("write a directory from the repository's root, as proto, services/*/api or etcd/api=api")
}

/// The directories that settings name, as far as there are files in them; an error for
/// those in which there is none, where `needed`.
pub fn expand(settings: &[String], paths: &[&str], needed: bool) -> Result<Vec<Root>> {
    let mut roots = Vec::new();
    for said in settings {
        let pattern = Pattern::parse(said)?;
        let found: BTreeSet<Root> = paths
            .iter()
            .filter_map(|path| pattern.holds(path))
            .collect();
        if found.is_empty() && needed {
            let what = format!("no .proto file below {} in base or release", pattern.said);
            return Err(Error::new("unreadable", what).hint(
                "name the directories from the repository's root, as import paths begin there",
            ));
        }
        roots.extend(found);
    }
    Ok(roots)
}

/// The root that a file belongs to: the innermost that holds it.
pub fn owner<'r>(roots: &'r [Root], path: &str) -> Option<&'r Root> {
    roots
        .iter()
        .filter(|root| root.name(path).is_some())
        .max_by_key(|root| root.dir.len())
}
