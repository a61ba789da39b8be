//! Profiles as text: `goroutine?debug=1` and `goroutineleak?debug=1`.

use memchr::memmem;

use super::{Parser, State, frame, header};
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
}

impl Parser<'_> {
    /// Takes the first line of a profile.
    pub(super) fn begins_profile(&mut self, line: &[u8]) -> bool {
        let Some(at) = memmem::find(line, b" profile: ") else {
            return false;
        };
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
                self.out.other_profile(&String::from_utf8_lossy(name));
            }
            return false;
        }
        if total.is_none() {
            return false;
        }
        self.prefix = self.prefix_of(line, name_start.map_or(0, |at| at + 1));
        self.profile = Reader {
            leak: name == b"goroutineleak",
            total,
            ..Reader::default()
        };
        self.out.profile();
        self.state = State::Profile;
        true
    }

    pub(super) fn profile_line(&mut self, line: &[u8], rest: &[u8]) {
        let text = line.trim_ascii();
        if text.is_empty() {
            self.finish_group();
        } else if let Some(group) = group(text) {
            self.finish_group();
            self.begin_group(group);
        } else if let Some(labels) = text.strip_prefix(b"# labels: ") {
            self.goroutine.labels.clear();
            let braces = labels.strip_prefix(b"{").and_then(|l| l.strip_suffix(b"}"));
            self.goroutine
                .labels
                .extend_from_slice(braces.unwrap_or(labels));
        } else if text.starts_with(b"#") {
            if !self.profile_frame(text) {
                self.note(line);
            }
        } else {
            self.finish_profile();
            self.state = State::Outside;
            self.outside(line, rest);
        }
    }

    fn begin_group(&mut self, (count, counters): (u64, &[u8])) {
        self.goroutine.reset();
        self.goroutine.count = count;
        self.goroutine.leaked = self.profile.leak;
        self.goroutine.line = self.number;
        self.profile.open = true;
        self.profile.read += count;
        self.profile.counters.clear();
        let words = counters
            .split(|b| *b == b' ')
            .filter(|word| !word.is_empty());
        self.profile.counters.extend(words.filter_map(hex));
    }

    /// Counter, function with offset, file and line, between tabs.
    fn profile_frame(&mut self, text: &[u8]) -> bool {
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
            let list = &self.profile.counters;
            let shown = list
                .iter()
                .position(|pc| *pc == counter + 1 || *pc == counter)
                .unwrap_or(0);
            self.goroutine.hidden.extend_from_slice(&list[..shown]);
        }
        let frame = Frame {
            func: self.out.symbols.function(name),
            place: self.out.symbols.place(place),
        };
        self.goroutine.frames.push(frame);
        self.goroutine.addresses.push(0);
        true
    }

    fn finish_group(&mut self) {
        if std::mem::take(&mut self.profile.open) {
            if self.goroutine.frames.is_empty() {
                let counters = std::mem::take(&mut self.profile.counters);
                self.goroutine.hidden.extend_from_slice(&counters);
            }
            self.out.goroutine(&self.goroutine);
        }
    }

    /// The profile is over: its total is held against what was read.
    pub(super) fn finish_profile(&mut self) {
        self.finish_group();
        if let Some(total) = self.profile.total.take() {
            self.out.expect(total, self.profile.read);
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
