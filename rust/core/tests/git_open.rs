//! Repositories as they are found in the wild: each works, or the error names the
//! command that helps.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod git_support;

use std::path::Path;
use std::process::Command;

use git_support::{
    Sandbox, assert_blame, assert_equals_oracle, blame_oracle, changes, oracle, ours, range,
};
use goat_core::control::Control;
use goat_core::error::{Code, Error};
use goat_core::git::{RangeSpec, Repo};

fn lines(name: &str, count: usize) -> String {
    (0..count).fold("package a\n".to_owned(), |text, n| {
        text + &format!("\t{name}{n}()\n")
    })
}

/// Three commits on main; v1 on the first.
fn three_commits() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("a.go", lines("a", 20));
    sandbox.write("b.go", lines("b", 20));
    sandbox.write("old.go", lines("old", 20));
    sandbox.commit("one");
    sandbox.git(&["tag", "v1"]);
    sandbox.write("a.go", lines("a", 22));
    sandbox.commit("two");
    sandbox.write("b.go", lines("b", 24));
    sandbox.git(&["mv", "old.go", "moved.go"]);
    sandbox.write("moved.go", lines("old", 21));
    sandbox.commit("three");
    sandbox
}

fn refusal(dir: &Path) -> Error {
    Repo::open(dir).map(|_| ()).unwrap_err()
}

fn sides_error(sandbox: &Sandbox, spec: &RangeSpec) -> Error {
    sandbox.repo().sides(spec).map(|_| ()).unwrap_err()
}

#[test]
fn what_git_itself_cannot_read() {
    for text in ["\n[broken\n", "\n[core]\n\tworktree = ../nothing\n"] {
        let sandbox = three_commits();
        let config = sandbox.at(".git/config");
        let before = std::fs::read_to_string(&config).unwrap();
        std::fs::write(&config, before + text).unwrap();
        let error = refusal(&sandbox.path());
        assert_eq!(error.code, Code::Git, "{text}: {}", error.message);
        for command in ["`git status`", "`go build -buildvcs=false`"] {
            assert!(error.hint.contains(command), "{text}: {}", error.hint);
        }
    }
}

/// What stands in a repository for a file of git's and is none is named, and nothing waits.
#[cfg(unix)]
#[test]
fn security_pipes_in_the_place_of_git_files() {
    for path in [
        ".git/packed-refs",
        ".git/index",
        ".git/config",
        ".git/commondir",
        ".git/shallow",
        ".git/info/exclude",
        ".git/info/attributes",
        ".git/info/grafts",
        ".git/objects/info/alternates",
        ".git/refs/heads/other",
        ".git/refs/heads/main",
        ".git/ORIG_HEAD",
        ".gitignore",
        "dir/.gitignore",
        ".gitattributes",
    ] {
        let sandbox = three_commits();
        sandbox.write("dir/new.go", "package dir\n");
        sandbox.write("a.go", lines("a", 23));
        let _ = std::fs::remove_file(sandbox.at(path));
        let made = Command::new("mkfifo").arg(sandbox.at(path)).status();
        assert!(made.unwrap().success(), "{path}");
        let error = Repo::open(&sandbox.path())
            .and_then(|repo| {
                let sides = repo.sides(&range("v1", ""))?;
                repo.changes(&sides, true, &|_, _| None, None, &Control::new())
            })
            .map(|_| ())
            .unwrap_err();
        assert_eq!(error.code, Code::Unreadable, "{path}: {}", error.message);
        assert!(error.path.ends_with(path), "{path}: {}", error.path);
        assert!(error.hint.contains("remove it"), "{path}: {}", error.hint);
    }
}

