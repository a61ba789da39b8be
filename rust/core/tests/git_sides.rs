//! Which commits are compared, with `git merge-base` and `git describe` as oracles.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod git_support;

use std::collections::BTreeMap;

use git_support::{Dice, Made, Sandbox, range};
use goat_core::git::{Chosen, RangeSpec, Repo};

/// A history without contents; dates collide often.
fn graph(dice: &mut Dice, commits: usize) -> Vec<Made> {
    let mut all: Vec<Made> = Vec::new();
    for n in 0..commits {
        let mut parents = Vec::new();
        if n > 0 && dice.roll(20) > 0 {
            for _ in 0..[1, 1, 1, 2, 2, 3][dice.roll(6)] {
                let parent = n - 1 - dice.roll(n.min(7));
                if !parents.contains(&parent) {
                    parents.push(parent);
                }
            }
        }
        let skew = if dice.roll(9) == 0 { 5000 } else { 0 };
        let date = 1_700_000_000 + 60 * i64::try_from(n / 2).unwrap() - skew;
        let files = BTreeMap::from([("n".to_owned(), n.to_string().into_bytes())]);
        all.push(Made {
            parents,
            date,
            files,
        });
    }
    all
}

#[test]
fn merge_bases_are_gits_first() {
    let mut several = 0;
    for seed in 0..6 {
        let mut dice = Dice::new(seed);
        let sandbox = Sandbox::new();
        let ids = sandbox.import(&graph(&mut dice, 40));
        let repo = sandbox.repo();
        for _ in 0..25 {
            let (one, two) = (&ids[dice.roll(40)], &ids[dice.roll(40)]);
            let told = sandbox.try_git(".", &["merge-base", "--all", one, two]);
            let told = String::from_utf8(told.stdout).unwrap();
            several += usize::from(told.lines().count() > 1);
            let first = sandbox.try_git(".", &["merge-base", one, two]);
            let first = String::from_utf8(first.stdout).unwrap();
            let spec = RangeSpec {
                direct: false,
                ..range(one, two)
            };
            let ours = repo
                .sides(&spec)
                .map(|sides| sides.base.commit)
                .unwrap_or_default();
            assert_eq!(ours, first.trim(), "seed {seed}: {one} {two}: {told}");
        }
    }
    assert!(
        several > 5,
        "criss-cross histories are among them: {several}"
    );
}

#[test]
fn the_latest_tag_is_gits() {
    let mut found = 0;
    for seed in 0..6 {
        let mut dice = Dice::new(seed + 77);
        let sandbox = Sandbox::new();
        let ids = sandbox.import(&graph(&mut dice, 40));
        sandbox.git(&["branch", "-m", "main", "trunkless"]);
        for n in 0..14 {
            let id = &ids[dice.roll(39)];
            let name = format!("v{}.{n}", dice.roll(9));
            if dice.roll(2) == 0 {
                sandbox.git(&["tag", &name, id]);
            } else {
                sandbox.set_clock(1_700_000_000 + dice.seconds(3));
                sandbox.git(&["tag", "-a", "-m", "x", &name, id]);
            }
        }
        for id in ids.iter().rev().take(20) {
            let parent = format!("{id}^");
            let told = sandbox.try_git(".", &["describe", "--tags", "--abbrev=0", &parent]);
            let told = String::from_utf8(told.stdout).unwrap();
            let spec = RangeSpec {
                release: Some(id.clone()),
                ..RangeSpec::default()
            };
            let base = sandbox.repo().sides(&spec).unwrap().base;
            if told.is_empty() {
                assert_eq!(base.chosen, Chosen::Head);
            } else {
                found += 1;
                assert_eq!(
                    (base.reference.as_str(), base.chosen),
                    (told.trim(), Chosen::Tag)
                );
            }
        }
    }
    assert!(found > 20, "{found}");
}

