//! Precision 1: the universe is what blame gives to the release's own commits.

use super::scope::Cleaner;
use crate::control::Control;
use crate::error::Result;
use crate::git::{Changes, FileState, GoSource, Repo, Sides};
use crate::model::FileChange;

/// Replaces the lines of the changed files by those of blame, and adds the files that
/// hold such lines though the two sides are equal there (a change that was reverted
/// and made again).
pub(super) fn replace_lines(
    changes: &mut Changes,
    repo: &Repo,
    sides: &Sides,
    listing: &[GoSource],
    cleaner: &Cleaner,
    control: &Control,
) -> Result<()> {
    let wanted = listing
        .iter()
        .filter(|file| file.state != FileState::Ignored && !file.path.ends_with("_test.go"));
    let paths: Vec<String> = wanted.map(|file| file.path.clone()).collect();
    let strip = |path: &str, bytes: &[u8]| cleaner.cleaned(path, bytes);
    let mut blamed = repo.blame_lines(sides, &paths, &strip, control)?;
    for file in changes.files.iter_mut().filter(|file| file.new.is_some()) {
        if let Some(lines) = blamed.remove(&file.path) {
            file.lines = lines;
        }
    }
    for (path, lines) in blamed.into_iter().filter(|(_, lines)| !lines.is_empty()) {
        let content = cleaner.strip(&path, repo.read_release(sides, &path)?);
        changes.files.push(FileChange {
            old: Some(content.clone()),
            new: Some(content),
            lines,
            path,
            ..FileChange::default()
        });
    }
    let key = |file: &FileChange| (file.path.clone(), file.new.is_some());
    changes.files.sort_by_cached_key(key);
    Ok(())
}
