//! Which directories take the place of modules, as go chooses among several.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::parse::{GoMod, Replace};

/// Finds a directory in the repository by its name in a file.
type Resolve<'f> = dyn Fn(&str) -> Option<String> + 'f;

/// A go.mod or go.work file, and where the directories that it names lie in the
/// repository.
pub(super) struct Stated<'f> {
    pub(super) file: &'f GoMod,
    pub(super) resolve: Box<Resolve<'f>>,
}

/// Directory and path of every module that a directory of the repository takes the place
/// of: at most one for a path, or nobody could tell whose code runs. None takes that of a
/// `main` module; a go.work stands before the modules that it uses.
pub(super) fn replaced<'m>(
    mains: impl Iterator<Item = &'m String>,
    files: &[Stated<'_>],
) -> Vec<(String, String)> {
    let mut done: BTreeSet<&str> = mains.map(String::as_str).collect();
    let mut found = Vec::new();
    for path in files.iter().flat_map(|stated| &stated.file.replace) {
        let path = path.old.as_str();
        if done.insert(path)
            && let Some((stated, replace)) = chosen(path, files)
            && replace.is_local()
            && let Some(dir) = (stated.resolve)(&replace.new)
        {
            found.push((dir, path.to_owned()));
        }
    }
    found
}

/// The directive that counts for a module.
fn chosen<'f>(path: &str, files: &'f [Stated<'f>]) -> Option<(&'f Stated<'f>, &'f Replace)> {
    let required = files.iter().filter_map(|s| s.file.require.get(path));
    let version = required.max_by_key(|version| rank(version));
    let known = files.iter().find_map(|stated| {
        let version = version.map_or("", String::as_str);
        Some((stated, stated.file.replacing(path, version)?))
    });
    if known.is_some() || version.is_some() {
        return known;
    }
    // Nobody says which version counts.
    let all = files
        .iter()
        .flat_map(|stated| stated.file.replace.iter().map(move |r| (stated, r)));
    all.filter(|(_, replace)| replace.old == path)
        .max_by_key(|(_, replace)| rank(&replace.old_version))
}

/// The order of versions: numbers, then a final one before a pre-release.
fn rank(version: &str) -> ([u64; 3], Reverse<bool>, &str) {
    let text = version.strip_prefix('v').unwrap_or(version);
    let text = text.split('+').next().unwrap_or(text);
    let (numbers, pre) = text.split_once('-').unwrap_or((text, ""));
    let mut parts = [0; 3];
    for (part, number) in parts.iter_mut().zip(numbers.split('.')) {
        *part = number.parse().unwrap_or_default();
    }
    (parts, Reverse(!pre.is_empty()), pre)
}

#[cfg(test)]
mod tests {
    use super::super::parse::parse_mod;
    use super::*;

    fn of(mains: &[&str], texts: &[&str]) -> Vec<String> {
        let files: Vec<GoMod> = texts
            .iter()
            .map(|text| parse_mod(text.as_bytes()))
            .collect();
        let stated: Vec<Stated<'_>> = files
            .iter()
            .map(|file| Stated {
                file,
                resolve: Box::new(|named| Some(named.to_owned())),
            })
            .collect();
        let mains: Vec<String> = mains.iter().map(|&path| path.to_owned()).collect();
        let found = replaced(mains.iter(), &stated);
        found
            .iter()
            .map(|(dir, path)| format!("{path} {dir}"))
            .collect()
    }

    #[test]
    fn one_directory_for_a_path() {
        let two = "replace a v1.2.0 => ./new\nreplace a v1.0.0 => ./old\n";
        for (version, want) in [("v1.2.0", "a ./new"), ("v1.0.0", "a ./old")] {
            assert_eq!(of(&[], &[&format!("require a {version}\n{two}")]), [want]);
        }
        assert!(of(&[], &[&format!("require a v1.1.0\n{two}")]).is_empty());
        assert_eq!(of(&[], &[two]), ["a ./new"], "nobody says which version");
        let both = "require a v1.2.0\nreplace a => ./any\nreplace a v1.2.0 => ./new\n";
        assert_eq!(of(&[], &[both]), ["a ./new"]);
    }

    #[test]
    fn the_workspace_comes_first_and_main_modules_stay() {
        let module = "module m\nrequire a v1.0.0\nreplace a v1.0.0 => ./one\n";
        assert_eq!(of(&["m"], &["replace a => ./two\n", module]), ["a ./two"]);
        assert!(of(&["m"], &["replace a => b v1.0.0\n", module]).is_empty());
        assert_eq!(
            of(&["m"], &["replace b => ./b\n", module]),
            ["b ./b", "a ./one"]
        );
        assert!(of(&["m", "a"], &[module]).is_empty());
    }

    #[test]
    fn versions_in_their_order() {
        let all = ["", "v0.9.0", "v1.0.0-rc.1", "v1.0.0", "v1.2.0", "v1.10.0"];
        assert!(all.is_sorted_by_key(|version| rank(version)));
    }
}
