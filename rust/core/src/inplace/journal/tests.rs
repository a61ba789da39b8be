#![expect(clippy::unwrap_used, reason = "a test may panic")]

use super::*;

struct Tree {
    dir: tempfile::TempDir,
}

impl Tree {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join(".git")).unwrap();
        for (name, text) in [("a.go", "a\n"), ("b.go", "b\n"), ("gen/c.go", "c\n")] {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self { dir }
    }

    fn changes(&self) -> Vec<Change> {
        let change = |name: &str, text: Option<&str>| Change {
            path: self.dir.path().join(name),
            content: text.map(|text| text.as_bytes().to_vec()),
        };
        vec![
            change("a.go", Some("A\n")),
            change("new/sub/d.go", Some("D\n")),
            change("gen/c.go", None),
            change("b.go", Some("B\n")),
        ]
    }

    /// Every file and directory outside `.git`.
    fn list(&self) -> Vec<(String, Option<String>)> {
        let mut found = Vec::new();
        let mut todo = vec![self.dir.path().to_owned()];
        while let Some(dir) = todo.pop() {
            for file in fs::read_dir(dir)
                .unwrap()
                .flatten()
                .filter(|file| file.file_name() != ".git")
            {
                let name = file
                    .path()
                    .strip_prefix(self.dir.path())
                    .unwrap()
                    .display()
                    .to_string();
                let text = fs::read_to_string(file.path()).ok();
                if text.is_none() {
                    todo.push(file.path());
                }
                found.push((name, text));
            }
        }
        found.sort();
        found
    }
}

#[test]
fn all_changes_are_made_and_nothing_else_is_left() {
    let tree = Tree::new();
    apply(tree.dir.path(), &tree.changes(), &Control::default()).unwrap();
    let names: Vec<_> = tree
        .list()
        .into_iter()
        .map(|(name, text)| name + "=" + &text.unwrap_or_default())
        .collect();
    assert_eq!(
        names,
        [
            "a.go=A\n",
            "b.go=B\n",
            "new=",
            "new/sub=",
            "new/sub/d.go=D\n"
        ]
    );
    let left: Vec<_> = fs::read_dir(tree.dir.path().join(".git/goat"))
        .unwrap()
        .flatten()
        .map(|f| f.file_name())
        .collect();
    assert_eq!(left, ["lock"]);
}

#[test]
fn a_run_that_died_anywhere_is_undone() {
    for steps in 0..=4 {
        let tree = Tree::new();
        let before = tree.list();
        let time = fs::metadata(tree.dir.path().join("a.go"))
            .unwrap()
            .modified()
            .unwrap();
        {
            let state = State::open(tree.dir.path(), &Control::new()).unwrap();
            let entries = state.prepare(&tree.changes()).unwrap();
            state.write_journal(&entries).unwrap();
            for (index, entry) in entries.iter().enumerate().take(steps) {
                state.replace_one(index, entry).unwrap();
            }
        }
        assert_eq!(
            recover(&tree.dir.path().join("gen"), &Control::new()).unwrap_or_else(|_| recover(
                tree.dir.path(),
                &Control::new()
            )
            .unwrap()),
            [] as [PathBuf; 0]
        );
        assert_eq!(
            recover(tree.dir.path(), &Control::new()).unwrap(),
            [] as [PathBuf; 0]
        );
        assert_eq!(tree.list(), before, "after {steps} steps");
        assert_eq!(
            fs::metadata(tree.dir.path().join("a.go"))
                .unwrap()
                .modified()
                .unwrap(),
            time
        );
    }
}

#[test]
fn what_somebody_changed_since_is_left_and_named() {
    let tree = Tree::new();
    {
        let state = State::open(tree.dir.path(), &Control::new()).unwrap();
        let entries = state.prepare(&tree.changes()).unwrap();
        state.write_journal(&entries).unwrap();
        state.replace(&entries).unwrap();
    }
    fs::write(tree.dir.path().join("a.go"), "mine\n").unwrap();
    let left = recover(tree.dir.path(), &Control::new()).unwrap();
    assert_eq!(
        left,
        [fs::canonicalize(tree.dir.path().join("a.go")).unwrap()]
    );
    assert_eq!(
        fs::read_to_string(tree.dir.path().join("a.go")).unwrap(),
        "mine\n"
    );
    assert_eq!(
        fs::read_to_string(tree.dir.path().join("b.go")).unwrap(),
        "b\n"
    );
}

#[test]
fn a_failure_undoes_what_was_done() {
    let tree = Tree::new();
    let before = tree.list();
    let mut changes = tree.changes();
    // A file where a directory is needed.
    changes.push(Change {
        path: tree.dir.path().join("b.go/x.go"),
        content: Some(b"x".to_vec()),
    });
    let error = apply(tree.dir.path(), &changes, &Control::default()).unwrap_err();
    assert_eq!(error.code, Code::Unwritable);
    assert_eq!(tree.list(), before);
}

