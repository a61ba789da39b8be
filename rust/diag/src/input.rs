//! Bytes of a source as lines: gzip and UTF-16 undone, in a buffer of bounded size.

use std::fs::File;
use std::io::{self, Cursor, ErrorKind, Read};

use flate2::read::MultiGzDecoder;

use crate::error::{Error, Result};
use crate::proto;
use crate::stop::Stop;

/// How much is read at once. A window is enough to look ahead for a blank line.
const CHUNK: usize = 1 << 20;

/// A line longer than this is cut: no form of a dump needs it, and memory is bounded.
const LONGEST: usize = 64 << 20;

/// A source that goes on for so long without the end of a line is no text: what is in it
/// cannot be told from garbage, and it may have no end.
const LONGEST_RUN: u64 = 256 << 20;

/// As many lines with a NUL in them as a text may have: a hole in a log is one.
const MOST_BINARY: u32 = 100_000;

/// The most that is read of what is no regular file: a device has no end.
const MOST_OF_A_STREAM: u64 = 4 << 30;

/// The most that a compressed profile may hold.
const LARGEST_PROFILE: u64 = 1 << 30;

/// What to do about a source that ends too early.
pub const DAMAGED: &str = "copy or fetch it again: it is cut off or damaged";

/// A source, opened.
pub struct Input {
    reader: Box<dyn Read>,
    /// The first bytes, decompressed, still to be read.
    head: Vec<u8>,
}

impl Input {
    /// Opens a file.
    pub fn file(path: &str) -> Result<Self> {
        let unreadable = |cause: io::Error| {
            let hint = match cause.kind() {
                ErrorKind::PermissionDenied => "make it readable, or copy it",
                ErrorKind::UnexpectedEof | ErrorKind::InvalidData | ErrorKind::InvalidInput => {
                    DAMAGED
                }
                _ => "name a file, a URL, or - for standard input",
            };
            Error::new("unreadable", "the dump cannot be read")
                .path(path)
                .hint(hint)
                .cause(cause)
        };
        let info = std::fs::metadata(path).map_err(unreadable)?;
        if info.is_dir() {
            return Err(Error::new("unreadable", "a directory is no dump")
                .path(path)
                .hint("name the files in it"));
        }
        if is_socket(&info) {
            return Err(Error::new("unreadable", "a socket is no dump")
                .path(path)
                .hint("ask the process behind it: name unix:PATH"));
        }
        let file = File::open(path).map_err(unreadable)?;
        if info.is_file() {
            return Self::new(Box::new(file)).map_err(unreadable);
        }
        Self::new(Box::new(Bounded {
            reader: file,
            left: MOST_OF_A_STREAM,
        }))
        .map_err(unreadable)
    }

    /// Takes a text that is in memory.
    pub fn text(text: String) -> Result<Self> {
        Self::new(Box::new(Cursor::new(text.into_bytes())))
            .map_err(|cause| Error::new("unreadable", "the dump cannot be read").cause(cause))
    }

    fn new(mut reader: Box<dyn Read>) -> io::Result<Self> {
        let mut head = peek(&mut reader, 4)?;
        // A dump may have been compressed on the way, and again by its keeper.
        for _ in 0..3 {
            if !head.starts_with(&[0x1f, 0x8b]) {
                break;
            }
            let before = Cursor::new(head);
            reader = Box::new(MultiGzDecoder::new(before.chain(reader)));
            head = peek(&mut reader, 4)?;
        }
        let wide = match head.as_slice() {
            [0xff, 0xfe, ..] => Some(u16::from_le_bytes as fn([u8; 2]) -> u16),
            [0xfe, 0xff, ..] => Some(u16::from_be_bytes as fn([u8; 2]) -> u16),
            _ => None,
        };
        if let Some(unit) = wide {
            let before = Cursor::new(head.split_off(2));
            reader = Box::new(Wide {
                reader: Box::new(before.chain(reader)),
                unit,
                ready: Vec::new(),
                at: 0,
            });
            head = Vec::new();
        } else if head.starts_with(b"\xef\xbb\xbf") {
            head.drain(..3);
        }
        Ok(Self { reader, head })
    }

    /// Whether this may be a profile as protocol buffer.
    pub fn may_be_proto(&mut self) -> io::Result<bool> {
        self.look()?;
        let control = self.head.iter().take(64).any(|b| *b < 9);
        Ok(control && proto::begins(&self.head))
    }

    /// Everything at once, for profiles; what cannot be one only as far as that shows.
    pub fn profile(mut self, stop: Stop<'_>) -> io::Result<Vec<u8>> {
        self.look()?;
        // The key of the first field, 1 to 15, a number or bytes.
        let key = self.head.first().copied().unwrap_or_default();
        if key < 8 || !matches!(key & 7, 0 | 2) {
            return Ok(self.head);
        }
        self.whole(stop)
    }

