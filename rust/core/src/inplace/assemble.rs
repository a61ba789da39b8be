//! From a plan to the files that hold it.

use std::collections::BTreeMap;
use std::path::Path;

use super::generated;
use super::names::{self, Aliases};
use super::package::{self, Component, Hook, Module, Rows};
use super::planned::{MainPlan, ModulePlan, PackagePlan, TreePlan};
use super::text::{self, Package};
use super::{places, tree};
use crate::error::Result;
use crate::git::read_file;
use crate::tree::{either, is_own};

/// How the generated package is called and what it is made of.
#[derive(Clone, Debug)]
pub(super) struct Runtime<'a> {
    /// Package name.
    pub name: String,
    /// Name under which sources import it, if free.
    pub alias: String,
    /// Directory inside the module, if free.
    pub dir: String,
    /// The runtime's source by path below that directory, with [`SELF`] as its
    /// import path.
    pub files: &'a BTreeMap<String, String>,
    /// Whether mains link the HTTP server.
    pub server: bool,
}

/// The import path that stands in the runtime's source for its own.
const SELF: &str = "\"goat.invalid/goatrt\"";

/// The files by path relative to the root.
pub(super) fn files(
    root: &Path,
    plan: &TreePlan,
    runtime: &Runtime<'_>,
) -> Result<BTreeMap<String, Vec<u8>>> {
    let homes: Vec<Home> = plan
        .modules
        .iter()
        .map(|module| Home::of(root, module, runtime))
        .collect();
    let mut files = BTreeMap::new();
    // Without a point nothing needs a runtime.
    if plan.packages.is_empty() {
        return Ok(files);
    }
    let mut aliases = Aliases::default();
    for package in &plan.packages {
        let alias = aliases.free(root, &package.dir, &runtime.alias)?;
        let import = Package {
            alias: &alias,
            path: &homes[package.module].import_path,
        };
        for file in &package.files {
            // The link stays a link; what it points at has a place of its own.
            if root.join(&file.path).is_symlink() {
                continue;
            }
            let places = places::of(&file.source, &file.points);
            files.insert(
                file.path.clone(),
                text::write(&file.source, &places, import),
            );
        }
    }
    for (index, home) in homes.iter().enumerate() {
        let module = module(plan, index, runtime);
        if module.packages.is_empty() && module.components.is_empty() {
            continue;
        }
        // Only mains link the server.
        let linked = |path: &str| !path.starts_with("server/") || !module.components.is_empty();
        for (path, source) in runtime.files.iter().filter(|(path, _)| linked(path)) {
            let source = source.replace(SELF, &package::quote(&home.import_path));
            files.insert(format!("{}/{path}", home.dir), generated::seal(&source));
        }
        let path = format!("{}/goat_generated.go", home.dir);
        files.insert(path, generated::seal(&package::generated(&module)));
    }
    for (index, main) in plan.mains.iter().enumerate() {
        let (path, text) = hook(root, plan, index, &homes, runtime, &mut aliases)?;
        files.insert(tree::join(&main.dir, &path), generated::seal(&text));
    }
    Ok(files)
}

/// Where the generated package of a module goes.
struct Home {
    /// Relative to the repository's root.
    dir: String,
    import_path: String,
}

impl Home {
    fn of(root: &Path, module: &ModulePlan, runtime: &Runtime<'_>) -> Self {
        let dir = names::package_dir(root, &module.dir, &runtime.dir);
        Self {
            import_path: format!("{}/{dir}", module.path),
            dir: tree::join(&module.dir, &dir),
        }
    }
}

/// The packages of one module, and what their rows are.
fn packages_of(plan: &TreePlan, module: usize) -> impl Iterator<Item = &PackagePlan> {
    plan.packages
        .iter()
        .filter(move |package| package.module == module)
}

fn module(plan: &TreePlan, index: usize, runtime: &Runtime<'_>) -> Module {
    let packages: Vec<Rows> = packages_of(plan, index)
        .map(|package| Rows {
            import_path: package.import_path.clone(),
            rows: package
                .files
                .iter()
                .flat_map(|file| &file.points)
                .map(|p| p.row.clone())
                .collect(),
        })
        .collect();
    let components = plan
        .mains
        .iter()
        .filter(|main| main.module == index)
        .map(|main| Component {
            import_path: main.import_path.clone(),
            packages: linked(main, packages.iter().map(|rows| rows.import_path.as_str())),
        });
    let tests = plan
        .tests
        .iter()
        .map(|(tested, paths)| Component {
            import_path: tested.clone(),
            packages: (0..packages.len())
                .filter(|at| paths.contains(&packages[*at].import_path))
                .collect(),
        })
        // A program's tests hold its hook, and with it the runtime.
        .filter(|tests| {
            let program = |main: &MainPlan| main.import_path == tests.import_path;
            !tests.packages.is_empty() || plan.mains.iter().any(program)
        });
    Module {
        name: runtime.name.clone(),
        identity: identity(plan, index),
        count: plan.count,
        components: components.collect(),
        tests: tests.collect(),
        packages,
    }
}

fn identity(plan: &TreePlan, module: usize) -> Vec<(&'static str, String)> {
    let mut lines = plan.identity.clone();
    lines.push(("module", plan.modules[module].path.clone()));
    lines
}

/// Which of these packages a main links.
fn linked<'a>(main: &MainPlan, packages: impl Iterator<Item = &'a str>) -> Vec<usize> {
    let links = |path: &str| path == main.import_path || main.deps.iter().any(|dep| dep == path);
    packages
        .enumerate()
        .filter(|(_, path)| links(path))
        .map(|(index, _)| index)
        .collect()
}

fn hook(
    root: &Path,
    plan: &TreePlan,
    index: usize,
    homes: &[Home],
    runtime: &Runtime<'_>,
    aliases: &mut Aliases,
) -> Result<(String, String)> {
    let main = &plan.mains[index];
    let before = plan.mains[..index]
        .iter()
        .filter(|other| other.module == main.module);
    let mut others = Vec::new();
    for (module, home) in homes
        .iter()
        .enumerate()
        .filter(|(module, _)| *module != main.module)
    {
        let paths: Vec<&str> = packages_of(plan, module)
            .map(|p| p.import_path.as_str())
            .collect();
        let chosen: Vec<String> = linked(main, paths.iter().copied())
            .into_iter()
            .map(|at| paths[at].to_owned())
            .collect();
        if !chosen.is_empty() {
            others.push((home.import_path.clone(), chosen));
        }
    }
    let text = package::hook(&Hook {
        package: main.name.clone(),
        runtime: homes[main.module].import_path.clone(),
        server: runtime.server,
        component: before.count(),
        others,
        prefix: aliases.free(root, &main.dir, "goat_rt")?,
        constraint: constraint(&root.join(&main.dir)),
    });
    Ok((names::hook_file(root, &main.dir), text))
}

/// Under which constraints a directory holds a package without the hook.
fn constraint(dir: &Path) -> Option<String> {
    let entries = std::fs::read_dir(dir).ok()?.flatten();
    let mut files: Vec<(String, Vec<u8>)> = entries
        .filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path())))
        .filter(|(name, _)| {
            let go = name.strip_suffix(".go");
            go.is_some_and(|stem| !stem.ends_with("_test") && !stem.starts_with(['.', '_']))
        })
        .filter_map(|(name, path)| Some((name, read_file(&path).ok()?)))
        .filter(|(_, text)| !is_own(text))
        .collect();
    files.sort();
    either(
        files
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_slice())),
    )
}
