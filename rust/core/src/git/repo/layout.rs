//! Where a repository lies on disk.

use std::path::PathBuf;

/// Where the parts of a repository lie.
pub(in crate::git) struct Layout {
    /// Per-worktree directory (`HEAD`, `index`).
    pub git_dir: PathBuf,
    /// Shared directory (`objects`, `refs`, `config`).
    pub common: PathBuf,
    /// The work tree; `None` in a bare repository.
    pub work: Option<PathBuf>,
}