#[cfg(unix)]
#[test]
fn security_refs_that_lead_astray() {
    let sandbox = three_commits();
    let refs = sandbox.at(".git/refs/heads");
    std::fs::create_dir(refs.join("d")).unwrap();
    for (target, name) in [("..", "up"), ("../..", "further"), ("/", "root")] {
        std::os::unix::fs::symlink(target, refs.join("d").join(name)).unwrap();
    }
    let head = sandbox.head();
    sandbox.write(".git/refs/heads/self", "ref: refs/heads/self\n");
    sandbox.write(".git/refs/heads/one", "ref: refs/heads/two\n");
    sandbox.write(".git/refs/heads/two", "ref: refs/heads/one\n");
    sandbox.write(".git/refs/heads/long", format!("{head}00\n"));
    assert_equals_oracle(&sandbox, "v1", "", &[]);
    for name in ["self", "one", "long"] {
        assert_eq!(
            sides_error(&sandbox, &range(name, "")).code,
            Code::UnknownRef
        );
    }
    for text in ["noise\n", "\n", &format!("{head} refs/tags/cut")] {
        sandbox.write(".git/packed-refs", text);
        let error = refusal(&sandbox.path());
        assert_eq!(error.code, Code::Git, "{text}");
        assert!(error.hint.contains("git show-ref"), "{}", error.hint);
    }
    sandbox.write(
        ".git/packed-refs",
        format!("# pack-refs with: peeled\n{head} refs/tags/whole\n^{head}\n"),
    );
    sandbox.repo().sides(&range("whole", "")).unwrap();
}

/// libgit2 reads the rest of such an object for ever.
#[test]
fn security_objects_that_were_cut_off() {
    let sandbox = three_commits();
    let blob = sandbox.git(&["rev-parse", "v1:a.go"]);
    let (fan, name) = blob.trim().split_at(2);
    let path = sandbox.at(&format!(".git/objects/{fan}/{name}"));
    let whole = std::fs::read(&path).unwrap();
    for length in [0, 1, 5, 12, whole.len() / 2, whole.len() - 5] {
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, &whole[..length]).unwrap();
        let repo = sandbox.repo();
        let sides = repo.sides(&range("v1", "")).unwrap();
        let error = repo
            .changes(&sides, true, &|_, _| None, None, &Control::new())
            .unwrap_err();
        assert_eq!(error.code, Code::Git, "{length}: {}", error.message);
        assert!(error.hint.contains("git fsck"), "{length}: {}", error.hint);
    }
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(sandbox.at("alternate")).unwrap();
    std::fs::create_dir(sandbox.at(&format!("alternate/{fan}"))).unwrap();
    std::fs::write(sandbox.at(&format!("alternate/{fan}/{name}")), &whole).unwrap();
    let alternate = sandbox.at("alternate");
    sandbox.write(
        ".git/objects/info/alternates",
        format!("# comment\n{}\n", alternate.display()),
    );
    assert_equals_oracle(&sandbox, "v1", "HEAD", &[]);
}

#[test]
fn no_repository() {
    let sandbox = Sandbox::bare_dir();
    let error = refusal(&sandbox.path());
    assert_eq!(error.code, Code::NotARepository);
    assert!(error.hint.contains("-C DIR"), "{}", error.hint);
    assert_eq!(refusal(&sandbox.at("missing")).code, Code::NotARepository);
    sandbox.write("w/.git", "gitdir: ../nowhere\n");
    let error = refusal(&sandbox.at("w"));
    assert!(error.message.contains("nowhere"), "{}", error.message);
    assert!(error.hint.contains("git worktree repair"));
}

#[test]
fn formats_that_cannot_be_read_are_named() {
    let sandbox = three_commits();
    sandbox.git(&["config", "core.repositoryformatversion", "1"]);
    for (key, value, hint) in [
        (
            "extensions.refstorage",
            "reftable",
            "git refs migrate --ref-format=files",
        ),
        ("extensions.objectformat", "sha256", "git fast-export"),
        ("extensions.fromthefuture", "yes", "git clone"),
    ] {
        sandbox.git(&["config", "--local", key, value]);
        let error = refusal(&sandbox.path());
        assert_eq!(error.code, Code::UnsupportedRepository, "{key}");
        assert!(error.hint.contains(hint), "{key}: {}", error.hint);
        let config = std::fs::read_to_string(sandbox.at(".git/config")).unwrap();
        let (_, name) = key.split_once('.').unwrap();
        let kept = config
            .lines()
            .filter(|line| !line.to_lowercase().contains(name));
        let kept: Vec<&str> = kept.collect();
        std::fs::write(sandbox.at(".git/config"), kept.join("\n") + "\n").unwrap();
    }
    Repo::open(&sandbox.path()).unwrap();
}

