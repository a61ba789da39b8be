//! From what a person writes to a commit.

use git2::{ObjectType, Oid};

use super::refs::peel;
use crate::error::{Code, Error, Result};
use crate::git::repo::Repo;

/// Fewest hex digits that can stand for an object.
const SHORTEST_ID: usize = 4;
/// How many near matches an error names.
const NEAR: usize = 3;

impl Repo {
    /// The commit that a revision names (`main`, `v1.2`, `HEAD~3`, `abc1234`, …).
    pub(in crate::git) fn commit_of(&self, revision: &str) -> Result<Oid> {
        let (name, suffix) = split_suffix(revision);
        let (Some(start), Some(steps)) = (self.object_of(name), steps(suffix)) else {
            return self
                .by_libgit2(revision)
                .ok_or_else(|| self.unknown(revision));
        };
        let mut current = self.peel_to_commit(start, revision)?;
        for step in steps {
            current = self.step(current, step, revision)?;
        }
        Ok(current)
    }

    fn object_of(&self, name: &str) -> Option<Oid> {
        let name = if name == "@" { "HEAD" } else { name };
        if name.len() == 40
            && let Ok(id) = Oid::from_str(name)
        {
            return Some(id);
        }
        if let Some(id) = self
            .refs
            .expand(name)
            .and_then(|full| self.refs.full(&full))
        {
            return Some(id);
        }
        if let Some(id) = self.upstream_of(name) {
            return Some(id);
        }
        // `git describe` prints v1.2-3-gabcdef0.
        let digits = name.rsplit_once("-g").map_or(name, |(_, digits)| digits);
        let is_id = digits.len() >= SHORTEST_ID && digits.len() <= 40;
        if is_id && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return self.store.by_prefix(&digits.to_ascii_lowercase());
        }
        None
    }

    fn upstream_of(&self, name: &str) -> Option<Oid> {
        let branch = name
            .strip_suffix("@{upstream}")
            .or_else(|| name.strip_suffix("@{u}"))?;
        let head = self
            .refs
            .head_branch()
            .and_then(|b| b.strip_prefix("refs/heads/"));
        let branch = if branch.is_empty() { head? } else { branch };
        self.refs.full(&self.upstream_ref(branch)?)
    }

    /// The full name of a branch's upstream.
    pub(in crate::git) fn upstream_ref(&self, branch: &str) -> Option<String> {
        let lookup = super::settings::Settings::lookup;
        let remote = lookup(&self.settings.branch_remotes, branch)?;
        let merge = lookup(&self.settings.branch_merges, branch)?;
        if remote == "." {
            return Some(merge.to_owned());
        }
        Some(format!(
            "refs/remotes/{remote}/{}",
            merge.strip_prefix("refs/heads/")?
        ))
    }

    fn peel_to_commit(&self, id: Oid, revision: &str) -> Result<Oid> {
        if self.store.kind(id).is_none() {
            return Err(self.store.missing(id).path(revision));
        }
        match peel(&self.store, id)? {
            (commit, ObjectType::Commit) => Ok(commit),
            (_, kind) => Err(Error::new(
                Code::UnknownRef,
                format!("{revision} is a {kind}, not a commit"),
            )
            .hint("name a commit, a branch or a tag of a commit")),
        }
    }

    fn step(&self, from: Oid, step: Step, revision: &str) -> Result<Oid> {
        let too_far = |id: Oid| {
            if self
                .commits
                .get(&self.store, id)
                .is_ok_and(|commit| commit.cut)
            {
                return Error::new(
                    Code::MissingObjects,
                    format!("{revision} lies beyond the cut of this shallow clone"),
                )
                .hint(self.store.missing_hint());
            }
            self.unknown(revision)
        };
        match step {
            Step::Commit | Step::Parent(0) => Ok(from),
            Step::Parent(n) => {
                let commit = self.commits.get(&self.store, from)?;
                commit
                    .parents
                    .get(n - 1)
                    .copied()
                    .ok_or_else(|| too_far(from))
            }
            Step::Back(n) => {
                let mut current = from;
                for _ in 0..n {
                    let commit = self.commits.get(&self.store, current)?;
                    current = commit
                        .parents
                        .first()
                        .copied()
                        .ok_or_else(|| too_far(current))?;
                }
                Ok(current)
            }
        }
    }

    /// Revision syntax beyond names and steps (`@{yesterday}`, `:/text`) is libgit2's.
    fn by_libgit2(&self, revision: &str) -> Option<Oid> {
        let guard = self
            .libgit2
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let object = guard.as_ref()?.revparse_single(revision).ok()?;
        object.peel_to_commit().ok().map(|commit| commit.id())
    }

    /// The error for a name that nothing has, with names that look like it.
    pub(in crate::git) fn unknown(&self, revision: &str) -> Error {
        let error = Error::new(
            Code::UnknownRef,
            format!("no commit is called {revision:?}"),
        );
        let near = self.near(revision);
        let limits = self.store.limits();
        let get = |depth: &str| {
            format!(
                "`git fetch{depth} origin tag {revision}` gets it where it is a tag, \
                 `git fetch{depth} origin {revision}:{revision}` where it is a branch"
            )
        };
        let hint = match (near.is_empty(), limits.shallow) {
            (true, false) => format!("see `git branch --all` and `git tag`; {}", get("")),
            (true, true) => format!("this is a shallow clone: {}", get(" --depth=500")),
            (false, false) => format!("did you mean {}?", near.join(", ")),
            (false, true) => format!(
                "did you mean {}? This is a shallow clone: {}",
                near.join(", "),
                get(" --depth=500")
            ),
        };
        error.hint(hint)
    }

    fn near(&self, wanted: &str) -> Vec<String> {
        let limit = wanted.chars().count().div_ceil(3);
        let lower = wanted.to_lowercase();
        let score = |name: &str| {
            let name_lower = name.to_lowercase();
            let tail = name_lower.rsplit('/').next().unwrap_or(&name_lower);
            let distance = edit_distance(&name_lower, &lower).min(edit_distance(tail, &lower) + 1);
            let same_tail = tail == lower;
            if same_tail { 0 } else { distance }
        };
        let mut names: Vec<(usize, &str)> = self
            .refs
            .short_names()
            .map(|name| (score(name), name))
            .filter(|&(distance, _)| distance <= limit)
            .collect();
        names.sort_unstable();
        names.dedup_by_key(|&mut (_, name)| name);
        names
            .into_iter()
            .take(NEAR)
            .map(|(_, name)| name.to_owned())
            .collect()
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// `^{commit}` and the like.
    Commit,
    /// `^N`
    Parent(usize),
    /// `~N`
    Back(usize),
}

