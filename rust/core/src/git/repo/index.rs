//! The index file, read only (format: git's `index-format` documentation).
//!
//! Read here and not by libgit2, because that refuses sparse indexes, and because
//! nothing may ever be written back (libgit2 refreshes the stat cache).

use std::fs::Metadata;
use std::path::Path;

use git2::Oid;

use super::entry::Entry;
use super::paths::read_file;
use crate::error::{Code, Error, Result};

const EXTENDED: u16 = 0x4000;
const ASSUME_UNCHANGED: u16 = 0x8000;
const SKIP_WORKTREE: u16 = 0x4000;
const INTENT_TO_ADD: u16 = 0x2000;
/// Bytes of an entry before its flags: ten numbers and a hash.
const FIXED: usize = 60;

/// The stat data that git noted when it last saw the file clean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::git) struct Stat {
    ctime: (u32, u32),
    mtime: (u32, u32),
    ino: u32,
    uid: u32,
    gid: u32,
    size: u32,
}

/// One path of the index.
#[derive(Clone, Debug)]
pub(in crate::git) struct IndexEntry {
    /// Path from the root.
    pub path: Vec<u8>,
    /// Mode and blob.
    pub entry: Entry,
    /// 0, or 1 to 3 in a conflict.
    pub stage: u8,
    /// Not looked up in the work tree: sparse checkout or assume-unchanged.
    pub skip: bool,
    /// `git add --intent-to-add`
    pub intent_to_add: bool,
    stat: Stat,
}

/// The entries and what is needed to trust their stat data.
#[derive(Debug, Default)]
pub(in crate::git) struct Index {
    /// In path order; directories of a sparse index are entries of tree mode.
    pub entries: Vec<IndexEntry>,
    written: (u32, u32),
}

impl Index {
    /// Reads the index; a missing file is an empty index.
    pub fn read(path: &Path) -> Result<Self> {
        let data = match read_file(path) {
            Ok(data) => data,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(e) => return Err(broken(path, "cannot be read").cause(e)),
        };
        let written = std::fs::metadata(path)
            .map(|meta| times(&meta).1)
            .unwrap_or_default();
        let entries = parse(&data).map_err(|e| e.path(path.to_string_lossy()))?;
        Ok(Self { entries, written })
    }

    /// What the stat data say of the file on disk.
    pub fn freshness(&self, entry: &IndexEntry, meta: &Metadata, rules: StatRules) -> Freshness {
        let disk = stat(meta);
        let cached = entry.stat;
        let same_time = |a: (u32, u32), b: (u32, u32)| {
            a.0 == b.0 && (rules.minimal || a.1 == b.1 || a.1 == 0 || b.1 == 0)
        };
        let owner = |stat: Stat| (stat.ino, stat.uid, stat.gid);
        let status_time = !rules.ctime || same_time(cached.ctime, disk.ctime);
        let identity = rules.minimal || owner(cached) == owner(disk) && status_time;
        let same = cached.size == disk.size && same_time(cached.mtime, disk.mtime) && identity;
        if !same || entry.intent_to_add {
            Freshness::Changed
        } else if self.written != (0, 0) && cached.mtime.0 >= self.written.0 {
            Freshness::Racy
        } else {
            Freshness::Clean
        }
    }
}

/// How sure the stat data are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::git) enum Freshness {
    /// The file is the one that the index describes.
    Clean,
    /// So it seems, but it was written in the second in which the index was, and may
    /// have changed after it.
    Racy,
    /// Something differs.
    Changed,
}

/// Which stat fields count (`core.trustctime`, `core.checkStat`).
#[derive(Clone, Copy, Debug)]
pub(in crate::git) struct StatRules {
    pub ctime: bool,
    pub minimal: bool,
}

#[cfg(unix)]
fn stat(meta: &Metadata) -> Stat {
    use std::os::unix::fs::MetadataExt;
    let (ctime, mtime) = times(meta);
    let (ino, uid, gid) = (meta.ino() as u32, meta.uid(), meta.gid());
    Stat {
        ctime,
        mtime,
        ino,
        uid,
        gid,
        size: meta.len() as u32,
    }
}

#[cfg(unix)]
fn times(meta: &Metadata) -> ((u32, u32), (u32, u32)) {
    use std::os::unix::fs::MetadataExt;
    let pair = |seconds: i64, nanos: i64| {
        (
            u32::try_from(seconds & 0xffff_ffff).unwrap_or(0),
            u32::try_from(nanos).unwrap_or(0),
        )
    };
    (
        pair(meta.ctime(), meta.ctime_nsec()),
        pair(meta.mtime(), meta.mtime_nsec()),
    )
}

