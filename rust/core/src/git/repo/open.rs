//! Finding a repository and saying what is wrong with one that cannot be used.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use git2::{Oid, Repository, RepositoryOpenFlags};

use super::attributes::Attributes;
use super::commits::Commits;
use super::layout::Layout;
use super::paths::{check_file, read_text};
use super::refs::Refs;
use super::settings::Settings;
use super::store::{Limits, Store, unreadable};
use crate::error::{Code, Error, Result};
use crate::git::repo::Repo;

impl Repo {
    /// Opens the repository that holds `dir`.
    pub fn open(dir: &Path) -> Result<Self> {
        let dir = canonical(dir)?;
        let mut layout = discover(&dir)?;
        check_files(&layout)?;
        let settings = Settings::read(&layout)?;
        layout.work = work_tree(&layout, &settings);
        check_format(&layout, &settings)?;
        let git = libgit2(&layout, &settings)?;
        let refs = Refs::read(&layout)?;
        let commits = Commits::open(&layout.common);
        let limits = Limits {
            shallow: commits.is_shallow(),
            partial: settings.is_partial(),
        };
        let objects = layout.common.join("objects");
        let store = Store::open(&objects, replacements(&refs), limits)?;
        let root = layout
            .work
            .clone()
            .unwrap_or_else(|| layout.git_dir.clone());
        let prefix = dir
            .strip_prefix(&root)
            .ok()
            .and_then(Path::to_str)
            .unwrap_or_default();
        Ok(Self {
            prefix: prefix.to_owned(),
            attributes: Attributes::new(git.is_some(), &layout, root.clone()),
            libgit2: Mutex::new(git),
            index: std::sync::OnceLock::new(),
            stats: std::sync::OnceLock::new(),
            contents: Mutex::default(),
            listed: std::sync::OnceLock::new(),
            walked: std::sync::OnceLock::new(),
            probes: Mutex::default(),
            root,
            layout,
            settings,
            refs,
            commits,
            store,
        })
    }
}

fn canonical(dir: &Path) -> Result<PathBuf> {
    dir.canonicalize().map_err(|e| {
        Error::new(
            Code::NotARepository,
            format!("cannot open the directory: {e}"),
        )
        .path(dir.to_string_lossy())
        .hint("run goat inside a git repository, or name one with `-C DIR`")
    })
}

/// What git and libgit2 read by these names, whatever stands there.
fn check_files(layout: &Layout) -> Result<()> {
    for name in ["commondir", "config.worktree", "index"] {
        check_file(&layout.git_dir.join(name))?;
    }
    for name in [
        "config",
        "packed-refs",
        "shallow",
        "info/attributes",
        "info/exclude",
        "info/grafts",
        "objects/info/alternates",
    ] {
        check_file(&layout.common.join(name))?;
    }
    Ok(())
}

/// Walks up from `dir` until a repository is found.
fn discover(dir: &Path) -> Result<Layout> {
    for at in dir.ancestors() {
        let dot = at.join(".git");
        if dot.is_dir() && is_git_dir(&dot) {
            return Ok(layout(dot, Some(at.to_path_buf())));
        }
        if dot.is_file() {
            return Ok(layout(linked(&dot)?, Some(at.to_path_buf())));
        }
        if is_git_dir(at) {
            let work = (at.file_name().is_some_and(|name| name == ".git"))
                .then(|| at.parent().map(Path::to_path_buf))
                .flatten();
            return Ok(layout(at.to_path_buf(), work));
        }
    }
    // git's own way around looking for one. It changes from one command to the next, and what
    // a build compiles may not depend on it.
    let hint = match std::env::var_os("GIT_DIR").filter(|named| !named.is_empty()) {
        Some(named) => format!(
            "goat does not read GIT_DIR: a file `.git` with the line `gitdir: {}` at the root of the work tree says the same",
            named.to_string_lossy()
        ),
        None => "run goat inside a git repository, or name one with `-C DIR`; `go build` builds without goat (`goat help refusals`)".to_owned(),
    };
    Err(
        Error::new(Code::NotARepository, "not inside a git repository")
            .path(dir.to_string_lossy())
            .hint(hint),
    )
}

fn is_git_dir(dir: &Path) -> bool {
    let head = std::fs::symlink_metadata(dir.join("HEAD")).is_ok();
    let common = common_dir(dir);
    head && common.join("objects").is_dir() && common.join("refs").exists()
}

fn layout(git_dir: PathBuf, work: Option<PathBuf>) -> Layout {
    let common = common_dir(&git_dir);
    Layout {
        git_dir,
        common,
        work,
    }
}

fn common_dir(git_dir: &Path) -> PathBuf {
    match read_text(&git_dir.join("commondir")) {
        Ok(text) => absolute(git_dir, text.trim_end_matches(['\r', '\n'])),
        Err(_) => git_dir.to_path_buf(),
    }
}

