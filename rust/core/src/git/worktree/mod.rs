//! What is on disk, how git reads it, and what differs with it.

pub(in crate::git) mod compare;
pub(in crate::git) mod contents;
pub(in crate::git) mod edited;
pub(in crate::git) mod files;
pub(in crate::git) mod filter;
pub(in crate::git) mod fingerprint;
pub(in crate::git) mod kept;
pub(in crate::git) mod linked;
pub(in crate::git) mod submodules;
pub(in crate::git) mod untracked;
pub(in crate::git) mod vouched;
pub(in crate::git) mod workdir;
