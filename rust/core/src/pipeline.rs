//! Puts the stages together: git, syntax, change, points, instrument, plan.

mod analyse;
mod blame;
mod build;
mod deps;
mod document;
mod edit;
mod file;
mod last;
mod ledger;
mod linked;
mod lists;
mod memo;
mod options;
mod other;
mod pack;
mod packages;
mod planned;
mod requirements;
mod rows;
mod scope;
mod sources;
mod submodules;

use std::path::Path;

use crate::control::Control;
use crate::error::{Code, Error, Result};
use crate::git::{Kept, RangeSpec, Repo, Sides};
use crate::model::FileChange;
use crate::modules::join;
use crate::plan;

use last::{Last, Made};
use ledger::{Desk, Ledger};
use memo::Memo;
use pack::Use;
use planned::Given;

pub use file::{Analysed, PlannedFile, State};
pub use options::{Config, Dependency, Options};
pub use packages::PlannedPackage;
pub use planned::Planned;
pub use requirements::{Requirements, requirements};
pub use sources::Sources;

/// Deeply nested code is walked recursively.
const STACK: usize = 8 << 20;

/// Plans, writes the plan directory if one is asked for, and gives the answer as JSON.
pub fn run(options: Options, control: &Control) -> Result<Vec<u8>> {
    // One thread looks whether anything has changed, or a few contents only: threads that
    // wait for work that does not come cost more than they would save.
    let (repo, sides, memo, kept) = in_threads(1, control, || {
        let repo = Repo::open(Path::new(&options.dir))?;
        let sides = repo.sides(&range(&options))?;
        let memo = Memo::find(&options, &repo, &sides, control)?;
        let kept = match memo.as_ref().map(|memo| (memo, memo.answer(&repo, &sides))) {
            Some((memo, None)) => edit::answer(&options, &repo, &sides, memo, control)?,
            Some((_, known)) => known,
            None => None,
        };
        Ok((repo, sides, memo, kept))
    })?;
    if let Some(answer) = kept {
        return Ok(answer);
    }
    in_threads(EVERY_CORE, control, || {
        let ledger = Ledger::open(&options, &repo, Use::Whole);
        let planned = plan_sides(options, &repo, sides, ledger.as_ref(), control)?;
        control.check()?;
        let written = document::directory(&planned);
        let out = Path::new(&planned.options.out_dir);
        if out.as_os_str().is_empty() {
            if let Some(ledger) = ledger {
                ledger.save(None);
            }
            return Ok(document::answer(&planned, written, None).0);
        }
        control.tick("write", 0, 0);
        let last = ledger.as_ref().and_then(Ledger::written);
        let directory = plan::write(out, &written.hash, &written.files, last.as_deref())?;
        let size = ledger.map(|ledger| ledger.save(Some(&directory)));
        let Some(memo) = memo else {
            return Ok(document::answer(&planned, written, Some(&directory)).0);
        };
        let files = memo::sums(&written.files);
        let (answer, outline) = document::answer(&planned, written, Some(&directory));
        memo.keep(&repo, &directory, files.clone(), &answer);
        let given = planned.given.clone().filter(|_| memo.state.settled);
        if let Some((given, ledger)) = given.zip(size) {
            let made = Made {
                directory: &directory,
                files,
                probes: repo.probed(),
                ledger,
                given,
            };
            let place = memo.last(&planned.options, &repo);
            Last::keep(&place, &memo.state, outline, made);
        }
        Ok(answer)
    })
}

/// Writes the plan directory if one is asked for; the answer is the plan's hash.
pub fn write(planned: &Planned, control: &Control) -> Result<String> {
    control.check()?;
    let document::Written { hash, files, .. } = document::directory(planned);
    if !planned.options.out_dir.is_empty() {
        plan::write(Path::new(&planned.options.out_dir), &hash, &files, None)?;
    }
    Ok(hash)
}

/// Plans without writing anything.
pub fn plan(options: Options, control: &Control) -> Result<Planned> {
    in_threads(EVERY_CORE, control, || {
        let repo = Repo::open(Path::new(&options.dir))?;
        let sides = repo.sides(&range(&options))?;
        plan_sides(options, &repo, sides, None, control)
    })
}

/// Puts the two commits into the advice to fetch what lies between them.
fn with_commits(mut error: Error, base: &str, release: &str) -> Error {
    if error.code == Code::MissingObjects && !base.is_empty() && !release.is_empty() {
        let short = |id: &str| id.chars().take(12).collect::<String>();
        let hint = error.hint.replace("BASE", &short(base));
        error.hint = hint.replace("RELEASE", &short(release));
    }
    error
}

/// As many threads as there are cores.
const EVERY_CORE: usize = 0;

