//! Submodules: repositories of their own, of which this one knows a commit.

use crate::error::Result;
use crate::git::diff::trees::Trees;
use crate::git::repo::Repo;
use crate::git::repo::open::head_of;
use crate::git::repo::paths::text;
use crate::git::repo::sides::Sides;

/// A submodule of the release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submodule {
    /// Its directory from the root.
    pub path: String,
    /// The commit that the base has of it, hex; empty where it has none.
    pub old: String,
    /// The commit of the release: what is checked out where that is the working tree.
    /// Empty where nothing is checked out.
    pub new: String,
}

impl Repo {
    /// The submodules of the release, by path.
    pub fn submodules(&self, sides: &Sides) -> Result<Vec<Submodule>> {
        let trees = Trees::new(&self.store);
        let mut found: Vec<(Vec<u8>, String)> = Vec::new();
        if sides.release.worktree {
            let index = self.index()?;
            for entry in index.entries.iter().filter(|e| e.entry.is_submodule()) {
                let head = head_of(&self.full_path(&entry.path));
                let head = head.map(|id| id.to_string()).unwrap_or_default();
                found.push((entry.path.clone(), head));
            }
        } else if let Some(commit) = sides.release_id() {
            let tree = self.tree_of(commit)?;
            if trees.find(tree, b".gitmodules")?.is_some() {
                let all = trees.flatten(tree)?.into_iter();
                let links = all.filter(|(_, entry)| entry.is_submodule());
                found.extend(links.map(|(path, entry)| (path, entry.id.to_string())));
            }
        }
        let base = match (sides.base_id(), found.is_empty()) {
            (Some(base), false) => Some(self.tree_of(base)?),
            _ => None,
        };
        let mut submodules = Vec::new();
        for (path, new) in found {
            let old = base.map(|tree| trees.find(tree, &path)).transpose()?;
            let old = old.flatten().filter(|entry| entry.is_submodule());
            submodules.push(Submodule {
                path: text(&path).0,
                old: old.map(|entry| entry.id.to_string()).unwrap_or_default(),
                new,
            });
        }
        submodules.dedup_by(|a, b| a.path == b.path);
        Ok(submodules)
    }

    /// The submodules that the base has and the release has not: path and commit.
    pub fn removed_submodules(&self, sides: &Sides) -> Result<Vec<(String, String)>> {
        let Some(base) = sides.base_id() else {
            return Ok(Vec::new());
        };
        let trees = Trees::new(&self.store);
        let tree = self.tree_of(base)?;
        let Some(listed) = trees.find(tree, b".gitmodules")? else {
            return Ok(Vec::new());
        };
        let left: Vec<String> = self
            .submodules(sides)?
            .into_iter()
            .map(|s| s.path)
            .collect();
        let mut gone = Vec::new();
        for path in paths_in(&self.store.blob(listed.id)?) {
            let entry = trees.find(tree, path.as_bytes())?;
            if let Some(entry) = entry.filter(|entry| entry.is_submodule() && !left.contains(&path))
            {
                gone.push((path, entry.id.to_string()));
            }
        }
        gone.sort();
        gone.dedup();
        Ok(gone)
    }
}

/// The directories that a `.gitmodules` names.
fn paths_in(config: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(config);
    let values = text.lines().filter_map(|line| {
        let (name, value) = line.split_once('=')?;
        (name.trim() == "path").then(|| value.trim().trim_matches('"').to_owned())
    });
    values.collect()
}
