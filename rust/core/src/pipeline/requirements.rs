//! What the base required: the half of `deps` that git knows. The other half, what the
//! release requires and where both versions lie, only the go command knows.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Serialize;

use super::{Options, range, scope};
use crate::error::Result;
use crate::git::{Repo, Sides};
use crate::modules::{GoMod, Ground, Workspace, join, parent, parse_mod, parse_work};

/// A module that the base required.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Required {
    /// Module path, as packages import it.
    pub path: String,
    /// The version that go.mod names.
    pub version: String,
    /// Module path or directory that took its place; empty for none.
    pub new_path: String,
    /// The version of that; empty for a directory.
    pub new_version: String,
}

/// What the base required.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Requirements {
    /// The base's commit.
    pub commit: String,
    /// The modules, by path. Several entries of one path come from several covered
    /// modules that did not agree.
    pub modules: Vec<Required>,
    /// The base's go.sum files, one after the other.
    pub sums: String,
}

/// Reads the go.mod files of the base, for the modules that the release covers.
pub fn requirements(options: &Options) -> Result<Requirements> {
    let repo = Repo::open(Path::new(&options.dir))?;
    let sides = repo.sides(&range(options))?;
    let read = |path: &str| repo.read_release(&sides, path).ok();
    let ground = options.ground(repo.root())?;
    let covered = scope::covered(options, repo.prefix(), &ground, &read, &|_| true)?;
    let base = Base {
        repo: &repo,
        sides: &sides,
        ground: &ground,
    };
    let (in_workspace, work) = base.work_file(&covered.main.dir);
    let mut result = Requirements {
        commit: sides.base.commit.clone(),
        ..Requirements::default()
    };
    let mut found = BTreeSet::new();
    let outer = ground.outer_uses();
    let counts = |dir: &String| {
        *dir == covered.main.dir || in_workspace.contains(dir) || outer.contains(dir)
    };
    for module in covered.modules.iter().filter(|m| counts(&m.dir)) {
        let own = parse_mod(&base.text(&join(&module.dir, "go.mod")));
        found.extend(own.require.iter().map(|(path, version)| {
            let replace = [&work, &own]
                .into_iter()
                .find_map(|side| side.replacing(path, version));
            Required {
                path: path.clone(),
                version: version.clone(),
                new_path: replace.map(|r| r.new.clone()).unwrap_or_default(),
                new_version: replace.map(|r| r.new_version.clone()).unwrap_or_default(),
            }
        }));
        let sums = base.text(&join(&module.dir, "go.sum"));
        result.sums.push_str(&String::from_utf8_lossy(&sums));
    }
    result.modules = found.into_iter().collect();
    Ok(result)
}

struct Base<'r> {
    repo: &'r Repo,
    sides: &'r Sides,
    ground: &'r Ground,
}

impl Base<'_> {
    /// A file of the base; empty if it had none.
    fn text(&self, path: &str) -> Vec<u8> {
        let read = self.repo.read_base(self.sides, path);
        read.ok().flatten().unwrap_or_default()
    }

    /// The go.work file of the base that counts, and the directories that it uses; empty
    /// if there was none.
    fn work_file(&self, from: &str) -> (Vec<String>, GoMod) {
        let path = match &self.ground.workspace {
            Workspace::Off => return (Vec::new(), GoMod::default()),
            Workspace::File(path) => path.clone(),
            Workspace::Auto => self.nearest_work(from),
        };
        let work = parse_work(&self.text(&path));
        let used = work.uses.iter();
        let used = used.filter_map(|dir| self.ground.resolve(parent(&path), dir));
        (used.collect(), work)
    }

    /// The first go.work upwards; the one at the root if there is none.
    fn nearest_work(&self, from: &str) -> String {
        let mut dir = from;
        loop {
            let path = join(dir, "go.work");
            if dir.is_empty() || !self.text(&path).is_empty() {
                return path;
            }
            dir = parent(dir);
        }
    }
}
