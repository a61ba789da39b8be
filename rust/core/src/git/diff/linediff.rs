//! The hunks of `git diff -U0` for two contents.

use git2::{DiffOptions, Patch};

use crate::error::Result;
use crate::model::Hunk;

use crate::git::repo::store::git_error;

/// git compares ends of files in blocks of this size.
const BLOCK: usize = 1024;

/// The hunks that `git diff -U0` prints with the myers algorithm and the indent
/// heuristic.
///
/// libgit2 carries git's own line differ. What git does before it, and libgit2 does
/// not, is cutting off a common tail (in whole blocks, up to the next line end) when
/// no context is asked for; that decides which of several equally short
/// answers is found.
pub fn linediff(old: &[u8], new: &[u8]) -> Result<Vec<Hunk>> {
    if old == new {
        return Ok(Vec::new());
    }
    let tail = common_tail(old, new);
    let (old, new) = (&old[..old.len() - tail], &new[..new.len() - tail]);
    let mut options = DiffOptions::new();
    options
        .context_lines(0)
        .interhunk_lines(0)
        .indent_heuristic(true)
        .force_text(true);
    let failed = |e: git2::Error| git_error("cannot compare two contents", &e);
    let patch = Patch::from_buffers(old, None, new, None, Some(&mut options)).map_err(failed)?;
    let hunk = |index| {
        let (hunk, _) = patch.hunk(index).map_err(failed)?;
        Ok(Hunk {
            old_start: hunk.old_start(),
            old_lines: hunk.old_lines(),
            new_start: hunk.new_start(),
            new_lines: hunk.new_lines(),
        })
    };
    (0..patch.num_hunks()).map(hunk).collect()
}

/// How many bytes at the end are left out of the comparison.
fn common_tail(old: &[u8], new: &[u8]) -> usize {
    let mut equal = 0;
    let block = |side: &[u8], equal: usize| {
        let end = side.len() - equal;
        end.checked_sub(BLOCK).map(|start| (start, end))
    };
    while let (Some((a, a_end)), Some((b, b_end))) = (block(old, equal), block(new, equal)) {
        if old[a..a_end] != new[b..b_end] {
            break;
        }
        equal += BLOCK;
    }
    let tail = &old[old.len() - equal..];
    // The rest of the line that the cut falls into stays.
    let line = memchr::memchr(b'\n', tail).map_or(equal, |at| at + 1);
    equal - line
}

/// The lines of the new side that a list of hunks adds.
#[must_use]
pub fn added_lines(hunks: &[Hunk]) -> Vec<u32> {
    hunks
        .iter()
        .flat_map(|hunk| hunk.new_start..hunk.new_start + hunk.new_lines)
        .collect()
}
