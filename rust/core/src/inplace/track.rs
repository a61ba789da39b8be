//! `goat track` and `goat patch`: the plan's points in the tree.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::assemble::{self, Runtime};
use super::bounds;
use super::clean::{self, FileOutcome, Kept};
use super::generated::{self, Origin};
use super::journal::{self, Change};
use super::package::Row;
use super::planned::{FilePlan, MainPlan, ModulePlan, PackagePlan, Planned, TreePlan};
use super::text::{self, Package};
use super::{patch, places, tree};
use crate::control::Control;
use crate::error::{Code, Error, Result};
use crate::git::read_file;
use crate::modules::parse_mod;
use crate::pipeline::{self, Options, PlannedFile};
use crate::plan;
use crate::syntax;

/// The request of both operations.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Request {
    /// Number of the request format.
    pub format: u32,
    /// `track` or `patch`.
    pub op: String,
    /// What to plan.
    pub plan: Options,
    /// The mains that start the runtime.
    #[serde(default)]
    pub mains: Vec<Main>,
    /// The runtime's source by path, its own import path being `goat.invalid/goatrt`.
    pub runtime: BTreeMap<String, String>,
    /// Whether mains link the HTTP server.
    #[serde(default)]
    pub server: bool,
    /// The pipes that [`crate::descriptors`] reads.
    #[serde(default)]
    pub control_fd: i32,
    /// As above.
    #[serde(default)]
    pub progress_fd: i32,
}

/// A main, as the go command sees it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Main {
    /// Import path.
    pub import_path: String,
    /// Directory, absolute.
    pub dir: String,
    /// Name in the package clause.
    pub name: String,
    /// Import paths of what it links from the repository.
    #[serde(default)]
    pub deps: Vec<String>,
}

/// What was done.
#[derive(Debug, Default, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// How many points the tree holds.
    pub points: usize,
    /// How many blocks went because the plan has no point there any more.
    pub dropped: usize,
    /// Which plan the points are from.
    pub plan_hash: String,
    /// The files that were written, sorted by path.
    pub files: Vec<FileOutcome>,
    /// What somebody wrote into goat's text, which stays.
    pub kept: Vec<Kept>,
    /// The plan's warnings.
    pub warnings: Vec<plan::Warning>,
}

/// Runs `track` or `patch`.
pub fn run(request: &Request, control: &Control) -> Result<Outcome> {
    request.plan.check()?;
    let dir = Path::new(&request.plan.dir);
    journal::recover(dir, control)?;
    let root = tree::root(dir)?;
    let marked = match request.op.as_str() {
        "patch" => Some(patch::prepare(&root, control)?),
        _ => None,
    };
    let mut planned = pipeline::plan(request.plan.clone(), control)?;
    working_tree_only(&planned)?;
    // The tree is planned as it is without marks.
    planned.sources.marked = false;
    let plan_hash = pipeline::write(&planned, control)?;
    let mut plan = tree_plan(&root, &planned, &request.mains, &plan_hash);
    let mut outcome = Outcome {
        plan_hash,
        warnings: planned.warnings,
        ..Outcome::default()
    };
    if let Some(marked) = &marked {
        outcome.dropped = patch::choose(&mut plan, marked);
        outcome.warnings.extend(patch::misplaced(&plan, marked));
        renumber(&mut plan);
    }
    let changes = control.guard(|| {
        outcome.warnings.extend(reject(&mut plan)?);
        outcome.points = plan.points().count();
        let wanted = assemble::files(&root, &plan, &runtime(request))?;
        stays_inside(&root, &wanted)?;
        control.check()?;
        compare(&root, &plan, wanted, &mut outcome, control)
    })?;
    control.check()?;
    journal::apply(&root, &changes, control)?;
    Ok(outcome)
}

/// Refuses to generate files where a link in the place of a directory leads out.
fn stays_inside(root: &Path, wanted: &BTreeMap<String, Vec<u8>>) -> Result<()> {
    let out = |(path, content): &(&String, &Vec<u8>)| {
        generated::origin(content) != Origin::Foreign && !bounds::inside(root, &root.join(path))
    };
    match wanted.iter().find(out) {
        None => Ok(()),
        Some((path, _)) => Err(Error::new(
            Code::BadConfig,
            format!("{path} would not be a file of the repository: a link stands in its place or above it"),
        )
        .path(path.clone())
        .hint("choose another directory for the runtime: goatPackagePath in goat.yaml")),
    }
}

fn runtime(request: &Request) -> Runtime<'_> {
    let or_goat = |name: &'_ str| {
        if name.is_empty() {
            "goat".to_owned()
        } else {
            name.to_owned()
        }
    };
    let config = &request.plan.config;
    Runtime {
        name: or_goat(&config.goat_package_name),
        alias: or_goat(&config.goat_package_alias),
        dir: request.plan.runtime_path().to_owned(),
        files: &request.runtime,
        server: request.server,
    }
}

