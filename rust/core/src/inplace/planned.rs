//! What shall stand in the tree, as values.

use super::package::Row;
use crate::model::Place;

/// What a point is called and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Planned {
    pub row: Row,
    pub place: Place,
}

/// A file with points, marks removed.
#[derive(Clone, Debug)]
pub(super) struct FilePlan {
    /// Relative to the repository's root.
    pub path: String,
    pub source: Vec<u8>,
    pub points: Vec<Planned>,
}

/// A package with points.
#[derive(Clone, Debug)]
pub(super) struct PackagePlan {
    pub import_path: String,
    /// Relative to the repository's root.
    pub dir: String,
    /// Index into [`TreePlan::modules`].
    pub module: usize,
    pub files: Vec<FilePlan>,
}

/// A module that the plan covers.
#[derive(Clone, Debug)]
pub(super) struct ModulePlan {
    pub path: String,
    /// Relative to the repository's root; empty for the root.
    pub dir: String,
}

/// A main to track.
#[derive(Clone, Debug)]
pub(super) struct MainPlan {
    pub import_path: String,
    /// Relative to the repository's root.
    pub dir: String,
    /// Name in the package clause.
    pub name: String,
    /// Index into [`TreePlan::modules`].
    pub module: usize,
    /// Import paths of all packages that it links.
    pub deps: Vec<String>,
}

/// Everything that shall stand in the tree.
#[derive(Clone, Debug)]
pub(super) struct TreePlan {
    pub modules: Vec<ModulePlan>,
    /// In order of their import path.
    pub packages: Vec<PackagePlan>,
    pub mains: Vec<MainPlan>,
    /// By import path of what is tested: the packages with points that the tests may link.
    pub tests: Vec<(String, Vec<String>)>,
    pub identity: Vec<(&'static str, String)>,
    pub count: bool,
}

impl TreePlan {
    /// All points, in the order of their numbers.
    pub(super) fn points(&self) -> impl Iterator<Item = &Planned> {
        let files = self.packages.iter().flat_map(|package| &package.files);
        files.flat_map(|file| &file.points)
    }
}
