//! Attributes and ignore rules of paths, asked of libgit2.
//!
//! A libgit2 repository may be used by one thread at a time, so each thread that
//! asks takes a handle of its own.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use git2::{AttrCheckFlags, AttrValue, IndexTime, Odb, Repository, RepositoryOpenFlags};

use super::index::{Index, IndexEntry};
use super::layout::Layout;
use super::paths::{check_rules, read_text};
use crate::error::{Error, Result};

/// What the attribute `text` (and its older relatives) asks for on the way into
/// the repository.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::git) enum Text {
    /// Nothing is said: `core.autocrlf` decides.
    #[default]
    Unspecified,
    /// `text`: line ends become LF.
    Set,
    /// `-text`: bytes stay as they are.
    Unset,
    /// `text=auto`: line ends become LF where the content looks like text.
    Auto,
}

/// The attributes of a path that decide how git reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::git) struct PathAttributes {
    pub text: Text,
    pub ident: bool,
    pub encoding: Option<String>,
    pub filter: Option<String>,
}

/// Handles for asking.
pub(in crate::git) struct Attributes {
    /// Whether libgit2 opens the repository itself.
    whole: bool,
    root: PathBuf,
    git_dir: PathBuf,
    exclude: PathBuf,
    /// The attribute files that git knows, once the index was read.
    tracked: OnceLock<Vec<IndexEntry>>,
    handles: Mutex<Vec<Repository>>,
    /// Directories whose .gitattributes can be read, and the first that cannot.
    looked: Mutex<(HashSet<PathBuf>, Option<Error>)>,
}

impl Attributes {
    /// Prepares for a repository; `whole` says that libgit2 can open it.
    pub fn new(whole: bool, layout: &Layout, root: PathBuf) -> Self {
        Self {
            whole,
            root,
            git_dir: layout.git_dir.clone(),
            exclude: layout.common.join("info/exclude"),
            tracked: OnceLock::new(),
            handles: Mutex::default(),
            looked: Mutex::default(),
        }
    }

    /// Takes over which attribute files the index holds: one that is not on disk counts, too.
    /// libgit2 would read the whole index again for it, in each handle.
    pub fn note(&self, index: &Index) {
        let is_rules = |entry: &&IndexEntry| {
            let name = entry.path.rsplit(|&byte| byte == b'/').next();
            entry.stage == 0 && name == Some(b".gitattributes")
        };
        self.tracked
            .get_or_init(|| index.entries.iter().filter(is_rules).cloned().collect());
    }

    /// The attributes of a path.
    pub fn of(&self, path: &str) -> PathAttributes {
        if !self.readable(path) {
            return PathAttributes::default();
        }
        self.with(|repo| read(repo, Path::new(path)))
            .unwrap_or_default()
    }

    /// `diff` of a path, set or unset; `None` lets the content decide whether it is text.
    pub fn diff(&self, path: &str) -> Option<bool> {
        if !self.readable(path) {
            return None;
        }
        self.with(|repo| match get(repo, Path::new(path), "diff") {
            AttrValue::True => Some(true),
            AttrValue::False => Some(false),
            _ => None,
        })
        .flatten()
    }

    /// The error of a .gitattributes that stood in the way of an answer.
    pub fn failure(&self) -> Result<()> {
        let looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        looked.1.clone().map_or(Ok(()), Err)
    }

    /// Whether libgit2 can read what says the attributes of a path.
    fn readable(&self, path: &str) -> bool {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, failure) = &mut *looked;
        for dir in Path::new(path).ancestors().skip(1) {
            if failure.is_some() || known.contains(dir) {
                break;
            }
            *failure = check_rules(&self.root.join(dir).join(".gitattributes")).err();
            known.insert(dir.to_path_buf());
        }
        failure.is_none()
    }

    /// Whether git ignores an untracked path (`dir/` for a directory), where the walk has
    /// found the rules to be files.
    pub fn is_ignored(&self, path: &str) -> bool {
        self.with(|repo| repo.is_path_ignored(path).unwrap_or(false))
            .unwrap_or(false)
    }

    fn with<T>(&self, ask: impl FnOnce(&Repository) -> T) -> Option<T> {
        let handle = self
            .handles
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let handle = handle.or_else(|| self.open().ok())?;
        let out = ask(&handle);
        self.handles
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(handle);
        Some(out)
    }

    fn open(&self) -> std::result::Result<Repository, git2::Error> {
        if self.whole {
            let none: [&str; 0] = [];
            let repo = Repository::open_ext(&self.root, RepositoryOpenFlags::NO_SEARCH, none)
                .or_else(|_| Repository::open(&self.git_dir))?;
            if let Some(tracked) = self.tracked.get() {
                repo.set_index(&mut in_memory(tracked)?)?;
            }
            return Ok(repo);
        }
        // libgit2 refuses the repository's extensions: a handle without them, on the
        // same work tree, still reads .gitattributes and .gitignore.
        let repo = Repository::from_odb(Odb::new()?)?;
        repo.set_workdir(&self.root, false)?;
        if let Ok(rules) = read_text(&self.exclude) {
            repo.add_ignore_rule(&rules)?;
        }
        Ok(repo)
    }
}

/// An index that is never written.
fn in_memory(entries: &[IndexEntry]) -> std::result::Result<git2::Index, git2::Error> {
    let mut index = git2::Index::new()?;
    for known in entries {
        index.add(&git2::IndexEntry {
            ctime: IndexTime::new(0, 0),
            mtime: IndexTime::new(0, 0),
            dev: 0,
            ino: 0,
            mode: known.entry.mode,
            uid: 0,
            gid: 0,
            file_size: 0,
            id: known.entry.id,
            flags: 0,
            flags_extended: 0,
            path: known.path.clone(),
        })?;
    }
    Ok(index)
}

/// What libgit2 says of one attribute. It tells set from unset by the address of its
/// answer, so that nothing may copy it.
fn get<'r>(repo: &'r Repository, path: &Path, name: &str) -> AttrValue<'r> {
    let found = repo.get_attr_bytes(path, name, AttrCheckFlags::FILE_THEN_INDEX);
    AttrValue::from_bytes(found.ok().flatten())
}

fn read(repo: &Repository, path: &Path) -> PathAttributes {
    let get = |name: &str| get(repo, path, name);
    let value = |name: &str| match get(name) {
        AttrValue::String(text) => Some(text.to_owned()),
        _ => None,
    };
    let text = match text_of(get("text")) {
        Text::Unspecified => text_of(get("crlf")),
        text => text,
    };
    let has_eol = value("eol").is_some_and(|eol| eol == "lf" || eol == "crlf");
    PathAttributes {
        text: if has_eol && text == Text::Unspecified {
            Text::Set
        } else {
            text
        },
        ident: matches!(get("ident"), AttrValue::True),
        encoding: value("working-tree-encoding"),
        filter: value("filter"),
    }
}

fn text_of(value: AttrValue<'_>) -> Text {
    match value {
        AttrValue::True | AttrValue::String("input") => Text::Set,
        AttrValue::False => Text::Unset,
        AttrValue::String("auto") => Text::Auto,
        _ => Text::Unspecified,
    }
}
