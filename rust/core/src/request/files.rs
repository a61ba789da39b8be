//! The operation `files`: the files of both sides that match patterns, for those who
//! compare something else than Go code. Nothing is checked out.

use std::path::Path;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use serde::{Deserialize, Serialize};

use crate::control::Control;
use crate::error::{Code, Error, Result};
use crate::git::{RangeSpec, Repo, Sides};

/// As much text as one answer may hold.
const LARGEST: usize = 256 << 20;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Files {
    #[serde(rename = "format")]
    _format: u32,
    #[serde(rename = "op")]
    _op: String,
    dir: String,
    #[serde(default)]
    base: String,
    #[serde(default)]
    release: String,
    #[serde(default)]
    range: String,
    /// Globs relative to the repository's root; `*` stays within a directory. What matches
    /// one that begins with `!` is left out.
    patterns: Vec<String>,
    #[serde(default)]
    #[expect(dead_code, reason = "`descriptors` reads it")]
    control_fd: i32,
    #[serde(default)]
    #[expect(dead_code, reason = "`descriptors` reads it")]
    progress_fd: i32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answer {
    root: String,
    base: BaseSide,
    release: ReleaseSide,
    files: Vec<File>,
}

#[derive(Serialize)]
struct BaseSide {
    #[serde(rename = "ref")]
    reference: String,
    commit: String,
    why: String,
}

#[derive(Serialize)]
struct ReleaseSide {
    #[serde(rename = "ref")]
    reference: String,
    commit: String,
    worktree: bool,
}

/// A file; a text is `None` where the side has none. `problem` says why the texts of a
/// file that is there are missing.
#[derive(Serialize)]
struct File {
    path: String,
    base: Option<String>,
    release: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    problem: String,
}

pub(super) fn files(request: &Files, control: &Control) -> Result<Answer> {
    let (without, patterns): (Vec<&str>, Vec<&str>) = request
        .patterns
        .iter()
        .map(String::as_str)
        .partition(|pattern| pattern.starts_with('!'));
    let patterns = compile(&patterns)?;
    let without = compile(&without)?;
    let repo = Repo::open(Path::new(&request.dir))?;
    let sides = repo.sides(&RangeSpec {
        base: Some(request.base.clone()),
        release: Some(request.release.clone()),
        direct: direct(&request.range)?,
    })?;
    let matches = |path: &str| patterns.is_match(path) && !without.is_match(path);
    let mut files = Vec::new();
    let mut length = 0;
    for path in repo.paths(&sides, &matches, control)? {
        control.check()?;
        let file = file(&repo, &sides, path);
        length += [&file.base, &file.release]
            .into_iter()
            .flatten()
            .map(String::len)
            .sum::<usize>();
        if length > LARGEST {
            return Err(Error::new(
                Code::BadRequest,
                format!("the files hold more than {} MiB", LARGEST >> 20),
            )
            .path(&file.path)
            .hint("name fewer files"));
        }
        files.push(file);
    }
    let Sides { base, release } = sides;
    Ok(Answer {
        root: repo.root().to_string_lossy().into_owned(),
        base: BaseSide {
            reference: base.reference,
            commit: base.commit,
            why: base.why,
        },
        release: ReleaseSide {
            reference: release.reference,
            commit: release.commit,
            worktree: release.worktree,
        },
        files,
    })
}

fn direct(range: &str) -> Result<bool> {
    match range {
        "" | "merge-base" => Ok(false),
        "direct" => Ok(true),
        other => Err(Error::new(
            Code::BadRequest,
            format!("range {other:?} is neither merge-base nor direct"),
        )),
    }
}

fn compile(patterns: &[&str]) -> Result<GlobSet> {
    let bad = |pattern: &str, cause: globset::Error| {
        Error::new(
            Code::BadRequest,
            format!("the pattern {pattern:?} cannot be read"),
        )
        .hint("write a path with globs, as api/*.yaml or proto/**")
        .cause(cause)
    };
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let glob = GlobBuilder::new(pattern.trim_start_matches('!'))
            .literal_separator(true)
            .build();
        set.add(glob.map_err(|cause| bad(pattern, cause))?);
    }
    set.build().map_err(|cause| bad("", cause))
}

fn file(repo: &Repo, sides: &Sides, path: String) -> File {
    let mut problem = String::new();
    let mut text = |side: &str, bytes: Result<Option<Vec<u8>>>| match bytes {
        Ok(None) => None,
        Ok(Some(bytes)) => String::from_utf8(bytes)
            .map_err(|_| problem = format!("the {side}'s text is not UTF-8"))
            .ok(),
        Err(error) => {
            problem = format!("the {side}'s text: {}", error.message);
            None
        }
    };
    let base = text("base", repo.read_base(sides, &path));
    let there = repo.has_release(sides, &path);
    let read = || repo.read_release(sides, &path).map(Some);
    let release = text("release", if there { read() } else { Ok(None) });
    File {
        path,
        base,
        release,
        problem,
    }
}
