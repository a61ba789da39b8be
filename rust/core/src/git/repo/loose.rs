//! Loose objects, read here and not by libgit2: that reads one which was cut off, as a
//! full disk leaves it, for ever.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::ZlibDecoder;
use git2::{ObjectType, Oid};

use super::paths::{LARGEST, read_text};

/// How far git follows alternates of alternates.
const DEPTH: usize = 5;
const DAMAGED: &str = "it is cut off or damaged";
/// The longest header is that of a commit or a blob of 2^64 bytes.
const HEADER: u64 = 32;

/// The directories that hold loose objects, and which first bytes of ids each has.
pub(in crate::git) struct Loose {
    directories: Vec<(PathBuf, Vec<bool>)>,
}

/// A loose object whose header was read.
struct Opened {
    kind: ObjectType,
    size: u64,
    content: BufReader<ZlibDecoder<BufReader<File>>>,
}

/// Why an object cannot be read.
type Found<T> = Option<Result<T, &'static str>>;

impl Loose {
    /// The directories of an object database, its alternates' included.
    pub fn open(objects: &Path) -> Self {
        let mut loose = Self {
            directories: Vec::new(),
        };
        loose.add(objects, DEPTH);
        loose
    }

    fn add(&mut self, objects: &Path, depth: usize) {
        if self.directories.iter().any(|(known, _)| known == objects) {
            return;
        }
        let mut first = vec![false; 256];
        for entry in std::fs::read_dir(objects).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let byte = name.to_str().filter(|name| name.len() == 2);
            if let Some(byte) = byte.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
                first[usize::from(byte)] = true;
            }
        }
        self.directories.push((objects.to_path_buf(), first));
        let named = read_text(&objects.join("info/alternates")).unwrap_or_default();
        let named = named.lines().filter(|line| !line.starts_with('#'));
        for other in named.filter(|line| depth > 0 && !line.is_empty()) {
            self.add(&objects.join(other), depth - 1);
        }
    }

    /// An object; `None` where it is in a pack or nowhere.
    pub fn read(&self, id: Oid) -> Found<(ObjectType, Vec<u8>)> {
        let opened = match self.find(id)? {
            Ok(opened) => opened,
            Err(why) => return Some(Err(why)),
        };
        let mut data = Vec::new();
        let whole = opened
            .content
            .take(opened.size + 1)
            .read_to_end(&mut data)
            .is_ok_and(|length| length as u64 == opened.size);
        if whole {
            return Some(Ok((opened.kind, data)));
        }
        Some(Err(DAMAGED))
    }

    /// The size and type of an object, as [`Loose::read`].
    pub fn header(&self, id: Oid) -> Found<(u64, ObjectType)> {
        Some(self.find(id)?.map(|opened| (opened.size, opened.kind)))
    }

    fn find(&self, id: Oid) -> Found<Opened> {
        let at = usize::from(*id.as_bytes().first()?);
        let here = self.directories.iter().filter(|(_, first)| first[at]);
        let name = id.to_string();
        let (fan, rest) = name.split_at(2);
        let mut paths = here.map(|(objects, _)| objects.join(fan).join(rest));
        paths.find_map(|path| open(&path))
    }
}

fn open(path: &Path) -> Found<Opened> {
    let meta = std::fs::metadata(path).ok()?;
    if !meta.is_file() {
        return Some(Err("it is no regular file"));
    }
    let file = BufReader::new(File::open(path).ok()?);
    let mut content = BufReader::new(ZlibDecoder::new(file));
    let Some((kind, size)) = header(&mut content) else {
        return Some(Err(DAMAGED));
    };
    if size > LARGEST {
        return Some(Err("it holds more than 2 GiB"));
    }
    Some(Ok(Opened {
        kind,
        size,
        content,
    }))
}

/// The type and size with which an object begins.
fn header(content: &mut impl BufRead) -> Option<(ObjectType, u64)> {
    let mut header = Vec::new();
    content.take(HEADER).read_until(0, &mut header).ok()?;
    header.pop().filter(|end| *end == 0)?;
    let header = String::from_utf8(header).ok()?;
    let (kind, size) = header.split_once(' ')?;
    Some((ObjectType::from_str(kind)?, size.parse().ok()?))
}
