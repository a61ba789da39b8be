//! Ranges of lines on their way into the past.

use crate::model::Hunk;

/// Lines of a version of a file that are lines of a file of the release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// First line in this version, 0-based.
    pub at: u32,
    /// How many lines.
    pub len: u32,
    /// Which file of the release.
    pub file: u32,
    /// First line there, 0-based.
    pub line: u32,
}

impl Piece {
    /// The part from `from` to before `to` (lines of this version), moved to `at`.
    fn part(self, from: u32, to: u32, at: u32) -> Self {
        Self {
            at,
            len: to - from,
            file: self.file,
            line: self.line + (from - self.at),
        }
    }
}

/// Splits pieces of a version by its hunks against a parent: what lies in a hunk
/// stays (second list), the rest passes to the parent (first list, in its lines).
pub(super) fn split(pieces: &[Piece], hunks: &[Hunk]) -> (Vec<Piece>, Vec<Piece>) {
    let (mut passed, mut kept) = (Vec::new(), Vec::new());
    for &piece in pieces {
        split_one(piece, hunks, &mut passed, &mut kept);
    }
    (passed, kept)
}

fn split_one(piece: Piece, hunks: &[Hunk], passed: &mut Vec<Piece>, kept: &mut Vec<Piece>) {
    let end = piece.at + piece.len;
    let mut from = piece.at;
    // Hunks that end before the piece only shift it.
    let mut next = hunks.partition_point(|hunk| new_end(hunk) <= from);
    while from < end {
        let hunk = hunks.get(next);
        let start = hunk.map_or(end, |hunk| new_begin(hunk).min(end));
        if from < start {
            passed.push(piece.part(from, start, shifted(hunks, next, from)));
            from = start;
        }
        if let Some(hunk) = hunk.filter(|_| from < end) {
            let stop = new_end(hunk).min(end);
            if from < stop {
                kept.push(piece.part(from, stop, from));
                from = stop;
            }
            next += 1;
        }
    }
}

/// First line of a hunk in the new version, 0-based.
const fn new_begin(hunk: &Hunk) -> u32 {
    if hunk.new_lines == 0 {
        hunk.new_start
    } else {
        hunk.new_start - 1
    }
}

const fn new_end(hunk: &Hunk) -> u32 {
    new_begin(hunk) + hunk.new_lines
}

const fn old_end(hunk: &Hunk) -> u32 {
    if hunk.old_lines == 0 {
        hunk.old_start
    } else {
        hunk.old_start - 1 + hunk.old_lines
    }
}

/// The old line of an unchanged new line that stands before hunk `next`.
fn shifted(hunks: &[Hunk], next: usize, line: u32) -> u32 {
    match next.checked_sub(1).and_then(|before| hunks.get(before)) {
        Some(hunk) => old_end(hunk) + (line - new_end(hunk)),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::{Piece, split};
    use crate::model::Hunk;

    fn piece(at: u32, len: u32, line: u32) -> Piece {
        Piece {
            at,
            len,
            file: 0,
            line,
        }
    }

    #[test]
    fn changed_lines_stay_and_others_move() {
        // Old lines 2..4 became new line 2, and two lines came after old line 6.
        let hunks = [
            Hunk {
                old_start: 2,
                old_lines: 3,
                new_start: 2,
                new_lines: 1,
            },
            Hunk {
                old_start: 6,
                old_lines: 0,
                new_start: 5,
                new_lines: 2,
            },
        ];
        let (passed, kept) = split(&[piece(0, 8, 0)], &hunks);
        assert_eq!(passed, [piece(0, 1, 0), piece(4, 2, 2), piece(6, 2, 6)]);
        assert_eq!(kept, [piece(1, 1, 1), piece(4, 2, 4)]);
    }

    #[test]
    fn a_pure_deletion_keeps_nothing() {
        let hunks = [Hunk {
            old_start: 3,
            old_lines: 2,
            new_start: 2,
            new_lines: 0,
        }];
        let (passed, kept) = split(&[piece(1, 3, 10)], &hunks);
        assert_eq!(passed, [piece(1, 1, 10), piece(4, 2, 11)]);
        assert!(kept.is_empty());
    }

    #[test]
    fn a_piece_may_start_inside_a_hunk() {
        let hunks = [Hunk {
            old_start: 0,
            old_lines: 0,
            new_start: 1,
            new_lines: 4,
        }];
        let (passed, kept) = split(&[piece(2, 4, 0)], &hunks);
        assert_eq!(kept, [piece(2, 2, 0)]);
        assert_eq!(passed, [piece(0, 2, 2)]);
    }
}
