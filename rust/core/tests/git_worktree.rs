//! The working tree as the release, with `git diff BASE` and `git blame ^BASE` as oracles.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod git_support;

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};

use git_support::{
    Dice, Sandbox, any_text, assert_blame, assert_equals_oracle, changes, edit, join, oracle, ours,
    range,
};
use goat_core::control::Control;
use goat_core::git::{ChangeKind, Changes, FileState, RangeSpec, Repo};
use goat_core::model::FileChange;

const GO: &str = "package a\n\nfunc F() {\n\tone()\n\ttwo()\n\tthree()\n}\n";

fn text(lines: usize) -> String {
    (0..lines).fold("package a\n".to_owned(), |text, n| {
        text + &format!("\tline{n}()\n")
    })
}

/// A repository with a few committed files.
fn committed() -> Sandbox {
    let sandbox = Sandbox::new();
    for name in ["a.go", "b.go", "d/c.go", "d/e.go", "x.txt", "a_test.go"] {
        sandbox.write(
            name,
            text(20).replace("line", &name.replace(['.', '/'], "")),
        );
    }
    sandbox.commit("base");
    sandbox
}

fn against_head(sandbox: &Sandbox) -> Changes {
    changes(&sandbox.repo(), &range("HEAD", ""), true).1
}

fn file<'a>(changes: &'a Changes, path: &str) -> &'a FileChange {
    changes
        .files
        .iter()
        .find(|file| file.path == path)
        .unwrap_or_else(|| panic!("no {path}"))
}

fn kinds(changes: &Changes) -> Vec<(&str, ChangeKind)> {
    changes
        .other
        .iter()
        .map(|other| (other.path.as_str(), other.kind))
        .collect()
}

#[test]
fn a_clean_tree_has_no_changes() {
    let sandbox = committed();
    let changes = against_head(&sandbox);
    assert!(changes.files.is_empty() && changes.other.is_empty());
    assert_eq!(changes.content_hash, None);
    // Only the stat data differ: the content decides.
    sandbox.write("a.go", std::fs::read(sandbox.at("a.go")).unwrap());
    assert!(against_head(&sandbox).files.is_empty());
}

#[test]
fn staged_and_unstaged_edits_count_alike() {
    let sandbox = committed();
    sandbox.write("a.go", text(25));
    sandbox.git(&["add", "a.go"]);
    sandbox.write("a.go", text(27).replace("line3(", "three("));
    sandbox.write("b.go", text(21).replace("line", "bgo"));
    sandbox.remove("d/c.go");
    sandbox.write("x.txt", "other\n");
    sandbox.write("a_test.go", "package a\n");
    assert_equals_oracle(&sandbox, "HEAD", "", &[]);
    assert_blame(&sandbox, "HEAD", "");
    let changes = against_head(&sandbox);
    assert_eq!(file(&changes, "d/c.go").new, None);
    let told = [
        ("a_test.go", ChangeKind::Modified),
        ("x.txt", ChangeKind::Modified),
    ];
    assert_eq!(kinds(&changes), told);
    assert_eq!(
        changes.dirty,
        ["a.go", "a_test.go", "b.go", "d/c.go", "x.txt"]
    );
    assert!(changes.content_hash.is_some());
}

#[test]
fn the_content_hash_follows_the_content() {
    let sandbox = committed();
    let hash = |text: &str| {
        sandbox.write("a.go", text);
        against_head(&sandbox).content_hash
    };
    let (one, two, again) = (
        hash("package a\n"),
        hash("package b\n"),
        hash("package a\n"),
    );
    assert_ne!(one, two);
    assert_eq!(one, again);
}

#[test]
fn renames_in_the_index_are_followed() {
    let sandbox = committed();
    sandbox.git(&["mv", "a.go", "z.go"]);
    sandbox.write(
        "z.go",
        text(20).replace("line", "ago").replace("ago7(", "seven("),
    );
    sandbox.git(&["mv", "b.go", "d/b.go"]);
    sandbox.remove("d/e.go");
    sandbox.write("fresh.go", text(12));
    sandbox.git(&["add", "-N", "fresh.go"]);
    assert_equals_oracle(&sandbox, "HEAD", "", &[]);
    assert_blame(&sandbox, "HEAD", "");
    let changes = against_head(&sandbox);
    assert_eq!(file(&changes, "z.go").old_path.as_deref(), Some("a.go"));
    assert_eq!(file(&changes, "z.go").lines, [9]);
}

