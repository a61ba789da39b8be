//! What stands before the goroutines of a crash: panics and their chains, fatal errors,
//! signals.

use super::wrap::Prefix;
use crate::model::{Crash, CrashKind, Goroutine, Step};
use crate::symbols::Frame;

/// A message of more is cut.
const LONGEST: usize = 16 << 10;

/// A crash whose goroutine has not come yet.
#[derive(Debug, Default)]
pub struct Pending {
    crash: Option<Crash>,
    /// What stood before the words on their line.
    before: Vec<u8>,
    /// Lines still belong to the message.
    message: bool,
    tests: bool,
    /// The header of its goroutine has been read.
    met: bool,
    system: Vec<Frame>,
}

impl Pending {
    /// Whether a line begins a crash; then it is taken.
    pub fn begin(&mut self, line: &[u8], number: u64) -> bool {
        let Some((at, kind, message)) = start(line) else {
            return false;
        };
        // A plain one is not given up for what a log line looks like.
        let holds = self.crash.is_some() && self.before.is_empty() && !self.met;
        if holds && at > 0 {
            return false;
        }
        if holds && kind == CrashKind::Fatal && self.message {
            self.text(line);
            return true;
        }
        self.before = line[..at].to_vec();
        self.message = true;
        self.tests = false;
        self.met = false;
        self.crash = Some(Crash {
            kind,
            chain: vec![step(message)],
            signal: String::new(),
            tests: Vec::new(),
            survived: line[..at].ends_with(b"http: ") || line[..at].ends_with(b"recovered: "),
            inferred: false,
            goroutine: 0,
            parent: None,
            creator: None,
            frames: Vec::new(),
            line: number,
        });
        true
    }

    /// Whether a crash waits for its goroutine.
    pub fn is_pending(&self) -> bool {
        self.crash.is_some()
    }

    /// The stack that the runtime worked on, where one was shown.
    pub fn system_stack(&self) -> &[Frame] {
        &self.system
    }

    /// Whether the lines may still be the text of a panic that Go itself printed. In a log
    /// the goroutine follows its message at once.
    pub fn is_message(&self) -> bool {
        self.message && self.crash.is_some() && self.before.is_empty()
    }

    /// A blank line ends the message of a plain crash, and more often than not.
    pub fn blank(&mut self) {
        self.message = false;
        self.tests = false;
    }

    /// Takes a line that may belong to the crash.
    pub fn take_line(&mut self, line: &[u8]) -> bool {
        let plain = self.before.is_empty();
        let Some(crash) = self.crash.as_mut().filter(|_| !self.met) else {
            return false;
        };
        let line = Prefix::of(&self.before)
            .and_then(|prefix| prefix.strip(line))
            .unwrap_or(line);
        if let Some(signal) = line.strip_prefix(b"[signal ") {
            crash.signal = lossy(signal.strip_suffix(b"]").unwrap_or(signal));
            return true;
        }
        if crash.kind == CrashKind::Signal && line.starts_with(b"PC=") {
            crash.signal = lossy(line);
            return true;
        }
        if !self.message {
            return false;
        }
        if line == b"running tests:" {
            self.tests = true;
        } else if self.tests && line.starts_with(b"\t") {
            crash.tests.push(lossy(line.trim_ascii()));
        } else if let Some(later) = chained(line) {
            crash.chain.push(step(later));
        } else if plain {
            self.text(line);
        } else {
            return false;
        }
        true
    }

    /// Adds a line to the message.
    pub fn text(&mut self, line: &[u8]) {
        let Some(last) = self.crash.as_mut().and_then(|c| c.chain.last_mut()) else {
            return;
        };
        if last.message.len() < LONGEST {
            last.message.push('\n');
            // Since Go 1.23 a tab follows each line end of a value.
            last.message
                .push_str(&lossy(line.strip_prefix(b"\t").unwrap_or(line)));
            let again = step(last.message.as_bytes());
            last.recovered |= again.recovered;
            last.repanicked |= again.repanicked;
            last.message = again.message;
        }
    }

    /// A goroutine's header has come, behind this prefix. A log line that only speaks of
    /// a panic has another one.
    pub fn meets(&mut self, prefix: &Prefix, plain: bool) {
        let same = if self.before.is_empty() {
            prefix.is_empty()
        } else {
            prefix.strip(&self.before).is_some_and(<[u8]>::is_empty)
        };
        let survived = self.crash.as_ref().is_some_and(|c| c.survived);
        if same || (survived && plain) {
            self.met = true;
        } else if self.crash.is_some() && !self.before.is_empty() {
            self.crash = None;
        }
    }

    /// The stack that the runtime works on while it gives up.
    pub fn system(&mut self, stack: &Goroutine) {
        self.system.clone_from(&stack.frames);
    }

