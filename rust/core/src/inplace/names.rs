//! Names that clash with nothing of the user's.

use std::collections::HashMap;
use std::path::Path;

use super::generated::{self, Origin};
use super::tree;
use crate::error::Result;
use crate::git::read_file;
use crate::marks;
use crate::token::{self, TokenKind};

/// Finds names that no Go file of a directory uses as an identifier. An import is
/// visible in one file, but its name must differ from every package-level name of
/// the package and from every name in the scopes of the file.
#[derive(Debug, Default)]
pub(super) struct Aliases {
    texts: HashMap<String, Vec<Vec<u8>>>,
}

impl Aliases {
    /// `wanted`, or the first of `wanted_1`, `wanted_2`, … that is free in `dir`.
    pub(super) fn free(&mut self, root: &Path, dir: &str, wanted: &str) -> Result<String> {
        if !self.texts.contains_key(dir) {
            self.texts.insert(dir.to_owned(), texts(root, dir)?);
        }
        let texts = &self.texts[dir];
        let taken = |name: &str| texts.iter().any(|text| uses(text, name));
        let numbered = (1_u32..).map(|n| format!("{wanted}_{n}"));
        let mut names = std::iter::once(wanted.to_owned()).chain(numbered);
        Ok(names
            .find(|name| !taken(name))
            .expect("an endless list of names"))
    }
}

/// The files of a package directory without what goat put into them.
fn texts(root: &Path, dir: &str) -> Result<Vec<Vec<u8>>> {
    let mut texts = Vec::new();
    for path in tree::go_files_in(root, dir)? {
        let content = tree::read(root, &path)?;
        if generated::origin(&content) == Origin::Foreign {
            texts.push(marks::strip_file(&path, &content)?.unwrap_or(content));
        }
    }
    Ok(texts)
}

fn uses(text: &[u8], name: &str) -> bool {
    memchr::memmem::find(text, name.as_bytes()).is_some()
        && token::scan(text)
            .iter()
            .any(|token| token.kind == TokenKind::Ident && token.text(text) == name.as_bytes())
}

/// The directory for the generated package: `wanted`, unless it holds something
/// else; then `wanted_1`, …
pub(super) fn package_dir(root: &Path, module: &str, wanted: &str) -> String {
    let base = wanted.trim_matches('/');
    let numbered = (1_u32..).map(|n| format!("{base}_{n}"));
    let mut names = std::iter::once(base.to_owned()).chain(numbered);
    let free = |name: &String| {
        let dir = root.join(module).join(name);
        !dir.exists() || only_ours(&dir)
    };
    names.find(free).expect("an endless list of names")
}

/// Whether a directory holds generated files of ours and else nothing (but for
/// files that somebody edited, which were ours, too).
fn only_ours(dir: &Path) -> bool {
    let Ok(files) = std::fs::read_dir(dir) else {
        return false;
    };
    let mut any = false;
    for file in files.flatten() {
        let path = file.path();
        let ours = if path.is_dir() {
            only_ours(&path)
        } else {
            read_file(&path).is_ok_and(|text| generated::origin(&text) != Origin::Foreign)
        };
        if !ours {
            return false;
        }
        any = true;
    }
    any
}

/// The name for a main's hook file: `goat_main.go`, unless the user has one.
pub(super) fn hook_file(root: &Path, dir: &str) -> String {
    let numbered = (1_u32..).map(|n| format!("goat_main_{n}.go"));
    let mut names = std::iter::once("goat_main.go".to_owned()).chain(numbered);
    let free = |name: &String| {
        let content = read_file(&root.join(dir).join(name));
        content.map_or(true, |text| generated::origin(&text) != Origin::Foreign)
    };
    names.find(free).expect("an endless list of names")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use std::fs;

    #[test]
    fn a_name_is_checked_against_the_whole_package() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("svc")).unwrap();
        fs::write(
            dir.path().join("svc/a.go"),
            "package svc\n\nvar s = \"goat\" // goat\n",
        )
        .unwrap();
        let free = || Aliases::default().free(dir.path(), "svc", "goat").unwrap();
        assert_eq!(free(), "goat");
        fs::write(
            dir.path().join("svc/b_windows.go"),
            "package svc\n\ntype goat struct{}\n",
        )
        .unwrap();
        assert_eq!(free(), "goat_1");
        fs::write(
            dir.path().join("svc/c.go"),
            "package svc\n\nfunc f(goat_1 int) {}\n",
        )
        .unwrap();
        assert_eq!(free(), "goat_2");
    }

    #[test]
    fn marks_and_generated_files_use_no_name() {
        let dir = tempfile::tempdir().unwrap();
        let marked = "package svc\n// +goat:generate\ngoat.Track(goat.TRACK_ID_1)\n// +goat:end\n";
        fs::write(dir.path().join("a.go"), marked).unwrap();
        fs::write(dir.path().join("b.go"), generated::seal("\npackage goat\n")).unwrap();
        assert_eq!(
            Aliases::default().free(dir.path(), "", "goat").unwrap(),
            "goat"
        );
    }

    #[test]
    fn directories_and_files_of_the_user_stay_the_users() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        assert_eq!(package_dir(root, "", "goat"), "goat");
        assert_eq!(hook_file(root, ""), "goat_main.go");
        fs::create_dir_all(root.join("goat/server")).unwrap();
        fs::write(
            root.join("goat/server/a.go"),
            generated::seal("\npackage a\n"),
        )
        .unwrap();
        assert_eq!(package_dir(root, "", "goat"), "goat");
        fs::write(root.join("goat/mine.go"), "package goat\n").unwrap();
        assert_eq!(package_dir(root, "", "goat/"), "goat_1");
        fs::write(root.join("goat_main.go"), "package main\n").unwrap();
        assert_eq!(hook_file(root, ""), "goat_main_1.go");
    }
}
