//! One repository: where it lies, what its settings, refs, commits, index and objects say.

pub(in crate::git) mod attributes;
pub(in crate::git) mod commits;
pub(in crate::git) mod describe;
pub(in crate::git) mod entry;
pub(in crate::git) mod includes;
pub(in crate::git) mod index;
pub(in crate::git) mod layout;
pub(in crate::git) mod loose;
pub(in crate::git) mod open;
pub(in crate::git) mod paths;
pub(in crate::git) mod refs;
pub(in crate::git) mod repository;
pub(in crate::git) mod revision;
pub(in crate::git) mod settings;
pub(in crate::git) mod sides;
pub(in crate::git) mod stats;
pub(in crate::git) mod store;

pub use self::repository::{Probes, Repo};