    /// Everything at once.
    pub fn whole(mut self, stop: Stop<'_>) -> io::Result<Vec<u8>> {
        let mut all = self.head;
        loop {
            let mut chunk = self.reader.by_ref().take(CHUNK as u64);
            if chunk.read_to_end(&mut all)? < CHUNK {
                return Ok(all);
            }
            if all.len() as u64 > LARGEST_PROFILE {
                let most = LARGEST_PROFILE >> 20;
                return Err(io::Error::other(format!("it holds more than {most} MiB")));
            }
            if stop() {
                return Err(io::Error::other("stopped"));
            }
        }
    }

    /// Has the first bytes at hand.
    fn look(&mut self) -> io::Result<()> {
        if self.head.len() < 512 {
            let more = peek(&mut self.reader, 512 - self.head.len())?;
            self.head.extend_from_slice(&more);
        }
        Ok(())
    }

    /// Hands out line by line: the line without its end, whether it had an end, and what
    /// is known of the text behind it. Gives the number of bytes.
    pub fn lines(
        mut self,
        stop: Stop<'_>,
        mut line: impl FnMut(&[u8], bool, &[u8]) -> Result<()>,
    ) -> Result<Ended> {
        let mut buffer = std::mem::take(&mut self.head);
        let mut ended = Ended::default();
        let mut searched = 0;
        // Bytes of the line that goes on, and lines that are no text.
        let (mut run, mut binary) = (0, 0);
        loop {
            if stop() {
                return Err(Error::new("cancelled", "cancelled"));
            }
            let filled = buffer.len();
            let mut chunk = self.reader.by_ref().take(CHUNK as u64);
            if let Err(cause) = chunk.read_to_end(&mut buffer) {
                ended.broken = Some(cause.to_string());
            }
            let mut finished = buffer.len() - filled < CHUNK;
            run += (buffer.len() - filled) as u64;
            let text = memchr::memchr(0, &buffer[filled..]).is_none();
            let mut start = 0;
            while let Some(at) = memchr::memchr(b'\n', &buffer[searched..]) {
                let end = searched + at;
                binary += u32::from(!text && memchr::memchr(0, &buffer[start..end]).is_some());
                line(&buffer[start..end], true, &buffer[end + 1..])?;
                start = end + 1;
                searched = start;
                run = (buffer.len() - start) as u64;
            }
            if run > LONGEST_RUN {
                let most = LONGEST_RUN >> 20;
                ended.broken = Some(format!("no line ends in {most} MiB: it is no text"));
                finished = true;
            } else if binary > MOST_BINARY {
                ended.broken = Some(format!("{binary} lines hold a NUL: it is no text"));
                finished = true;
            }
            ended.bytes += start as u64;
            buffer.drain(..start);
            if finished {
                ended.bytes += buffer.len() as u64;
                if !buffer.is_empty() {
                    line(&buffer, false, &[])?;
                }
                return Ok(ended);
            }
            if buffer.len() > LONGEST {
                ended.bytes += (buffer.len() - CHUNK) as u64;
                buffer.truncate(CHUNK);
            }
            searched = buffer.len();
        }
    }
}

/// How the reading ended.
#[derive(Debug, Default)]
pub struct Ended {
    /// Bytes of text that were read, decompressed.
    pub bytes: u64,
    /// Why it ended early, if it did: a damaged gzip stream.
    pub broken: Option<String>,
}

#[cfg(unix)]
fn is_socket(info: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt;
    info.file_type().is_socket()
}

/// What has no length of its own, up to a limit; then an error, not an end.
struct Bounded<R> {
    reader: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX);
        if most == 0 && !out.is_empty() {
            let most = MOST_OF_A_STREAM >> 20;
            return Err(io::Error::other(format!(
                "it is no file, and goes on after {most} MiB"
            )));
        }
        let room = out.len().min(most);
        let count = self.reader.read(&mut out[..room])?;
        self.left -= count as u64;
        Ok(count)
    }
}

fn peek(reader: &mut dyn Read, count: usize) -> io::Result<Vec<u8>> {
    let mut head = vec![0; count];
    let mut filled = 0;
    while filled < count {
        match reader.read(&mut head[filled..]) {
            Ok(0) => break,
            Ok(got) => filled += got,
            Err(cause) if cause.kind() == ErrorKind::Interrupted => {}
            Err(cause) => return Err(cause),
        }
    }
    head.truncate(filled);
    Ok(head)
}

/// UTF-16, as some shells redirect standard error, made UTF-8.
struct Wide {
    reader: Box<dyn Read>,
    unit: fn([u8; 2]) -> u16,
    ready: Vec<u8>,
    at: usize,
}

impl Read for Wide {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.at == self.ready.len() {
            let raw = peek(self.reader.as_mut(), 1 << 16)?;
            let (pairs, _) = raw.as_chunks::<2>();
            let units = pairs.iter().map(|pair| (self.unit)(*pair));
            let text: String = char::decode_utf16(units)
                .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
                .collect();
            self.ready = text.into_bytes();
            self.at = 0;
        }
        let count = out.len().min(self.ready.len() - self.at);
        out[..count].copy_from_slice(&self.ready[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}