fn broken(path: &Path, why: &str) -> Error {
    Error::new(Code::Git, format!("the index {why}"))
        .path(path.to_string_lossy())
        .hint("run `git status`: it says what is wrong, or repairs it")
}

fn parse(data: &[u8]) -> Result<Vec<IndexEntry>> {
    let bad = || broken(Path::new(""), "is damaged");
    let word = |at: usize| -> Result<u32> {
        let bytes = data.get(at..at + 4).ok_or_else(bad)?;
        Ok(u32::from_be_bytes(bytes.try_into().map_err(|_| bad())?))
    };
    if data.get(..4) != Some(b"DIRC") {
        return Err(bad());
    }
    let (version, count) = (word(4)?, word(8)? as usize);
    if !(2..=4).contains(&version) {
        return Err(Error::new(
            Code::UnsupportedRepository,
            format!("the index has version {version}, which goat does not know"),
        )
        .hint("run `git update-index --index-version 4`"));
    }
    let mut entries: Vec<IndexEntry> = Vec::with_capacity(count.min(data.len() / FIXED));
    let mut at = 12;
    for _ in 0..count {
        let previous = entries.last().map_or(&[][..], |entry| &entry.path);
        let (entry, next) = entry_at(data, at, version, previous).ok_or_else(bad)?;
        entries.push(entry);
        at = next;
    }
    refuse_extensions(data, at)?;
    Ok(entries)
}

/// The entry at `at` and where the next one starts.
fn entry_at(data: &[u8], at: usize, version: u32, previous: &[u8]) -> Option<(IndexEntry, usize)> {
    let word = |n: usize| {
        let bytes = data.get(at + 4 * n..at + 4 * n + 4)?;
        Some(u32::from_be_bytes(bytes.try_into().ok()?))
    };
    let short = |at: usize| Some(u16::from_be_bytes(data.get(at..at + 2)?.try_into().ok()?));
    let stat = Stat {
        ctime: (word(0)?, word(1)?),
        mtime: (word(2)?, word(3)?),
        ino: word(5)?,
        uid: word(7)?,
        gid: word(8)?,
        size: word(9)?,
    };
    let id = Oid::from_bytes(data.get(at + 40..at + FIXED)?).ok()?;
    let flags = short(at + FIXED)?;
    let mut name = at + FIXED + 2;
    let mut extended = 0;
    if flags & EXTENDED != 0 {
        extended = short(name)?;
        name += 2;
    }
    let (path, next) = if version == 4 {
        let (strip, from) = varint(data, name)?;
        let end = from + memchr::memchr(0, data.get(from..)?)?;
        let kept = previous.get(..previous.len().checked_sub(strip)?)?;
        ([kept, &data[from..end]].concat(), end + 1)
    } else {
        let end = name + memchr::memchr(0, data.get(name..)?)?;
        // Padded with one to eight NUL bytes to a multiple of eight.
        (data[name..end].to_vec(), at + ((end - at) / 8 + 1) * 8)
    };
    let entry = IndexEntry {
        path,
        entry: Entry { mode: word(6)?, id },
        stage: (flags >> 12 & 3) as u8,
        skip: flags & ASSUME_UNCHANGED != 0 || extended & SKIP_WORKTREE != 0,
        intent_to_add: extended & INTENT_TO_ADD != 0,
        stat,
    };
    Some((entry, next))
}

/// The offset encoding of packs: seven bits per byte, one added per continuation.
fn varint(data: &[u8], mut at: usize) -> Option<(usize, usize)> {
    let mut byte = *data.get(at)?;
    let mut value = usize::from(byte & 0x7f);
    while byte & 0x80 != 0 {
        at += 1;
        byte = *data.get(at)?;
        value = (value + 1).checked_mul(128)? + usize::from(byte & 0x7f);
    }
    Some((value, at + 1))
}

/// Extensions in lower case change what the entries mean; `sdir` only allows
/// directories among them.
fn refuse_extensions(data: &[u8], mut at: usize) -> Result<()> {
    while at + 8 + 20 <= data.len() {
        let name = &data[at..at + 4];
        let size = u32::from_be_bytes([data[at + 4], data[at + 5], data[at + 6], data[at + 7]]);
        if name == b"link" {
            return Err(Error::new(
                Code::UnsupportedRepository,
                "the index is split over two files",
            )
            .hint("run `git update-index --no-split-index`"));
        }
        if name[0].is_ascii_lowercase() && name != b"sdir" {
            let name = String::from_utf8_lossy(name).into_owned();
            return Err(Error::new(
                Code::UnsupportedRepository,
                format!("the index has the extension {name:?}, which goat does not know"),
            )
            .hint("run `git read-tree HEAD` to write a plain index"));
        }
        at += 8 + size as usize;
    }
    Ok(())
}
