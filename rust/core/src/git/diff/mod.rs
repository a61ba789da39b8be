//! What differs: two trees, two contents, and which path became which.

pub(in crate::git) mod changes;
pub(in crate::git) mod linediff;
pub(in crate::git) mod rename;
pub(in crate::git) mod renamed;
pub(in crate::git) mod similarity;
pub(in crate::git) mod trees;