fn in_threads<T: Send>(
    count: usize,
    control: &Control,
    work: impl FnOnce() -> Result<T> + Send,
) -> Result<T> {
    let own = control.clone();
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(count)
        .stack_size(STACK)
        .start_handler(move |_| own.attend())
        .thread_name(|index| format!("goat-{index}"))
        .build();
    let pool = pool.map_err(|e| Error::new(Code::Internal, "no threads to work with").cause(e))?;
    control.guard(|| pool.install(work))
}

fn plan_sides(
    options: Options,
    repo: &Repo,
    sides: Sides,
    ledger: Option<&Ledger>,
    control: &Control,
) -> Result<Planned> {
    let (base, release) = (sides.base.commit.clone(), sides.release.commit.clone());
    let planned = plan_commits(options, repo, sides, ledger, control);
    planned.map_err(|error| with_commits(error, &base, &release))
}

fn plan_commits(
    options: Options,
    repo: &Repo,
    sides: Sides,
    ledger: Option<&Ledger>,
    control: &Control,
) -> Result<Planned> {
    let modules = submodules::Submodules::open(repo, &sides)?;
    let read_release = |path: &str| {
        let read = repo.read_release(&sides, path);
        read.or_else(|error| modules.read(path).ok_or(error))
    };
    let read = |path: &str| read_release(path).ok();
    let ground = options.ground(repo.root())?;
    let dirs = repo.module_directories(&sides, control)?;
    let may_hold = |dir: &str| dirs.may_hold(dir);
    let covered = scope::covered(&options, repo.prefix(), &ground, &read, &may_hold)?;
    control.check()?;

    let clean = scope::Cleaner::default();
    let strip = |path: &str, bytes: &[u8]| clean.cleaned(path, bytes);
    let kept = ledger.map(|ledger| ledger as &dyn Kept);
    let mut changes = repo.changes(&sides, options.precision != 3, &strip, kept, control)?;
    let mut listing = repo.release_go_files(&sides, control)?;
    if options.precision == 1 {
        blame::replace_lines(&mut changes, repo, &sides, &listing, &clean, control)?;
    }
    linked::add(&mut changes, repo, &sides, &clean, control)?;
    let (moved, moved_warnings) = modules.add(&mut changes, &covered, &options, &clean, control)?;
    modules.list(&mut listing, control)?;
    clean.finish()?;
    control.check()?;
    let tree = sources::Disk {
        read: &read_release,
        repo,
        ledger: ledger.filter(|_| sides.release.worktree),
    };
    let mut sources = sources::read(&tree, &covered, listing, control)?;
    let mut upgraded = deps::read(&options, &mut sources, control)?;
    let mut files = changes.files;
    add_requested(&mut files, &sources, &read_release, &clean);
    let mut scoped = scope::sort(files, &covered, &options.config.ignores)?;
    scoped.append(&mut upgraded.files);
    scoped.sort_by(|a, b| a.change.path.cmp(&b.change.path));
    let mut warnings = analyse::unreadable(&scoped);
    let read_base = |path: &str| repo.read_base(&sides, path);
    let desk = Desk {
        ledger,
        read_base: &read_base,
        read_release: &read_release,
    };
    let mut files = analyse::all(scoped, &options, &sources, &desk, control)?;
    warnings.extend(analyse::warnings(&files));
    warnings.extend(moved_warnings);
    let simple = ledger.is_some() && modules.is_empty() && !sources.marked;
    let simple = simple && sources.requested.is_empty() && packages::are_distinct(&files);
    let packages = packages::build(
        &mut files,
        &options,
        &sources,
        &desk,
        &mut warnings,
        control,
    )?;
    let build = options.build.as_ref();
    build::check_linked(build, &covered.modules, &packages, &mut warnings)?;
    let mut other = other::list(repo, &sides, &covered, &changes.other, &files, &sources);
    other.extend(moved);
    other.sort();
    let go_mod = join(&covered.main.dir, "go.mod");
    upgraded.note(&mut other, &go_mod, &mut warnings);
    warnings.sort();
    let embeds = sources.embeds();
    let embeds = embeds.map(|(dir, pattern)| (dir.to_owned(), pattern.to_owned()));
    let given = simple.then(|| Given {
        notes: std::mem::take(&mut changes.notes),
        moves: changes.moves,
        embeds: embeds.collect(),
    });
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
        given,
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
    clean: &scope::Cleaner,
) {
    for path in &sources.requested {
        if changed
            .iter()
            .any(|file| file.path == *path && file.new.is_some())
        {
            continue;
        }
        let Ok(content) = read(path) else { continue };
        let content = clean.strip(path, content);
        changed.push(FileChange {
            path: path.clone(),
            old: Some(content.clone()),
            new: Some(content),
            ..FileChange::default()
        });
    }
}
