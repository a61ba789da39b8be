//! Profiles as text: `goroutine?debug=1` and `goroutineleak?debug=1`.

use memchr::memmem;

use super::reading::Next;
use super::{frame, header};
use crate::collect::Collector;
use crate::model::Goroutine;
use crate::symbols::Frame;

/// The profiles that list goroutines.
pub const PROFILES: &[&str] = &["goroutine", "goroutineleak"];

/// The profile that is being read.
#[derive(Debug, Default)]
pub struct Reader {
    leak: bool,
    open: bool,
    total: Option<u64>,
    read: u64,
    counters: Vec<u64>,
    goroutine: Goroutine,
}

impl Reader {
    /// Takes the first line of a profile; gives the place where its name begins.
    pub fn begin(&mut self, line: &[u8], out: &mut Collector) -> Option<usize> {
        let at = memmem::find(line, b" profile: ")?;
        let name_start = line[..at].iter().rposition(|b| !b.is_ascii_alphanumeric());
        let name = &line[name_start.map_or(0, |at| at + 1)..at];
        let rest = &line[at + " profile: ".len()..];
        let total = rest
            .strip_prefix(b"total ")
            .and_then(header::number)
            .map(|(n, _)| n);
        if !PROFILES.iter().any(|known| known.as_bytes() == name) {
            let other = total.is_some() || rest.first().is_some_and(u8::is_ascii_digit);
            if other && at < 20 {
                out.other_profile(&String::from_utf8_lossy(name));
            }
            return None;
        }
        let total = total?;
        *self = Self {
            leak: name == b"goroutineleak",
            total: Some(total),
            ..Self::default()
        };
        out.profile();
        Some(name_start.map_or(0, |at| at + 1))
    }

    /// Takes one line, which is the source's line of this number.
    pub fn line(&mut self, line: &[u8], number: u64, out: &mut Collector) -> Next {
        let text = line.trim_ascii();
        if text.is_empty() {
            self.finish_group(out);
        } else if let Some(group) = group(text) {
            self.finish_group(out);
            self.begin_group(group, number);
        } else if let Some(labels) = text.strip_prefix(b"# labels: ") {
            self.goroutine.labels.clear();
            let braces = labels.strip_prefix(b"{").and_then(|l| l.strip_suffix(b"}"));
            self.goroutine
                .labels
                .extend_from_slice(braces.unwrap_or(labels));
        } else if text.starts_with(b"#") {
            if !self.frame(text, out) {
                return Next::Unknown;
            }
        } else {
            self.finish(out);
            return Next::Other;
        }
        Next::Mine
    }

    fn begin_group(&mut self, (count, counters): (u64, &[u8]), number: u64) {
        self.goroutine.reset();
        self.goroutine.count = count;
        self.goroutine.leaked = self.leak;
        self.goroutine.line = number;
        self.open = true;
        self.read += count;
        self.counters.clear();
        let words = counters
            .split(|b| *b == b' ')
            .filter(|word| !word.is_empty());
        self.counters.extend(words.filter_map(hex));
    }

    /// Counter, function with offset, file and line, between tabs.
    fn frame(&mut self, text: &[u8], out: &mut Collector) -> bool {
        let mut fields = text[1..]
            .split(u8::is_ascii_whitespace)
            .filter(|f| !f.is_empty());
        let (Some(counter), Some(function)) = (fields.next().and_then(hex), fields.next()) else {
            return false;
        };
        let name = memmem::rfind(function, b"+0x").map_or(function, |at| &function[..at]);
        // A path may hold blanks: it is what follows the function.
        let after = memmem::find(text, function).map_or(text.len(), |at| at + function.len());
        let place = frame::place(text[after..].trim_ascii()).unwrap_or_default();
        if self.goroutine.frames.is_empty() {
            let list = &self.counters;
            let shown = list
                .iter()
                .position(|pc| *pc == counter + 1 || *pc == counter)
                .unwrap_or(0);
            self.goroutine.hidden.extend_from_slice(&list[..shown]);
        }
        let frame = Frame {
            func: out.symbols.function(name),
            place: out.symbols.place(place),
        };
        self.goroutine.frames.push(frame);
        self.goroutine.addresses.push(0);
        true
    }

    fn finish_group(&mut self, out: &mut Collector) {
        if std::mem::take(&mut self.open) {
            if self.goroutine.frames.is_empty() {
                let counters = std::mem::take(&mut self.counters);
                self.goroutine.hidden.extend_from_slice(&counters);
            }
            out.goroutine(&self.goroutine);
        }
    }

    /// The profile is over: its total is held against what was read.
    pub fn finish(&mut self, out: &mut Collector) {
        self.finish_group(out);
        if let Some(total) = self.total.take() {
            out.expect(total, self.read);
        }
    }
}

/// `COUNT @ 0xPC 0xPC …`.
fn group(text: &[u8]) -> Option<(u64, &[u8])> {
    let (count, rest) = header::number(text)?;
    let counters = rest.strip_prefix(b" @")?;
    Some((count, counters))
}

fn hex(word: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(word.strip_prefix(b"0x")?).ok()?;
    u64::from_str_radix(digits, 16).ok()
}
