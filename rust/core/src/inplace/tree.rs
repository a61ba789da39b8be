//! The files that the in-place door looks at.

use std::fs;
use std::path::{Path, PathBuf};

use super::bounds;
use crate::error::{Code, Error, Result};
use crate::git::read_file;

/// The root of `dir`'s repository; without git, the directory of its go.mod.
pub(super) fn root(dir: &Path) -> Result<PathBuf> {
    let dir = fs::canonicalize(dir).map_err(|e| {
        Error::new(Code::Unreadable, format!("cannot read {}", dir.display()))
            .path(dir.display().to_string())
            .cause(e)
    })?;
    let holds = |name: &'static str| dir.ancestors().find(move |up| up.join(name).exists());
    let found = holds(".git").or_else(|| holds("go.mod"));
    found.map(Path::to_owned).ok_or_else(|| {
        Error::new(Code::NoGoMod, "no go.mod here or above")
            .path(dir.display().to_string())
            .hint("run goat inside a Go module")
    })
}

/// Every Go file below `root`, sorted, as slash paths relative to it. Left out is
/// what no door writes into: `vendor`, `node_modules` and names with a dot first.
pub(super) fn go_files(root: &Path) -> Result<Vec<String>> {
    let mut walk = ignore::WalkBuilder::new(root);
    walk.standard_filters(false)
        .hidden(true)
        .filter_entry(|entry| {
            let dir = entry.file_type().is_some_and(|kind| kind.is_dir());
            !(dir && matches!(entry.file_name().to_str(), Some("vendor" | "node_modules")))
        });
    let mut files = Vec::new();
    for entry in walk.build() {
        let entry = entry.map_err(|e| {
            Error::new(Code::Unreadable, "cannot read the source tree")
                .path(root.display().to_string())
                .cause(e)
        })?;
        let path = entry.path();
        if is_go_file(root, path) {
            files.extend(relative(root, path));
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// The Go files directly inside a directory, sorted, as slash paths below `root`.
pub(super) fn go_files_in(root: &Path, dir: &str) -> Result<Vec<String>> {
    let path = root.join(dir);
    let entries = fs::read_dir(&path).map_err(|e| {
        Error::new(Code::Unreadable, format!("cannot read {dir}"))
            .path(dir)
            .cause(e)
    })?;
    let entries = entries.flatten().map(|entry| entry.path());
    let go = entries.filter(|path| is_go_file(root, path));
    let mut files: Vec<String> = go.filter_map(|path| relative(root, &path)).collect();
    files.sort_unstable();
    Ok(files)
}

/// Whether there is a Go file of the repository: a directory may have such a name, and a
/// link may lead elsewhere.
fn is_go_file(root: &Path, path: &Path) -> bool {
    let named = path.extension().is_some_and(|ending| ending == "go");
    let linked = || fs::symlink_metadata(path).is_ok_and(|meta| meta.is_symlink());
    let here = || fs::canonicalize(path).is_ok_and(|real| bounds::inside(root, &real));
    named && path.is_file() && (!linked() || here())
}

fn relative(root: &Path, path: &Path) -> Option<String> {
    let path = path.strip_prefix(root).ok()?.to_str()?;
    Some(path.replace(std::path::MAIN_SEPARATOR, "/"))
}

/// A directory and those above it, up to the root, which is empty.
pub(super) fn upwards(dir: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(dir), |dir| match dir.rsplit_once('/') {
        Some((up, _)) => Some(up),
        None => (!dir.is_empty()).then_some(""),
    })
}

/// A path below a directory; both relative to the root, which is empty.
pub(super) fn join(dir: &str, path: &str) -> String {
    if dir.is_empty() {
        path.to_owned()
    } else {
        format!("{dir}/{path}")
    }
}

/// Reads a file of the tree.
pub(super) fn read(root: &Path, path: &str) -> Result<Vec<u8>> {
    read_file(&root.join(path)).map_err(|e| {
        Error::new(Code::Unreadable, format!("cannot read {path}"))
            .path(path)
            .cause(e)
    })
}