#[test]
fn a_file_that_left_the_index_is_deleted_and_untracked() {
    let sandbox = committed();
    sandbox.git(&["rm", "-q", "--cached", "a.go"]);
    let changes = against_head(&sandbox);
    let both: Vec<_> = changes
        .files
        .iter()
        .filter(|file| file.path == "a.go")
        .collect();
    assert_eq!(both.len(), 2);
    assert!(both[0].new.is_none() && both[1].old.is_none());
    assert_eq!(both[1].lines.len(), 21);
}

#[test]
fn modes_links_and_types_are_no_go_text() {
    let sandbox = committed();
    symlink("a.go", sandbox.at("link.go")).unwrap();
    sandbox.commit("link");
    std::fs::set_permissions(sandbox.at("a.go"), std::fs::Permissions::from_mode(0o755)).unwrap();
    sandbox.remove("b.go");
    symlink("a.go", sandbox.at("b.go")).unwrap();
    sandbox.remove("link.go");
    sandbox.write("link.go", text(5));
    sandbox.remove("d/c.go");
    std::fs::create_dir(sandbox.at("d/c.go")).unwrap();
    let repo = sandbox.repo();
    let (_, changes) = changes(&repo, &range("HEAD", ""), true);
    let told = [
        ("a.go", ChangeKind::Mode),
        ("b.go", ChangeKind::Type),
        ("link.go", ChangeKind::Type),
    ];
    assert_eq!(kinds(&changes), told);
    assert_eq!(file(&changes, "link.go").lines.len(), 6);
    assert!(file(&changes, "b.go").new.is_none());
    assert!(file(&changes, "d/c.go").new.is_none());
    sandbox.git(&["add", "link.go"]);
    assert_blame(&sandbox, "HEAD", "");
}

#[test]
fn line_ends_are_compared_as_git_stores_them() {
    let settings: [(&str, &str); 6] = [
        ("", "true"),
        ("", "input"),
        ("*.go text=auto\n", "false"),
        ("*.go text\n", "false"),
        ("*.go eol=crlf\n", "false"),
        ("*.go -text\n", "true"),
    ];
    for (attributes, autocrlf) in settings {
        let sandbox = Sandbox::new();
        sandbox.write("lf.go", text(12));
        sandbox.write("crlf.go", text(12).replace('\n', "\r\n"));
        sandbox.write("mixed.go", text(12).replace("3()\n", "3()\r\n"));
        sandbox.write("lone.go", text(12).replace("4()", "4\r()"));
        sandbox.commit("base");
        sandbox.git(&["config", "core.autocrlf", autocrlf]);
        sandbox.write(".gitattributes", attributes);
        for name in ["lf.go", "crlf.go", "mixed.go", "lone.go"] {
            let old = std::fs::read_to_string(sandbox.at(name)).unwrap();
            let crlf = old.replace("\r\n", "\n").replace('\n', "\r\n");
            sandbox.write(name, crlf.replace("line6()", "six()"));
        }
        sandbox.write("new.go", text(5).replace('\n', "\r\n"));
        sandbox.git(&["add", "-N", "new.go"]);
        assert_equals_oracle(&sandbox, "HEAD", "", &[]);
        assert_blame(&sandbox, "HEAD", "");
        let changes = against_head(&sandbox);
        let disk = std::fs::read(sandbox.at("crlf.go")).unwrap();
        assert_eq!(
            file(&changes, "crlf.go").new.as_ref(),
            Some(&disk),
            "bytes as on disk"
        );
    }
}

