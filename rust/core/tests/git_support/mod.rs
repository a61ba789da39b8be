//! Scripted repositories, made with the real git, and what git says of them.
#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "each test binary uses its part of it"
)]
#![expect(
    clippy::unwrap_used,
    clippy::case_sensitive_file_extension_comparisons,
    reason = "a test may panic, and the go command knows one spelling of .go"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use goat_core::control::Control;
use goat_core::git::{Changes, RangeSpec, Repo, Sides};
use goat_core::model::Hunk;

/// The options of the oracle command (contracts: settled questions, 8).
pub const ORACLE: [&str; 4] = [
    "-c",
    "diff.algorithm=myers",
    "-c",
    "diff.indentHeuristic=true",
];

/// A repository in a directory of its own.
pub struct Sandbox {
    dir: tempfile::TempDir,
    clock: std::cell::Cell<i64>,
}

impl Sandbox {
    /// An empty repository on branch `main`.
    pub fn new() -> Self {
        let sandbox = Self::bare_dir();
        sandbox.git(&["init", "-q", "-b", "main", "."]);
        sandbox
    }

    /// A directory without a repository.
    pub fn bare_dir() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self {
            dir,
            clock: std::cell::Cell::new(1_700_000_000),
        }
    }

    pub fn path(&self) -> PathBuf {
        self.dir.path().canonicalize().unwrap()
    }

    pub fn at(&self, path: &str) -> PathBuf {
        self.path().join(path)
    }

    /// Runs git, which must succeed, and gives its standard output.
    pub fn git(&self, args: &[&str]) -> String {
        self.git_in(".", args)
    }

    pub fn git_in(&self, dir: &str, args: &[&str]) -> String {
        let out = self.try_git(dir, args);
        let err = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success(), "git {args:?}: {err}");
        String::from_utf8_lossy(&out.stdout).into_owned()
    }

    pub fn try_git(&self, dir: &str, args: &[&str]) -> Output {
        command(&self.at(dir), self.clock.get())
            .args(args)
            .output()
            .unwrap()
    }

    /// Sets the date of the next commits.
    pub fn set_clock(&self, seconds: i64) {
        self.clock.set(seconds);
    }

    pub fn clock(&self) -> i64 {
        self.clock.get()
    }

    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let full = self.at(path);
        std::fs::create_dir_all(full.parent().unwrap()).unwrap();
        std::fs::write(full, content).unwrap();
    }

    pub fn remove(&self, path: &str) {
        std::fs::remove_file(self.at(path)).unwrap();
    }

    /// Adds everything and commits a minute later than before.
    pub fn commit(&self, message: &str) -> String {
        self.git(&["add", "-A", "."]);
        self.commit_index(message)
    }

    pub fn commit_index(&self, message: &str) -> String {
        self.clock.set(self.clock.get() + 60);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.head()
    }

    pub fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"]).trim().to_owned()
    }

    pub fn repo(&self) -> Repo {
        Repo::open(&self.path()).unwrap()
    }
}

/// A git command that hears no configuration but the repository's.
pub fn command(dir: &Path, clock: i64) -> Command {
    let date = format!("{clock} +0000");
    let mut command = Command::new("git");
    command
        .current_dir(dir)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_AUTHOR_NAME", "A")
        .env("GIT_AUTHOR_EMAIL", "a@example.com")
        .env("GIT_COMMITTER_NAME", "C")
        .env("GIT_COMMITTER_EMAIL", "c@example.com")
        .env("GIT_AUTHOR_DATE", &date)
        .env("GIT_COMMITTER_DATE", &date)
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C");
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        command.env_remove(name);
    }
    command
}

/// A range between two revisions; an empty release is the working tree.
pub fn range(base: &str, release: &str) -> RangeSpec {
    RangeSpec {
        base: Some(base.to_owned()),
        release: Some(release.to_owned()).filter(|name| !name.is_empty()),
        direct: true,
    }
}

/// Sides and changes of a range, without marks.
pub fn changes(repo: &Repo, spec: &RangeSpec, renames: bool) -> (Sides, Changes) {
    let sides = repo.sides(spec).unwrap();
    let changes = repo
        .changes(&sides, renames, &|_, _| None, None, &Control::new())
        .unwrap();
    (sides, changes)
}

/// What the oracle says of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    pub old_path: Option<String>,
    pub hunks: Vec<(u32, u32, u32, u32)>,
}

/// The oracle's answer for Go files that are not tests: per path of the release (of
/// the base for a deleted file), renames and hunks.
pub fn oracle(dir: &Path, base: &str, release: &str, renames: bool) -> BTreeMap<String, Told> {
    let mut git = command(dir, 0);
    git.args(ORACLE)
        .args(["-c", "core.quotePath=false", "diff", "--no-ext-diff"]);
    git.args(["--no-textconv", "--text", "-U0", "--no-color", "-l0"]);
    git.arg(if renames { "-M50%" } else { "--no-renames" })
        .arg(base);
    if !release.is_empty() {
        git.arg(release);
    }
    let out = git.output().unwrap();
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    parse_diff(&String::from_utf8_lossy(&out.stdout))
}

