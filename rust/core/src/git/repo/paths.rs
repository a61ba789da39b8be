//! Paths as git has them (bytes) and as the operating system and the plan want them.

use std::ffi::OsStr;
use std::fs::FileType;
use std::path::{Path, PathBuf};

#[cfg(unix)]
use std::os::unix::ffi::OsStrExt;

use crate::error::{Code, Error, Result};

/// The operating system's form.
#[cfg(unix)]
pub(in crate::git) fn os_path(path: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(path))
}

/// git's form.
#[cfg(unix)]
pub(in crate::git) fn bytes_of(name: &OsStr) -> Vec<u8> {
    name.as_bytes().to_vec()
}

/// More than any file that goat reads as a whole; one with a hole in it can be larger than
/// the memory.
pub(in crate::git) const LARGEST: u64 = 2 << 30;

/// The content of a file, also through links. A pipe or a device is none: reading it might
/// never end, and nobody could stop it.
pub fn read_file(path: &Path) -> std::io::Result<Vec<u8>> {
    let meta = std::fs::metadata(path)?;
    if !meta.is_file() {
        return Err(std::io::Error::other("it is no regular file"));
    }
    if meta.len() > LARGEST {
        return Err(std::io::Error::other("it holds more than 2 GiB"));
    }
    std::fs::read(path)
}

/// [`read_file`] of a text.
pub fn read_text(path: &Path) -> std::io::Result<String> {
    String::from_utf8(read_file(path)?).map_err(std::io::Error::other)
}

/// Refuses what stands for a file of the git directory and is none: git would wait at it or
/// read without end. A directory is passed over, and `/dev/null` is empty.
pub(in crate::git) fn check_file(path: &Path) -> Result<()> {
    check(path, |kind| !kind.is_dir() && !is_null(path))
}

/// Refuses a file of rules at which git and libgit2 would wait. A device is empty to them.
pub(in crate::git) fn check_rules(path: &Path) -> Result<()> {
    check(path, is_pipe)
}

fn check(path: &Path, is_bad: impl FnOnce(FileType) -> bool) -> Result<()> {
    let Ok(meta) = std::fs::metadata(path) else {
        return Ok(());
    };
    let what = if meta.is_file() && meta.len() > LARGEST {
        "holds more than 2 GiB"
    } else if !meta.is_file() && is_bad(meta.file_type()) {
        "is a pipe, a socket or a device"
    } else {
        return Ok(());
    };
    Err(
        Error::new(Code::Unreadable, format!("a file that git reads {what}"))
            .path(path.to_string_lossy())
            .hint("put a file in its place, or remove it; `go build -buildvcs=false` builds without goat"),
    )
}

#[cfg(unix)]
fn is_pipe(kind: FileType) -> bool {
    use std::os::unix::fs::FileTypeExt;
    kind.is_fifo()
}

fn is_null(path: &Path) -> bool {
    path.canonicalize()
        .is_ok_and(|path| path == Path::new("/dev/null"))
}

/// Whether the go command compiles such a name outside tests.
pub(in crate::git) fn is_go(path: &[u8]) -> bool {
    path.ends_with(b".go") && !path.ends_with(b"_test.go")
}

/// The plan's form; the second value says whether it is exact.
pub(in crate::git) fn text(path: &[u8]) -> (String, bool) {
    match std::str::from_utf8(path) {
        Ok(text) => (text.to_owned(), true),
        Err(_) => (String::from_utf8_lossy(path).into_owned(), false),
    }
}
