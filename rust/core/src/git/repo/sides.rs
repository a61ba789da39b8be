//! Which two states are compared.

use git2::Oid;

use super::commits::committer_date;
use super::describe::{is_pre_release, latest_tag};
use super::refs::peel;
use crate::error::{Code, Error, Result};
use crate::git::repo::Repo;

/// What the caller asks to compare.
#[derive(Clone, Debug, Default)]
pub struct RangeSpec {
    /// A commit, branch or tag; `INIT` for none (everything is new); `None` or empty
    /// for the default (see [`Repo::sides`]).
    pub base: Option<String>,
    /// A commit, branch or tag; `None`, empty, `.` and whatever resolves to HEAD mean
    /// the working tree (HEAD itself in a bare repository).
    pub release: Option<String>,
    /// Compare with the base's tip instead of the merge-base.
    pub direct: bool,
}

/// How the base's commit follows from the base's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// The merge-base of base and release.
    MergeBase,
    /// The commit that the name stands for (`--range=direct`).
    Direct,
    /// The latest tag before the release.
    Tag,
    /// The release's own commit: on the trunk without a tag, only uncommitted changes are new.
    Head,
    /// No base: everything is new.
    Init,
}

impl Chosen {
    /// The word of the plan document.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MergeBase => "merge-base",
            Self::Direct => "direct",
            Self::Tag => "tag",
            Self::Head => "head",
            Self::Init => "init",
        }
    }
}

/// The base side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// The name it was found by (`main`, `origin/main`, `v1.2`, `INIT`).
    pub reference: String,
    /// The commit that the name stands for, hex; empty for `INIT`.
    pub tip: String,
    /// The commit compared with, hex; empty for `INIT`.
    pub commit: String,
    /// How `commit` follows from the name.
    pub chosen: Chosen,
    /// Why this base was taken, for the summary line.
    pub why: String,
    /// The later tag of a pre-release that was not taken for it; empty for none.
    pub passed_over: String,
}

/// The release side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// The name asked for; `HEAD` for the working tree.
    pub reference: String,
    /// The commit (HEAD for the working tree), hex; empty before the first commit.
    pub commit: String,
    /// Whether the files of the working tree are the release.
    pub worktree: bool,
}

/// The two states to compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sides {
    /// What is stable.
    pub base: Base,
    /// What is new.
    pub release: Release,
}

impl Sides {
    /// Two states as they are: commits by their hex ids (an empty base: everything is
    /// new), or what is on disk above the release's commit.
    #[must_use]
    pub fn between(base: &str, release: &str, worktree: bool) -> Self {
        let mut from = init("INIT", "");
        if !base.is_empty() {
            base.clone_into(&mut from.reference);
            base.clone_into(&mut from.tip);
            base.clone_into(&mut from.commit);
            from.chosen = Chosen::Direct;
        }
        Self {
            base: from,
            release: Release {
                reference: "HEAD".into(),
                commit: release.to_owned(),
                worktree,
            },
        }
    }

    /// The base's commit; `None` where everything is new.
    pub(in crate::git) fn base_id(&self) -> Option<Oid> {
        Oid::from_str(&self.base.commit)
            .ok()
            .filter(|_| !self.base.commit.is_empty())
    }

    /// The release's commit; `None` before the first commit.
    pub(in crate::git) fn release_id(&self) -> Option<Oid> {
        Oid::from_str(&self.release.commit)
            .ok()
            .filter(|_| !self.release.commit.is_empty())
    }
}

impl Repo {
    /// Resolves what to compare.
    ///
    /// Without a base: the merge-base with the remote's default branch, else with
    /// `<remote>/main` or `/master`, `main` or `master`; where that is the release
    /// itself, the latest tag before it as `git describe --tags --abbrev=0` finds it
    /// from the release's first parent, pre-releases left out unless the release is one.
    pub fn sides(&self, spec: &RangeSpec) -> Result<Sides> {
        let release = self.release(spec.release.as_deref().unwrap_or_default())?;
        let head = Oid::from_str(&release.commit)
            .ok()
            .filter(|_| !release.commit.is_empty());
        let name = spec.base.as_deref().unwrap_or_default();
        let base = match (name, head) {
            ("INIT", _) => init("INIT", "no base asked for: everything is new"),
            ("", None) => init("INIT", "no commit yet: everything is new"),
            (name, None) => self.unborn_base(name)?,
            ("", Some(head)) => self.default_base(head, spec.direct)?,
            (name, Some(head)) => self.named_base(name, head, spec.direct)?,
        };
        Ok(Sides { base, release })
    }

