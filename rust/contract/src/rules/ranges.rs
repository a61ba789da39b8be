//! What is no longer reserved, or no longer open for extensions.

use crate::finding::Findings;
use crate::schema::{Range, Reserved, Spot};

/// The largest number of a range that is written with `max`.
const MAXIMA: [i64; 3] = [(1 << 29) - 1, i32::MAX as i64 - 1, i32::MAX as i64];

/// Compares what is reserved.
pub fn reserved(
    rule: &str,
    subject: &str,
    old: &Reserved,
    new: &Reserved,
    found: &mut Findings<'_>,
) {
    numbers(rule, subject, "reserved", &old.ranges, &new.ranges, found);
    for (name, place) in &old.names {
        if !new.names.contains_key(name) {
            let message = format!("the name {name:?} is no longer reserved");
            found.gone(rule, place, subject, message);
        }
    }
}

/// Compares ranges: each number of the base must be in one of the release.
pub fn numbers(
    rule: &str,
    subject: &str,
    what: &str,
    old: &[Spot<Range>],
    new: &[Spot<Range>],
    found: &mut Findings<'_>,
) {
    let mut kept: Vec<Range> = new.iter().map(|spot| spot.value).collect();
    kept.sort_unstable();
    for range in old {
        let lost = without(range.value, &kept);
        if !lost.is_empty() {
            let lost: Vec<String> = lost.into_iter().map(said).collect();
            let message = format!("{} is no longer {what}", lost.join(", "));
            found.gone(rule, &range.place, subject, message);
        }
    }
}

/// What of a range lies in none of the others, which are sorted.
fn without(range: Range, others: &[Range]) -> Vec<Range> {
    let (mut next, end) = range;
    let mut lost = Vec::new();
    for (from, to) in others {
        if next > end {
            break;
        }
        if *from > next {
            lost.push((next, end.min(from - 1)));
        }
        next = next.max(to + 1);
    }
    if next <= end {
        lost.push((next, end));
    }
    lost
}

fn said((from, to): Range) -> String {
    if from == to {
        from.to_string()
    } else if MAXIMA.contains(&to) {
        format!("{from} to max")
    } else {
        format!("{from} to {to}")
    }
}
