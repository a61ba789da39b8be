//! One file of a journal, and moving files without leaving them half written.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::{self, File, FileTimes, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use data_encoding::BASE64;

/// What the journal says of one file: the hashes of its contents, `None` for no file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub path: PathBuf,
    pub old: Option<String>,
    pub new: Option<String>,
}

/// One line per entry: old hash, new hash (`-` for none), path in base64.
pub(super) fn encode(entries: &[Entry]) -> String {
    let mut text = String::new();
    for entry in entries {
        let word = |hash: &Option<String>| hash.clone().unwrap_or_else(|| "-".to_owned());
        let path = BASE64.encode(entry.path.as_os_str().as_encoded_bytes());
        let _ = writeln!(text, "{} {} {path}", word(&entry.old), word(&entry.new));
    }
    text
}

/// Reads [`encode`]'s text. The journal was renamed into place whole, so that a
/// line which does not fit was not written by this goat.
pub(super) fn decode(text: &str) -> Vec<Entry> {
    text.lines().filter_map(decode_line).collect()
}

fn decode_line(line: &str) -> Option<Entry> {
    let mut words = line.split(' ');
    let mut hash = || {
        words
            .next()
            .map(|word| Some(word.to_owned()).filter(|word| word != "-"))
    };
    let (old, new) = (hash()?, hash()?);
    let path = String::from_utf8(BASE64.decode(words.next()?.as_bytes()).ok()?).ok()?;
    Some(Entry {
        path: PathBuf::from(path),
        old,
        new,
    })
}

/// Keeps a file under a second name: a link, so that nothing of it is lost, else a copy.
pub(super) fn keep(file: &Path, name: &Path) -> io::Result<()> {
    if fs::hard_link(file, name).is_ok() {
        return Ok(());
    }
    fs::copy(file, name)?;
    let times = fs::metadata(file)?;
    let copy = File::options().write(true).open(name)?;
    copy.set_times(FileTimes::new().set_modified(times.modified()?))?;
    copy.sync_all()
}

/// Moves a temporary to its place in one step. On another device the copy is made
/// beside the target first.
pub(super) fn put(temporary: &Path, target: &Path) -> io::Result<()> {
    match fs::rename(temporary, target) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {}
        other => return other,
    }
    let beside = sibling(target);
    let copied = keep(temporary, &beside).and_then(|()| fs::rename(&beside, target));
    if copied.is_err() {
        forget(target);
    }
    copied
}

/// Removes the copy that [`put`] may have left beside the target.
pub(super) fn forget(target: &Path) {
    let _ = fs::remove_file(sibling(target));
}

fn sibling(target: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(target.file_name().unwrap_or_default());
    name.push(".goat~");
    target.with_file_name(name)
}

/// Gives the new file the old one's owner where that is another and we may.
#[cfg(unix)]
pub(super) fn same_owner(file: &File, old: &Metadata) {
    use std::os::unix::fs::{MetadataExt, fchown};
    let now = file.metadata();
    if now.is_ok_and(|now| (now.uid(), now.gid()) != (old.uid(), old.gid())) {
        let _ = fchown(file, Some(old.uid()), Some(old.gid()));
    }
}

/// Files have no owner to keep here.
#[cfg(not(unix))]
pub(super) fn same_owner(_file: &File, _old: &Metadata) {}
