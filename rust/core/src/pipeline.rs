//! Puts the stages together: git, syntax, change, points, instrument, plan.

mod analyse;
mod blame;
mod build;
mod deps;
mod document;
mod memo;
mod options;
mod other;
mod packages;
mod requirements;
mod scope;
mod sources;

use std::path::Path;

use crate::control::Control;
use crate::error::{Code, Error, Result};
use crate::git::{RangeSpec, Repo, Sides};
use crate::marks;
use crate::model::{FileChange, FilePoints, Lines, Reason};
use crate::modules::{Module, join};
use crate::plan::{self, App, Other, Warning};
use crate::token::Token;

use build::BuildView;
use memo::Memo;

pub use options::{Config, Dependency, Options};
pub use packages::PlannedPackage;
pub use requirements::{Requirements, requirements};
pub use sources::Sources;

/// Deeply nested code is walked recursively.
const STACK: usize = 8 << 20;

/// A changed file of the release and what becomes of it.
#[derive(Debug)]
pub struct PlannedFile {
    /// Path relative to the repository's root.
    pub path: String,
    /// Directory of it.
    pub dir: String,
    /// Import path of its package; empty outside the covered modules.
    pub import_path: String,
    /// Its text, marks removed.
    pub source: Vec<u8>,
    /// How many lines of the universe it has.
    pub added: u32,
    /// How many of its hunks only delete.
    pub deletions: u32,
    /// Why it is accounted for as a whole, or its points.
    pub state: State,
}

/// What becomes of a file.
#[derive(Debug)]
pub enum State {
    /// It is gone; only the sum of the deletions says so.
    Deleted,
    /// It is accounted for as a whole.
    Whole(Reason),
    /// It is accounted for line by line.
    Lines(Box<Analysed>),
}

/// A file that was analysed.
#[derive(Debug)]
pub struct Analysed {
    /// Its tokens.
    pub tokens: Vec<Token>,
    /// Its lines.
    pub lines: Lines,
    /// Package name.
    pub package: String,
    /// The lines at which what changed of it does not parse.
    pub damaged: Vec<u32>,
    /// How many of them stand outside declarations.
    pub damaged_outside: usize,
    /// Its points and its account.
    pub points: FilePoints,
    /// Display names of the points.
    pub names: Vec<String>,
}

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

/// Plans, writes the plan directory if one is asked for, and gives the answer as JSON.
pub fn run(options: Options, control: &Control) -> Result<Vec<u8>> {
    // One thread looks whether anything has changed: threads that wait for work that
    // does not come cost more than they would save.
    let (repo, sides, memo, kept) = in_threads(1, || {
        let repo = Repo::open(Path::new(&options.dir))?;
        let sides = repo.sides(&range(&options))?;
        let memo = Memo::find(&options, &repo, &sides, control)?;
        let kept = memo.as_ref().and_then(|memo| memo.answer(&repo, &sides));
        Ok((repo, sides, memo, kept))
    })?;
    if let Some(answer) = kept {
        return Ok(answer);
    }
    in_threads(EVERY_CORE, || {
        let planned = plan_sides(options, &repo, sides, control)?;
        control.check()?;
        let (hash, files) = document::directory(&planned);
        if planned.options.out_dir.is_empty() {
            return document::answer(&planned, &hash, None);
        }
        control.tick("write", 0, 0);
        let directory = plan::write(Path::new(&planned.options.out_dir), &hash, &files)?;
        let answer = document::answer(&planned, &hash, Some(&directory))?;
        if let Some(memo) = memo {
            memo.keep(&repo, &directory, &files, &answer);
        }
        Ok(answer)
    })
}

/// Writes the plan directory if one is asked for; the answer is the plan's hash.
pub fn write(planned: &Planned, control: &Control) -> Result<String> {
    control.check()?;
    let (hash, files) = document::directory(planned);
    if !planned.options.out_dir.is_empty() {
        plan::write(Path::new(&planned.options.out_dir), &hash, &files)?;
    }
    Ok(hash)
}

