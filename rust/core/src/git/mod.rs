//! What differs between two states of a git repository, exactly as git says.
//!
//! The only user of libgit2. From libgit2 come the object database, the line differ,
//! attributes and ignore rules; what libgit2 does otherwise than git, or refuses,
//! is done here: discovery and refs ([`Repo::open`]), replace refs and grafts, the
//! index (never written), rename detection, conversion of line ends, and blame.
//!
//! [`Repo::sides`] settles what is compared, [`Repo::changes`] compares,
//! [`Repo::release_go_files`] and [`Repo::read_release`] give the rest of the release.
//!
//! Four floors, each of which knows only those below it: `blame`, `worktree`, `diff`, `repo`.

mod blame;
mod diff;
mod repo;
mod worktree;

pub use self::blame::NewLines;
pub use self::diff::changes::{ChangeKind, Changes, Notes, OtherChange, content_hash, hunks};
pub use self::diff::linediff::{added_lines, linediff};
pub use self::diff::renamed::renamed;
pub use self::repo::paths::{read_file, read_text};
pub use self::repo::sides::{Base, Chosen, RangeSpec, Release, Sides};
pub use self::repo::stats::Stamp;
pub use self::repo::{Probes, Repo};
pub use self::worktree::contents::Clean;
pub use self::worktree::edited::Edited;
pub use self::worktree::files::{FileState, GoSource, ModuleDirs};
pub use self::worktree::fingerprint::Fingerprint;
pub use self::worktree::kept::{Differing, Kept};
pub use self::worktree::linked::LinkedFile;
pub use self::worktree::submodules::Submodule;
