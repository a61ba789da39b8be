//! Go files that are symbolic links. git compares the text of the link; the go command
//! compiles what it points at.

use std::collections::VecDeque;

use git2::Oid;
use rayon::prelude::*;

use crate::control::Control;
use crate::error::Result;
use crate::git::diff::trees::Trees;
use crate::git::repo::Repo;
use crate::git::repo::entry::Entry;
use crate::git::repo::paths::{is_go, read_file, text};
use crate::git::repo::sides::Sides;

/// How many links may lead from one to the next.
const DEPTH: usize = 40;

/// A tracked Go file of the release that is a link, with what a build reads there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkedFile {
    /// Path of the link from the root.
    pub path: String,
    /// What the base had there, behind a link or not; `None` where it had nothing, or
    /// nothing inside the repository.
    pub old: Option<Vec<u8>>,
    /// What the release has.
    pub new: Vec<u8>,
}

impl Repo {
    /// The tracked Go files (no tests) of the release that are links to files.
    pub fn linked_go_files(&self, sides: &Sides, control: &Control) -> Result<Vec<LinkedFile>> {
        let is_link = |(path, entry): &(Vec<u8>, Entry)| entry.is_link() && is_go(path);
        let trees = Trees::new(&self.store);
        let tree = |id: Option<Oid>| id.map(|id| self.tree_of(id)).transpose();
        let (base, release) = (tree(sides.base_id())?, tree(sides.release_id())?);
        let listing = match (sides.release.worktree, release) {
            (true, _) => self.index_links()?,
            (false, Some(_)) => match sides.release_id() {
                Some(commit) => {
                    let links = self.listed(commit)?.iter();
                    links.filter(|at| is_link(at)).cloned().collect()
                }
                None => Vec::new(),
            },
            (false, None) => Vec::new(),
        };
        let links: Vec<Vec<u8>> = listing
            .into_iter()
            .filter(is_link)
            .map(|(path, _)| path)
            .collect();
        let read = |path: &Vec<u8>| -> Result<Option<LinkedFile>> {
            control.check()?;
            let (name, exact) = text(path);
            let new = if sides.release.worktree {
                self.behind_link(path)
            } else {
                self.follow(&trees, release, path)?
            };
            let Some(new) = new.filter(|_| exact) else {
                return Ok(None);
            };
            let old = self.follow(&trees, base, path)?;
            Ok(Some(LinkedFile {
                path: name,
                old,
                new,
            }))
        };
        let found: Vec<Option<LinkedFile>> = links.par_iter().map(read).collect::<Result<_>>()?;
        Ok(found.into_iter().flatten().collect())
    }

    /// The links among the entries of the index.
    fn index_links(&self) -> Result<Vec<(Vec<u8>, Entry)>> {
        let index = self.index()?;
        let links = index.entries.iter().filter(|entry| entry.entry.is_link());
        Ok(links
            .map(|entry| (entry.path.clone(), entry.entry))
            .collect())
    }

    /// What a link on disk points at, if that is a file.
    fn behind_link(&self, path: &[u8]) -> Option<Vec<u8>> {
        let full = self.full_path(path);
        let is_link = std::fs::symlink_metadata(&full).ok()?.is_symlink();
        is_link.then(|| read_file(&full).ok()).flatten()
    }

    /// The content of a path in a tree, through links; `None` where they lead to nothing
    /// or out of the tree.
    fn follow(&self, trees: &Trees<'_>, tree: Option<Oid>, path: &[u8]) -> Result<Option<Vec<u8>>> {
        let Some(tree) = tree else { return Ok(None) };
        let split = |path: &[u8]| -> Vec<Vec<u8>> {
            path.split(|&byte| byte == b'/')
                .map(<[u8]>::to_vec)
                .collect()
        };
        let mut rest: VecDeque<Vec<u8>> = split(path).into();
        let (mut done, mut links): (Vec<Vec<u8>>, usize) = (Vec::new(), 0);
        while let Some(part) = rest.pop_front() {
            match part.as_slice() {
                b".." if done.is_empty() => return Ok(None),
                b".." => drop(done.pop()),
                b"" | b"." => {}
                _ => done.push(part),
            }
            if done.is_empty() {
                continue;
            }
            let Some(entry) = trees.find(tree, &done.join(&b'/'))? else {
                continue; // a directory, or nothing
            };
            if !entry.is_link() {
                let file = rest.is_empty() && entry.is_file();
                return file.then(|| self.store.blob(entry.id)).transpose();
            }
            let target = self.store.blob(entry.id)?;
            links += 1;
            if links > DEPTH || target.starts_with(b"/") {
                return Ok(None);
            }
            done.pop();
            for part in split(&target).into_iter().rev() {
                rest.push_front(part);
            }
        }
        Ok(None)
    }
}
