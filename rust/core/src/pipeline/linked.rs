//! Go files that are links: they are compiled like any other, and compared by what they
//! point at.

use super::scope::Cleaner;
use crate::control::Control;
use crate::error::Result;
use crate::git::{Changes, Repo, Sides, added_lines, hunks};
use crate::model::FileChange;

/// Adds the links behind which something changed.
pub(super) fn add(
    changes: &mut Changes,
    repo: &Repo,
    sides: &Sides,
    cleaner: &Cleaner,
    control: &Control,
) -> Result<()> {
    for link in repo.linked_go_files(sides, control)? {
        let known = |file: &FileChange| file.path == link.path && file.new.is_some();
        if changes.files.iter().any(known) {
            continue;
        }
        let new = cleaner.strip(&link.path, link.new);
        let old = link.old.map(|old| cleaner.strip(&link.path, old));
        if old.as_ref() == Some(&new) {
            continue;
        }
        let hunks = hunks(old.as_deref(), Some(&new))?;
        changes.files.push(FileChange {
            lines: added_lines(&hunks),
            path: link.path,
            old,
            new: Some(new),
            hunks,
            ..FileChange::default()
        });
    }
    let key = |file: &FileChange| (file.path.clone(), file.new.is_some());
    changes.files.sort_by_cached_key(key);
    Ok(())
}