fn working_tree_only(planned: &pipeline::Planned) -> Result<()> {
    let release = &planned.sides.release;
    if release.worktree {
        return Ok(());
    }
    let name = &release.reference;
    Err(Error::new(
        Code::BadConfig,
        format!("the release {name} is not what is checked out"),
    )
    .hint(format!("git checkout {name}")))
}

/// The plan in the terms of the tree.
fn tree_plan(
    root: &Path,
    planned: &pipeline::Planned,
    mains: &[Main],
    plan_hash: &str,
) -> TreePlan {
    let mut modules = Modules {
        root,
        found: Vec::new(),
    };
    for module in &planned.modules {
        modules.add(&module.dir, &module.path);
    }
    let mut packages: BTreeMap<&str, PackagePlan> = BTreeMap::new();
    for file in planned.built() {
        let Some(points) = file_points(file) else {
            continue;
        };
        let package = packages
            .entry(&file.import_path)
            .or_insert_with(|| PackagePlan {
                import_path: file.import_path.clone(),
                dir: file.dir.clone(),
                module: modules.of(&file.dir),
                files: Vec::new(),
            });
        let source = file.source.clone();
        package.files.push(FilePlan {
            path: file.path.clone(),
            source,
            points,
        });
    }
    let packages: Vec<PackagePlan> = packages
        .into_values()
        .map(|mut package| {
            package.files.sort_by(|a, b| a.path.cmp(&b.path));
            package
        })
        .collect();
    let mains = mains
        .iter()
        .filter_map(|main| main_plan(root, main, &mut modules))
        .collect();
    TreePlan {
        modules: modules.found,
        tests: tests(planned, &packages),
        packages,
        mains,
        identity: identity(planned, plan_hash),
        count: planned.options.config.data_type == "count",
    }
}

/// What the tests of every directory link of the packages with points.
fn tests(planned: &pipeline::Planned, packages: &[PackagePlan]) -> Vec<(String, Vec<String>)> {
    let linked = planned.sources.linked_by_tests();
    linked
        .map(|(tested, paths)| {
            let counted = packages.iter().map(|package| &package.import_path);
            let counted = counted.filter(|path| paths.contains(path.as_str()));
            (tested.to_owned(), counted.cloned().collect())
        })
        .collect()
}

/// The points of a file, if it has any.
fn file_points(file: &PlannedFile) -> Option<Vec<Planned>> {
    let analysed = file
        .analysed()
        .filter(|analysed| !analysed.points.points.is_empty())?;
    let points = analysed.points.points.iter().zip(&analysed.places);
    let planned = points
        .zip(file.before + 1..)
        .map(|((point, (start, end)), number)| {
            let row = Row {
                name: plan::point_name(number),
                id: point.id.clone(),
                kind: point.kind.as_str(),
                file: file.path.clone(),
                func: point.func.clone(),
                range: [start.line, start.column, end.line, end.column],
            };
            Planned {
                row,
                place: point.place.clone(),
            }
        });
    Some(planned.collect())
}

/// A main inside the repository; others are nobody's business here.
fn main_plan(root: &Path, main: &Main, modules: &mut Modules<'_>) -> Option<MainPlan> {
    let dir = std::fs::canonicalize(&main.dir).ok()?;
    let dir = dir.strip_prefix(root).ok()?.to_str()?;
    let dir = dir.replace(std::path::MAIN_SEPARATOR, "/");
    Some(MainPlan {
        import_path: main.import_path.clone(),
        name: main.name.clone(),
        module: modules.of(&dir),
        deps: main.deps.clone(),
        dir,
    })
}

/// The modules with points or mains, found from their directories.
struct Modules<'a> {
    root: &'a Path,
    found: Vec<ModulePlan>,
}

impl Modules<'_> {
    fn add(&mut self, dir: &str, path: &str) -> usize {
        self.found.push(ModulePlan {
            path: path.to_owned(),
            dir: dir.to_owned(),
        });
        self.found.len() - 1
    }

    /// The module around a directory: that of the nearest go.mod.
    fn of(&mut self, dir: &str) -> usize {
        for up in tree::upwards(dir) {
            if let Some(known) = self.found.iter().position(|module| module.dir == up) {
                return known;
            }
            if let Ok(text) = read_file(&self.root.join(up).join("go.mod")) {
                return self.add(up, &parse_mod(&text).module);
            }
        }
        0
    }
}

