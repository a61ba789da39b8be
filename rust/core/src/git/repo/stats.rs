//! What stat data say of a file.

use std::fs::Metadata;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// Local file systems tell times apart by a tick of the kernel, a few milliseconds. A
/// file that was written that shortly before it was looked at may be written again
/// without looking different.
const TICK: Duration = Duration::from_millis(50);

/// Where times have whole seconds only (or two, on FAT).
const COARSE: Duration = Duration::from_millis(2100);

/// The stat data of every index entry.
#[derive(Debug)]
pub(in crate::git) struct Stats {
    /// When the first was looked up.
    pub began: SystemTime,
    /// In the order of the index; links are not followed.
    pub all: Vec<io::Result<Metadata>>,
}

/// Stat data in one value: they are compared and hashed for every file of a tree.
pub type Stamp = [u8; 56];

#[cfg(unix)]
pub(in crate::git) fn stamp(meta: &Metadata) -> Stamp {
    use std::os::unix::fs::MetadataExt;
    let times = [
        meta.mtime(),
        meta.mtime_nsec(),
        meta.ctime(),
        meta.ctime_nsec(),
    ];
    let parts = [u64::from(meta.mode()), meta.len(), meta.ino()].into_iter();
    joined(parts.chain(times.map(i64::cast_unsigned)))
}

#[cfg(not(unix))]
pub(in crate::git) fn stamp(meta: &Metadata) -> Stamp {
    let kind = u64::from(meta.is_dir()) | u64::from(meta.is_symlink()) << 1;
    let written = meta.modified().ok();
    let since = written.and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
    let (seconds, nanos) = since.map_or((u64::MAX, 0), |at| (at.as_secs(), at.subsec_nanos()));
    joined([kind, meta.len(), seconds, u64::from(nanos)].into_iter())
}

/// Whether two stamps are of files of the same kind and permissions.
pub(in crate::git) fn is_same_mode(a: &Stamp, b: &Stamp) -> bool {
    a[..8] == b[..8]
}

fn joined(parts: impl Iterator<Item = u64>) -> Stamp {
    let mut stamp = [0; 56];
    for (place, part) in stamp.chunks_exact_mut(8).zip(parts) {
        place.copy_from_slice(&part.to_le_bytes());
    }
    stamp
}

/// When a file was last changed. Unlike the time of its content, nobody can set it.
#[cfg(unix)]
pub(in crate::git) fn latest(meta: &Metadata) -> Option<SystemTime> {
    use std::os::unix::fs::MetadataExt;
    let seconds = u64::try_from(meta.ctime()).ok()?;
    let nanos = u32::try_from(meta.ctime_nsec()).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::new(seconds, nanos))
}

#[cfg(not(unix))]
pub(in crate::git) fn latest(meta: &Metadata) -> Option<SystemTime> {
    meta.modified().ok()
}

/// Whether a change lies so far back that another one would get another time.
pub(in crate::git) fn is_past(change: SystemTime, now: SystemTime) -> bool {
    let since_epoch = change.duration_since(SystemTime::UNIX_EPOCH);
    let whole_seconds = since_epoch.is_ok_and(|since| since.subsec_nanos() == 0);
    let least = if whole_seconds { COARSE } else { TICK };
    now.duration_since(change).is_ok_and(|age| age > least)
}

/// Whether a path leads to a plain file, through a link or not, given its own stat data.
pub(in crate::git) fn leads_to_file(meta: &io::Result<Metadata>, full: &Path) -> bool {
    match meta {
        Ok(meta) if meta.is_symlink() => full.is_file(),
        Ok(meta) => meta.is_file(),
        Err(_) => false,
    }
}