#[test]
fn ident_is_collapsed() {
    let sandbox = Sandbox::new();
    sandbox.write(".gitattributes", "*.go ident\n");
    sandbox.write("a.go", "package a\n\n// $Id$\nfunc F() {}\n");
    sandbox.write("b.go", "package a\n\n// $Id$\nfunc G() {}\n");
    sandbox.commit("base");
    sandbox.write("a.go", "package a\n\n// $Id: 0123 $\nfunc F() {}\n");
    sandbox.write("b.go", "package a\n\n// $Id: 0123 $\nfunc H() {}\n");
    assert_equals_oracle(&sandbox, "HEAD", "", &[]);
    assert_eq!(file(&against_head(&sandbox), "b.go").lines, [4]);
}

#[test]
fn attributes_that_only_the_index_holds_count() {
    let sandbox = Sandbox::new();
    sandbox.write("sub/.gitattributes", "*.go ident\n");
    sandbox.write("sub/b.go", "package a\n\n// $Id$\nfunc G() {}\n");
    sandbox.commit("base");
    std::fs::remove_file(sandbox.at("sub/.gitattributes")).unwrap();
    sandbox.write("sub/b.go", "package a\n\n// $Id: 0123 $\nfunc H() {}\n");
    assert_equals_oracle(&sandbox, "HEAD", "", &[]);
    assert_eq!(file(&against_head(&sandbox), "sub/b.go").lines, [4]);
}

#[test]
fn filter_drivers_and_encodings_are_named() {
    let sandbox = committed();
    sandbox.write(
        ".gitattributes",
        "a.go filter=secret\nb.go working-tree-encoding=UTF-16\n",
    );
    sandbox.git(&["config", "filter.secret.clean", "cat"]);
    sandbox.write("a.go", text(3));
    sandbox.write("b.go", text(3));
    let changes = against_head(&sandbox);
    let reason = |path: &str| file(&changes, path).unreadable.clone().unwrap();
    assert!(reason("a.go").contains("\"secret\""), "{}", reason("a.go"));
    assert!(reason("b.go").contains("UTF-16"), "{}", reason("b.go"));
}

#[test]
fn files_that_git_calls_binary_have_lines() {
    let sandbox = Sandbox::new();
    sandbox.write(".gitattributes", "attr.go -diff\n");
    sandbox.write("attr.go", text(9));
    sandbox.write("nul.go", text(9).replace("line2", "\0"));
    sandbox.commit("base");
    sandbox.write("attr.go", text(10));
    sandbox.write("nul.go", text(10).replace("line2", "\0"));
    assert_equals_oracle(&sandbox, "HEAD", "", &[]);
    let changes = against_head(&sandbox);
    assert_eq!(file(&changes, "attr.go").lines, [11]);
    assert_eq!(file(&changes, "nul.go").lines, [11]);
}

#[test]
fn a_conflict_is_compared_as_it_lies_on_disk() {
    let sandbox = committed();
    sandbox.git(&["checkout", "-q", "-b", "side"]);
    sandbox.write("a.go", text(20).replace("line5", "side"));
    sandbox.write("b.go", text(24).replace("line", "bgo"));
    sandbox.commit("side");
    sandbox.git(&["checkout", "-q", "main"]);
    sandbox.write("a.go", text(20).replace("line5", "main"));
    sandbox.commit("main");
    assert!(
        !sandbox
            .try_git(".", &["merge", "-q", "side"])
            .status
            .success()
    );
    let (_, changes) = changes(&sandbox.repo(), &range("HEAD", ""), true);
    let lines = &file(&changes, "a.go").lines;
    assert_eq!(
        lines,
        &[7, 9, 10, 11],
        "{}",
        std::fs::read_to_string(sandbox.at("a.go")).unwrap()
    );
    assert_eq!(file(&changes, "b.go").lines, [22, 23, 24, 25]);
    assert_blame(&sandbox, "HEAD", "");
    sandbox.write("a.go", text(20).replace("line5", "both"));
    sandbox.git(&["add", "a.go"]);
    assert_blame(&sandbox, "HEAD", "");
    assert_blame(&sandbox, "side", "");
    assert_equals_oracle(&sandbox, "HEAD", "", &[]);
}