#[cfg(unix)]
#[test]
fn modes_and_links_are_kept_and_a_read_only_file_is_refused() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let tree = Tree::new();
    let (file, link) = (tree.dir.path().join("a.go"), tree.dir.path().join("l.go"));
    symlink("a.go", &link).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o751)).unwrap();
    let change = Change {
        path: link.clone(),
        content: Some(b"via link\n".to_vec()),
    };
    apply(tree.dir.path(), &[change], &Control::default()).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&file).unwrap(), "via link\n");
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o751
    );

    fs::set_permissions(&file, fs::Permissions::from_mode(0o444)).unwrap();
    let before = tree.list();
    let error = apply(tree.dir.path(), &tree.changes(), &Control::default()).unwrap_err();
    assert_eq!(error.code, Code::Unwritable);
    assert!(error.causes[0].contains("read-only"), "{error:?}");
    assert_eq!(tree.list(), before);
}

#[test]
fn a_worktree_keeps_its_journal_in_its_own_git_directory() {
    let tree = Tree::new();
    let git = tree.dir.path().join(".git/worktrees/w");
    fs::create_dir_all(&git).unwrap();
    let work = tempfile::tempdir().unwrap();
    fs::write(
        work.path().join(".git"),
        format!("gitdir: {}\n", git.display()),
    )
    .unwrap();
    assert_eq!(Place::of(work.path()).unwrap().dir, git.join("goat"));
}

#[test]
fn without_git_the_journal_is_beside_the_module() {
    let dir = tempfile::tempdir().unwrap();
    let change = Change {
        path: dir.path().join("a.go"),
        content: Some(b"a".to_vec()),
    };
    apply(dir.path(), &[change], &Control::default()).unwrap();
    assert!(dir.path().join(".goat/inplace/lock").exists());
    assert_eq!(
        recover(&dir.path().join(".."), &Control::new()).unwrap(),
        [] as [PathBuf; 0]
    );
}

/// A journal in the repository of `tree` that has `target` written over.
fn plant(tree: &Tree, target: &Path) {
    let state = State::open(tree.dir.path(), &Control::new()).unwrap();
    fs::write(state.old_file(0), "planted\n").unwrap();
    let entry = Entry {
        path: target.to_owned(),
        old: Some(hash(b"planted\n")),
        new: fs::read(target).ok().map(|text| hash(&text)),
    };
    state.write_journal(&[entry]).unwrap();
}

#[test]
fn security_a_journal_that_leaves_the_repository_is_not_played() {
    let outside = tempfile::tempdir().unwrap();
    let victim = outside.path().canonicalize().unwrap().join("victim");
    fs::write(&victim, "mine\n").unwrap();
    let beside = victim.with_file_name(".victim.goat~");
    fs::write(&beside, "mine too\n").unwrap();
    for how in ["absolute", "up", "hook", "link"] {
        let tree = Tree::new();
        let root = tree.dir.path().canonicalize().unwrap();
        let target = match how {
            "absolute" => victim.clone(),
            "up" => root
                .join("gen/../../")
                .join(victim.strip_prefix("/").unwrap()),
            "hook" => root.join(".git/hooks/post-checkout"),
            _ => {
                #[cfg(unix)]
                std::os::unix::fs::symlink(outside.path(), root.join("link")).unwrap();
                root.join("link/victim")
            }
        };
        plant(&tree, &target);
        let error = recover(tree.dir.path(), &Control::new()).unwrap_err();
        assert_eq!(error.code, Code::BadMarks, "{how}");
        assert_eq!(fs::read_to_string(&victim).unwrap(), "mine\n", "{how}");
        assert_eq!(fs::read_to_string(&beside).unwrap(), "mine too\n", "{how}");
        assert!(!root.join(".git/hooks/post-checkout").exists());
    }
}

/// Needs root, to make somebody else the owner.
#[cfg(unix)]
#[test]
fn security_a_journal_of_another_user_is_not_played() {
    use std::os::unix::fs::chown;
    if rustix::process::geteuid().as_raw() != 0 || std::env::var_os("SUDO_UID").is_some() {
        return;
    }
    for owned in ["", ".git", ".git/goat", ".git/goat/journal"] {
        let tree = Tree::new();
        let root = tree.dir.path().canonicalize().unwrap();
        plant(&tree, &root.join("a.go"));
        chown(root.join(owned), Some(65534), Some(65534)).unwrap();
        let left = recover(tree.dir.path(), &Control::new()).unwrap();
        assert_eq!(left, [] as [PathBuf; 0], "{owned}");
        assert_eq!(
            fs::read_to_string(root.join("a.go")).unwrap(),
            "a\n",
            "{owned}"
        );
        assert!(root.join(".git/goat/journal").exists(), "{owned}");
        let refused = apply(tree.dir.path(), &tree.changes(), &Control::new()).unwrap_err();
        assert_eq!(refused.code, Code::DubiousOwnership, "{owned}");
    }
}

#[test]
fn security_a_wait_for_the_lock_ends_when_the_caller_wants() {
    let tree = Tree::new();
    let held = State::open(tree.dir.path(), &Control::new()).unwrap();
    let control = Control::new();
    let stop = control.clone();
    let said = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
    let to = std::sync::Arc::clone(&said);
    let control = control.with_report(move |stage, _, _| {
        stage.clone_into(&mut to.lock().unwrap());
        stop.cancel();
    });
    let stopped = apply(tree.dir.path(), &tree.changes(), &control).unwrap_err();
    assert_eq!(stopped.code, Code::Cancelled);
    let expected = format!(
        "waiting for process {}, which holds the lock ",
        std::process::id()
    );
    assert!(said.lock().unwrap().starts_with(&expected));
    drop(held);
    apply(tree.dir.path(), &tree.changes(), &Control::new()).unwrap();
}
