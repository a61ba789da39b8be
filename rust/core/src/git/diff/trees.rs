//! Trees: flat listings and the paths in which two of them differ.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use git2::{ObjectType, Oid};

use crate::error::{Code, Error, Result};
use crate::git::repo::entry::{Entry, TYPE};
use crate::git::repo::store::Store;

/// One path that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::git) struct Pair {
    /// Path from the root, `/` between elements.
    pub path: Vec<u8>,
    /// What the base has.
    pub old: Option<Entry>,
    /// What the release has.
    pub new: Option<Entry>,
}

/// One line of a tree object.
#[derive(Clone, Copy)]
struct TreeLine<'a> {
    name: &'a [u8],
    entry: Entry,
}

/// The lines of a tree object.
fn parse(id: Oid, data: &[u8]) -> Result<Vec<TreeLine<'_>>> {
    let broken = || {
        Error::new(Code::Git, format!("tree {id} cannot be read"))
            .hint("run `git fsck` to check the repository")
    };
    let mut lines = Vec::with_capacity(data.len() / 32);
    let mut rest = data;
    while !rest.is_empty() {
        let space = memchr::memchr(b' ', rest).ok_or_else(broken)?;
        let nul = memchr::memchr(0, rest)
            .filter(|&nul| nul > space)
            .ok_or_else(broken)?;
        let hash = rest.get(nul + 1..nul + 21).ok_or_else(broken)?;
        let mode = octal(&rest[..space]).ok_or_else(broken)?;
        let id = Oid::from_bytes(hash).map_err(|_| broken())?;
        lines.push(TreeLine {
            name: &rest[space + 1..nul],
            entry: Entry { mode, id },
        });
        rest = &rest[nul + 21..];
    }
    Ok(lines)
}

fn octal(digits: &[u8]) -> Option<u32> {
    let value = u32::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok()?;
    // Old tools wrote 100664; git reads every file mode as one of two.
    let file = |mode: u32| {
        if mode & 0o100 == 0 {
            0o100_644
        } else {
            0o100_755
        }
    };
    Some(if value & TYPE == 0o100_000 {
        file(value)
    } else {
        value
    })
}

/// Order of tree entries: a directory counts as its name with a slash.
fn order(a: &TreeLine<'_>, b: &TreeLine<'_>) -> Ordering {
    let common = a.name.len().min(b.name.len());
    let end = |line: &TreeLine<'_>| match line.name.get(common) {
        Some(&byte) => byte,
        None if line.entry.is_tree() => b'/',
        None => 0,
    };
    a.name[..common]
        .cmp(&b.name[..common])
        .then_with(|| end(a).cmp(&end(b)))
}

/// Bytes of tree objects that a [`Trees`] keeps before it forgets them all.
const KEPT: usize = 256 << 20;

/// Reads trees; optionally remembers them, for walks that meet the same again and again.
pub(in crate::git) struct Trees<'a> {
    store: &'a Store,
    kept: Option<RwLock<Kept>>,
}

#[derive(Default)]
struct Kept {
    trees: HashMap<Oid, Arc<Vec<u8>>>,
    bytes: usize,
}

impl<'a> Trees<'a> {
    /// Reads every time.
    pub const fn new(store: &'a Store) -> Self {
        Self { store, kept: None }
    }

    /// Remembers what was read.
    pub fn remembering(store: &'a Store) -> Self {
        Self {
            store,
            kept: Some(RwLock::default()),
        }
    }

    fn read(&self, id: Oid) -> Result<Arc<Vec<u8>>> {
        let Some(kept) = &self.kept else {
            return self.store.read_kind(id, ObjectType::Tree).map(Arc::new);
        };
        if let Some(known) = kept
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .trees
            .get(&id)
        {
            return Ok(Arc::clone(known));
        }
        let data = Arc::new(self.store.read_kind(id, ObjectType::Tree)?);
        let mut kept = kept.write().unwrap_or_else(PoisonError::into_inner);
        if kept.bytes > KEPT {
            *kept = Kept::default();
        }
        kept.bytes += data.len();
        kept.trees.insert(id, Arc::clone(&data));
        Ok(data)
    }

    /// All entries below a tree that are not trees, in path order.
    pub fn flatten(&self, tree: Oid) -> Result<Vec<(Vec<u8>, Entry)>> {
        let mut out = Vec::new();
        self.flatten_into(tree, &mut Vec::new(), &mut out)?;
        Ok(out)
    }

