//! Paths as git has them (bytes) and as the operating system and the plan want them.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

#[cfg(unix)]
use std::os::unix::ffi::OsStrExt;

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

/// The content of a file, also through links. A pipe or a device is none: reading it might
/// never end, and nobody could stop it.
pub fn read_file(path: &Path) -> std::io::Result<Vec<u8>> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(std::io::Error::other("it is no regular file"));
    }
    std::fs::read(path)
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