    /// The crash with its goroutine.
    pub fn take(&mut self, goroutine: &Goroutine) -> Option<Crash> {
        if !self.met {
            return None;
        }
        // The scheduler's own goroutine is shown first when a signal comes from outside.
        if goroutine.id == 0 {
            return None;
        }
        let mut crash = self.crash.take()?;
        crash.goroutine = goroutine.id;
        crash.parent = goroutine.parent;
        crash.creator = goroutine.creator;
        crash.frames.clone_from(&goroutine.frames);
        if crash.frames.is_empty() {
            crash.frames = std::mem::take(&mut self.system);
        }
        *self = Self::default();
        Some(crash)
    }

    /// The crash of a text without goroutines, as with GOTRACEBACK=none.
    pub fn take_alone(&mut self) -> Option<Crash> {
        let mut crash = self.crash.take()?;
        if self.before.is_empty() || self.met {
            crash.frames = std::mem::take(&mut self.system);
            return Some(crash);
        }
        None
    }
}

/// Whether a text begins with the first line of a crash.
pub fn begins(text: &[u8]) -> bool {
    start(text).is_some_and(|(at, _, _)| at == 0)
}

/// Where the words of a crash begin in a line, and what they say.
fn start(line: &[u8]) -> Option<(usize, CrashKind, &[u8])> {
    if let Some(at) = memchr::memmem::find(line, b"http: panic serving ") {
        let text = &line[at + "http: panic serving ".len()..];
        let message = memchr::memmem::find(text, b": ").map_or(text, |end| &text[end + 2..]);
        return Some((at + "http: ".len(), CrashKind::Panic, message));
    }
    for (word, kind) in [
        (&b"panic: "[..], CrashKind::Panic),
        (b"fatal error: ", CrashKind::Fatal),
    ] {
        let found = memchr::memmem::find(line, word)
            .filter(|&at| at == 0 || matches!(line[at - 1], b' ' | b'\t' | b']' | b'|' | b':'));
        if let Some(at) = found.filter(|&at| at != 1) {
            return Some((at, kind, &line[at + word.len()..]));
        }
    }
    let name = line.iter().take_while(|b| b.is_ascii_uppercase()).count();
    let signal = line.starts_with(b"SIG") && name > 4 && line[name..].starts_with(b": ");
    signal.then_some((0, CrashKind::Signal, line))
}

/// A later panic of a chain: indented by one tab more than the one before.
fn chained(line: &[u8]) -> Option<&[u8]> {
    line.strip_prefix(b"\t")
        .map(<[u8]>::trim_ascii_start)
        .and_then(|line| line.strip_prefix(b"panic: "))
}

fn step(message: &[u8]) -> Step {
    let (mut text, mut recovered, mut repanicked) = (message.trim_ascii_end(), false, false);
    if let Some(rest) = text.strip_suffix(b" [recovered, repanicked]") {
        (text, recovered, repanicked) = (rest, true, true);
    } else if let Some(rest) = text.strip_suffix(b" [recovered]") {
        (text, recovered) = (rest, true);
    }
    Step {
        message: lossy(text),
        recovered,
        repanicked,
    }
}

fn lossy(text: &[u8]) -> String {
    String::from_utf8_lossy(&text[..text.len().min(LONGEST)]).into_owned()
}

/// Lines around goroutines that say nothing about them: registers, exit status, test
/// results, fences.
pub fn is_furniture(line: &[u8]) -> bool {
    const STARTS: &[&[u8]] = &[
        b"exit status ",
        b"FAIL",
        b"ok  \t",
        b"--- FAIL",
        b"=== ",
        b"PASS",
        b"```",
        b"PC=0x",
        b"runtime: ",
        b"[signal ",
        b"unexpected fault address ",
        b"rip ",
        b"rflags ",
        b"aborting due to",
        b"signal arrived during",
        b"goroutine running on other thread",
        b"[recovered]",
        b"#!",
        b"==================",
        b"Found ",
        b"runtime.main not called",
        b"created by ",
        b"SIG",
    ];
    STARTS.iter().any(|start| line.starts_with(start)) || is_register(line) || is_hexdump(line)
}

/// `rax    0x0`.
fn is_register(line: &[u8]) -> bool {
    let mut words = line
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty());
    let (Some(name), Some(value), None) = (words.next(), words.next(), words.next()) else {
        return false;
    };
    name.len() <= 8 && value.starts_with(b"0x") && name.iter().all(u8::is_ascii_alphanumeric)
}

/// `0x000000c000046f60:  0x…`.
fn is_hexdump(line: &[u8]) -> bool {
    line.starts_with(b"0x") && line.iter().take(20).any(|b| *b == b':')
}
