//! Changes between two states, with `git diff` as the oracle.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod git_support;

use git_support::{Dice, Sandbox, any_text, assert_equals_oracle, edit, join};

fn numbered(name: &str, count: usize) -> String {
    (0..count).fold(String::new(), |text, n| text + &format!("\t{name}{n}()\n"))
}

#[test]
fn random_edits_have_gits_hunks() {
    random_edits(7, 120);
}

#[test]
#[ignore = "takes minutes"]
fn many_random_edits_and_renames_are_gits() {
    for seed in 5000..5010 {
        random_edits(seed, 600);
    }
    for seed in 6000..6150 {
        random_renames(seed);
    }
}

fn random_edits(seed: u64, files: usize) {
    let sandbox = Sandbox::new();
    let mut dice = Dice::new(seed);
    let mut texts: Vec<Vec<String>> = Vec::new();
    for n in 0..files {
        let lines = 1 + dice.roll(if n % 10 == 0 { 900 } else { 90 });
        let text = any_text(&mut dice, lines);
        sandbox.write(
            &format!("d{}/f{n}.go", n % 7),
            join(&text, n % 11 == 0, n % 13 != 0),
        );
        texts.push(text);
    }
    sandbox.commit("base");
    for (n, text) in texts.iter_mut().enumerate() {
        let edits = dice.roll(if n % 10 == 0 { 40 } else { 9 });
        edit(&mut dice, text, edits);
        sandbox.write(
            &format!("d{}/f{n}.go", n % 7),
            join(text, n % 11 == 0, n % 17 != 0),
        );
    }
    assert_equals_oracle(&sandbox, "HEAD", "", &[]);
    sandbox.commit("release");
    assert_equals_oracle(&sandbox, "HEAD^", "HEAD", &[]);
    assert_equals_oracle(&sandbox, "HEAD", "HEAD^", &[]);
}

#[test]
fn renames_are_gits() {
    let sandbox = Sandbox::new();
    sandbox.write("a/one.go", numbered("one", 40));
    sandbox.write("a/two.go", numbered("two", 40));
    sandbox.write("a/same1.go", numbered("same", 10));
    sandbox.write("a/same2.go", numbered("same", 10));
    sandbox.write("a/x/same2.go", numbered("same", 10));
    sandbox.write("a/empty.go", "");
    sandbox.write("doc.txt", numbered("doc", 30));
    sandbox.commit("base");
    sandbox.git(&["mv", "a/one.go", "b.go"]);
    sandbox.write("b.go", numbered("one", 40).replace("one7(", "seven("));
    std::fs::create_dir_all(sandbox.at("c")).unwrap();
    sandbox.git(&["mv", "a/two.go", "c/two.go"]);
    sandbox.write("c/two.go", numbered("two", 33));
    for name in [
        "a/same1.go",
        "a/same2.go",
        "a/x/same2.go",
        "doc.txt",
        "a/empty.go",
    ] {
        sandbox.remove(name);
    }
    sandbox.write("z/same2.go", numbered("same", 10));
    sandbox.write("z/same3.go", numbered("same", 10));
    sandbox.write("z/empty2.go", "");
    sandbox.write("z/doc.go", numbered("doc", 29));
    sandbox.commit("release");
    assert_equals_oracle(&sandbox, "HEAD^", "HEAD", &[]);
}

#[test]
fn random_renames_are_gits() {
    for seed in 900..910 {
        random_renames(seed);
    }
}

/// Files that resemble each other, moved and edited at random.
fn random_renames(seed: u64) {
    let mut dice = Dice::new(seed);
    let sandbox = Sandbox::new();
    let families: Vec<Vec<String>> = (0..4).map(|_| any_text(&mut dice, 30)).collect();
    let content = |dice: &mut Dice, edits: usize| {
        let mut text = families[dice.roll(families.len())].clone();
        let edits = dice.roll(edits);
        edit(dice, &mut text, edits);
        join(&text, dice.roll(12) == 0, true)
    };
    let name = |dice: &mut Dice| {
        let ext = ["go", "go", "txt"][dice.roll(3)];
        format!(
            "d{}/{}{}.{ext}",
            dice.roll(4),
            ["x", "y"][dice.roll(2)],
            dice.roll(6)
        )
    };
    for _ in 0..26 {
        let (name, content) = (name(&mut dice), content(&mut dice, 5));
        sandbox.write(&name, content);
    }
    sandbox.commit("base");
    let tracked = sandbox.git(&["ls-files"]);
    for path in tracked.lines() {
        match dice.roll(3) {
            0 => sandbox.remove(path),
            1 => {
                let to = name(&mut dice);
                let data = std::fs::read(sandbox.at(path)).unwrap();
                sandbox.remove(path);
                let text = String::from_utf8(data).unwrap();
                let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
                let edits = dice.roll(6);
                edit(&mut dice, &mut lines, edits);
                sandbox.write(&to, join(&lines, false, true));
            }
            _ => {}
        }
    }
    for _ in 0..6 {
        let (name, content) = (name(&mut dice), content(&mut dice, 14));
        sandbox.write(&name, content);
    }
    sandbox.commit("release");
    assert_equals_oracle(&sandbox, "HEAD^", "HEAD", &[]);
    assert_equals_oracle(&sandbox, "HEAD", "HEAD^", &[]);
}
