//! The plan directory on disk: content-addressed, written whole or not at all.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::error::{Code, Error, Result};

/// The files of a plan directory: relative path and bytes.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Tells apart what one process writes at the same time.
static SERIAL: AtomicU32 = AtomicU32::new(0);

/// First 16 hex digits of the SHA-256 of some text.
#[must_use]
pub fn short_hash(text: &str) -> String {
    short_sum(text.as_bytes())
}

/// The same of bytes.
#[must_use]
pub fn short_sum(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(bytes)[..8])
}

/// What every document begins with.
const HEAD: &str = "{\"format\":1,";

/// Compact JSON with a line end. All keys are strings, so nothing can fail.
#[must_use]
pub fn json(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(value).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// A document with its own hash in it, behind the format number: a reader tells one that
/// was damaged on the disk, also where its length is what it was.
#[must_use]
pub fn sealed(value: &impl Serialize) -> Vec<u8> {
    let mut document = json(value);
    if document.starts_with(HEAD.as_bytes()) {
        let sum = format!("\"sum\":\"{}\",", short_sum(&document));
        document.splice(HEAD.len()..HEAD.len(), sum.into_bytes());
    }
    document
}

/// The plan hash: over all files but the index, and the index without the hash.
#[must_use]
pub fn hash_of(files: &Files, index: &[u8]) -> String {
    let mut hash = Sha256::new();
    let rest = files
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
    for (name, bytes) in rest.chain([("index.json", index)]) {
        hash.update((name.len() as u64).to_le_bytes());
        hash.update(name);
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    }
    data_encoding::HEXLOWER.encode(&hash.finalize()[..8])
}

/// Writes `files` as `<out>/<hash>` and gives that path. What is there already under
/// that name is made whole: a crash, a full disk or a cleaner of caches may have left
/// a part of it. `like` is another plan directory, which may hold some of the files already.
pub fn write(out: &Path, hash: &str, files: &Files, like: Option<&Path>) -> Result<PathBuf> {
    let target = out.join(hash);
    let temporary = out.join(format!(".tmp-{hash}-{}", unique()));
    if !target.exists() {
        let made = fill(&temporary, files, like).and_then(|()| fs::rename(&temporary, &target));
        if made.is_ok() {
            return Ok(target);
        }
        let _ = fs::remove_dir_all(&temporary);
        // Another process may have been faster.
        if let (Err(cause), false) = (made, target.exists()) {
            return Err(unwritable(out, &cause));
        }
    }
    repair(&target, files).map_err(|cause| unwritable(out, &cause))?;
    Ok(target)
}

/// A text that no other process and no other call has.
fn unique() -> String {
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    format!("{}-{serial}", std::process::id())
}

/// Writes those files again that are not there, or not whole. Each one is renamed into
/// place, for a build may be reading beside us.
fn repair(target: &Path, files: &Files) -> io::Result<()> {
    for (name, bytes) in files {
        let path = target.join(name);
        if fs::read(&path).is_ok_and(|found| found == *bytes) {
            continue;
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let temporary = target.join(format!(".tmp-{}", unique()));
        let written = fs::write(&temporary, bytes).and_then(|()| fs::rename(&temporary, &path));
        if written.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        written?;
    }
    Ok(())
}

fn fill(directory: &Path, files: &Files, like: Option<&Path>) -> io::Result<()> {
    let mut made = None;
    for (name, bytes) in files {
        let path = directory.join(name);
        let parent = path.parent().map(Path::to_owned);
        if let Some(parent) = parent
            .as_deref()
            .filter(|dir| made.as_deref() != Some(*dir))
        {
            fs::create_dir_all(parent)?;
        }
        made = parent;
        if !like.is_some_and(|like| is_linked(&like.join(name), &path, bytes)) {
            fs::write(path, bytes)?;
        }
    }
    Ok(())
}

/// Whether a file could be had from elsewhere, where it has the same bytes. No file of a
/// plan directory is ever written again in its place, so that several may share it.
fn is_linked(from: &Path, to: &Path, bytes: &[u8]) -> bool {
    fs::read(from).is_ok_and(|found| found == bytes) && fs::hard_link(from, to).is_ok()
}

fn unwritable(out: &Path, cause: &io::Error) -> Error {
    Error::new(Code::Unwritable, "the plan directory cannot be written")
        .hint("set GOAT_CACHE to a directory that you may write to")
        .path(out.display().to_string())
        .cause(cause)
}
