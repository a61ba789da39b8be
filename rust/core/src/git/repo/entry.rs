//! What a tree or the index holds at a path, and what a look through the working tree found.

use std::collections::HashMap;

use git2::Oid;

/// Bits of a mode that tell what an entry is.
pub(in crate::git) const TYPE: u32 = 0o170_000;

/// What a path holds on one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::git) struct Entry {
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

    /// A symbolic link.
    pub const fn is_link(self) -> bool {
        self.mode & TYPE == 0o120_000
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

/// Paths and what they hold, in order.
pub(in crate::git) type Listing = Vec<(Vec<u8>, Entry)>;

/// A file of the working tree that is not in the index.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::git) struct Untracked {
    /// Path from the root.
    pub path: Vec<u8>,
    /// Whether an ignore rule covers it, or another repository inside this one has it.
    pub ignored: bool,
}

/// What a look through the working tree found.
#[derive(Debug, Default)]
pub(in crate::git) struct Walked {
    /// The untracked files that no rule ignores, in path order, and of the ignored ones the
    /// Go files.
    pub untracked: Vec<Untracked>,
    /// The directories that it read, each with a slash at its end (the root is empty), and
    /// whether something called go.mod stands there. None of them is a link.
    pub directories: HashMap<Vec<u8>, bool>,
}
