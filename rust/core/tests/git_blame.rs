//! Precision 1, with `git blame` as the oracle.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod git_support;

use std::collections::BTreeMap;

use git_support::{Dice, Made, Sandbox, any_text, assert_blame, edit, join};

/// One random change of a commit's files.
fn mutate(dice: &mut Dice, files: &mut BTreeMap<String, Vec<u8>>) {
    let names: Vec<String> = files.keys().cloned().collect();
    let name = |dice: &mut Dice| names[dice.roll(names.len())].clone();
    let fresh = |dice: &mut Dice| {
        let dir = ["", "p/", "q/"][dice.roll(3)];
        format!("{dir}f{}.go", dice.roll(6))
    };
    match dice.roll(10) {
        0 | 1 => {
            let lines = 3 + dice.roll(25);
            files.insert(
                fresh(dice),
                join(&any_text(dice, lines), false, dice_bool(dice)),
            );
        }
        2 if names.len() > 2 => {
            files.remove(&name(dice));
        }
        3 | 4 if !names.is_empty() => {
            let content = files.remove(&name(dice)).unwrap();
            let edits = dice.roll(3);
            let content = edited(dice, &content, edits);
            files.insert(fresh(dice), content);
        }
        5 if !names.is_empty() => {
            let content = files[&name(dice)].clone();
            files.insert(fresh(dice), content);
        }
        _ if !names.is_empty() => {
            let name = name(dice);
            let edits = 1 + dice.roll(4);
            let content = edited(dice, &files[&name], edits);
            files.insert(name, content);
        }
        _ => {}
    }
}

fn dice_bool(dice: &mut Dice) -> bool {
    dice.roll(5) > 0
}

fn edited(dice: &mut Dice, content: &[u8], edits: usize) -> Vec<u8> {
    let text = String::from_utf8_lossy(content).into_owned();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    edit(dice, &mut lines, edits);
    join(&lines, false, dice_bool(dice))
}

/// What a merge makes of its parents: each file from one of them, or a mixture.
fn merged(dice: &mut Dice, parents: &[&Made]) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let names: Vec<String> = parents
        .iter()
        .flat_map(|p| p.files.keys().cloned())
        .collect();
    for name in names {
        let versions: Vec<&Vec<u8>> = parents.iter().filter_map(|p| p.files.get(&name)).collect();
        if versions.len() < parents.len() && dice.roll(3) == 0 {
            continue;
        }
        let one = versions[dice.roll(versions.len())];
        let two = versions[dice.roll(versions.len())];
        let content = match dice.roll(3) {
            0 => mixture(dice, one, two),
            _ => one.clone(),
        };
        files.insert(name, content);
    }
    files
}

fn mixture(dice: &mut Dice, one: &[u8], two: &[u8]) -> Vec<u8> {
    let text = |data: &[u8]| -> Vec<String> {
        String::from_utf8_lossy(data)
            .lines()
            .map(str::to_owned)
            .collect()
    };
    let (one, two) = (text(one), text(two));
    let cut = |dice: &mut Dice, lines: &[String]| dice.roll(lines.len() + 1);
    let (a, b) = (cut(dice, &one), cut(dice, &two));
    let mut lines = one[..a].to_vec();
    lines.extend_from_slice(&two[b.min(two.len())..]);
    edit(dice, &mut lines, 1);
    join(&lines, false, true)
}

/// A random history; `skew` lets clocks run wrong.
fn history(dice: &mut Dice, commits: usize, skew: bool) -> Vec<Made> {
    let mut all: Vec<Made> = Vec::new();
    for n in 0..commits {
        let recent = |dice: &mut Dice| n - 1 - dice.roll(n.min(6));
        let mut parents = Vec::new();
        if n > 0 {
            parents.push(recent(dice));
            let more = [0, 0, 0, 0, 1, 1, 1, 2][dice.roll(8)];
            for _ in 0..more {
                let parent = recent(dice);
                if !parents.contains(&parent) {
                    parents.push(parent);
                }
            }
        }
        let made: Vec<&Made> = parents.iter().map(|&parent| &all[parent]).collect();
        let mut files = match made.as_slice() {
            [] => BTreeMap::new(),
            [one] => one.files.clone(),
            many => merged(dice, many),
        };
        let changes = if parents.len() > 1 {
            dice.roll(2)
        } else {
            1 + dice.roll(3)
        };
        let changes = if n == 0 { 8 } else { changes };
        for _ in 0..changes {
            mutate(dice, &mut files);
        }
        let shift = if skew && dice.roll(4) == 0 {
            -dice.seconds(900_000)
        } else {
            0
        };
        all.push(Made {
            parents,
            date: 1_700_000_000 + 60 * i64::try_from(n).unwrap() + shift,
            files,
        });
    }
    all
}

fn random_histories(seeds: std::ops::Range<u64>, skew: bool) {
    let mut total = 0;
    for seed in seeds {
        let mut dice = Dice::new(seed);
        let sandbox = Sandbox::new();
        let ids = sandbox.import(&history(&mut dice, 28, skew));
        let release = ids.last().unwrap();
        for _ in 0..2 {
            let base = &ids[dice.roll(ids.len() - 1)];
            total += assert_blame(&sandbox, base, release);
        }
    }
    assert!(total > 50, "the histories hold new lines");
}

#[test]
fn random_histories_have_gits_lines() {
    random_histories(1..11, false);
}

#[test]
fn wrong_clocks_do_not_matter() {
    random_histories(100..106, true);
}

#[test]
#[ignore = "takes minutes"]
fn many_random_histories_have_gits_lines() {
    random_histories(1000..1200, false);
    random_histories(2000..2100, true);
}
