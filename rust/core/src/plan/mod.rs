//! The documents that a plan consists of (docs/plan-format.md).
//!
//! Bytes are a function of the content: struct fields in their order, maps sorted, no
//! clock, no absolute path.

mod directory;
mod document;
mod package;

pub use directory::{
    Files, Parts, Text, hash_of, is_whole, json, seal, seal_parts, sealed, short_hash, short_sum,
    sum_in, whole, whole_in, write,
};
pub use document::{
    Account, App, Base, Build, BuildPackage, Document, Entries, FileAccount, Goat, Head, Index,
    IndexPackage, LinkedPackage, MainPackage, ModuleEntry, Other, Outside, PointEntry, Release,
    Shard, SourceEntry, Spot, Summary, Tail, TestPackage, Warning, counts_from, ids_in, point_name,
    quoted, renumber, splice,
};
pub use package::{EditEntry, FileEntry, PackageDocument, PackagePoint, TextFile, marker};

/// Number of the plan format.
pub const FORMAT: u32 = 1;
