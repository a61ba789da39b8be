//! Which changed files belong to the plan.

use std::sync::{Mutex, PoisonError};

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::Options;
use crate::error::{Code, Error, Result};
use crate::marks;
use crate::model::{FileChange, Reason};
use crate::modules::{Covered, Find, Ground, Module, discover, parent};
use crate::tree::is_own;

/// The modules that a plan covers.
pub(super) fn covered<'a>(
    options: &Options,
    dir: &'a str,
    ground: &'a Ground,
    read: &'a dyn Fn(&str) -> Option<Vec<u8>>,
    may_hold: &'a dyn Fn(&str) -> bool,
) -> Result<Covered<'a>> {
    let nested = options.config.skip_nested_modules == Some(false);
    let find = Find {
        read,
        may_hold,
        dir,
        ground,
    };
    discover(find, nested)
}

/// Takes marks out of contents and keeps the first error.
#[derive(Default)]
pub(super) struct Cleaner {
    error: Mutex<Option<Error>>,
}

impl Cleaner {
    /// A text without marks; `None` where it has none or they are bad. Of a file that goat
    /// generated nothing is left.
    pub(super) fn cleaned(&self, path: &str, bytes: &[u8]) -> Option<Vec<u8>> {
        if is_own(bytes) {
            return Some(Vec::new());
        }
        marks::strip_file(path, bytes).unwrap_or_else(|error| {
            let mut first = self.error.lock().unwrap_or_else(PoisonError::into_inner);
            if first.as_ref().is_none_or(|known| error.path < known.path) {
                *first = Some(error);
            }
            None
        })
    }

    /// The same of a text that nobody needs with marks.
    pub(super) fn strip(&self, path: &str, bytes: Vec<u8>) -> Vec<u8> {
        self.cleaned(path, &bytes).unwrap_or(bytes)
    }

    /// The error by the first path, if there was one.
    pub(super) fn finish(&self) -> Result<()> {
        let error = self
            .error
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        error.map_or(Ok(()), Err)
    }
}

/// A changed file and what its path says of it.
#[derive(Debug)]
pub(super) struct Scoped {
    pub(super) change: FileChange,
    pub(super) import_path: String,
    pub(super) reason: Option<Reason>,
}

/// Finds the module of every changed file, and the reasons that lie in its path.
/// Files that goat generated are left out.
pub(super) fn sort(
    files: Vec<FileChange>,
    covered: &Covered<'_>,
    ignores: &[String],
) -> Result<Vec<Scoped>> {
    let ignores = ignore_rules(ignores)?;
    let empty = |side: &Option<Vec<u8>>| side.as_ref().is_none_or(Vec::is_empty);
    let read = |file: &FileChange| file.unreadable.is_none() && !file.unread;
    let own = |file: &FileChange| read(file) && empty(&file.old) && empty(&file.new);
    let foreign = files.into_iter().filter(|file| !own(file));
    let sorted = foreign.map(|change| {
        let dir = parent(&change.path);
        let module = covered.module_of(dir);
        let reason = reason(&change.path, module.as_deref(), &ignores);
        let import_path = module.map(|m| m.import_path(dir)).unwrap_or_default();
        Scoped {
            change,
            import_path,
            reason,
        }
    });
    Ok(sorted.collect())
}

fn reason(path: &str, module: Option<&Module>, ignores: &Gitignore) -> Option<Reason> {
    let Some(module) = module else {
        return Some(Reason::OtherModule);
    };
    let relative = module.relative(path);
    if is_vendored(relative) {
        return Some(Reason::Vendor);
    }
    ignores
        .matched_path_or_any_parents(relative, false)
        .is_ignore()
        .then_some(Reason::Ignored)
}

/// Whether a path leads through a vendor directory: that of the module, or one whose
/// packages go lets nobody import. A package may itself be called vendor.
pub(super) fn is_vendored(path: &str) -> bool {
    let dir = parent(path);
    dir == "vendor" || dir.starts_with("vendor/") || dir.contains("/vendor/")
}

/// Whether the go command never reads a file because of its name.
pub(super) fn is_hidden(path: &str) -> bool {
    path.rsplit('/')
        .next()
        .is_some_and(|name| name.starts_with(['.', '_']))
}

fn ignore_rules(patterns: &[String]) -> Result<Gitignore> {
    let mut builder = GitignoreBuilder::new("");
    for pattern in patterns {
        builder.add_line(None, pattern).map_err(|cause| {
            Error::new(
                Code::BadConfig,
                format!("ignores: {pattern:?} is no pattern"),
            )
            .hint("patterns follow the syntax of .gitignore")
            .cause(cause)
        })?;
    }
    let rules = builder.build();
    rules.map_err(|cause| Error::new(Code::BadConfig, "ignores cannot be read").cause(cause))
}
