//! The files of a module version on disk.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// Every file of a module that can be a part of a package, by its slash path. What the
/// go command passes over is left out: testdata, vendor, hidden directories and files,
/// nested modules; so is what has no name in UTF-8 or is no plain file.
pub(super) fn list(root: &Path) -> io::Result<BTreeMap<String, PathBuf>> {
    let mut found = BTreeMap::new();
    let mut open = vec![(root.to_owned(), String::new())];
    while let Some((dir, below)) = open.pop() {
        for entry in std::fs::read_dir(&dir)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            if name.starts_with(['.', '_']) {
                continue;
            }
            let path = format!("{below}{name}");
            let kind = entry.file_type()?;
            if kind.is_file() {
                found.insert(path, entry.path());
            } else if kind.is_dir() && !is_passed_over(&name, &entry.path()) {
                open.push((entry.path(), format!("{path}/")));
            }
        }
    }
    Ok(found)
}

fn is_passed_over(name: &str, dir: &Path) -> bool {
    matches!(name, "testdata" | "vendor") || dir.join("go.mod").exists()
}
