//! The account of one build: which files its constraints and patterns leave out, and
//! which functions the linker.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::{PlannedFile, PlannedPackage};
use crate::error::{Code, Error, Result};
use crate::model::{Point, Reason, Verdict};
use crate::modules::Module;
use crate::plan::{Build, LinkedPackage, Warning};

/// The files that a build compiles, and the ones that its constraints exclude.
#[derive(Debug)]
pub(super) struct BuildView<'b> {
    built: HashMap<&'b str, HashSet<&'b str>>,
    excluded: HashMap<&'b str, HashSet<&'b str>>,
    /// The functions that a binary holds, by import path, if there is one to tell.
    linked: Option<HashMap<&'b str, HashSet<&'b str>>>,
    /// Whether only the binary tells what is built.
    only_linked: bool,
    /// The functions by which the binary tells that a package was built from this plan.
    accessors: HashMap<&'b str, &'b str>,
}

impl<'b> BuildView<'b> {
    pub(super) fn new(build: &'b Build, planned: &'b [PlannedPackage]) -> Self {
        let mut view = Self {
            built: HashMap::new(),
            excluded: HashMap::new(),
            linked: build.linked.as_ref().map(|packages| {
                let functions = |package: &'b LinkedPackage| {
                    package.functions.iter().map(String::as_str).collect()
                };
                packages
                    .iter()
                    .map(|package| (package.import_path.as_str(), functions(package)))
                    .collect()
            }),
            only_linked: build.packages.is_empty() && build.linked.is_some(),
            accessors: planned.iter().map(names).collect(),
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
        if has(&self.built) || self.only_linked {
            let linked = self.linked.as_ref();
            let is_linked = |linked: &HashMap<_, _>| linked.contains_key(file.import_path.as_str());
            return (!linked.is_none_or(is_linked)).then_some(Reason::NotInBuild);
        }
        Some(if has(&self.excluded) {
            Reason::BuildConstraint
        } else {
            Reason::NotInBuild
        })
    }

    /// What the account says of code in a file, given what the linker dropped: of the
    /// points that a line has, those that are in the binary.
    pub(super) fn verdict<'v>(
        &self,
        file: &PlannedFile,
        points: &[Point],
        verdict: &'v Verdict,
    ) -> Cow<'v, Verdict> {
        let Verdict::Points(here) = verdict else {
            return Cow::Borrowed(verdict);
        };
        let kept: Vec<usize> = here
            .iter()
            .copied()
            .filter(|&index| !self.removes(file, &points[index]))
            .collect();
        if kept.len() == here.len() {
            Cow::Borrowed(verdict)
        } else if kept.is_empty() {
            Cow::Owned(Verdict::Not(Reason::LinkRemoved))
        } else {
            Cow::Owned(Verdict::Points(kept))
        }
    }

    /// Whether the linker dropped the function around a point.
    pub(super) fn removes(&self, file: &PlannedFile, point: &Point) -> bool {
        let functions = self.functions(file);
        point.declared && functions.is_some_and(|kept| !kept.contains(point.func.as_str()))
    }

    /// The functions of a file's package that are in the binary, if that was built from
    /// this plan: then every changed function has left code in it that was not dropped.
    fn functions(&self, file: &PlannedFile) -> Option<&HashSet<&'b str>> {
        let path = file.import_path.as_str();
        let functions = self.linked.as_ref()?.get(path)?;
        let accessor = self.accessors.get(path)?;
        functions.contains(accessor).then_some(functions)
    }
}

/// Import path and accessor of a package.
fn names(package: &PlannedPackage) -> (&str, &str) {
    (&package.entry.import_path, &package.entry.symbol)
}

/// Refuses a binary of other modules or of another plan, and warns of packages that are in it without the
/// points of this one: a plain binary does not tell a function that was dropped from one
/// that was inlined and left nothing to run.
pub(super) fn check_linked(
    build: Option<&Build>,
    modules: &[Module],
    planned: &[PlannedPackage],
    warnings: &mut Vec<Warning>,
) -> Result<()> {
    let Some(linked) = build.and_then(|build| build.linked.as_ref()) else {
        return Ok(());
    };
    let linked: HashMap<&str, &[String]> = linked
        .iter()
        .map(|package| (package.import_path.as_str(), package.functions.as_slice()))
        .collect();
    let of = |path: &str, module: &Module| {
        let rest = path.strip_prefix(module.path.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    if !linked
        .keys()
        .any(|path| modules.iter().any(|module| of(path, module)))
    {
        let named: Vec<&str> = modules.iter().map(|module| module.path.as_str()).collect();
        return Err(Error::new(
            Code::PlanMismatch,
            format!("the binary holds no package of {}", named.join(", ")),
        )
        .hint("name a program that `goat build` has built from this release"));
    }
    let present = planned
        .iter()
        .filter(|package| linked.contains_key(names(package).0));
    let (ours, other): (Vec<_>, Vec<_>) = present.partition(|package| {
        let (path, accessor) = names(package);
        linked[path].iter().any(|name| name == accessor)
    });
    if ours.is_empty() && !other.is_empty() {
        return Err(Error::new(
            Code::PlanMismatch,
            "the binary was not built from this plan, so that nobody can tell what the linker dropped",
        )
        .hint("`goat build` with the same base and the same flags makes such a binary"));
    }
    warnings.extend(other.iter().map(|package| Warning {
        path: package.entry.dir.clone(),
        line: 0,
        message: "the binary holds this package without the points of this plan; its functions are taken for linked".into(),
    }));
    Ok(())
}
