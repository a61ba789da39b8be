//! The plan directory on disk: content-addressed, written whole or not at all.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::error::{Code, Error, Result};

/// The files of a plan directory, by relative path.
pub type Files<'a> = BTreeMap<String, Text<'a>>;

/// A text in parts, one behind the other.
pub type Parts<'a> = Vec<Cow<'a, [u8]>>;

/// What a file of a plan directory holds.
#[derive(Debug)]
pub enum Text<'a> {
    /// These parts; the hash stands in the first.
    Parts(Parts<'a>),
    /// What a file of another plan directory holds that was found to be whole.
    Old {
        /// That file.
        path: PathBuf,
        /// The hash in it.
        sum: String,
    },
}

impl<'a, B: Into<Cow<'a, [u8]>>> From<B> for Text<'a> {
    fn from(bytes: B) -> Self {
        Self::Parts(vec![bytes.into()])
    }
}

impl Text<'_> {
    /// The hash that it says it has.
    #[must_use]
    pub fn sum(&self) -> &[u8] {
        match self {
            Self::Parts(parts) => parts.first().map_or(&[], |part| sum_in(part)),
            Self::Old { sum, .. } => sum.as_bytes(),
        }
    }

    /// All of it; `None` where it is whole no longer.
    #[must_use]
    pub fn bytes(&self) -> Option<Vec<u8>> {
        match self {
            Self::Parts(parts) => Some(parts.concat()),
            Self::Old { path, sum } => whole(path, sum),
        }
    }

    /// Puts it into a file.
    fn write(&self, path: &Path) -> io::Result<()> {
        match self {
            Self::Parts(parts) => {
                let mut file = BufWriter::new(fs::File::create(path)?);
                for part in parts {
                    file.write_all(part)?;
                }
                file.flush()
            }
            Self::Old { path: from, sum } => {
                let bytes = whole(from, sum).ok_or(io::ErrorKind::InvalidData)?;
                fs::write(path, bytes)
            }
        }
    }

    /// Whether a file holds it; one of another length is not read.
    fn is_in(&self, path: &Path) -> bool {
        match self {
            Self::Parts(parts) => holds(path, parts),
            Self::Old { sum, .. } => whole(path, sum).is_some(),
        }
    }
}

/// A file of a plan directory, if it is what was written there: a disk that was full or lost
/// its power leaves files of the right length.
#[must_use]
pub fn whole(path: &Path, sum: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    whole_in(path, sum, &mut bytes).then_some(bytes)
}

/// Whether that is so; the file is read into a place that may have been used before.
pub fn whole_in(path: &Path, sum: &str, place: &mut Vec<u8>) -> bool {
    place.clear();
    let read = fs::File::open(path).and_then(|mut file| file.read_to_end(place));
    read.is_ok() && sum_in(place) == sum.as_bytes() && is_whole(place)
}

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

