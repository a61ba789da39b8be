//! The file in which a ledger is kept: parts, each with a sealed list of its values.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::hash::{BuildHasherDefault, Hasher};
use std::io::{Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};

use crate::model::Key;

/// The bytes of what was kept.
pub(super) enum Pack {
    /// All of them.
    Read(Vec<u8>),
    /// The way to them, for who needs few.
    File(Mutex<fs::File>),
}

impl Pack {
    pub(super) fn at(&self, range: Range<usize>) -> Option<Cow<'_, [u8]>> {
        match self {
            Self::Read(bytes) => bytes.get(range).map(Cow::Borrowed),
            Self::File(file) => {
                let mut bytes = vec![0; range.len()];
                let mut file = lock(file);
                file.seek(SeekFrom::Start(range.start as u64)).ok()?;
                file.read_exact(&mut bytes).ok()?;
                Some(Cow::Owned(bytes))
            }
        }
    }
}

/// How much of a ledger a plan asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// All of it.
    Whole,
    /// Little.
    Few,
}

/// What stands in a pack.
pub(super) type Entries = HashMap<Key, Entry, BuildHasherDefault<Spread>>;

/// Where a value stands, and whether this plan asked for it.
pub(super) struct Entry {
    pub(super) range: Range<usize>,
    pub(super) check: Check,
    pub(super) used: AtomicBool,
}

/// A list of a pack, by keys, as it stands there.
pub(super) struct List {
    bytes: Vec<u8>,
    /// Where its values begin.
    start: usize,
}

impl List {
    pub(super) fn find(&self, key: &Key) -> Option<(Range<usize>, Check)> {
        let listed = self.bytes.as_rchunks::<ENTRY>().1;
        let at = listed.binary_search_by(|entry| entry[..key.len()].cmp(key));
        let at = at.ok()?;
        let end = |at: usize| end_of(&listed[at]);
        let before = at.checked_sub(1).map_or(Some(0), end)?;
        let range = self.start + before..self.start + end(at)?;
        Some((range, *listed[at].last_chunk()?))
    }
}

/// With fewer values a list costs less where all of it is put into a table: there may be
/// one for each edit.
const LONG: usize = 1024;

/// Tells a value from what else may stand in its place.
pub(super) type Check = [u8; 8];

pub(super) fn check(value: &[u8]) -> Check {
    let sum: [u8; 32] = Sha256::digest(value).into();
    sum.first_chunk().copied().unwrap_or_default()
}

/// Keys are hashes already.
#[derive(Default)]
pub(super) struct Spread(u64);

impl Hasher for Spread {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes
            .first_chunk()
            .map_or(0, |head| u64::from_le_bytes(*head));
    }

    /// The length, which all keys share.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

pub(super) fn opened(path: &Path, how: Use) -> Option<(Pack, usize)> {
    if how == Use::Few {
        let file = fs::File::open(path).ok()?;
        let size = usize::try_from(file.metadata().ok()?.len()).ok()?;
        return Some((Pack::File(Mutex::new(file)), size));
    }
    let bytes = fs::read(path).ok()?;
    let size = bytes.len();
    Some((Pack::Read(bytes), size))
}

/// Values as they are put into a pack.
pub(super) type Values<'b> = Vec<(Key, Cow<'b, [u8]>, Check)>;

pub(super) fn values(new: &BTreeMap<Key, Vec<u8>>) -> Values<'_> {
    let all = new.iter();
    all.map(|(key, bytes)| (*key, bytes.as_slice().into(), check(bytes)))
        .collect()
}

/// Values as one part of a pack, behind the list of them with its hash and its length.
pub(super) fn sealed(name: &[u8], values: &Values<'_>) -> Vec<u8> {
    let listed = name.len() + values.len() * ENTRY;
    let size: usize = values.iter().map(|(_, bytes, _)| bytes.len()).sum();
    let mut part = Vec::with_capacity(HEAD + listed + size);
    part.resize(SUM, 0);
    part.extend_from_slice(&(listed as u32).to_le_bytes());
    part.extend_from_slice(name);
    let mut end = 0;
    for (key, bytes, check) in values {
        end += bytes.len();
        part.extend_from_slice(key);
        part.extend_from_slice(&(end as u32).to_le_bytes());
        part.extend_from_slice(check);
    }
    let sum = Sha256::digest(&part[SUM..]);
    part[..SUM].copy_from_slice(&sum);
    for (_, bytes, _) in values {
        part.extend_from_slice(bytes);
    }
    part
}

