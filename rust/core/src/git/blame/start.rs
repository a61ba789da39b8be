//! Where the walk begins: the files of the release, and the working tree as the
//! commit that it is not yet.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use git2::Oid;

use super::flow::{From, Load, Point};
use crate::control::Control;
use crate::error::Result;
use crate::git::diff::changes::blob_id;
use crate::git::diff::trees::{Pair, Trees};
use crate::git::repo::Repo;
use crate::git::repo::entry::Entry;
use crate::git::repo::paths::read_text;
use crate::git::repo::sides::Sides;
use crate::git::worktree::contents::Clean;
use crate::git::worktree::workdir::{DiskContent, PLAIN, differences};

/// A file of the release whose lines are followed.
#[derive(Clone, Debug)]
pub(super) struct Followed {
    pub path: Arc<[u8]>,
    /// The blob of its content, marks removed.
    pub id: Oid,
}

/// The beginning of the walk.
#[derive(Default)]
pub(super) struct Start {
    /// The commits that the release is made of: one, or HEAD and those being merged.
    pub tips: Vec<Oid>,
    /// Files whose lines are followed.
    pub files: Vec<Followed>,
    /// The working tree, if it is the release.
    pub work: Option<Point>,
    /// Contents that are on disk only, marks removed.
    pub disk: HashMap<Oid, Arc<Vec<u8>>>,
}

impl Start {
    /// All files, each on its way.
    pub fn load(&self) -> Load {
        let files = self.files.iter().enumerate();
        files
            .map(|(n, file)| (Arc::clone(&file.path), vec![From::File(n as u32)]))
            .collect()
    }

    /// Notes a content that is on disk; `None` where it could not be read.
    fn disk_entry(
        &mut self,
        path: &str,
        content: Option<&DiskContent>,
        clean: &Clean<'_>,
    ) -> Option<Entry> {
        let data = &content?.git;
        let data = clean(path, data).map_or_else(|| Arc::clone(data), Arc::new);
        let id = blob_id(&data);
        self.disk.insert(id, data);
        Some(Entry { mode: PLAIN, id })
    }

    fn follow(&mut self, path: &str, id: Oid) {
        self.files.push(Followed {
            path: Arc::from(path.as_bytes()),
            id,
        });
    }
}

impl Repo {
    /// Finds the files and what the release consists of.
    pub(super) fn blame_start(
        &self,
        sides: &Sides,
        paths: &[String],
        clean: &Clean<'_>,
        control: &Control,
    ) -> Result<Start> {
        let mut start = Start::default();
        let release = sides.release_id();
        start.tips.extend(release);
        if sides.release.worktree {
            start.tips.extend(self.merge_heads());
            self.start_on_disk(&mut start, release, paths, clean, control)?;
            return Ok(start);
        }
        let tree = release.map(|id| self.tree_of(id)).transpose()?;
        let trees = Trees::remembering(&self.store);
        for path in paths {
            let entry = tree
                .map(|tree| trees.find(tree, path.as_bytes()))
                .transpose()?;
            if let Some(entry) = entry.flatten().filter(|entry| entry.is_file()) {
                start.follow(path, entry.id);
            }
        }
        Ok(start)
    }

    /// The commits that a merge in progress brings in.
    fn merge_heads(&self) -> Vec<Oid> {
        let text = read_text(&self.layout.git_dir.join("MERGE_HEAD"));
        let text = text.unwrap_or_default();
        text.lines()
            .filter_map(|line| Oid::from_str(line.trim()).ok())
            .collect()
    }

    fn start_on_disk(
        &self,
        start: &mut Start,
        head: Option<Oid>,
        paths: &[String],
        clean: &Clean<'_>,
        control: &Control,
    ) -> Result<()> {
        let work = self.work_tree(head, None, control)?;
        let gone: HashSet<&[u8]> = work
            .dirty
            .iter()
            .filter(|p| p.new.is_none())
            .map(path_of)
            .collect();
        let listing = self.index_listing()?;
        let mut present: Vec<(Vec<u8>, Entry)> = Vec::new();
        for path in paths {
            let name = path.as_bytes();
            let indexed = listing
                .binary_search_by(|(other, _)| other.as_slice().cmp(name))
                .ok();
            let entry = match (work.disk.get(name), indexed) {
                (Some(file), _) => start.disk_entry(path, file.content.as_ref(), clean),
                (None, Some(_)) if gone.contains(name) => None,
                (None, Some(at)) => Some(listing[at].1).filter(|entry| entry.is_file()),
                (None, None) => start.disk_entry(path, self.read_unknown(path).as_ref(), clean),
            };
            if let Some(entry) = entry {
                start.follow(path, entry.id);
                present.push((name.to_vec(), entry));
            }
        }
        let tree = head.map(|head| self.tree_of(head)).transpose()?;
        let committed = tree
            .map(|tree| Trees::new(&self.store).flatten(tree))
            .transpose()?;
        let committed = committed.unwrap_or_default();
        start.work = Some(work_point(start.tips.clone(), committed, listing, present));
        Ok(())
    }

    /// A file that is not in the index.
    fn read_unknown(&self, path: &str) -> Option<DiskContent> {
        self.read_disk(path.as_bytes(), &self.full_path(path.as_bytes()), PLAIN)
            .ok()
    }
}

fn path_of(pair: &Pair) -> &[u8] {
    &pair.path
}

/// The working tree as a commit on top of its tips. As git does it: a path is
/// compared with the file on disk, and what was deleted (the sources of renames) is
/// what the index lacks.
fn work_point(
    tips: Vec<Oid>,
    committed: Vec<(Vec<u8>, Entry)>,
    mut listing: Vec<(Vec<u8>, Entry)>,
    mut present: Vec<(Vec<u8>, Entry)>,
) -> Point {
    present.sort_by(|a, b| a.0.cmp(&b.0));
    present.dedup_by(|a, b| a.0 == b.0);
    let find = |list: &[(Vec<u8>, Entry)], path: &[u8]| {
        list.binary_search_by(|(other, _)| other.as_slice().cmp(path))
            .ok()
    };
    let own = present.iter().filter_map(|(path, entry)| {
        let old = find(&committed, path).map(|at| committed[at].1);
        (old != Some(*entry)).then(|| Pair {
            path: path.clone(),
            old,
            new: Some(*entry),
        })
    });
    let own = own.collect();
    for (path, entry) in &present {
        if let Some(at) = find(&listing, path) {
            listing[at].1 = *entry;
        }
    }
    let pairs = differences(committed, listing.clone());
    Point {
        id: Oid::ZERO_SHA1,
        parents: tips,
        pairs,
        own: Some(own),
        listing: Some(listing),
    }
}
