//! The account of one build: which files its constraints and patterns leave out.

use std::collections::{HashMap, HashSet};

use super::PlannedFile;
use crate::model::Reason;
use crate::plan::Build;

/// The files that a build compiles, and the ones that its constraints exclude.
#[derive(Debug)]
pub(super) struct BuildView<'b> {
    built: HashMap<&'b str, HashSet<&'b str>>,
    excluded: HashMap<&'b str, HashSet<&'b str>>,
}

impl<'b> BuildView<'b> {
    pub(super) fn new(build: &'b Build) -> Self {
        let mut view = Self {
            built: HashMap::new(),
            excluded: HashMap::new(),
        };
        for package in &build.packages {
            let path = package.import_path.as_str();
            let files = package.go_files.iter().chain(&package.cgo_files);
            view.built
                .entry(path)
                .or_default()
                .extend(files.map(String::as_str));
            let excluded = package.ignored_go_files.iter().map(String::as_str);
            view.excluded.entry(path).or_default().extend(excluded);
        }
        view
    }

    /// Why a file is not in the build, if it is not.
    pub(super) fn reason(&self, file: &PlannedFile) -> Option<Reason> {
        let name = file.path.rsplit('/').next().unwrap_or(&file.path);
        let has = |map: &HashMap<&str, HashSet<&str>>| {
            map.get(file.import_path.as_str())
                .is_some_and(|files| files.contains(name))
        };
        if has(&self.built) {
            return None;
        }
        Some(if has(&self.excluded) {
            Reason::BuildConstraint
        } else {
            Reason::NotInBuild
        })
    }
}
