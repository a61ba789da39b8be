//! What several syntax tests need; none needs all of it.
#![allow(dead_code, reason = "each test binary uses its part")]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};
use std::process::Command;

/// The go command: that of `GOAT_GO`, else the one on the path.
pub fn go() -> Command {
    Command::new(std::env::var_os("GOAT_GO").unwrap_or_else(|| "go".into()))
}

/// The root of that Go.
pub fn goroot() -> PathBuf {
    let output = go().args(["env", "GOROOT"]).output().unwrap();
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
}

/// All Go files below a directory that are meant to parse, sorted.
pub fn go_files(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(&dir).unwrap() {
            let entry = entry.unwrap();
            let path = entry.path();
            let kind = entry.file_type().unwrap();
            if kind.is_dir() && entry.file_name() != "testdata" {
                open.push(path);
            } else if kind.is_file() && path.extension().is_some_and(|it| it == "go") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The files of a txtar archive.
pub fn txtar(archive: &str) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = Vec::new();
    for line in archive.split_inclusive('\n') {
        let name = line
            .trim_end()
            .strip_prefix("-- ")
            .and_then(|rest| rest.strip_suffix(" --"));
        match (name, files.last_mut()) {
            (Some(name), _) => files.push((name.to_string(), String::new())),
            (None, Some((_, text))) => text.push_str(line),
            (None, None) => {}
        }
    }
    files
}