/// Plans without writing anything.
pub fn plan(options: Options, control: &Control) -> Result<Planned> {
    in_threads(EVERY_CORE, || {
        let repo = Repo::open(Path::new(&options.dir))?;
        let sides = repo.sides(&range(&options))?;
        plan_sides(options, &repo, sides, control)
    })
}

/// As many threads as there are cores.
const EVERY_CORE: usize = 0;

fn in_threads<T: Send>(count: usize, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(count)
        .stack_size(STACK)
        .thread_name(|index| format!("goat-{index}"))
        .build();
    let pool = pool.map_err(|e| Error::new(Code::Internal, "no threads to work with").cause(e))?;
    pool.install(work)
}

fn plan_sides(options: Options, repo: &Repo, sides: Sides, control: &Control) -> Result<Planned> {
    let read = |path: &str| repo.read_release(&sides, path).ok();
    let (workspace, uses) = options.workspace(repo.root())?;
    let covered = scope::covered(&options, repo.prefix(), &workspace, &uses, &read)?;
    control.check()?;

    let clean = scope::Cleaner::default();
    let strip = |path: &str, bytes: Vec<u8>| clean.strip(path, bytes);
    let mut changes = repo.changes(&sides, options.precision != 3, &strip, control)?;
    let listing = repo.release_go_files(&sides, control)?;
    if options.precision == 1 {
        blame::replace_lines(&mut changes, repo, &sides, &listing, &clean, control)?;
    }
    clean.finish()?;
    control.check()?;
    let mut sources = sources::read(repo, &sides, &covered, listing, control)?;
    let mut upgraded = deps::read(&options, &mut sources, control)?;
    let mut files = changes.files;
    add_requested(
        &mut files,
        &sources,
        &|path| repo.read_release(&sides, path),
        &strip,
    );
    let mut scoped = scope::sort(files, &covered, &options.config.ignores)?;
    scoped.append(&mut upgraded.files);
    scoped.sort_by(|a, b| a.change.path.cmp(&b.change.path));
    let mut warnings = analyse::unreadable(&scoped);
    let mut files = analyse::all(scoped, &options, &sources, control)?;
    warnings.extend(analyse::warnings(&files));
    let packages = packages::build(&mut files, &options, &sources, &mut warnings, control)?;
    build::check_linked(options.build.as_ref(), &packages, &mut warnings)?;
    let mut other = other::list(repo, &sides, &covered, &changes.other, &files, &sources);
    let go_mod = join(&covered.main.dir, "go.mod");
    upgraded.note(&mut other, &go_mod, &mut warnings);
    warnings.sort();
    Ok(Planned {
        dirty: !changes.dirty.is_empty(),
        content_hash: changes.content_hash.unwrap_or_default(),
        main: covered.main.clone(),
        modules: covered.modules.clone(),
        options,
        sides,
        files,
        packages,
        sources,
        other,
        warnings,
    })
}

/// What is to be compared.
fn range(options: &Options) -> RangeSpec {
    RangeSpec {
        base: Some(options.base.clone()),
        release: Some(options.release.clone()),
        direct: options.direct(),
    }
}

/// Adds the files that have no change but a request for a point.
fn add_requested(
    changed: &mut Vec<FileChange>,
    sources: &Sources,
    read: &dyn Fn(&str) -> Result<Vec<u8>>,
    strip: &dyn Fn(&str, Vec<u8>) -> Vec<u8>,
) {
    for path in &sources.requested {
        if changed
            .iter()
            .any(|file| file.path == *path && file.new.is_some())
        {
            continue;
        }
        let Ok(content) = read(path) else { continue };
        let content = strip(path, content);
        changed.push(FileChange {
            path: path.clone(),
            old_path: None,
            old: Some(content.clone()),
            new: Some(content),
            hunks: Vec::new(),
            lines: Vec::new(),
            unreadable: None,
        });
    }
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

/// A text without goat's marks and whether it had any.
pub(crate) fn without_marks(path: &str, bytes: Vec<u8>) -> Result<Vec<u8>> {
    Ok(marks::strip_file(path, &bytes)?.unwrap_or(bytes))
}