#[test]
fn a_real_sha256_repository_is_refused() {
    let sandbox = Sandbox::bare_dir();
    let made = sandbox.try_git(".", &["init", "-q", "--object-format=sha256", "."]);
    if made.status.success() {
        assert_eq!(refusal(&sandbox.path()).code, Code::UnsupportedRepository);
    }
}

#[test]
fn an_index_in_two_files_is_named() {
    let sandbox = three_commits();
    sandbox.git(&["update-index", "--split-index"]);
    let repo = sandbox.repo();
    let sides = repo.sides(&range("v1", "")).unwrap();
    let error = repo
        .changes(&sides, true, &|_, _| None, None, &Control::new())
        .unwrap_err();
    assert_eq!(error.code, Code::UnsupportedRepository);
    assert!(error.hint.contains("--no-split-index"));
    sandbox.git(&["update-index", "--no-split-index"]);
    assert_equals_oracle(&sandbox, "v1", "", &[]);
}

#[test]
fn every_index_version_is_read() {
    for version in ["2", "3", "4"] {
        let sandbox = three_commits();
        sandbox.write("deep/er/path/x.go", lines("x", 4));
        sandbox.write("deep/er/path/xy.go", lines("y", 4));
        sandbox.git(&["add", "-A"]);
        sandbox.git(&["update-index", "--index-version", version]);
        sandbox.write("a.go", lines("a", 30));
        assert_equals_oracle(&sandbox, "v1", "", &[]);
    }
}

#[test]
fn another_owner_is_dubious() {
    let sandbox = three_commits();
    let mine = std::os::unix::fs::chown(sandbox.path(), Some(54_321), None);
    let mine = mine.and_then(|()| std::os::unix::fs::chown(sandbox.at(".git"), Some(54_321), None));
    if mine.is_err() {
        return; // Only the superuser can give files away.
    }
    let home = tempfile::tempdir().unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "open_for_another_owner"])
        .env("GOAT_TEST_DIR", sandbox.path())
        .env("HOME", home.path())
        .env("XDG_CONFIG_HOME", home.path())
        .env_remove("SUDO_UID")
        .status()
        .unwrap();
    assert!(child.success());
    // Safe directories that git takes from its environment count.
    let config = home.path().join("elsewhere");
    std::fs::write(&config, "[safe]\n\tdirectory = *\n").unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "open_though_another_owner"])
        .env("GOAT_TEST_DIR", sandbox.path())
        .env("GIT_CONFIG_GLOBAL", &config)
        .env("HOME", home.path())
        .env_remove("SUDO_UID")
        .status()
        .unwrap();
    assert!(child.success());
}

#[test]
#[ignore = "run by another_owner_is_dubious"]
fn open_though_another_owner() {
    let Some(dir) = std::env::var_os("GOAT_TEST_DIR") else {
        return;
    };
    let repo = Repo::open(Path::new(&dir)).unwrap();
    let (_, found) = changes(&repo, &range("v1", ""), true);
    assert_eq!(found.files.len(), 3);
}

#[test]
fn keys_without_values_are_true() {
    let sandbox = three_commits();
    let config = sandbox.at(".git/config");
    let text = std::fs::read_to_string(&config).unwrap() + "[core]\n\tignorecase\n";
    std::fs::write(&config, text).unwrap();
    assert_equals_oracle(&sandbox, "v1", "", &[]);
}

#[test]
fn a_branch_without_commits_is_compared_with_the_base_that_is_named() {
    let sandbox = three_commits();
    sandbox.git(&["checkout", "-q", "--orphan", "fresh"]);
    sandbox.write("a.go", lines("a", 25));
    assert_equals_oracle(&sandbox, "main", "", &[]);
    assert_eq!(
        sides_error(&sandbox, &range("nothing", "")).code,
        Code::UnknownRef
    );
}

#[test]
#[ignore = "run by another_owner_is_dubious"]
fn open_for_another_owner() {
    let Some(dir) = std::env::var_os("GOAT_TEST_DIR") else {
        return;
    };
    let error = refusal(Path::new(&dir));
    assert_eq!(error.code, Code::DubiousOwnership);
    let dir = Path::new(&dir).display();
    assert_eq!(
        error.hint,
        format!("git config --global --add safe.directory {dir}")
    );
}