#[test]
fn paths_that_git_does_not_look_up_are_unchanged() {
    let sandbox = committed();
    sandbox.git(&["update-index", "--assume-unchanged", "a.go"]);
    sandbox.git(&["update-index", "--skip-worktree", "b.go", "d/e.go"]);
    sandbox.write("a.go", text(3));
    sandbox.remove("b.go");
    assert_equals_oracle(&sandbox, "HEAD", "", &[]);
    assert!(against_head(&sandbox).files.is_empty());
}

#[test]
fn what_git_is_told_to_assume_is_not_trusted_where_it_matters() {
    let sandbox = committed();
    sandbox.write("a.go", text(22));
    sandbox.commit("second");
    sandbox.git(&["update-index", "--assume-unchanged", "a.go"]);
    sandbox.write("a.go", text(3));
    let (_, changes) = changes(&sandbox.repo(), &range("HEAD^", ""), true);
    let reason = file(&changes, "a.go").unreadable.clone().unwrap();
    assert!(reason.contains("assume"), "{reason}");
}

#[test]
fn sparse_checkouts_have_no_deletions() {
    let sandbox = committed();
    sandbox.write("keep/k.go", text(4));
    sandbox.commit("more");
    for sparse_index in ["--no-sparse-index", "--sparse-index"] {
        sandbox.git(&["sparse-checkout", "set", "--cone", sparse_index, "keep"]);
        assert!(!sandbox.at("d/c.go").exists());
        assert!(against_head(&sandbox).files.is_empty());
        sandbox.write("keep/k.go", text(5));
        assert_equals_oracle(&sandbox, "HEAD", "", &[]);
        assert_blame_of_present(&sandbox);
        sandbox.git(&["checkout", "-q", "--", "keep/k.go"]);
        sandbox.git(&["sparse-checkout", "disable"]);
    }
}

fn assert_blame_of_present(sandbox: &Sandbox) {
    assert!(assert_blame(sandbox, "HEAD", "") > 0);
}

#[test]
fn untracked_files_are_new_unless_ignored() {
    let sandbox = committed();
    sandbox.write(".gitignore", "*.pb.go\n/out/\n!keep.pb.go\n");
    sandbox.write("d/.gitignore", "local.go\n");
    sandbox.commit("rules");
    std::fs::write(sandbox.at(".git/info/exclude"), "private.go\n").unwrap();
    for name in [
        "new.go",
        "x.pb.go",
        "keep.pb.go",
        "out/o.go",
        "d/local.go",
        "n/private.go",
    ] {
        sandbox.write(name, GO);
    }
    sandbox.write("data.bin", "x");
    sandbox.write("new_test.go", GO);
    sandbox.git(&["init", "-q", "nested"]);
    sandbox.write("nested/in.go", GO);
    let changes = against_head(&sandbox);
    let names: Vec<_> = changes
        .files
        .iter()
        .map(|file| file.path.as_str())
        .collect();
    assert_eq!(names, ["keep.pb.go", "new.go"]);
    assert_eq!(changes.files[1].lines, [1, 2, 3, 4, 5, 6, 7]);
    let told = [
        ("data.bin", ChangeKind::Untracked),
        ("new_test.go", ChangeKind::Untracked),
    ];
    assert_eq!(kinds(&changes), told);
    assert_eq!(changes.dirty, ["keep.pb.go", "new.go"]);
    let told = sandbox.git(&["ls-files", "--others", "--exclude-standard", "*.go"]);
    assert_eq!(told, "keep.pb.go\nnew.go\nnew_test.go\n");

    let repo = sandbox.repo();
    let sides = repo.sides(&range("HEAD", "")).unwrap();
    let all = repo.release_go_files(&sides, &Control::new()).unwrap();
    let ignored: Vec<_> = all
        .iter()
        .filter(|file| file.state == FileState::Ignored)
        .map(|file| file.path.as_str())
        .collect();
    let told = [
        "d/local.go",
        "n/private.go",
        "nested/in.go",
        "out/o.go",
        "x.pb.go",
    ];
    assert_eq!(ignored, told);
    let tracked = all
        .iter()
        .filter(|file| file.state == FileState::Tracked)
        .count();
    assert_eq!(tracked, 5);
}