    fn flatten_into(
        &self,
        tree: Oid,
        path: &mut Vec<u8>,
        out: &mut Vec<(Vec<u8>, Entry)>,
    ) -> Result<()> {
        let data = self.read(tree)?;
        for line in parse(tree, &data)? {
            let len = path.len();
            path.extend_from_slice(line.name);
            if line.entry.is_tree() {
                path.push(b'/');
                self.flatten_into(line.entry.id, path, out)?;
            } else {
                out.push((path.clone(), line.entry));
            }
            path.truncate(len);
        }
        Ok(())
    }

    /// The paths in which two trees differ, in path order. Equal subtrees are not read.
    pub fn diff(&self, old: Option<Oid>, new: Option<Oid>) -> Result<Vec<Pair>> {
        let mut out = Vec::new();
        if old != new {
            self.diff_into(old, new, &mut Vec::new(), &mut out)?;
            out.sort_by(|a, b| a.path.cmp(&b.path));
        }
        Ok(out)
    }

    fn diff_into(
        &self,
        old: Option<Oid>,
        new: Option<Oid>,
        path: &mut Vec<u8>,
        out: &mut Vec<Pair>,
    ) -> Result<()> {
        let read = |id: Option<Oid>| id.map(|id| self.read(id)).transpose();
        let (old_data, new_data) = (
            read(old)?.unwrap_or_default(),
            read(new)?.unwrap_or_default(),
        );
        let old_lines = parse(old.unwrap_or(Oid::ZERO_SHA1), &old_data)?;
        let new_lines = parse(new.unwrap_or(Oid::ZERO_SHA1), &new_data)?;
        for (a, b) in merge(&old_lines, &new_lines) {
            if a.map(|line| line.entry) == b.map(|line| line.entry) {
                continue;
            }
            let Some(name) = a.or(b).map(|line| line.name) else {
                continue;
            };
            let len = path.len();
            path.extend_from_slice(name);
            let (tree_a, leaf_a) = split(a);
            let (tree_b, leaf_b) = split(b);
            if leaf_a.is_some() || leaf_b.is_some() {
                out.push(Pair {
                    path: path.clone(),
                    old: leaf_a,
                    new: leaf_b,
                });
            }
            if tree_a.is_some() || tree_b.is_some() {
                path.push(b'/');
                self.diff_into(tree_a, tree_b, path, out)?;
            }
            path.truncate(len);
        }
        Ok(())
    }

    /// What `path` holds in a tree.
    pub fn find(&self, tree: Oid, path: &[u8]) -> Result<Option<Entry>> {
        let mut current = tree;
        let mut rest = path;
        loop {
            let (name, below) = match memchr::memchr(b'/', rest) {
                Some(at) => (&rest[..at], Some(&rest[at + 1..])),
                None => (rest, None),
            };
            let data = self.read(current)?;
            let Some(entry) = line_of(&data, name) else {
                return Ok(None);
            };
            match below {
                None => return Ok(Some(entry).filter(|entry| !entry.is_tree())),
                Some(below) if entry.is_tree() => (current, rest) = (entry.id, below),
                Some(_) => return Ok(None),
            }
        }
    }
}

/// The entry of a name in a tree object, without taking the rest apart.
fn line_of(data: &[u8], name: &[u8]) -> Option<Entry> {
    let mut rest = data;
    while !rest.is_empty() {
        let space = memchr::memchr(b' ', rest)?;
        let nul = memchr::memchr(0, rest).filter(|&nul| nul > space)?;
        let hash = rest.get(nul + 1..nul + 21)?;
        if &rest[space + 1..nul] == name {
            return Some(Entry {
                mode: octal(&rest[..space])?,
                id: Oid::from_bytes(hash).ok()?,
            });
        }
        rest = &rest[nul + 21..];
    }
    None
}

fn split(line: Option<&TreeLine<'_>>) -> (Option<Oid>, Option<Entry>) {
    match line.map(|line| line.entry) {
        Some(entry) if entry.is_tree() => (Some(entry.id), None),
        other => (None, other),
    }
}

type Both<'a> = (Option<&'a TreeLine<'a>>, Option<&'a TreeLine<'a>>);

/// Walks two sorted listings side by side.
fn merge<'a>(old: &'a [TreeLine<'a>], new: &'a [TreeLine<'a>]) -> impl Iterator<Item = Both<'a>> {
    let (mut i, mut j) = (0, 0);
    std::iter::from_fn(move || {
        let step = match (old.get(i), new.get(j)) {
            (None, None) => return None,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => order(a, b),
        };
        let pair = match step {
            Ordering::Less => (old.get(i), None),
            Ordering::Greater => (None, new.get(j)),
            Ordering::Equal => (old.get(i), new.get(j)),
        };
        i += usize::from(step != Ordering::Greater);
        j += usize::from(step != Ordering::Less);
        Some(pair)
    })
}