    fn release(&self, name: &str) -> Result<Release> {
        let has_tree = self.layout.work.is_some();
        let head = self.refs.full("HEAD");
        if matches!(name, "" | "." | "HEAD" | "@") {
            if head.is_none() && !has_tree {
                return Err(
                    Error::new(Code::UnknownRef, "the repository has no commit yet")
                        .hint("commit something first"),
                );
            }
            let commit = head.map(|id| id.to_string()).unwrap_or_default();
            return Ok(Release {
                reference: "HEAD".into(),
                commit,
                worktree: has_tree,
            });
        }
        let id = self.commit_of(name)?;
        let worktree = has_tree && head == Some(id);
        Ok(Release {
            reference: name.to_owned(),
            commit: id.to_string(),
            worktree,
        })
    }

    fn named_base(&self, name: &str, head: Oid, direct: bool) -> Result<Base> {
        let tip = self.commit_of(name)?;
        let why = format!("{name} was asked for");
        self.base_from(name, tip, head, direct, why)
    }

    /// Without a release commit there is no merge-base: the base is its own tip.
    fn unborn_base(&self, name: &str) -> Result<Base> {
        let tip = self.commit_of(name)?;
        let (reference, id) = (name.to_owned(), tip.to_string());
        let why = format!("{name} was asked for, and HEAD has no commit yet");
        Ok(Base {
            reference,
            tip: id.clone(),
            commit: id,
            chosen: Chosen::Direct,
            why,
            passed_over: String::new(),
        })
    }

    fn base_from(
        &self,
        name: &str,
        tip: Oid,
        head: Oid,
        direct: bool,
        why: String,
    ) -> Result<Base> {
        let commit = if direct {
            tip
        } else {
            self.merge_base(name, tip, head)?
        };
        Ok(Base {
            reference: name.to_owned(),
            tip: tip.to_string(),
            commit: commit.to_string(),
            chosen: if direct {
                Chosen::Direct
            } else {
                Chosen::MergeBase
            },
            why,
            passed_over: String::new(),
        })
    }

    fn merge_base(&self, name: &str, tip: Oid, head: Oid) -> Result<Oid> {
        let bases = self.commits.merge_bases(&self.store, tip, head)?;
        bases.first().copied().ok_or_else(|| {
            let what = format!("{name} and the release have no common commit");
            if self.commits.is_shallow() {
                return Error::new(
                    Code::MissingObjects,
                    format!("{what} in this shallow clone"),
                )
                .hint("`git fetch --unshallow` or `git fetch --deepen=500` gets the history");
            }
            Error::new(Code::UnknownRef, what)
                .hint("compare the two as they are with `--range=direct`")
        })
    }

    fn default_base(&self, head: Oid, direct: bool) -> Result<Base> {
        let trunk = self.trunk();
        let mut place = "no main or master branch".to_owned();
        if let Some((name, why)) = &trunk {
            let tip = self.commit_of(name)?;
            let found = self.base_from(name, tip, head, direct, why.clone());
            match found {
                Ok(base) if base.commit != head.to_string() => return Ok(base),
                Ok(_) => place = format!("the release is on {name}"),
                // A trunk without a common commit says nothing about the release.
                Err(e) if e.code == Code::UnknownRef => place = e.message,
                Err(e) => return Err(e),
            }
        }
        self.tag_base(head, &place)
    }

    fn tag_base(&self, head: Oid, place: &str) -> Result<Base> {
        let commit = self.commits.get(&self.store, head)?;
        let parent = commit.parents.first().copied();
        let tag = parent
            .map(|parent| self.tag_before(parent, head))
            .transpose()?
            .flatten();
        if let Some((name, id, passed_over)) = tag {
            let tip = peel(&self.store, id)?.0.to_string();
            let why = if passed_over.is_empty() {
                format!("{place}: its latest tag before it")
            } else {
                format!(
                    "{place}: its latest final version before it; {passed_over}, a pre-release, was passed over"
                )
            };
            let chosen = Chosen::Tag;
            return Ok(Base {
                reference: name,
                commit: tip.clone(),
                tip,
                chosen,
                why,
                passed_over,
            });
        }
        if commit.cut {
            return Err(Error::new(Code::MissingObjects, format!("{place}, and this shallow clone has no older commit"))
                .hint("`git fetch --unshallow --tags` or `git fetch --deepen=500 --tags` gets the history; or name a base with `--base`"));
        }
        let why = format!("{place} and no tag stands before it: uncommitted changes are new");
        let (reference, id) = ("HEAD".to_owned(), head.to_string());
        Ok(Base {
            reference,
            tip: id.clone(),
            commit: id,
            chosen: Chosen::Head,
            why,
            passed_over: String::new(),
        })
    }