#[test]
fn names_that_nothing_has_come_with_near_ones() {
    let sandbox = three_commits();
    sandbox.git(&["branch", "release-2.0"]);
    for (wanted, near) in [
        ("mian", "main"),
        ("release-2.1", "release-2.0"),
        ("V1", "v1"),
    ] {
        let error = sides_error(&sandbox, &range(wanted, ""));
        assert_eq!(error.code, Code::UnknownRef);
        assert!(error.hint.contains(near), "{wanted}: {}", error.hint);
    }
    let error = sides_error(&sandbox, &range("nothing-like-it", ""));
    assert!(
        error.hint.contains("git fetch origin tag nothing-like-it"),
        "{}",
        error.hint
    );
    let tree = sandbox.git(&["rev-parse", "HEAD^{tree}"]);
    assert!(
        sides_error(&sandbox, &range(tree.trim(), ""))
            .message
            .contains("not a commit")
    );
}

#[test]
fn revisions_are_understood() {
    let sandbox = three_commits();
    sandbox.git(&["tag", "-a", "-m", "x", "annotated", "HEAD~1"]);
    let head = sandbox.head();
    let described = sandbox.git(&["describe", "--tags", "--long", "--match", "v1"]);
    for name in [
        "main~2",
        "HEAD^^",
        "v1",
        "annotated^",
        "annotated^{}",
        "refs/tags/v1",
        "tags/v1",
        "@~1",
        &head,
        &head[..7],
        described.trim(),
        "main@{0}",
        "HEAD^{/two}",
        "main^0",
    ] {
        let told = sandbox.git(&["rev-parse", &format!("{name}^{{commit}}")]);
        let ours = sandbox.repo().sides(&range(name, "")).unwrap();
        assert_eq!(ours.base.tip, told.trim(), "{name}");
    }
    assert_eq!(
        sides_error(&sandbox, &range("main~9", "")).code,
        Code::UnknownRef
    );
}

#[test]
fn a_release_that_is_head_is_the_working_tree() {
    let sandbox = three_commits();
    for name in ["", ".", "HEAD", "main", &sandbox.head()] {
        assert!(
            sandbox
                .repo()
                .sides(&range("v1", name))
                .unwrap()
                .release
                .worktree,
            "{name}"
        );
    }
    assert!(
        !sandbox
            .repo()
            .sides(&range("v1", "HEAD~1"))
            .unwrap()
            .release
            .worktree
    );
    sandbox.git(&["checkout", "-q", "--detach", "HEAD~1"]);
    sandbox.write("a.go", lines("a", 40));
    assert_equals_oracle(&sandbox, "v1", "", &[]);
}

#[test]
fn a_bare_repository_has_commits_to_compare() {
    let sandbox = three_commits();
    sandbox.git(&["clone", "-q", "--bare", ".", "bare.git"]);
    let repo = Repo::open(&sandbox.at("bare.git")).unwrap();
    let (sides, found) = changes(&repo, &range("v1", ""), true);
    assert!(!sides.release.worktree);
    assert_eq!(
        ours(&found, &[]),
        oracle(&sandbox.at("bare.git"), "v1", "HEAD", true)
    );
}

#[test]
fn borrowed_objects_are_found() {
    let sandbox = three_commits();
    sandbox.git(&["clone", "-q", "--shared", ".", "shared"]);
    let repo = Repo::open(&sandbox.at("shared")).unwrap();
    let (_, found) = changes(&repo, &range("v1", ""), true);
    assert_eq!(
        ours(&found, &[]),
        oracle(&sandbox.at("shared"), "v1", "", true)
    );
}

#[test]
fn replaced_objects_are_seen_as_git_shows_them() {
    let sandbox = three_commits();
    let second = sandbox.git(&["rev-parse", "HEAD~1"]);
    sandbox.git(&["checkout", "-q", "-b", "tmp", "v1"]);
    sandbox.write("a.go", lines("a", 22).replace("a3(", "three("));
    sandbox.write("b.go", lines("b", 23));
    let other = sandbox.commit("instead of two");
    sandbox.git(&["checkout", "-q", "main"]);
    sandbox.git(&["replace", second.trim(), &other]);
    let before = sandbox.git(&["rev-parse", "HEAD~1:b.go"]);
    assert_equals_oracle(&sandbox, "HEAD~1", "HEAD", &[]);
    assert_blame(&sandbox, "v1", "HEAD");
    assert_blame(&sandbox, "v1", "");
    // A replaced blob.
    sandbox.write("blob", lines("replaced", 9));
    let blob = sandbox.git(&["hash-object", "-w", "blob"]);
    sandbox.git(&["replace", before.trim(), blob.trim()]);
    assert_equals_oracle(&sandbox, "v1", "HEAD~1", &[]);
}