fn identity(planned: &pipeline::Planned, plan_hash: &str) -> Vec<(&'static str, String)> {
    let app = planned.app();
    let (base, release) = (&planned.sides.base, &planned.sides.release);
    vec![
        ("goat", planned.options.goat.version.clone()),
        ("app", app.name),
        ("version", app.version),
        ("base", base.reference.clone()),
        ("baseCommit", base.commit.clone()),
        ("release", release.reference.clone()),
        ("releaseCommit", release.commit.clone()),
        ("dirty", planned.dirty.to_string()),
        ("contentHash", planned.content_hash.clone()),
        ("plan", plan_hash.to_owned()),
        (
            "granularity",
            planned.options.granularity().as_str().to_owned(),
        ),
        ("precision", planned.options.precision.to_string()),
    ]
}

/// Takes files out of the plan that would not parse with their blocks; one thread
/// with room for deeply nested code looks at them.
fn reject(plan: &mut TreePlan) -> Result<Vec<plan::Warning>> {
    let look = || {
        let files = plan.packages.iter().flat_map(|package| &package.files);
        let broken = files.filter(|file| breaks(file));
        broken
            .map(|file| file.path.clone())
            .collect::<Vec<String>>()
    };
    let broken = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .stack_size(STACK)
            .spawn_scoped(scope, look);
        thread.ok()?.join().ok()
    });
    let broken =
        broken.ok_or_else(|| Error::new(Code::Internal, "the blocks cannot be checked"))?;
    for package in &mut plan.packages {
        package.files.retain(|file| !broken.contains(&file.path));
    }
    plan.packages.retain(|package| !package.files.is_empty());
    let message = "cannot hold points in place; it stays as it is";
    let warning = |path| plan::Warning {
        path,
        line: 0,
        message: message.into(),
    };
    Ok(broken.into_iter().map(warning).collect())
}

const STACK: usize = 64 << 20;

/// Whether a file has damage with its blocks that it has not without them.
fn breaks(file: &FilePlan) -> bool {
    let package = Package {
        alias: "goat",
        path: "goat",
    };
    let written = text::write(
        &file.source,
        &places::of(&file.source, &file.points),
        package,
    );
    syntax::parse(&written).errors.len() > syntax::parse(&file.source).errors.len()
}

/// Numbers the points in the order of the tree: `patch` leaves some out.
fn renumber(plan: &mut TreePlan) {
    let files = plan
        .packages
        .iter_mut()
        .flat_map(|package| &mut package.files);
    for (index, point) in files.flat_map(|file| &mut file.points).enumerate() {
        point.row.name = format!("TRACK_ID_{}", index + 1);
    }
}

/// What has to be written so that the covered modules hold `wanted` and nothing else
/// of goat's.
fn compare(
    root: &Path,
    plan: &TreePlan,
    wanted: BTreeMap<String, Vec<u8>>,
    outcome: &mut Outcome,
    control: &Control,
) -> Result<Vec<Change>> {
    let (stale, survey) = clean::survey(root, control)?;
    if let Some(left) = survey.left.first() {
        return Err(Error::new(Code::BadMarks, left.text.clone())
            .path(format!("{}:{}", left.path, left.line))
            .hint(
                "undo the edit, or take that block out by hand; `goat clean` names all of them",
            ));
    }
    let mut covered = Covered {
        root,
        plan,
        known: BTreeMap::new(),
    };
    outcome.kept.extend(
        survey
            .kept
            .into_iter()
            .filter(|kept| covered.holds(&kept.path)),
    );
    let mut todo: BTreeMap<String, (Option<Vec<u8>>, &'static str)> = BTreeMap::new();
    for (file, change) in survey.files.into_iter().zip(stale) {
        if covered.holds(&file.path) && !wanted.contains_key(&file.path) {
            todo.insert(file.path, (change.content, file.action));
        }
    }
    for (path, content) in wanted {
        let action = match generated::origin(&content) {
            Origin::Foreign => "marked",
            _ => "written",
        };
        if read_file(&root.join(&path)).ok().as_ref() != Some(&content) {
            todo.insert(path, (Some(content), action));
        }
    }
    let mut changes = Vec::with_capacity(todo.len());
    for (path, (content, action)) in todo {
        changes.push(Change {
            path: root.join(&path),
            content,
        });
        outcome.files.push(FileOutcome { path, action });
    }
    Ok(changes)
}

/// Which files belong to the plan's modules, and not to one nested in them.
struct Covered<'a> {
    root: &'a Path,
    plan: &'a TreePlan,
    known: BTreeMap<String, bool>,
}

impl Covered<'_> {
    fn holds(&mut self, path: &str) -> bool {
        let dir = path.rsplit_once('/').map_or("", |(dir, _)| dir);
        if let Some(&known) = self.known.get(dir) {
            return known;
        }
        let root = self.root;
        let module = tree::upwards(dir).find(|up| root.join(up).join("go.mod").exists());
        let holds = module.is_some_and(|up| self.plan.modules.iter().any(|known| known.dir == up));
        self.known.insert(dir.to_owned(), holds);
        holds
    }
}
