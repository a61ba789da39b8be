//! The plan directory on disk: content-addressed, written whole or not at all.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::error::{Code, Error, Result};

/// The files of a plan directory: relative path and bytes.
pub type Files<'a> = BTreeMap<String, Cow<'a, [u8]>>;

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

/// What stands behind it in a document of a plan directory: its own hash.
const SUM: &str = "\"sum\":\"0123456789abcdef\",";
/// Where the digits of the hash stand.
const DIGITS: std::ops::Range<usize> = HEAD.len() + 7..HEAD.len() + 23;

/// A document with its own hash in it, behind the format number: a reader tells one that
/// was damaged on the disk, also where its length is what it was.
#[must_use]
pub fn sealed(value: &impl Serialize) -> Vec<u8> {
    seal(|document| {
        // All keys are strings, so nothing can fail.
        let _ = serde_json::to_writer(document, value);
    })
}

/// The same of a text that `write` puts behind what is there, and that begins as every
/// document does.
pub fn seal(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut document = SUM.as_bytes().to_vec();
    write(&mut document);
    document.push(b'\n');
    if !document[SUM.len()..].starts_with(HEAD.as_bytes()) {
        return document.split_off(SUM.len());
    }
    let sum = short_sum(&document[SUM.len()..]);
    document[..HEAD.len()].copy_from_slice(HEAD.as_bytes());
    document[HEAD.len()..HEAD.len() + SUM.len()].copy_from_slice(SUM.as_bytes());
    document[DIGITS].copy_from_slice(sum.as_bytes());
    document
}

/// The hash that a document says it has.
#[must_use]
pub fn sum_in(document: &[u8]) -> &[u8] {
    let sealed = document.starts_with(HEAD.as_bytes());
    let digits = document.get(DIGITS).filter(|_| sealed);
    digits.unwrap_or_default()
}

/// Whether a document has the hash that it says it has.
#[must_use]
pub fn is_whole(document: &[u8]) -> bool {
    let Some(rest) = document.get(HEAD.len() + SUM.len()..) else {
        return false;
    };
    let mut hash = Sha256::new();
    hash.update(HEAD);
    hash.update(rest);
    let field = &document[..HEAD.len() + SUM.len()];
    let sum = data_encoding::HEXLOWER.encode(&hash.finalize()[..8]);
    field == [HEAD, &SUM[..7], &sum, &SUM[23..]].concat().as_bytes()
}

/// The plan hash: over the names of all files but the index and the hashes that they have in
/// them, and the index without hashes.
#[must_use]
pub fn hash_of(files: &Files<'_>, index: &[u8]) -> String {
    let mut hash = Sha256::new();
    let rest = files.iter().map(|(name, bytes)| (name, sum_in(bytes)));
    for (name, sum) in rest {
        hash.update((name.len() as u64).to_le_bytes());
        hash.update(name);
        hash.update(sum);
    }
    hash.update(index);
    data_encoding::HEXLOWER.encode(&hash.finalize()[..8])
}

/// Another plan directory, which may hold some of the files already.
#[derive(Clone, Copy)]
pub struct Like<'a> {
    /// Where it is.
    pub directory: &'a Path,
    /// Whether one of its files has the same bytes, where that is known without a look.
    pub same: &'a dyn Fn(&str) -> Option<bool>,
}

/// Writes `files` as `<out>/<hash>` and gives that path. What is there already under
/// that name is made whole: a crash, a full disk or a cleaner of caches may have left
/// a part of it.
pub fn write(out: &Path, hash: &str, files: &Files<'_>, like: Option<Like<'_>>) -> Result<PathBuf> {
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
fn repair(target: &Path, files: &Files<'_>) -> io::Result<()> {
    for (name, bytes) in files {
        let path = target.join(name);
        if holds(&path, bytes) {
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

fn fill(directory: &Path, files: &Files<'_>, like: Option<Like<'_>>) -> io::Result<()> {
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
        if !like.is_some_and(|like| like.is_linked(name, &path, bytes)) {
            fs::write(path, bytes)?;
        }
    }
    Ok(())
}

impl Like<'_> {
    /// Whether a file could be had from there, where it has the same bytes. No file of a
    /// plan directory is ever written again in its place, so that several may share it.
    fn is_linked(self, name: &str, to: &Path, bytes: &[u8]) -> bool {
        let from = self.directory.join(name);
        let same = (self.same)(name).unwrap_or_else(|| holds(&from, bytes));
        same && fs::hard_link(from, to).is_ok()
    }
}

/// Whether a file has these bytes; one of another length is not read.
fn holds(path: &Path, bytes: &[u8]) -> bool {
    let Ok(mut file) = fs::File::open(path) else {
        return false;
    };
    let length = file.metadata().map(|meta| meta.len());
    if length.ok() != Some(bytes.len() as u64) {
        return false;
    }
    let mut found = vec![0; bytes.len()];
    file.read_exact(&mut found).is_ok() && found == bytes
}

fn unwritable(out: &Path, cause: &io::Error) -> Error {
    Error::new(Code::Unwritable, "the plan directory cannot be written")
        .hint("set GOAT_CACHE to a directory that you may write to")
        .path(out.display().to_string())
        .cause(cause)
}