/// The same of a text in parts, of which the first begins so.
#[must_use]
pub fn seal_parts(mut parts: Parts<'_>) -> Parts<'_> {
    parts.push(b"\n".into());
    let mut hash = Sha256::new();
    for part in &parts {
        hash.update(part);
    }
    if let Some(first) = parts.first_mut()
        && let Some(rest) = first.strip_prefix(HEAD.as_bytes())
    {
        *first = [opening(hash).as_bytes(), rest].concat().into();
    }
    parts
}

/// What a document with this hash begins with.
fn opening(hash: Sha256) -> String {
    let sum = data_encoding::HEXLOWER.encode(&hash.finalize()[..8]);
    [HEAD, &SUM[..7], &sum, &SUM[23..]].concat()
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
    document.starts_with(opening(hash).as_bytes())
}

/// The plan hash: over the names of all files but the index and the hashes that they have in
/// them, and the index without hashes.
#[must_use]
pub fn hash_of(files: &Files<'_>, index: &[u8]) -> String {
    let mut hash = Sha256::new();
    for (name, text) in files {
        hash.update((name.len() as u64).to_le_bytes());
        hash.update(name);
        hash.update(text.sum());
    }
    hash.update(index);
    data_encoding::HEXLOWER.encode(&hash.finalize()[..8])
}

/// Writes `files` as `<out>/<hash>` and gives that path. What is there already under
/// that name is made whole: a crash, a full disk or a cleaner of caches may have left
/// a part of it. `like` is another plan directory, which may hold some of the files already.
pub fn write(out: &Path, hash: &str, files: &Files<'_>, like: Option<&Path>) -> Result<PathBuf> {
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
    for (name, text) in files {
        let path = target.join(name);
        if text.is_in(&path) {
            continue;
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let temporary = target.join(format!(".tmp-{}", unique()));
        let written = text
            .write(&temporary)
            .and_then(|()| fs::rename(&temporary, &path));
        if written.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        written?;
    }
    Ok(())
}

fn fill(directory: &Path, files: &Files<'_>, like: Option<&Path>) -> io::Result<()> {
    let mut made = None;
    for (name, text) in files {
        let path = directory.join(name);
        let parent = path.parent().map(Path::to_owned);
        if let Some(parent) = parent
            .as_deref()
            .filter(|dir| made.as_deref() != Some(*dir))
        {
            fs::create_dir_all(parent)?;
        }
        made = parent;
        if !is_linked(name, &path, text, like) {
            text.write(&path)?;
        }
    }
    Ok(())
}

/// Whether a file could be had from another directory, where it is the same. No file of a
/// plan directory is ever written again in its place, so that several may share it.
fn is_linked(name: &str, to: &Path, text: &Text<'_>, like: Option<&Path>) -> bool {
    match text {
        Text::Old { path, .. } => fs::hard_link(path, to).is_ok(),
        Text::Parts(_) => like.is_some_and(|like| {
            let from = like.join(name);
            text.is_in(&from) && fs::hard_link(from, to).is_ok()
        }),
    }
}

/// Whether a file has these bytes.
fn holds(path: &Path, parts: &[Cow<'_, [u8]>]) -> bool {
    let Ok(mut file) = fs::File::open(path) else {
        return false;
    };
    let length: usize = parts.iter().map(|part| part.len()).sum();
    if file.metadata().map(|meta| meta.len()).ok() != Some(length as u64) {
        return false;
    }
    let mut found = vec![0; length];
    if file.read_exact(&mut found).is_err() {
        return false;
    }
    let mut rest = found.as_slice();
    parts.iter().all(|part| {
        let (own, behind) = rest.split_at(part.len());
        rest = behind;
        own == &**part
    })
}

fn unwritable(out: &Path, cause: &io::Error) -> Error {
    Error::new(Code::Unwritable, "the plan directory cannot be written")
        .hint("set GOAT_CACHE to a directory that you may write to")
        .path(out.display().to_string())
        .cause(cause)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn file(path: &Path) -> Files<'static> {
        let bytes = sealed(&serde_json::json!({"format": 1, "x": "x"}));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, &bytes).unwrap();
        let sum = String::from_utf8(sum_in(&bytes).to_vec()).unwrap();
        let path = path.to_owned();
        [("p/x.json".to_owned(), Text::Old { path, sum })].into()
    }

    /// Whether it is linked, or a plan directory that lost it gets it back.
    #[test]
    fn an_old_file_is_had_while_it_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let old = dir.path().join("old/p/x.json");
        let files = file(&old);
        let text = fs::read(&old).unwrap();
        let target = write(dir.path(), "a", &files, None).unwrap();
        let path = target.join("p/x.json");
        assert_eq!(fs::read(&path).unwrap(), text);
        fs::remove_file(&path).unwrap();
        write(dir.path(), "a", &files, None).unwrap();
        assert_eq!(fs::read(&path).unwrap(), text);
        fs::remove_file(&path).unwrap();
        fs::write(&old, &text[1..]).unwrap();
        assert!(write(dir.path(), "a", &files, None).is_err());
        assert!(!path.exists());
    }

    #[test]
    fn parts_are_sealed_like_the_whole() {
        let parts: Parts<'_> = vec![b"{\"format\":1,"[..].into(), b"\"x\":2}"[..].into()];
        let whole = seal(|out| out.extend_from_slice(&parts.concat()));
        let parts = seal_parts(parts);
        assert!(holds_text(&whole, &parts));
        assert!(is_whole(&whole));
    }

    fn holds_text(whole: &[u8], parts: &Parts<'_>) -> bool {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        fs::write(&path, whole).unwrap();
        let mut other = parts.clone();
        other.swap(0, 1);
        holds(&path, parts) && !holds(&path, &other) && parts.concat() == whole
    }
}