/// Splits `main~2^2` into `main` and `~2^2`.
fn split_suffix(revision: &str) -> (&str, &str) {
    revision
        .find(['~', '^'])
        .map_or((revision, ""), |at| revision.split_at(at))
}

fn steps(mut suffix: &str) -> Option<Vec<Step>> {
    let mut out = Vec::new();
    while let Some(sign) = suffix.chars().next() {
        suffix = &suffix[1..];
        if sign == '^' && suffix.starts_with('{') {
            let (inner, rest) = suffix[1..].split_once('}')?;
            if !matches!(inner, "" | "commit" | "object") {
                return None;
            }
            out.push(Step::Commit);
            suffix = rest;
            continue;
        }
        let digits = suffix.len()
            - suffix
                .trim_start_matches(|c: char| c.is_ascii_digit())
                .len();
        let count = if digits == 0 {
            1
        } else {
            suffix[..digits].parse().ok()?
        };
        suffix = &suffix[digits..];
        out.push(match sign {
            '^' => Step::Parent(count),
            '~' => Step::Back(count),
            _ => return None,
        });
    }
    Some(out)
}

/// Levenshtein distance in characters.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &cb) in b.iter().enumerate() {
            let replace = diagonal + usize::from(ca != cb);
            diagonal = row[j + 1];
            row[j + 1] = replace.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
