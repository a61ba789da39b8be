//! What differs between two states of a git repository, exactly as git says.
//!
//! The only user of libgit2. From libgit2 come the object database, the line differ,
//! attributes and ignore rules; what libgit2 does otherwise than git, or refuses,
//! is done here: discovery and refs ([`Repo::open`]), replace refs and grafts, the
//! index (never written), rename detection, conversion of line ends, and blame.
//!
//! [`Repo::sides`] settles what is compared, [`Repo::changes`] compares,
//! [`Repo::release_go_files`] and [`Repo::read_release`] give the rest of the release.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};

use self::attributes::Attributes;
use self::commits::Commits;
use self::index::Index;
use self::open::Layout;
use self::refs::Refs;
use self::settings::Settings;
use self::store::Store;
use crate::error::Result;

mod attributes;
mod blame;
mod changes;
mod commits;
mod contents;
mod describe;
mod files;
mod filter;
mod fingerprint;
mod index;
mod linediff;
mod open;
mod paths;
mod refs;
mod rename;
mod revision;
mod settings;
mod sides;
mod similarity;
mod store;
mod trees;
mod untracked;
mod workdir;

pub use self::blame::NewLines;
pub use self::changes::{ChangeKind, Changes, OtherChange, hunks};
pub use self::contents::Clean;
pub use self::files::{FileState, GoSource, Probes};
pub use self::fingerprint::Fingerprint;
pub use self::linediff::{added_lines, linediff};
pub use self::sides::{Base, Chosen, RangeSpec, Release, Sides};

/// An open repository, usable from several threads.
pub struct Repo {
    root: PathBuf,
    prefix: String,
    layout: Layout,
    settings: Settings,
    refs: Refs,
    commits: Commits,
    store: Store,
    attributes: Attributes,
    /// libgit2's handle, for revision syntax; `None` where it refuses the repository.
    libgit2: Mutex<Option<git2::Repository>>,
    index: OnceLock<Arc<Index>>,
    probes: Mutex<Probes>,
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
    fn index(&self) -> Result<Arc<Index>> {
        if let Some(index) = self.index.get() {
            return Ok(Arc::clone(index));
        }
        let read = Arc::new(Index::read(&self.layout.git_dir.join("index"))?);
        Ok(Arc::clone(self.index.get_or_init(|| read)))
    }
}