/// Reads unified diff text.
pub fn parse_diff(diff: &str) -> BTreeMap<String, Told> {
    let mut all = BTreeMap::new();
    let (mut old, mut new, mut told) = (String::new(), String::new(), Told::default());
    let mut skip = 0_u32;
    let mut flush = |old: &mut String, new: &mut String, told: &mut Told| {
        let path = if new.is_empty() {
            std::mem::take(old)
        } else {
            std::mem::take(new)
        };
        let told = std::mem::take(told);
        let worth = !told.hunks.is_empty() || told.old_path.is_some();
        if path.ends_with(".go") && !path.ends_with("_test.go") && worth {
            all.insert(path, told);
        }
        old.clear();
    };
    for line in diff.split('\n') {
        if skip > 0 && line.starts_with(['-', '+']) {
            skip -= 1;
        } else if line.starts_with("diff --git ") {
            flush(&mut old, &mut new, &mut told);
        } else if let Some(path) = line.strip_prefix("rename from ") {
            told.old_path = Some(path.to_owned());
        } else if let Some(path) = line.strip_prefix("rename to ") {
            path.clone_into(&mut new);
        } else if let Some(path) = line.strip_prefix("--- a/") {
            path.trim_end_matches('\t').clone_into(&mut old);
        } else if let Some(path) = line.strip_prefix("+++ b/") {
            path.trim_end_matches('\t').clone_into(&mut new);
        } else if let Some(rest) = line.strip_prefix("@@ -") {
            let hunk = parse_hunk(rest);
            skip = hunk.1 + hunk.3;
            told.hunks.push(hunk);
        }
    }
    flush(&mut old, &mut new, &mut told);
    all
}

fn parse_hunk(rest: &str) -> (u32, u32, u32, u32) {
    let (ranges, _) = rest.split_once(" @@").unwrap();
    let (old, new) = ranges.split_once(" +").unwrap();
    let pair = |range: &str| match range.split_once(',') {
        Some((start, count)) => (start.parse().unwrap(), count.parse().unwrap()),
        None => (range.parse().unwrap(), 1),
    };
    let ((a, b), (c, d)) = (pair(old), pair(new));
    (a, b, c, d)
}

/// The same shape from our answer; untracked files are left out.
pub fn ours(changes: &Changes, untracked: &[&str]) -> BTreeMap<String, Told> {
    let hunk = |h: &Hunk| (h.old_start, h.old_lines, h.new_start, h.new_lines);
    changes
        .files
        .iter()
        .filter(|file| !(file.old.is_none() && untracked.contains(&file.path.as_str())))
        .map(|file| {
            let hunks: Vec<_> = file.hunks.iter().map(hunk).collect();
            (
                file.path.clone(),
                Told {
                    old_path: file.old_path.clone(),
                    hunks,
                },
            )
        })
        .filter(|(_, told)| !told.hunks.is_empty() || told.old_path.is_some())
        .collect()
}

/// Compares with the oracle, with and without renames.
pub fn assert_equals_oracle(sandbox: &Sandbox, base: &str, release: &str, untracked: &[&str]) {
    let repo = sandbox.repo();
    for renames in [true, false] {
        let (_, changes) = changes(&repo, &range(base, release), renames);
        let told = oracle(&sandbox.path(), base, release, renames);
        assert_eq!(
            ours(&changes, untracked),
            told,
            "{base}..{release:?} renames={renames}"
        );
    }
}

/// A reproducible stream of numbers.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The same as a number of seconds.
    pub fn seconds(&mut self, sides: usize) -> i64 {
        i64::try_from(self.roll(sides)).unwrap()
    }

    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % sides.max(1)
    }
}

/// A line out of few different ones, so that there is more than one shortest diff.
pub fn any_line(dice: &mut Dice) -> String {
    const LINES: [&str; 9] = [
        "",
        "}",
        "\tif err != nil {",
        "\t\treturn err",
        "\t}",
        "\tx := 1",
        "{",
        "\tcall()",
        "func f() {",
    ];
    match dice.roll(4) {
        0 => format!("\tunique{}()", dice.roll(1000)),
        _ => LINES[dice.roll(LINES.len())].to_owned(),
    }
}

/// A text of that many lines.
pub fn any_text(dice: &mut Dice, lines: usize) -> Vec<String> {
    (0..lines).map(|_| any_line(dice)).collect()
}

/// Changes a text in a few places.
pub fn edit(dice: &mut Dice, lines: &mut Vec<String>, edits: usize) {
    for _ in 0..edits {
        let at = dice.roll(lines.len() + 1);
        match dice.roll(5) {
            0 if at < lines.len() => {
                lines.remove(at);
            }
            1 if at < lines.len() => lines[at] = any_line(dice),
            2 if at < lines.len() => {
                let end = (at + 1 + dice.roll(6)).min(lines.len());
                let block: Vec<String> = lines.drain(at..end).collect();
                let to = dice.roll(lines.len() + 1);
                lines.splice(to..to, block);
            }
            3 if at < lines.len() => {
                let end = (at + 1 + dice.roll(5)).min(lines.len());
                let block = lines[at..end].to_vec();
                let to = dice.roll(lines.len() + 1);
                lines.splice(to..to, block);
            }
            _ => {
                let count = 1 + dice.roll(4);
                lines.splice(at..at, any_text(dice, count));
            }
        }
    }
}

