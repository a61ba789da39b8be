//! Where the same statements stand again: which windows of which runs equal a sequence,
//! without comparing the contents of all windows.

use std::collections::HashMap;

use crate::control;

/// The content of a statement, condensed.
pub(super) type Sum = [u8; 32];

/// Runs of statements, each with a number for its content.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    numbers: HashMap<Sum, u32>,
    /// Number and place of each statement, run by run.
    runs: Vec<Vec<(u32, usize)>>,
    /// By their size: where windows with a hash begin, as run and index in it.
    windows: HashMap<usize, Windows>,
    /// The places of what was asked for.
    found: HashMap<Vec<u32>, Vec<usize>>,
}

type Windows = HashMap<u64, Vec<(usize, usize)>>;

/// Odd, so that no factor is lost in 64 bits.
const BASE: u64 = 0x9e37_79b9_7f4a_7c15;

impl Repeats {
    /// The runs, with content and place of each statement.
    pub(super) fn new(runs: impl Iterator<Item = Vec<(Sum, usize)>>) -> Self {
        let mut all = Self::default();
        for run in runs {
            let numbered = run.into_iter().map(|(sum, place)| {
                control::step();
                let next = all.numbers.len() as u32;
                (*all.numbers.entry(sum).or_insert(next), place)
            });
            let numbered = numbered.collect();
            all.runs.push(numbered);
        }
        all
    }

    /// The places, in order, at which these statements stand one after the other in a run.
    pub(super) fn places(&mut self, wanted: &[Sum]) -> &[usize] {
        let numbers = wanted.iter().map(|sum| self.numbers.get(sum).copied());
        let Some(wanted) = numbers.collect::<Option<Vec<u32>>>() else {
            return &[];
        };
        let (runs, size) = (&self.runs, wanted.len());
        let windows = self.windows.entry(size);
        let windows = windows.or_insert_with(|| all_windows(runs, size));
        let find = |wanted: &Vec<u32>| {
            let hash = wanted.iter().fold(0, |hash, &number| with(hash, number));
            let mut places = Vec::new();
            for &(run, at) in windows.get(&hash).into_iter().flatten() {
                control::step();
                let window = &runs[run][at..at + size];
                if window.iter().map(|(number, _)| number).eq(wanted) {
                    places.push(window[0].1);
                }
            }
            places.sort_unstable();
            places
        };
        self.found.entry(wanted).or_insert_with_key(find)
    }
}

fn all_windows(runs: &[Vec<(u32, usize)>], size: usize) -> Windows {
    let mut windows = Windows::new();
    if size == 0 {
        return windows;
    }
    let oldest = (1..size).fold(1_u64, |power, _| power.wrapping_mul(BASE));
    for (run, statements) in runs.iter().enumerate() {
        let mut hash = 0_u64;
        for (at, &(number, _)) in statements.iter().enumerate() {
            control::step();
            if let Some(out) = at.checked_sub(size) {
                hash = hash.wrapping_sub(term(statements[out].0).wrapping_mul(oldest));
            }
            hash = with(hash, number);
            if let Some(first) = (at + 1).checked_sub(size) {
                windows.entry(hash).or_default().push((run, first));
            }
        }
    }
    windows
}

/// A hash with one statement more.
fn with(hash: u64, number: u32) -> u64 {
    hash.wrapping_mul(BASE).wrapping_add(term(number))
}

fn term(number: u32) -> u64 {
    u64::from(number) + 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Repeats, Sum};

    fn sum(content: u8) -> Sum {
        [content; 32]
    }

    proptest! {
        /// Held against a look at every window.
        #[test]
        fn finds_what_a_look_at_every_window_finds(
            runs in prop::collection::vec(prop::collection::vec(0u8..3, 0..9), 0..5),
            wanted in prop::collection::vec(prop::collection::vec(0u8..4, 1..5), 1..6),
        ) {
            let mut place = 0;
            let placed: Vec<Vec<(Sum, usize)>> = runs
                .iter()
                .map(|run| {
                    let statements = run.iter().map(|&content| {
                        place += 1;
                        (sum(content), place)
                    });
                    statements.collect()
                })
                .collect();
            let mut repeats = Repeats::new(placed.clone().into_iter());
            for sequence in wanted {
                let sequence: Vec<Sum> = sequence.into_iter().map(sum).collect();
                let windows = placed.iter().flat_map(|run| run.windows(sequence.len()));
                let same = windows.filter(|window| window.iter().map(|(sum, _)| sum).eq(&sequence));
                let expected: Vec<usize> = same.map(|window| window[0].1).collect();
                prop_assert_eq!(repeats.places(&sequence), expected.as_slice());
            }
        }
    }
}