/// The directory that a `.git` file names.
fn linked(file: &Path) -> Result<PathBuf> {
    let broken = |why: String| {
        Error::new(Code::NotARepository, why)
            .path(file.to_string_lossy())
            .hint(
                "run `git worktree repair` in the main work tree, or `git submodule update --init`",
            )
    };
    let text = read_text(file).map_err(|e| broken(format!("cannot read .git: {e}")))?;
    let target = text
        .trim_end_matches(['\r', '\n'])
        .strip_prefix("gitdir: ")
        .ok_or_else(|| broken("the file .git does not name a git directory".into()))?;
    let dir = absolute(file.parent().unwrap_or(file), target);
    if is_git_dir(&dir) {
        return Ok(dir);
    }
    Err(broken(format!(
        "the git directory {} that .git names is not there",
        dir.display()
    )))
}

fn absolute(base: &Path, target: &str) -> PathBuf {
    let joined = base.join(target);
    joined.canonicalize().unwrap_or(joined)
}

/// `core.worktree` and `core.bare` have the last word on where the work tree is.
fn work_tree(layout: &Layout, settings: &Settings) -> Option<PathBuf> {
    let linked = layout.git_dir != layout.common;
    if let Some(configured) = settings.worktree.as_deref().filter(|_| !linked) {
        return Some(absolute(&layout.git_dir, configured));
    }
    layout.work.clone().filter(|_| linked || !settings.bare)
}

/// Refuses what neither libgit2 nor the core can read, with a way out.
fn check_format(layout: &Layout, settings: &Settings) -> Result<()> {
    let refuse = |what: &str, hint: &str| {
        Err(Error::new(Code::UnsupportedRepository, what)
            .path(layout.common.to_string_lossy())
            .hint(hint))
    };
    if settings
        .object_format
        .as_deref()
        .is_some_and(|format| format != "sha1")
    {
        return refuse(
            "the repository stores SHA-256 objects, which this build of libgit2 cannot read",
            "`go build` builds without goat; or make a SHA-1 copy: `git fast-export --all | git -C NEWDIR fast-import`",
        );
    }
    let reftable = settings
        .ref_storage
        .as_deref()
        .is_some_and(|storage| storage != "files");
    if reftable || layout.common.join("reftable").is_dir() {
        return refuse(
            "the repository stores its refs as a reftable",
            "run `git refs migrate --ref-format=files` (git 2.46 or newer)",
        );
    }
    match settings.unknown_extensions.first() {
        Some(name) => refuse(
            &format!("the repository needs the extension {name}, which goat does not know"),
            "clone it without the extension: `git clone --no-local REPO NEWDIR`",
        ),
        None => Ok(()),
    }
}

/// libgit2's own view of the repository: it checks the owner, and knows revision
/// syntax, attributes and ignore rules. `None` where it refuses a repository that git
/// reads: for an extension that does not concern reading, or for its owner.
fn libgit2(layout: &Layout, settings: &Settings) -> Result<Option<Repository>> {
    let path = layout.work.as_deref().unwrap_or(&layout.git_dir);
    let none: [&str; 0] = [];
    let opened = Repository::open_ext(path, RepositoryOpenFlags::NO_SEARCH, none).or_else(|e| {
        if is_owner(&e) {
            Err(e)
        } else {
            Repository::open(&layout.git_dir)
        }
    });
    match opened {
        Ok(repo) => Ok(Some(repo)),
        // libgit2 does not read the environment in which git is told what is safe.
        Err(e) if is_owner(&e) && settings.is_safe(path) => Ok(None),
        Err(e) if is_owner(&e) => Err(Error::new(
            Code::DubiousOwnership,
            "git refuses the repository: another user owns it",
        )
        .path(path.to_string_lossy())
        .cause(e.message())
        .hint(format!(
            "git config --global --add safe.directory {}",
            path.display()
        ))),
        Err(_) if settings.has_harmless_extension => Ok(None),
        Err(e) => Err(unreadable("cannot open the repository", &e).path(path.to_string_lossy())),
    }
}

fn is_owner(error: &git2::Error) -> bool {
    error.code() == git2::ErrorCode::Owner
}

fn replacements(refs: &Refs) -> HashMap<Oid, Oid> {
    if std::env::var_os("GIT_NO_REPLACE_OBJECTS").is_some() {
        return HashMap::new();
    }
    let all = refs.with_prefix("refs/replace/");
    all.filter_map(|(name, id)| Oid::from_str(name).ok().map(|from| (from, id)))
        .collect()
}

/// The commit that is checked out in a work tree of its own (a submodule).
pub(in crate::git) fn head_of(dir: &Path) -> Option<Oid> {
    let dot = dir.join(".git");
    let git_dir = if dot.is_file() {
        linked(&dot).ok()?
    } else {
        dot
    };
    if !is_git_dir(&git_dir) {
        return None;
    }
    Refs::read(&layout(git_dir, Some(dir.to_path_buf())))
        .ok()?
        .full("HEAD")
}