#[test]
fn grafts_are_heard() {
    let sandbox = three_commits();
    let ids = sandbox.git(&["rev-list", "HEAD"]);
    let ids: Vec<&str> = ids.lines().collect();
    std::fs::write(
        sandbox.at(".git/info/grafts"),
        format!("{} {}\n", ids[0], ids[2]),
    )
    .unwrap();
    assert_blame(&sandbox, "v1", "HEAD");
    assert_equals_oracle(&sandbox, "HEAD~1", "HEAD", &[]);
    assert!(sides_error(&sandbox, &range("HEAD~2", "")).code == Code::UnknownRef);
}

fn url(sandbox: &Sandbox) -> String {
    format!("file://{}", sandbox.path().display())
}

#[test]
fn shallow_clones_say_how_to_deepen() {
    let sandbox = three_commits();
    sandbox.git(&["branch", "side", "HEAD~1"]);
    let origin = url(&sandbox);
    let clone = Sandbox::bare_dir();
    clone.git(&[
        "clone",
        "-q",
        "--depth=1",
        "--no-single-branch",
        "--no-tags",
        &origin,
        "c",
    ]);
    let repo = Repo::open(&clone.at("c")).unwrap();
    let error = repo.sides(&RangeSpec::default()).unwrap_err();
    assert_eq!(error.code, Code::MissingObjects);
    assert!(
        error.hint.contains("git fetch --unshallow"),
        "{}",
        error.hint
    );
    let spec = RangeSpec {
        base: Some("origin/side".into()),
        ..RangeSpec::default()
    };
    let error = repo.sides(&spec).unwrap_err();
    assert_eq!(error.code, Code::MissingObjects);
    assert!(error.hint.contains("--deepen"), "{}", error.hint);
    let error = repo.sides(&range("HEAD~1", "")).unwrap_err();
    assert_eq!(error.code, Code::MissingObjects);
    assert_eq!(
        repo.sides(&range("v1", "")).unwrap_err().code,
        Code::UnknownRef
    );
    // Both tips are there: what needs no history works.
    let (sides, found) = changes(&repo, &range("origin/side", ""), true);
    assert_eq!(
        ours(&found, &[]),
        oracle(&clone.at("c"), "origin/side", "", true)
    );
    // Blame would have to look beyond the cut.
    let error = repo
        .blame_lines(&sides, &["b.go".into()], &|_, _| None, &Control::new())
        .unwrap_err();
    assert_eq!(error.code, Code::MissingObjects);
    clone.git_in("c", &["fetch", "-q", "--unshallow"]);
    let repo = Repo::open(&clone.at("c")).unwrap();
    let sides = repo.sides(&spec).unwrap();
    let new = repo.blame_lines(&sides, &["b.go".into()], &|_, _| None, &Control::new());
    assert_eq!(new.unwrap()["b.go"], [22, 23, 24, 25]);
}

