//! Answers kept from one request to the next, so that a build in which nothing has
//! changed costs a look at the files and no plan.
//!
//! An answer is found by a hash over the request, this program, and the state of the
//! repository ([`Repo::fingerprint`]); what the plan read besides is checked again.
//! What cannot be judged so is not kept.

use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Options;
use crate::control::Control;
use crate::error::Result;
use crate::git::{Fingerprint, Probes, Repo, Sides};
use crate::plan::{FORMAT, Files, Text, short_sum, whole};

/// A kept answer.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// What was read of the working tree besides Go files.
    probes: Probes,
    /// The plan directory and the hash that each of its files has in it.
    directory: PathBuf,
    files: Vec<(String, String)>,
    /// The answer, JSON.
    answer: String,
}

/// The place of one answer.
pub(super) struct Memo {
    path: PathBuf,
    /// What the request says.
    text: String,
    /// The state of the repository.
    pub(super) state: Fingerprint,
}

impl Memo {
    /// Where the answer to a request would be; `None` where none is kept.
    pub(super) fn find(
        options: &Options,
        repo: &Repo,
        sides: &Sides,
        control: &Control,
    ) -> Result<Option<Self>> {
        let whole = options.deps.as_ref().is_none_or(Vec::is_empty) && options.build.is_none();
        if options.memo_dir.is_empty() || options.out_dir.is_empty() || !whole {
            return Ok(None);
        }
        let ground = options.ground(repo.root())?;
        let state = repo.fingerprint(sides, control)?;
        let asked = Options {
            control_fd: -1,
            progress_fd: -1,
            ..options.clone()
        };
        let text = format!("{asked:?} {ground:?}");
        let path = place(&options.memo_dir, &state.hash, &text).with_extension("json");
        Ok(Some(Self { path, text, state }))
    }

    /// Where what the next edit builds on would be.
    pub(super) fn last(&self, options: &Options, repo: &Repo) -> PathBuf {
        let root = repo.root().as_os_str().as_encoded_bytes();
        place(&options.memo_dir, root, &self.text).with_extension("last")
    }

    /// The answer, if it still holds and its plan directory is whole.
    pub(super) fn answer(&self, repo: &Repo, sides: &Sides) -> Option<Vec<u8>> {
        let kept: Kept = serde_json::from_slice(unsealed(&fs::read(&self.path).ok()?)?).ok()?;
        let whole =
            |(name, sum): &(String, String)| whole(&kept.directory.join(name), sum).is_some();
        if !are_same(&kept.probes, repo, sides) || !kept.files.par_iter().all(whole) {
            return None;
        }
        // What is used is not trimmed by age.
        if let Ok(file) = fs::File::options().append(true).open(&self.path) {
            let _ = file.set_modified(std::time::SystemTime::now());
        }
        Some(kept.answer.into_bytes())
    }

    /// Keeps an answer. That it cannot be kept is no failure.
    pub(super) fn keep(
        &self,
        repo: &Repo,
        directory: &Path,
        files: Vec<(String, String)>,
        answer: &[u8],
    ) {
        let Ok(answer) = std::str::from_utf8(answer) else {
            return;
        };
        if !self.state.settled {
            return;
        }
        let kept = Kept {
            probes: repo.probed(),
            directory: directory.to_owned(),
            files,
            answer: answer.to_owned(),
        };
        let Ok(bytes) = serde_json::to_vec(&kept) else {
            return;
        };
        store_sealed(&self.path, &bytes);
    }
}

/// Whether what was read of the working tree besides Go files is what it was.
pub(super) fn are_same(probes: &Probes, repo: &Repo, sides: &Sides) -> bool {
    for path in probes.keys() {
        let _ = repo.read_release(sides, path);
    }
    let now = repo.probed();
    probes
        .iter()
        .all(|(path, hash)| now.get(path) == Some(hash))
}

/// The files of a plan directory with the hash that each has in it.
pub(super) fn sums(files: &Files<'_>) -> Vec<(String, String)> {
    let sum = |text: &Text<'_>| String::from_utf8_lossy(text.sum()).into_owned();
    let all = files.iter();
    all.map(|(name, text)| (name.clone(), sum(text))).collect()
}

/// Puts a file into its place, behind its own hash.
pub(super) fn store_sealed(path: &Path, bytes: &[u8]) {
    store(path, &[short_sum(bytes).as_bytes(), b"\n", bytes].concat());
}

/// Where something is kept that this program made of a state and of settings.
pub(super) fn place(dir: &str, state: &[u8], settings: &str) -> PathBuf {
    let mut name = Sha256::new();
    name.update(state);
    name.update(format!("{FORMAT} {} {settings}", program()));
    Path::new(dir).join(data_encoding::HEXLOWER.encode(&name.finalize()[..16]))
}

/// Puts a file into its place, whole or not at all.
pub(super) fn store(path: &Path, bytes: &[u8]) {
    let temporary = path.with_extension(format!("{}", std::process::id()));
    let folder = path.parent().map(fs::create_dir_all);
    if folder.is_none_or(|made| made.is_err()) {
        return;
    }
    let written = fs::write(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
}

/// What stands behind its own hash; `None` where the two do not agree.
pub(super) fn unsealed(bytes: &[u8]) -> Option<&[u8]> {
    let end = memchr::memchr(b'\n', bytes)?;
    let (sum, rest) = (&bytes[..end], &bytes[end + 1..]);
    (sum == short_sum(rest).as_bytes()).then_some(rest)
}

/// The program that answers: another build of goat may plan otherwise.
fn program() -> String {
    let path = std::env::current_exe().unwrap_or_default();
    let meta = fs::metadata(&path);
    let stamp = meta.map(|meta| (meta.len(), meta.modified().ok()));
    format!(
        "{} {} {:?}",
        env!("CARGO_PKG_VERSION"),
        path.display(),
        stamp.ok()
    )
}
