//! Trees: flat listings and the paths in which two of them differ.

use std::cmp::Ordering;

use git2::{ObjectType, Oid};

use super::store::Store;
use crate::error::{Code, Error, Result};

/// Bits of a mode that tell what an entry is.
const TYPE: u32 = 0o170_000;

/// What a path holds on one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Entry {
    /// git's mode.
    pub mode: u32,
    /// The blob; for content that is only on disk, zero until it is hashed.
    pub id: Oid,
}

impl Entry {
    /// A file with content (not a link, directory or submodule).
    pub const fn is_file(self) -> bool {
        self.mode & TYPE == 0o100_000
    }

    /// A subtree.
    pub const fn is_tree(self) -> bool {
        self.mode & TYPE == 0o040_000
    }

    /// A submodule.
    pub const fn is_submodule(self) -> bool {
        self.mode & TYPE == 0o160_000
    }

    /// Whether both are files, both links, or both submodules.
    pub const fn same_type(self, other: Self) -> bool {
        self.mode & TYPE == other.mode & TYPE
    }
}

/// One path that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    /// Path from the root, `/` between elements.
    pub path: Vec<u8>,
    /// What the base has.
    pub old: Option<Entry>,
    /// What the release has.
    pub new: Option<Entry>,
}

/// One line of a tree object.
#[derive(Clone, Copy)]
pub(super) struct TreeLine<'a> {
    pub name: &'a [u8],
    pub entry: Entry,
}

/// The lines of a tree object.
pub(super) fn parse(id: Oid, data: &[u8]) -> Result<Vec<TreeLine<'_>>> {
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
pub(super) fn order(a: &TreeLine<'_>, b: &TreeLine<'_>) -> Ordering {
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

/// All entries below a tree that are not trees, in path order.
pub(super) fn flatten(store: &Store, tree: Oid) -> Result<Vec<(Vec<u8>, Entry)>> {
    let mut out = Vec::new();
    let mut path = Vec::new();
    flatten_into(store, tree, &mut path, &mut out)?;
    Ok(out)
}

fn flatten_into(
    store: &Store,
    tree: Oid,
    path: &mut Vec<u8>,
    out: &mut Vec<(Vec<u8>, Entry)>,
) -> Result<()> {
    let data = store.read_kind(tree, ObjectType::Tree)?;
    for line in parse(tree, &data)? {
        let len = path.len();
        path.extend_from_slice(line.name);
        if line.entry.is_tree() {
            path.push(b'/');
            flatten_into(store, line.entry.id, path, out)?;
        } else {
            out.push((path.clone(), line.entry));
        }
        path.truncate(len);
    }
    Ok(())
}

/// The paths in which two trees differ, in path order. Equal subtrees are not read.
pub(super) fn diff(store: &Store, old: Option<Oid>, new: Option<Oid>) -> Result<Vec<Pair>> {
    let mut out = Vec::new();
    if old != new {
        diff_into(store, old, new, &mut Vec::new(), &mut out)?;
        out.sort_by(|a, b| a.path.cmp(&b.path));
    }
    Ok(out)
}

fn diff_into(
    store: &Store,
    old: Option<Oid>,
    new: Option<Oid>,
    path: &mut Vec<u8>,
    out: &mut Vec<Pair>,
) -> Result<()> {
    let read = |id: Option<Oid>| {
        id.map(|id| store.read_kind(id, ObjectType::Tree))
            .transpose()
    };
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
            diff_into(store, tree_a, tree_b, path, out)?;
        }
        path.truncate(len);
    }
    Ok(())
}

fn split(line: Option<&TreeLine<'_>>) -> (Option<Oid>, Option<Entry>) {
    match line.map(|line| line.entry) {
        Some(entry) if entry.is_tree() => (Some(entry.id), None),
        other => (None, other),
    }
}

type Both<'a> = (Option<&'a TreeLine<'a>>, Option<&'a TreeLine<'a>>);

/// Walks two sorted listings side by side.
pub(super) fn merge<'a>(
    old: &'a [TreeLine<'a>],
    new: &'a [TreeLine<'a>],
) -> impl Iterator<Item = Both<'a>> {
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

/// What `path` holds in a tree.
pub(super) fn find(store: &Store, tree: Oid, path: &[u8]) -> Result<Option<Entry>> {
    let mut current = tree;
    let mut rest = path;
    loop {
        let (name, below) = match memchr::memchr(b'/', rest) {
            Some(at) => (&rest[..at], Some(&rest[at + 1..])),
            None => (rest, None),
        };
        let data = store.read_kind(current, ObjectType::Tree)?;
        let lines = parse(current, &data)?;
        let Some(entry) = lines.iter().find(|l| l.name == name).map(|l| l.entry) else {
            return Ok(None);
        };
        match below {
            None => return Ok(Some(entry).filter(|entry| !entry.is_tree())),
            Some(below) if entry.is_tree() => (current, rest) = (entry.id, below),
            Some(_) => return Ok(None),
        }
    }
}
