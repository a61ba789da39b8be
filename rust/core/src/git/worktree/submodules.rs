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
}
