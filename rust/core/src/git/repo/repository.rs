//! One open repository: what its other files read of it, in one value.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use git2::Oid;

use super::attributes::Attributes;
use super::commits::Commits;
use super::entry::{Listing, Walked};
use super::index::Index;
use super::layout::Layout;
use super::refs::Refs;
use super::settings::Settings;
use super::stats::Stats;
use super::store::Store;
use crate::error::Result;

/// Files by path from the root: the SHA-256 of what was read, nothing where there was
/// no such file.
pub type Probes = BTreeMap<String, Option<[u8; 32]>>;

/// An open repository, usable from several threads.
pub struct Repo {
    pub(in crate::git) root: PathBuf,
    pub(in crate::git) prefix: String,
    pub(in crate::git) layout: Layout,
    pub(in crate::git) settings: Settings,
    pub(in crate::git) refs: Refs,
    pub(in crate::git) commits: Commits,
    pub(in crate::git) store: Store,
    pub(in crate::git) attributes: Attributes,
    /// libgit2's handle, for revision syntax; `None` where it refuses the repository.
    pub(in crate::git) libgit2: Mutex<Option<git2::Repository>>,
    pub(in crate::git) index: OnceLock<Arc<Index>>,
    pub(in crate::git) stats: OnceLock<Arc<Stats>>,
    /// Contents of Go files of the release that were read, for who reads them next.
    pub(in crate::git) contents: Mutex<Contents>,
    /// What the release's commit holds.
    pub(in crate::git) listed: OnceLock<(Oid, Listing)>,
    pub(in crate::git) walked: OnceLock<Arc<Walked>>,
    pub(in crate::git) probes: Mutex<Probes>,
}

/// Contents by path.
#[derive(Default)]
pub(in crate::git) struct Contents {
    all: HashMap<Vec<u8>, Arc<Vec<u8>>>,
    bytes: usize,
}

/// No more bytes than these wait for a second reader.
const WAITING: usize = 64 << 20;

impl Contents {
    /// Keeps a content until it is taken.
    pub(in crate::git) fn keep(&mut self, path: &[u8], content: &Arc<Vec<u8>>) {
        if self.bytes + content.len() <= WAITING {
            let known = self.all.insert(path.to_vec(), Arc::clone(content));
            self.bytes += content.len();
            self.bytes -= known.map_or(0, |known| known.len());
        }
    }

    /// The content of a path, which is not kept any longer.
    pub(in crate::git) fn take(&mut self, path: &[u8]) -> Option<Vec<u8>> {
        let content = self.all.remove(path)?;
        self.bytes -= content.len();
        Some(Arc::unwrap_or_clone(content))
    }
}

impl std::fmt::Debug for Repo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Repo")
            .field("root", &self.root)
            .finish_non_exhaustive()
    }
}

impl Repo {
    /// The index as it was when first asked for.
    pub(in crate::git) fn index(&self) -> Result<Arc<Index>> {
        if let Some(index) = self.index.get() {
            return Ok(Arc::clone(index));
        }
        let read = Arc::new(Index::read(&self.layout.git_dir.join("index"))?);
        self.attributes.note(&read);
        Ok(Arc::clone(self.index.get_or_init(|| read)))
    }

    /// The tree of a commit.
    pub(in crate::git) fn tree_of(&self, commit: Oid) -> Result<Oid> {
        Ok(self.commits.get(&self.store, commit)?.tree)
    }

    /// The work tree's root, or the git directory of a bare repository.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The directory asked for, relative to the root, `/` between elements.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The directory of this work tree's `HEAD` and `index`.
    #[must_use]
    pub fn git_dir(&self) -> &Path {
        &self.layout.git_dir
    }
}
