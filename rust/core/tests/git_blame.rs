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

/// A text of numbered lines.
fn numbered(name: &str, count: usize) -> String {
    (0..count).fold(String::new(), |text, n| text + &format!("\t{name}{n}()\n"))
}

/// One commit, tagged `base`, with three files.
fn based() -> Sandbox {
    let sandbox = Sandbox::new();
    for name in ["a", "b", "c"] {
        sandbox.write(&format!("{name}.go"), numbered(name, 30));
    }
    sandbox.commit("base");
    sandbox.git(&["tag", "base"]);
    sandbox
}

/// Replaces one numbered line of a file and commits.
fn change(sandbox: &Sandbox, file: &str, line: &str, message: &str) {
    let text = std::fs::read_to_string(sandbox.at(file)).unwrap();
    assert!(text.contains(line), "{file} has {line}");
    let new = format!("\t{}()\n", message.replace(' ', ""));
    sandbox.write(file, text.replace(&format!("\t{line}()\n"), &new));
    sandbox.commit(message);
}

fn branch_from(sandbox: &Sandbox, name: &str, from: &str) {
    sandbox.git(&["checkout", "-q", "-b", name, from]);
}

#[test]
fn octopus_and_criss_cross_merges() {
    let sandbox = based();
    for (n, name) in ["one", "two", "three"].iter().enumerate() {
        branch_from(&sandbox, name, "base");
        change(&sandbox, "a.go", &format!("a{}", 4 + 8 * n), name);
    }
    sandbox.git(&["checkout", "-q", "main"]);
    sandbox.git(&["merge", "-q", "-m", "octopus", "one", "two", "three"]);
    assert_eq!(assert_blame(&sandbox, "base", "HEAD"), 3);
    assert_eq!(assert_blame(&sandbox, "two", "HEAD"), 2);
    // Two branches that merge each other's start, then each other.
    branch_from(&sandbox, "left", "main");
    change(&sandbox, "b.go", "b3", "left one");
    branch_from(&sandbox, "right", "main");
    change(&sandbox, "b.go", "b20", "right one");
    sandbox.git(&["checkout", "-q", "left"]);
    sandbox.git(&["merge", "-q", "--no-ff", "-m", "x", "right"]);
    sandbox.git(&["checkout", "-q", "right"]);
    sandbox.git(&["merge", "-q", "--no-ff", "-m", "y", "left~1"]);
    change(&sandbox, "c.go", "c9", "right two");
    sandbox.git(&["checkout", "-q", "left"]);
    sandbox.git(&["merge", "-q", "-m", "z", "right"]);
    assert_eq!(assert_blame(&sandbox, "base", "HEAD"), 6);
    assert_eq!(assert_blame(&sandbox, "right", "HEAD"), 0);
    assert_eq!(assert_blame(&sandbox, "left~1", "HEAD"), 1);
}

#[test]
fn reverts_cherry_picks_and_rebases() {
    let sandbox = based();
    change(&sandbox, "a.go", "a5", "feature");
    sandbox.git(&["revert", "--no-edit", "HEAD"]);
    assert_eq!(
        assert_blame(&sandbox, "base", "HEAD"),
        1,
        "the old line came back as new"
    );
    sandbox.git(&["revert", "--no-edit", "HEAD"]);
    assert_eq!(assert_blame(&sandbox, "base", "HEAD"), 1);
    branch_from(&sandbox, "stable", "base");
    change(&sandbox, "b.go", "b7", "fix");
    sandbox.git(&["checkout", "-q", "main"]);
    sandbox.git(&["cherry-pick", "stable"]);
    assert_blame(&sandbox, "stable", "HEAD");
    sandbox.git(&["merge", "-q", "-m", "both have it", "stable"]);
    assert_blame(&sandbox, "stable", "HEAD");
    branch_from(&sandbox, "topic", "base");
    change(&sandbox, "c.go", "c7", "topic one");
    change(&sandbox, "c.go", "c17", "topic two");
    sandbox.git(&["rebase", "-q", "main"]);
    assert_eq!(assert_blame(&sandbox, "main", "HEAD"), 2);
}

#[test]
fn renames_with_edits_on_two_sides() {
    let sandbox = based();
    branch_from(&sandbox, "moves", "base");
    std::fs::create_dir(sandbox.at("p")).unwrap();
    sandbox.git(&["mv", "a.go", "p/a.go"]);
    change(&sandbox, "p/a.go", "a3", "moved");
    sandbox.git(&["mv", "b.go", "p/other.go"]);
    change(&sandbox, "p/other.go", "b3", "moved and renamed");
    sandbox.git(&["checkout", "-q", "main"]);
    change(&sandbox, "a.go", "a25", "stayed");
    sandbox.git(&["merge", "-q", "-m", "merge", "moves"]);
    assert_eq!(assert_blame(&sandbox, "base", "HEAD"), 3);
    assert_eq!(assert_blame(&sandbox, "moves", "HEAD"), 1);
    // Moved again without being committed, and copied.
    sandbox.git(&["mv", "p/a.go", "again.go"]);
    sandbox.write("copy.go", numbered("c", 30));
    sandbox.git(&["add", "-A"]);
    assert_blame(&sandbox, "base", "");
}

#[test]
fn merges_that_add_lines_of_their_own() {
    let sandbox = based();
    branch_from(&sandbox, "side", "base");
    change(&sandbox, "a.go", "a10", "side");
    sandbox.git(&["checkout", "-q", "main"]);
    change(&sandbox, "a.go", "a20", "main");
    sandbox.git(&["merge", "-q", "--no-commit", "side"]);
    assert_blame(&sandbox, "base", "");
    change(&sandbox, "a.go", "a25", "evil");
    assert_eq!(assert_blame(&sandbox, "base", "HEAD"), 3);
}

#[test]
fn line_ends_normalised_on_the_way() {
    let sandbox = based();
    sandbox.write("a.go", numbered("a", 30).replace('\n', "\r\n"));
    sandbox.commit("to CRLF");
    sandbox.write(".gitattributes", "*.go text\n");
    sandbox.git(&["add", "--renormalize", "."]);
    sandbox.commit("back to LF");
    assert_eq!(assert_blame(&sandbox, "base", "HEAD"), 30);
    sandbox.write(
        "b.go",
        numbered("b", 30)
            .replace('\n', "\r\n")
            .replace("b4()", "four()"),
    );
    assert_eq!(assert_blame(&sandbox, "HEAD", ""), 1);
}

#[test]
fn histories_without_a_common_start() {
    let sandbox = based();
    sandbox.git(&["checkout", "-q", "--orphan", "import"]);
    sandbox.git(&["rm", "-q", "-rf", "."]);
    sandbox.write("imported.go", numbered("i", 12));
    sandbox.commit("imported");
    sandbox.git(&["checkout", "-q", "main"]);
    sandbox.git(&[
        "merge",
        "-q",
        "--allow-unrelated-histories",
        "-m",
        "join",
        "import",
    ]);
    assert_eq!(assert_blame(&sandbox, "base", "HEAD"), 12);
}

#[test]
#[ignore = "takes minutes"]
fn many_random_histories_have_gits_lines() {
    random_histories(1000..1200, false);
    random_histories(2000..2100, true);
}