#[test]
fn partial_clones_work_or_say_what_to_fetch() {
    let sandbox = three_commits();
    sandbox.git(&["config", "uploadpack.allowFilter", "true"]);
    sandbox.git(&["config", "uploadpack.allowAnySHA1InWant", "true"]);
    let origin = url(&sandbox);
    let clone = Sandbox::bare_dir();
    clone.git(&["clone", "-q", "--filter=blob:none", &origin, "c"]);
    clone.git_in("c", &["config", "core.repositoryformatversion", "1"]);
    clone.git_in("c", &["config", "extensions.partialClone", "origin"]);
    clone.write("c/.gitignore", "ignored.go\n");
    clone.write("c/ignored.go", "package a\n");
    clone.write("c/.git/info/exclude", "excluded.go\n");
    clone.write("c/excluded.go", "package a\n");
    clone.write("c/.gitattributes", "*.go text\n");
    clone.write("c/crlf.go", lines("a", 3).replace('\n', "\r\n"));
    let repo = Repo::open(&clone.at("c")).unwrap();
    let sides = repo.sides(&range("v1", "")).unwrap();
    let error = repo
        .changes(&sides, true, &|_, _| None, None, &Control::new())
        .unwrap_err();
    assert_eq!(error.code, Code::MissingObjects);
    assert!(
        error.hint.contains("git diff BASE RELEASE"),
        "{}",
        error.hint
    );
    clone.git_in("c", &["diff", "v1", "HEAD"]);
    let repo = Repo::open(&clone.at("c")).unwrap();
    let (_, found) = changes(&repo, &range("v1", ""), true);
    assert_eq!(
        ours(&found, &["crlf.go"]),
        oracle(&clone.at("c"), "v1", "", true)
    );
    let untracked: Vec<&str> = found
        .files
        .iter()
        .filter(|file| file.old.is_none())
        .map(|file| file.path.as_str())
        .collect();
    assert_eq!(untracked, ["crlf.go"]);
}

#[test]
fn a_partial_clone_needs_go_files_only() {
    let sandbox = Sandbox::new();
    sandbox.write("a.go", lines("a", 20));
    sandbox.commit("base");
    sandbox.git(&["tag", "v1"]);
    sandbox.write("data.txt", lines("d", 200));
    sandbox.write("moved.go", lines("m", 50));
    sandbox.commit("add");
    // A deleted file that may have become any of the added ones, in a merge as well.
    sandbox.remove("data.txt");
    sandbox.remove("moved.go");
    sandbox.write("new/moved.go", lines("m", 50) + "// more\n");
    sandbox.write("new.go", lines("n", 180));
    sandbox.write("a.go", lines("a", 20) + "// b\n");
    sandbox.commit("change");
    sandbox.git(&["config", "uploadpack.allowFilter", "true"]);
    sandbox.git(&["config", "uploadpack.allowAnySHA1InWant", "true"]);
    let clone = Sandbox::bare_dir();
    clone.git(&["clone", "-q", "--filter=blob:none", &url(&sandbox), "c"]);
    let blame = || {
        let repo = Repo::open(&clone.at("c")).unwrap();
        let sides = repo.sides(&range("v1", "")).unwrap();
        let paths = ["a.go", "new.go", "new/moved.go"].map(str::to_owned);
        repo.blame_lines(&sides, &paths, &|_, _| None, &Control::new())
    };
    let error = blame().unwrap_err();
    assert_eq!(error.code, Code::MissingObjects, "a Go file is missing");
    assert!(error.hint.contains("git log -p"), "{}", error.hint);

    clone.git_in("c", &["log", "-p", "v1..HEAD", "--", "*.go"]);
    let missing = clone.git_in("c", &["rev-list", "--objects", "--missing=print", "HEAD"]);
    assert!(missing.contains('?'), "data.txt is not here");
    let found = blame().unwrap();
    for (path, lines) in found {
        assert_eq!(lines, blame_oracle(&sandbox, "v1", "", &path), "{path}");
    }
    // Between the two commits data.txt may have become new.go.
    let repo = Repo::open(&clone.at("c")).unwrap();
    let (_, found) = changes(&repo, &range("HEAD~1", ""), true);
    let whole = oracle(&sandbox.path(), "HEAD~1", "", true);
    assert_eq!(ours(&found, &[]), whole);
    let missing = clone.git_in("c", &["rev-list", "--objects", "--missing=print", "HEAD"]);
    assert!(missing.contains('?'), "data.txt is still not here");
}

#[test]
fn a_cancelled_operation_stops() {
    let sandbox = three_commits();
    let repo = sandbox.repo();
    let sides = repo.sides(&range("v1", "")).unwrap();
    let control = Control::new();
    control.cancel();
    let changes = repo.changes(&sides, true, &|_, _| None, None, &control);
    assert_eq!(changes.unwrap_err().code, Code::Cancelled);
    let blame = repo.blame_lines(&sides, &["b.go".into()], &|_, _| None, &control);
    assert_eq!(blame.unwrap_err().code, Code::Cancelled);
}
