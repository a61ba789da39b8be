//! Everything that a plan holds, before it is written down.

use super::build::BuildView;
use super::file::PlannedFile;
use super::options::Options;
use super::packages::PlannedPackage;
use super::sources::Sources;
use crate::git::Sides;
use crate::modules::Module;
use crate::plan::{App, Other, Warning};

/// Everything that a plan holds, before it is written down.
#[derive(Debug)]
pub struct Planned {
    /// What was asked for.
    pub options: Options,
    /// The two sides.
    pub sides: Sides,
    /// Whether the working tree differs from HEAD.
    pub dirty: bool,
    /// Identifies that difference; empty when clean.
    pub content_hash: String,
    /// The module that was asked for.
    pub main: Module,
    /// The covered modules.
    pub modules: Vec<Module>,
    /// The changed Go files, by path.
    pub files: Vec<PlannedFile>,
    /// The packages with points, by import path.
    pub packages: Vec<PlannedPackage>,
    /// What is known of all Go files of the covered modules.
    pub sources: Sources,
    /// What else changed.
    pub other: Vec<Other>,
    /// What to know.
    pub warnings: Vec<Warning>,
}

impl Planned {
    /// The files that the build asked for compiles; all of them without one.
    pub fn built(&self) -> impl Iterator<Item = &PlannedFile> {
        let view = self.options.build.as_ref();
        let view = view.map(|build| BuildView::new(build, &self.packages));
        let outside = move |file: &PlannedFile| view.as_ref().and_then(|view| view.reason(file));
        self.files
            .iter()
            .filter(move |file| outside(file).is_none())
    }

    /// The release's short commit, with what makes it dirty.
    fn version(&self) -> String {
        let commit = self.sides.release.commit.get(..7).unwrap_or("0");
        if self.dirty {
            let content = self.content_hash.get(..8).unwrap_or_default();
            return format!("{commit}-dirty-{content}");
        }
        commit.to_owned()
    }

    /// Name and version of the application.
    #[must_use]
    pub fn app(&self) -> App {
        let config = &self.options.config;
        let version = if config.app_version.is_empty() {
            self.version()
        } else {
            config.app_version.clone()
        };
        let name = if config.app_name.is_empty() {
            last_element(&self.main.path).to_owned()
        } else {
            config.app_name.clone()
        };
        App { name, version }
    }
}

/// The last element of a module path that is no major version.
fn last_element(path: &str) -> &str {
    let is_version = |e: &str| {
        e.strip_prefix('v')
            .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    };
    path.rsplit('/')
        .find(|element| !is_version(element))
        .unwrap_or(path)
}
