//! Tracks for processes: on one track nothing overlaps.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The track of each span (start, length), the lowest that is free; spans stand in the
/// order of their starts.
pub fn assign(spans: &[(u64, u64)]) -> Vec<usize> {
    let mut busy: BinaryHeap<Reverse<(u64, usize)>> = BinaryHeap::new();
    let mut free: BinaryHeap<Reverse<usize>> = BinaryHeap::new();
    let mut tracks = 0;
    spans
        .iter()
        .map(|(start, length)| {
            while let Some(Reverse((end, track))) = busy.peek().copied() {
                if end > *start {
                    break;
                }
                busy.pop();
                free.push(Reverse(track));
            }
            let track = free.pop().map_or_else(
                || {
                    tracks += 1;
                    tracks - 1
                },
                |Reverse(track)| track,
            );
            busy.push(Reverse((start.saturating_add(*length), track)));
            track
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::assign;

    #[test]
    fn a_track_is_used_again_when_it_is_free() {
        let spans = [(0, 10), (2, 3), (5, 1), (6, 9), (10, 1), (10, 0), (11, 2)];
        assert_eq!(assign(&spans), [0, 1, 1, 1, 0, 2, 0]);
    }
}