    /// The default branch: a name that resolves, and why it was taken.
    fn trunk(&self) -> Option<(String, String)> {
        for remote in self.remotes_by_rank() {
            let head = format!("refs/remotes/{remote}/HEAD");
            if self.refs.full(&head).is_some() {
                let name = self.refs.target(&head).to_owned();
                let short = name
                    .strip_prefix("refs/remotes/")
                    .unwrap_or(&name)
                    .to_owned();
                return Some((short, format!("the default branch of {remote}")));
            }
            for branch in ["main", "master"] {
                if self
                    .refs
                    .full(&format!("refs/remotes/{remote}/{branch}"))
                    .is_some()
                {
                    let name = format!("{remote}/{branch}");
                    return Some((name.clone(), format!("{name} exists")));
                }
            }
        }
        ["main", "master"]
            .into_iter()
            .find(|branch| self.refs.full(&format!("refs/heads/{branch}")).is_some())
            .map(|branch| (branch.to_owned(), format!("{branch} exists")))
    }

    /// The remote of the current branch, then origin, then the others.
    fn remotes_by_rank(&self) -> Vec<String> {
        let head = self
            .refs
            .head_branch()
            .and_then(|b| b.strip_prefix("refs/heads/"));
        let own = head.and_then(|branch| {
            super::settings::Settings::lookup(&self.settings.branch_remotes, branch)
        });
        let mut remotes = self.refs.remotes();
        remotes.sort_by_key(|name| (own != Some(name.as_str()), name != "origin", name.clone()));
        remotes
    }

    /// The tag that `git describe --tags --abbrev=0` prints for `start`; where that is a
    /// pre-release and the release is none, the latest other one, with the tag that was
    /// passed over.
    fn tag_before(&self, start: Oid, release: Oid) -> Result<Option<(String, Oid, String)>> {
        let latest = latest_tag(self, start, &|_| true)?;
        let Some((name, id)) = latest else {
            return Ok(None);
        };
        let of_release: Vec<bool> = self
            .tags()
            .iter()
            .filter(|(_, _, commit, _)| *commit == release)
            .map(|(name, ..)| is_pre_release(name))
            .collect();
        let before_final = !of_release.is_empty() && of_release.iter().all(|pre| *pre);
        if before_final || !is_pre_release(&name) {
            return Ok(Some((name, id, String::new())));
        }
        let last_final = latest_tag(self, start, &|name| !is_pre_release(name))?;
        Ok(Some(match last_final {
            Some((last, id)) => (last, id, name),
            None => (name, id, String::new()),
        }))
    }

    /// All tags as `(name, tag or commit id, tagged commit, tagger date if annotated)`.
    pub(in crate::git) fn tags(&self) -> Vec<(String, Oid, Oid, Option<i64>)> {
        let all = self.refs.with_prefix("refs/tags/");
        all.filter_map(|(name, id)| {
            let (target, kind) = peel(&self.store, id).ok()?;
            let date = (target != id).then(|| self.tagger_date(id));
            (kind == git2::ObjectType::Commit).then(|| (name.to_owned(), id, target, date))
        })
        .collect()
    }

    fn tagger_date(&self, tag: Oid) -> i64 {
        let data = self
            .store
            .read(tag)
            .map(|(_, data)| data)
            .unwrap_or_default();
        let line = data
            .split(|&b| b == b'\n')
            .find(|line| line.starts_with(b"tagger "));
        line.map_or(0, committer_date)
    }
}

fn init(reference: &str, why: &str) -> Base {
    Base {
        reference: reference.to_owned(),
        tip: String::new(),
        commit: String::new(),
        chosen: Chosen::Init,
        why: why.to_owned(),
        passed_over: String::new(),
    }
}
