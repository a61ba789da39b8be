//! What the in-place door may touch: files of this user's, below the root.

use std::fs;
use std::path::{Component, Path};

/// Whether a path lies below `root` (both without links): no way up, nothing of git's,
/// and no link in between that would lead elsewhere.
pub(super) fn inside(root: &Path, path: &Path) -> bool {
    let Ok(below) = path.strip_prefix(root) else {
        return false;
    };
    let mut at = root.to_owned();
    let mut steps = below.components().peekable();
    if steps.peek().is_none() {
        return false;
    }
    while let Some(step) = steps.next() {
        let Component::Normal(name) = step else {
            return false;
        };
        if name.eq_ignore_ascii_case(".git") {
            return false;
        }
        at.push(name);
        match fs::symlink_metadata(&at) {
            Ok(found) if found.is_symlink() => return false,
            Ok(found) if steps.peek().is_some() && !found.is_dir() => return false,
            _ => {}
        }
    }
    true
}

/// Whether a file, if it is there, is this user's: what goat itself left. Behind `sudo`
/// it may also be that user's, as git has it.
#[cfg(unix)]
pub(super) fn owned(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let Ok(found) = fs::symlink_metadata(path) else {
        return true;
    };
    let me = rustix::process::geteuid().as_raw();
    let behind_sudo = || {
        let user = std::env::var("SUDO_UID").ok()?;
        user.parse::<u32>().ok()
    };
    found.uid() == me || me == 0 && behind_sudo() == Some(found.uid())
}

/// Files have no owner to compare here.
#[cfg(not(unix))]
pub(super) fn owned(_path: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn security_only_what_is_below_the_root() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap().join("root");
        fs::create_dir_all(root.join("a/.git/hooks")).unwrap();
        fs::create_dir(root.join("a/b")).unwrap();
        fs::write(root.join("a/f.go"), "").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(dir.path(), root.join("link")).unwrap();
        for (path, expected) in [
            ("a/f.go", true),
            ("a/b/new/deep.go", true),
            ("", false),
            ("../x.go", false),
            ("a/../../x.go", false),
            ("a/.git/hooks/post-commit", false),
            (".GIT/config", false),
            ("a/f.go/x", false),
            ("link", false),
            ("link/x.go", false),
        ] {
            assert_eq!(inside(&root, &root.join(path)), expected, "{path}");
        }
        assert!(!inside(&root, Path::new("/etc/passwd")));
        assert!(!inside(&root, &dir.path().join("rootless/x.go")));
    }
}