#[test]
fn odd_names_are_reported_not_fatal() {
    let sandbox = committed();
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9.go");
    std::fs::write(sandbox.path().join(name), GO).unwrap();
    sandbox.write("sp ace.go", GO);
    sandbox.git(&["add", "-A"]);
    let changes = against_head(&sandbox);
    let odd = changes
        .files
        .iter()
        .find(|file| file.path.starts_with("caf"))
        .unwrap();
    assert_eq!(odd.unreadable.as_deref(), Some("its name is not UTF-8"));
    assert_eq!(odd.lines.len(), 7);
    assert_eq!(file(&changes, "sp ace.go").lines.len(), 7);
}

#[test]
fn unreadable_files_are_reported_not_fatal() {
    let sandbox = committed();
    sandbox.write("a.go", text(30));
    std::fs::set_permissions(sandbox.at("a.go"), std::fs::Permissions::from_mode(0o000)).unwrap();
    if std::fs::read(sandbox.at("a.go")).is_ok() {
        // The superuser reads everything: a dangling link to a file is what is left.
        return;
    }
    assert!(file(&against_head(&sandbox), "a.go").unreadable.is_some());
}

#[test]
fn a_tree_without_commits_is_all_new() {
    let sandbox = Sandbox::new();
    sandbox.write("a.go", GO);
    sandbox.write("b.go", GO);
    sandbox.git(&["add", "a.go"]);
    let repo = sandbox.repo();
    let (sides, changes) = changes(&repo, &RangeSpec::default(), true);
    assert_eq!(sides.base.chosen.as_str(), "init");
    assert_eq!(sides.release.commit, "");
    let names: Vec<_> = changes
        .files
        .iter()
        .map(|file| file.path.as_str())
        .collect();
    assert_eq!(names, ["a.go", "b.go"]);
    let paths = ["a.go".to_owned()];
    let new = repo
        .blame_lines(&sides, &paths, &|_, _| None, &Control::new())
        .unwrap();
    assert_eq!(new["a.go"], [1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn init_makes_everything_new() {
    let sandbox = committed();
    let spec = range("INIT", "");
    let (sides, changes) = changes(&sandbox.repo(), &spec, true);
    assert_eq!(
        (sides.base.chosen.as_str(), sides.base.commit.as_str()),
        ("init", "")
    );
    assert_eq!(changes.files.len(), 4);
    assert!(changes.files.iter().all(|file| file.lines.len() == 21));
}

#[test]
fn marks_are_no_change() {
    let sandbox = committed();
    let original = std::fs::read_to_string(sandbox.at("a.go")).unwrap();
    sandbox.write("a.go", original.replace("ago4()\n", "ago4()\n//MARK\n"));
    let other = std::fs::read_to_string(sandbox.at("b.go")).unwrap();
    sandbox.write(
        "b.go",
        other.replace("bgo4()\n", "bgo4()\n//MARK\n\tmore()\n"),
    );
    let clean = |_: &str, data: &[u8]| -> Option<Vec<u8>> {
        let text = std::str::from_utf8(data).unwrap();
        Some(text.replace("//MARK\n", "").into_bytes())
    };
    let repo = sandbox.repo();
    let sides = repo.sides(&range("HEAD", "")).unwrap();
    let changes = repo
        .changes(&sides, true, &clean, None, &Control::new())
        .unwrap();
    assert_eq!(changes.files.len(), 1);
    assert_eq!(changes.dirty, ["b.go"]);
    assert_eq!(file(&changes, "b.go").lines, [7]);
    let paths = ["a.go".to_owned(), "b.go".to_owned()];
    let new = repo
        .blame_lines(&sides, &paths, &clean, &Control::new())
        .unwrap();
    assert_eq!((new["a.go"].len(), new["b.go"].as_slice()), (0, &[7][..]));
}

#[test]
fn reverted_and_reapplied_lines_are_new_by_blame_only() {
    let sandbox = committed();
    sandbox.git(&["tag", "v1"]);
    let original = std::fs::read_to_string(sandbox.at("a.go")).unwrap();
    sandbox.write("a.go", original.replace("\tago4()\n", ""));
    sandbox.commit("remove");
    sandbox.write("a.go", &original);
    sandbox.commit("put back");
    let repo = sandbox.repo();
    let sides = repo.sides(&range("v1", "")).unwrap();
    assert!(changes(&repo, &range("v1", ""), true).1.files.is_empty());
    let paths = ["a.go".to_owned()];
    let new = repo
        .blame_lines(&sides, &paths, &|_, _| None, &Control::new())
        .unwrap();
    assert_eq!(new["a.go"], [6]);
    assert_blame(&sandbox, "v1", "");
}

#[test]
fn random_dirty_trees_are_gits() {
    for seed in 0..6 {
        let mut dice = Dice::new(seed + 50);
        let sandbox = Sandbox::new();
        let mut texts: Vec<Vec<String>> = (0..12).map(|_| any_text(&mut dice, 25)).collect();
        let name = |n: usize| format!("d{}/f{n}.go", n % 3);
        for (n, text) in texts.iter().enumerate() {
            sandbox.write(&name(n), join(text, n % 5 == 0, n % 4 > 0));
        }
        sandbox.commit("base");
        for round in 0..3 {
            for (n, text) in texts.iter_mut().enumerate() {
                if dice.roll(3) == 0 || !sandbox.at(&name(n)).exists() {
                    continue;
                }
                edit(&mut dice, text, 3);
                sandbox.write(&name(n), join(text, n % 5 == 0, n % 4 > 0));
                match dice.roll(6) {
                    0 => drop(sandbox.git(&["add", &name(n)])),
                    1 => {
                        sandbox.git(&["add", &name(n)]);
                        sandbox.git(&["mv", "-f", &name(n), &format!("d0/moved{n}.go")]);
                    }
                    2 => sandbox.remove(&name(n)),
                    _ => {}
                }
            }
            assert_equals_oracle(&sandbox, "HEAD", "", &[]);
            assert_blame(&sandbox, "HEAD", "");
            if round == 1 {
                sandbox.commit("middle");
                sandbox.git(&["tag", "-f", "middle"]);
            }
        }
        assert_equals_oracle(&sandbox, "HEAD^", "", &[]);
        assert_blame(&sandbox, "HEAD^", "");
    }
}

#[test]
fn sub_directories_and_linked_worktrees_are_the_same_repository() {
    let sandbox = committed();
    let elsewhere = tempfile::tempdir().unwrap();
    let linked = elsewhere.path().canonicalize().unwrap().join("linked");
    sandbox.git(&[
        "worktree",
        "add",
        "-q",
        "-b",
        "other",
        linked.to_str().unwrap(),
    ]);
    std::fs::write(linked.join("a.go"), text(22)).unwrap();
    let repo = Repo::open(&linked.join("d")).unwrap();
    assert_eq!((repo.root(), repo.prefix()), (linked.as_path(), "d"));
    let (_, found) = changes(&repo, &range("main", ""), true);
    assert_eq!(ours(&found, &[]), oracle(&linked, "main", "", true));
    assert_eq!(found.dirty, ["a.go"]);
    assert!(against_head(&sandbox).files.is_empty());
}

#[test]
fn submodules_are_entries_of_their_own() {
    let inner = committed();
    let sandbox = committed();
    let url = inner.path();
    sandbox.git(&[
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "-q",
        "add",
        url.to_str().unwrap(),
        "sub",
    ]);
    sandbox.commit("with submodule");
    let repo = Repo::open(&sandbox.at("sub/d")).unwrap();
    assert_eq!(
        (repo.root(), repo.prefix()),
        (sandbox.at("sub").as_path(), "d")
    );
    sandbox.write("sub/a.go", text(9));
    assert!(
        against_head(&sandbox).files.is_empty(),
        "its files are not ours"
    );
    sandbox.git_in("sub", &["commit", "-q", "-am", "inner"]);
    assert_eq!(
        kinds(&against_head(&sandbox)),
        [("sub", ChangeKind::Submodule)]
    );
}