/// Puts a part behind a pack, in one write: two that do so at once do not mix, and if they
/// did the hash would tell.
pub(super) fn append(path: &Path, part: &[u8]) {
    if let Ok(mut pack) = fs::File::options().append(true).open(path) {
        let _ = pack.write_all(part);
    }
}

/// Bytes of the hash before a list.
const SUM: usize = 32;
/// Bytes of the hash and the length of a list.
const HEAD: usize = SUM + 4;
/// Bytes of a listed value: its key, where it ends behind the list, and its check.
pub(super) const ENTRY: usize = size_of::<Key>() + 4 + size_of::<Check>();

/// A pack says in itself for which settings it is.
pub(super) fn name_of(path: &Path) -> &[u8] {
    let name = path.file_name().unwrap_or_default();
    name.as_encoded_bytes()
}

/// Where the values of a pack stand; `None` where a list is not what was written there.
pub(super) fn index(
    pack: &Pack,
    size: usize,
    name: &[u8],
    how: Use,
) -> Option<(Entries, Vec<List>)> {
    // Room for all, so that they are put into their places once.
    let room = if how == Use::Few { 0 } else { size / 256 };
    let mut entries = Entries::with_capacity_and_hasher(room, BuildHasherDefault::default());
    let mut lists = Vec::new();
    let mut start = 0;
    while start < size {
        let head = pack.at(start..start + HEAD)?;
        let (sum, length) = head.split_first_chunk::<SUM>()?;
        let values = start + HEAD + self::length(length)?;
        if values > size {
            return None;
        }
        let text = pack.at(start + SUM..values)?;
        let listed = text[HEAD - SUM..].strip_prefix(name)?;
        if Sha256::digest(&text).as_slice() != sum || listed.len() % ENTRY != 0 {
            return None;
        }
        let (listed, _) = listed.as_chunks::<ENTRY>();
        let last = listed.last().map_or(Some(0), end_of)?;
        if last > size - values {
            return None;
        }
        start = values + last;
        if how == Use::Few && listed.len() > LONG {
            let bytes = text.into_owned();
            lists.push(List {
                bytes,
                start: values,
            });
            continue;
        }
        let mut at = values;
        for entry in listed {
            let range = at..values + end_of(entry)?;
            at = range.end;
            let entry_of = Entry {
                range,
                check: *entry.last_chunk()?,
                used: AtomicBool::new(false),
            };
            entries.insert(*entry.first_chunk()?, entry_of);
        }
    }
    Some((entries, lists))
}

/// Where a listed value ends, behind the list.
fn end_of(entry: &[u8; ENTRY]) -> Option<usize> {
    length(&entry[size_of::<Key>()..])
}

/// A length at the beginning of some bytes.
fn length(bytes: &[u8]) -> Option<usize> {
    Some(u32::from_le_bytes(*bytes.first_chunk()?) as usize)
}

pub(super) fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    /// A long list is searched as it stands; what it says is what the table would say.
    #[test]
    fn a_list_and_a_table_say_the_same() {
        let name = b"x.files";
        let keys = |count: u32| (0..count).map(|number| all_of(&number.to_le_bytes()));
        let text = |key: &Key| key[..usize::from(key[0] % 5)].to_vec();
        let part = |count| {
            let new: BTreeMap<Key, Vec<u8>> = keys(count).map(|key| (key, text(&key))).collect();
            sealed(name, &values(&new))
        };
        let bytes = [part(LONG as u32 + 1), part(3), part(LONG as u32 * 2)].concat();
        let size = bytes.len();
        let pack = Pack::Read(bytes);
        let (table, none) = index(&pack, size, name, Use::Whole).unwrap();
        let (few, lists) = index(&pack, size, name, Use::Few).unwrap();
        assert_eq!((none.len(), few.len(), lists.len()), (0, 3, 2));
        for key in keys(LONG as u32 * 2) {
            let found = lists.iter().rev().find_map(|list| list.find(&key));
            let (range, check) = found.unwrap();
            let entry = &table[&key];
            assert_eq!((&range, check), (&entry.range, entry.check));
            assert_eq!(&*pack.at(range).unwrap(), text(&key).as_slice());
        }
        assert!(lists.iter().all(|list| list.find(&all_of(b"y")).is_none()));
    }

    fn all_of(bytes: &[u8]) -> Key {
        let sum: [u8; 32] = Sha256::digest(bytes).into();
        *sum.first_chunk().unwrap()
    }
}
