//! Everything that a plan holds, before it is written down.

use serde::{Deserialize, Serialize};

use super::build::BuildView;
use super::file::PlannedFile;
use super::options::Options;
use super::packages::PlannedPackage;
use super::sources::Sources;
use crate::git::{Notes, Sides};
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
    /// What the next plan may follow from; `None` where it may not.
    pub(super) given: Option<Given>,
}

/// What decides about a file that is edited next, besides its contents.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Given {
    /// What differs from HEAD.
    pub(super) notes: Notes,
    /// Whether an added file may come from a removed one.
    pub(super) moves: bool,
    /// `//go:embed` patterns, each with its directory.
    pub(super) embeds: Vec<(String, String)>,
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

    /// Name and version of the application.
    #[must_use]
    pub fn app(&self) -> App {
        app(
            &self.options,
            &self.sides,
            &self.main.path,
            &self.content_hash,
        )
    }
}

/// Name and version of the application that a plan is for.
pub(super) fn app(options: &Options, sides: &Sides, main: &str, content_hash: &str) -> App {
    let or = |said: &str, else_: &dyn Fn() -> String| match said {
        "" => else_(),
        said => said.to_owned(),
    };
    let config = &options.config;
    App {
        name: or(&config.app_name, &|| last_element(main).to_owned()),
        version: or(&config.app_version, &|| version(sides, content_hash)),
    }
}

/// The release's short commit, with what makes it dirty.
fn version(sides: &Sides, content_hash: &str) -> String {
    let commit = sides.release.commit.get(..7).unwrap_or("0");
    match content_hash.get(..8) {
        Some(content) => format!("{commit}-dirty-{content}"),
        None => commit.to_owned(),
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