/// One commit on main, a branch with two more.
fn branched() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("a.go", "package a\n");
    sandbox.commit("one");
    sandbox.git(&["checkout", "-q", "-b", "work"]);
    sandbox.write("b.go", "package a\n");
    sandbox.commit("two");
    sandbox.write("c.go", "package a\n");
    sandbox.commit("three");
    sandbox
}

fn default_base(sandbox: &Sandbox, dir: &str) -> (String, Chosen, String) {
    let base = Repo::open(&sandbox.at(dir))
        .unwrap()
        .sides(&RangeSpec::default())
        .unwrap()
        .base;
    (base.reference, base.chosen, base.commit)
}

#[test]
fn the_default_base_is_the_merge_base_with_the_trunk() {
    let sandbox = branched();
    let main = sandbox.git(&["rev-parse", "main"]);
    let told = ("main".to_owned(), Chosen::MergeBase, main.trim().to_owned());
    assert_eq!(default_base(&sandbox, "."), told);
    sandbox.git(&["branch", "-m", "main", "master"]);
    assert_eq!(default_base(&sandbox, ".").0, "master");
    // The remote's default branch comes first.
    sandbox.git(&["branch", "trunk", "work~1"]);
    sandbox.git(&["update-ref", "refs/remotes/origin/trunk", "work~1"]);
    sandbox.git(&["update-ref", "refs/remotes/origin/main", "work~2"]);
    assert_eq!(default_base(&sandbox, ".").0, "origin/main");
    sandbox.git(&[
        "symbolic-ref",
        "refs/remotes/origin/HEAD",
        "refs/remotes/origin/trunk",
    ]);
    let (name, chosen, commit) = default_base(&sandbox, ".");
    assert_eq!((name.as_str(), chosen), ("origin/trunk", Chosen::MergeBase));
    assert_eq!(commit, sandbox.git(&["rev-parse", "work~1"]).trim());
}

#[test]
fn on_the_trunk_the_latest_tag_is_the_base() {
    let sandbox = branched();
    sandbox.git(&["checkout", "-q", "main"]);
    sandbox.git(&["merge", "-q", "--ff-only", "work"]);
    let head = sandbox.head();
    assert_eq!(
        default_base(&sandbox, "."),
        ("HEAD".into(), Chosen::Head, head)
    );
    sandbox.git(&["tag", "v2", "HEAD"]);
    sandbox.git(&["tag", "v1", "HEAD~1"]);
    let (name, chosen, commit) = default_base(&sandbox, ".");
    assert_eq!((name.as_str(), chosen), ("v1", Chosen::Tag));
    assert_eq!(commit, sandbox.git(&["rev-parse", "HEAD~1"]).trim());
}

#[test]
fn direct_compares_tips() {
    let sandbox = branched();
    sandbox.git(&["checkout", "-q", "main"]);
    sandbox.write("d.go", "package a\n");
    let tip = sandbox.commit("on main");
    sandbox.git(&["checkout", "-q", "work"]);
    let base = |direct| {
        let spec = RangeSpec {
            direct,
            ..range("main", "")
        };
        sandbox.repo().sides(&spec).unwrap().base
    };
    assert_eq!(
        (base(true).commit.as_str(), base(true).chosen),
        (tip.as_str(), Chosen::Direct)
    );
    let merge_base = sandbox.git(&["merge-base", "main", "work"]);
    assert_eq!(base(false).commit, merge_base.trim());
    assert_eq!(
        (base(false).tip.as_str(), base(false).chosen),
        (tip.as_str(), Chosen::MergeBase)
    );
}

#[test]
fn the_upstream_of_a_branch_can_be_named() {
    let sandbox = branched();
    sandbox.git(&["branch", "-q", "--set-upstream-to=main", "work"]);
    let base = sandbox
        .repo()
        .sides(&range("@{upstream}", ""))
        .unwrap()
        .base;
    assert_eq!(base.tip, sandbox.git(&["rev-parse", "main"]).trim());
}