/// Joins lines, sometimes with CRLF or without the last line end.
pub fn join(lines: &[String], crlf: bool, last: bool) -> Vec<u8> {
    let end = if crlf { "\r\n" } else { "\n" };
    let mut text = lines.join(end);
    if last && !lines.is_empty() {
        text.push_str(end);
    }
    text.into_bytes()
}

/// A commit of a made-up history.
#[derive(Clone, Debug, Default)]
pub struct Made {
    pub parents: Vec<usize>,
    pub date: i64,
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Sandbox {
    /// Writes a history in one go and gives the commits' ids. The last one is checked
    /// out on `main`.
    pub fn import(&self, history: &[Made]) -> Vec<String> {
        let mut stream: Vec<u8> = Vec::new();
        for (n, made) in history.iter().enumerate() {
            stream.extend(format!("reset refs/made/{n}\ncommit refs/made/{n}\n").bytes());
            stream.extend(format!("mark :{}\n", n + 1).bytes());
            stream.extend(format!("committer C <c@example.com> {} +0000\n", made.date).bytes());
            stream.extend(b"data 0\n");
            for (k, parent) in made.parents.iter().enumerate() {
                let word = if k == 0 { "from" } else { "merge" };
                stream.extend(format!("{word} :{}\n", parent + 1).bytes());
            }
            stream.extend(b"deleteall\n");
            for (path, content) in &made.files {
                stream.extend(format!("M 100644 inline {path}\ndata {}\n", content.len()).bytes());
                stream.extend(content);
                stream.push(b'\n');
            }
        }
        let mut child = command(&self.path(), 0)
            .args(["fast-import", "--quiet", "--force"])
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), &stream).unwrap();
        assert!(child.wait().unwrap().success());
        let last = format!("refs/made/{}", history.len() - 1);
        self.git(&["checkout", "-q", "-B", "main", &last]);
        let names: Vec<String> = (0..history.len())
            .map(|n| format!("refs/made/{n}"))
            .collect();
        let mut args = vec!["rev-parse"];
        args.extend(names.iter().map(String::as_str));
        self.git(&args).lines().map(str::to_owned).collect()
    }
}

/// The lines of a file that `git blame` gives to a commit that the base does not
/// reach, or to none; an empty release is the working tree.
pub fn blame_oracle(sandbox: &Sandbox, base: &str, release: &str, path: &str) -> Vec<u32> {
    let old = sandbox.git(&["rev-list", base]);
    let old: std::collections::HashSet<&str> = old.lines().collect();
    let range = if release.is_empty() {
        format!("^{base}")
    } else {
        format!("{base}..{release}")
    };
    let args = [
        "-c",
        "blame.ignoreRevsFile=",
        "blame",
        "--no-textconv",
        "-p",
        &range,
        "--",
        path,
    ];
    let told = sandbox.git(&args);
    let header = |line: &str| {
        let mut words = line.split(' ');
        let id = words.next().filter(|word| word.len() == 40)?;
        let line: u32 = words.nth(1)?.parse().ok()?;
        id.bytes()
            .all(|b| b.is_ascii_hexdigit())
            .then(|| (id.to_owned(), line))
    };
    let mut new: Vec<u32> = told
        .lines()
        .filter(|line| !line.starts_with('\t'))
        .filter_map(header)
        .filter(|(id, _)| !old.contains(id.as_str()))
        .map(|(_, line)| line)
        .collect();
    new.sort_unstable();
    new
}

/// Compares blame with git's for all Go files of the release.
pub fn assert_blame(sandbox: &Sandbox, base: &str, release: &str) -> usize {
    let repo = sandbox.repo();
    let sides = repo.sides(&range(base, release)).unwrap();
    let listed = if release.is_empty() {
        sandbox.git(&["ls-files", "*.go"])
    } else {
        sandbox.git(&["ls-tree", "-r", "--name-only", release])
    };
    let on_disk = |path: &&str| !release.is_empty() || sandbox.at(path).is_file();
    let paths: Vec<String> = listed
        .lines()
        .filter(|path| path.ends_with(".go") && !path.ends_with("_test.go"))
        .filter(on_disk)
        .map(str::to_owned)
        .collect();
    let ours = repo
        .blame_lines(&sides, &paths, &|_, _| None, &Control::new())
        .unwrap();
    let mut total = 0;
    for path in &paths {
        let told = blame_oracle(sandbox, base, release, path);
        assert_eq!(
            ours.get(path),
            Some(&told),
            "{path}, {base}..{release:?} in {sandbox:?}"
        );
        total += told.len();
    }
    total
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.path().display())
    }
}
