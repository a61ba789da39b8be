//! Text of a dump, line by line, into goroutines, crashes and races.
//!
//! The text is covered by no promise, so the reader goes by line, not by file: what it
//! does not know is noted with its place and left out, and the next line is tried anew.

mod crash;
mod foreseen;
mod frame;
pub mod header;
mod inferred;
mod profile;
mod race;
mod reading;
mod wrap;

use memchr::memmem;

use crate::collect::Collector;
use crate::model::{Crash, Goroutine};
use crate::symbols::{Frame, Symbols};
pub use profile::PROFILES;
use reading::Next;
use wrap::Prefix;

/// How deep escapes in escapes are undone.
const DEEPEST: usize = 4;

/// How much of a line above a goroutine may be the message of its panic.
const HEADING: usize = 1 << 10;

/// What the last line belonged to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Outside,
    Stack(Part),
    Profile,
    Race,
    /// A block of the runtime's own that says nothing about goroutines.
    Block,
}

/// Which part of a goroutine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Frames,
    Creator,
    Ancestors,
    /// The system stack: read, and not counted.
    System,
}

/// Reads the lines of one source.
pub struct Parser<'c> {
    out: &'c mut Collector,
    state: State,
    goroutine: Goroutine,
    /// Whether the goroutine's last function still lacks its place.
    open: bool,
    prefix: Prefix,
    /// The key of the JSON events that hold the lines.
    key: Option<Vec<u8>>,
    /// The start of a line whose rest stands in the next event.
    partial: Vec<u8>,
    number: u64,
    depth: usize,
    blank: bool,
    crash: crash::Pending,
    race: race::Reader,
    profile: profile::Reader,
    foreseen: foreseen::Foreseen,
    /// The last line that no reader knew, with its number.
    noted: (u64, String),
    /// That line where it stands above the goroutine.
    heading: String,
}

impl<'c> Parser<'c> {
    /// A reader at the start of a source.
    pub fn new(out: &'c mut Collector) -> Self {
        Self {
            out,
            state: State::Outside,
            goroutine: Goroutine::default(),
            open: false,
            prefix: Prefix::default(),
            key: None,
            partial: Vec::new(),
            number: 0,
            depth: 0,
            blank: true,
            crash: crash::Pending::default(),
            race: race::Reader::default(),
            profile: profile::Reader::default(),
            foreseen: foreseen::Foreseen::default(),
            noted: (0, String::new()),
            heading: String::new(),
        }
    }

    /// Takes one line of the source; `rest` is what is known of the text behind it.
    pub fn line(&mut self, line: &[u8], rest: &[u8]) {
        self.number += 1;
        if self.is_foreseen(line) {
            return;
        }
        self.wrapped(line.strip_suffix(b"\r").unwrap_or(line), rest);
    }

    /// Takes the next line of a stack where it is what it was the last time.
    fn is_foreseen(&mut self, line: &[u8]) -> bool {
        if !self.prefix.is_empty() {
            return false;
        }
        match self.state {
            State::Stack(Part::Frames) => {
                self.is_foreseen_frame(line) || self.is_foreseen_creator(line)
            }
            State::Stack(Part::Creator) => self.is_foreseen_start(line),
            _ => false,
        }
    }

    fn is_foreseen_creator(&mut self, line: &[u8]) -> bool {
        let (false, Some(last)) = (self.open, self.goroutine.frames.last()) else {
            return false;
        };
        let Some((func, parent)) = self.foreseen.creator(*last, line, &self.out.symbols) else {
            return false;
        };
        self.goroutine.parent = Some(parent);
        self.goroutine.creator = Some(Frame {
            func,
            place: Symbols::NO_PLACE,
        });
        self.open = true;
        self.blank = false;
        self.state = State::Stack(Part::Creator);
        true
    }

    fn is_foreseen_start(&mut self, line: &[u8]) -> bool {
        let g = &mut self.goroutine;
        let (true, Some(last), Some(creator)) = (self.open, g.frames.last(), g.creator.as_mut())
        else {
            return false;
        };
        let Some(place) = self.foreseen.start(*last, line, &self.out.symbols) else {
            return false;
        };
        creator.place = place;
        self.open = false;
        self.blank = false;
        true
    }

    fn is_foreseen_frame(&mut self, line: &[u8]) -> bool {
        let Some(last) = self.goroutine.frames.last_mut() else {
            return false;
        };
        let symbols = &self.out.symbols;
        if self.open {
            let Some(place) = self.foreseen.place(last.func, line, symbols) else {
                return false;
            };
            last.place = place;
            self.open = false;
        } else {
            let Some((func, args)) = self.foreseen.function(*last, line, symbols) else {
                return false;
            };
            self.goroutine.frames.push(Frame {
                func,
                place: Symbols::NO_PLACE,
            });
            self.goroutine.addresses.push(frame::first_address(args));
            self.open = true;
        }
        self.blank = false;
        true
    }

    /// The source has ended; `whole` says whether its last line had an end.
    pub fn end(mut self, whole: bool, bytes: u64) {
        if !self.partial.is_empty() {
            let line = std::mem::take(&mut self.partial);
            self.plain(&line, &[]);
        }
        // net/http/pprof stops at 64 MiB to the byte.
        let full = bytes == 64 << 20;
        let torn = !whole && self.is_torn();
        if full || torn {
            self.out.truncated();
        }
        self.finish();
        if let Some(crash) = self.crash.take_alone() {
            self.out.crash(crash);
        }
        self.race.finish(self.out);
    }

    /// Whether the goroutine that is being read cannot be all there.
    fn is_torn(&self) -> bool {
        match self.state {
            State::Stack(part) => {
                self.open || (part == Part::Frames && self.goroutine.frames.is_empty())
            }
            _ => false,
        }
    }

    /// A line as another program wrote it.
    fn wrapped(&mut self, line: &[u8], rest: &[u8]) {
        if self.depth < DEEPEST && self.unwrapped(line) {
            return;
        }
        if self.prefix.is_empty() {
            self.plain(line, rest);
        } else if let Some(inner) = self.prefix.strip(line) {
            self.plain(inner, &[]);
        } else {
            self.without_prefix(line, rest);
        }
    }

    /// A line that lacks the prefix of those before it: of a new one, of a message that
    /// only began with a prefix, or not of the dump at all.
    fn without_prefix(&mut self, line: &[u8], rest: &[u8]) {
        let known = frame::function(line).is_some()
            || line.starts_with(b"\t")
            || line.starts_with(b"created by ")
            || header::find(line).is_some()
            || crash::begins(line);
        if known || line.is_empty() {
            self.prefix = Prefix::default();
            self.plain(line, rest);
        } else {
            self.note(line);
        }
    }

    /// Takes the dump out of a JSON event or a quoted string; false for a plain line.
    fn unwrapped(&mut self, line: &[u8]) -> bool {
        let brace = if line.starts_with(b"\t") {
            None
        } else {
            memchr::memchr(b'{', line)
        };
        if let Some(brace) = brace {
            let object = line[brace + 1..].trim_ascii_start().first() == Some(&b'"');
            if object && self.event(&line[brace..]) {
                return true;
            }
        }
        // Most lines have no such byte, and one byte is found sooner than two.
        let escaped = memchr::memchr(b'\\', line).is_some() && memmem::find(line, b"\\n").is_some();
        let Some(at) = escaped.then(|| interest(line)).flatten() else {
            return false;
        };
        let text = wrap::unescape(wrap::quoted(line, at));
        self.nested(&text);
        true
    }

    /// A JSON event: its strings that are of a dump, and those under the same key.
    fn event(&mut self, line: &[u8]) -> bool {
        let strings = wrap::strings(line);
        let outer = self.depth == 0;
        let known = self.key.clone().filter(|_| outer);
        let ours = |key: &[u8], text: &[u8]| match &known {
            Some(known) => known == key,
            None => interest(text).is_some() || crash::begins(text),
        };
        let mut any = false;
        for (key, text) in strings {
            if !ours(key, text) {
                continue;
            }
            any = true;
            if outer {
                self.key = Some(key.to_vec());
            }
            let mut text = wrap::unescape(text);
            // These two hold pieces of a stream; other keys hold whole messages.
            if !(key == b"Output" || key == b"log" || text.ends_with(b"\n")) {
                text.push(b'\n');
            }
            self.nested(&text);
        }
        any || known.is_some()
    }

    /// Lines inside of a line.
    fn nested(&mut self, text: &[u8]) {
        self.depth += 1;
        let mut rest = text;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let mut line = std::mem::take(&mut self.partial);
            line.extend_from_slice(&rest[..end]);
            rest = &rest[end + 1..];
            self.wrapped(line.strip_suffix(b"\r").unwrap_or(&line), &[]);
        }
        if self.depth == 1 && self.key.is_some() {
            self.partial.extend_from_slice(rest);
        } else if !rest.is_empty() {
            self.wrapped(rest, &[]);
        }
        self.depth -= 1;
    }

    /// A line of the dump itself.
    fn plain(&mut self, line: &[u8], rest: &[u8]) {
        match self.state {
            State::Stack(part) => self.stack(line, part, rest),
            State::Profile => {
                let next = self.profile.line(line, self.number, self.out);
                self.go_on(next, line, rest);
            }
            State::Race => {
                let next = self.race.line(line, self.out);
                self.go_on(next, line, rest);
            }
            State::Outside | State::Block => self.outside(line, rest),
        }
        self.blank = line.is_empty();
    }

    /// Does what a reader of other things than goroutines says about its line.
    fn go_on(&mut self, next: Next, line: &[u8], rest: &[u8]) {
        match next {
            Next::Mine => {}
            Next::Unknown => self.note(line),
            Next::Done => self.state = State::Outside,
            Next::Other => {
                self.state = State::Outside;
                self.outside(line, rest);
            }
        }
    }

    /// A line that continues no goroutine.
    fn outside(&mut self, line: &[u8], rest: &[u8]) {
        if line.trim_ascii().is_empty() {
            self.crash.blank();
            self.state = State::Outside;
            return;
        }
        if let Some((at, head)) = header::find(line) {
            if self.is_forged(at, rest) {
                self.crash.text(line);
                return;
            }
            self.begin(line, at, &head);
            return;
        }
        if self.begins_other(line) || self.crash.take_line(line) {
            return;
        }
        if self.state == State::Block || crash::is_furniture(line) {
            return;
        }
        self.note(line);
    }

    /// Whether a header is text of a panic: up to Go 1.22 a message could hold any line.
    /// The true one stands behind a blank line.
    fn is_forged(&self, at: usize, rest: &[u8]) -> bool {
        at == 0
            && self.crash.is_message()
            && !self.blank
            && memmem::find(&rest[..rest.len().min(64 << 10)], b"\n\ngoroutine ").is_some()
    }

    /// Whether a line begins something else than a goroutine.
    fn begins_other(&mut self, line: &[u8]) -> bool {
        if memmem::find(line, b"WARNING: DATA RACE").is_some() {
            let at = memmem::find(line, b"WARNING: DATA RACE").unwrap_or(0);
            self.prefix = self.prefix_of(line, at);
            self.state = State::Race;
            self.race.begin(self.number);
            return true;
        }
        if let Some(at) = memmem::find(line, b"runtime stack:").filter(|_| line.ends_with(b":")) {
            self.prefix = self.prefix_of(line, at);
            self.goroutine.reset();
            self.state = State::Stack(Part::System);
            return true;
        }
        if let Some(at) = self.profile.begin(line, self.out) {
            self.prefix = self.prefix_of(line, at);
            self.state = State::Profile;
            return true;
        }
        self.begins_crash(line)
    }

    fn begins_crash(&mut self, line: &[u8]) -> bool {
        if self.crash.begin(line, self.number) {
            self.state = State::Outside;
            return true;
        }
        if line.starts_with(b"-----") {
            self.out.threads();
            return true;
        }
        if line.starts_with(b"stack: frame={") {
            self.state = State::Block;
            return true;
        }
        false
    }

    /// The prefix of a header that stands `at` this byte. Inside of another prefix both
    /// are one.
    fn prefix_of(&self, line: &[u8], at: usize) -> Prefix {
        if at == 0 {
            return self.prefix.clone();
        }
        Prefix::of(&line[..at]).unwrap_or_default()
    }

    fn begin(&mut self, line: &[u8], at: usize, head: &header::Header<'_>) {
        self.prefix = self.prefix_of(line, at);
        self.crash.meets(&self.prefix, at == 0);
        let g = &mut self.goroutine;
        g.reset();
        g.id = head.id;
        g.word = Some(self.out.words.intern(head.word).0);
        g.minutes = head.minutes;
        g.leaked = head.leaked;
        g.locked = head.locked;
        g.labels.extend_from_slice(head.labels);
        g.line = self.number;
        self.open = false;
        self.state = State::Stack(Part::Frames);
        self.heading.clear();
        if self.noted.0 + 1 == self.number {
            self.heading.push_str(&self.noted.1);
        }
    }

    /// A line inside of a goroutine.
    fn stack(&mut self, line: &[u8], part: Part, rest: &[u8]) {
        match line.first() {
            Some(b'\t') => {
                if !self.place(line) && !is_remark(line) {
                    self.note(line);
                }
            }
            None => self.finish(),
            Some(b'g') if line.starts_with(b"goroutine ") => self.next(line, rest),
            Some(b'c') if line.starts_with(b"created by ") => self.created(line, part),
            Some(b'.') if line.starts_with(b"...") => self.goroutine.elided = true,
            Some(b'[') if line.starts_with(b"[originating from goroutine ") => {
                self.open = false;
                self.state = State::Stack(Part::Ancestors);
            }
            _ => self.function_or_other(line, part, rest),
        }
    }

    /// Another goroutine without a blank line between, or a remark about this one.
    fn next(&mut self, line: &[u8], rest: &[u8]) {
        if header::parse(line).is_some() {
            self.finish();
            self.outside(line, rest);
        } else if !is_remark(line) {
            self.note(line);
        }
    }

    fn function_or_other(&mut self, line: &[u8], part: Part, rest: &[u8]) {
        if let Some((name, args)) = frame::function(line) {
            self.function(name, args, part);
            return;
        }
        let inner = frame::unindent(line);
        if inner.len() < line.len() {
            if inner.is_empty() {
                self.finish();
                return;
            }
            if self.open && self.place(line) {
                return;
            }
            if let Some((name, args)) = frame::function(inner) {
                self.function(name, args, part);
                return;
            }
            if inner.starts_with(b"created by ") {
                self.created(inner, part);
                return;
            }
            if inner.starts_with(b"...") {
                self.goroutine.elided = true;
                return;
            }
        }
        if self.open && frame::place(inner).is_some_and(frame::is_source) {
            self.place(line);
            return;
        }
        if header::find(line).is_some() || crash::is_furniture(line) || starts_block(line) {
            self.finish();
            self.outside(line, rest);
            return;
        }
        if line.starts_with(b"```") || line.starts_with(b"==================") {
            self.finish();
            self.outside(line, rest);
            return;
        }
        self.note(line);
    }

    fn function(&mut self, name: &[u8], args: &[u8], part: Part) {
        self.open = true;
        match part {
            Part::Frames | Part::System => {
                let func = self.out.symbols.function(name);
                if let Some(before) = self.goroutine.frames.last() {
                    self.foreseen.saw_function(*before, func);
                }
                self.goroutine.frames.push(Frame {
                    func,
                    place: Symbols::NO_PLACE,
                });
                self.goroutine.addresses.push(frame::first_address(args));
            }
            // Behind the creator a stack ends; a further function is of a cut text.
            Part::Creator | Part::Ancestors => {}
        }
    }

    /// A place line; false where it is none.
    fn place(&mut self, line: &[u8]) -> bool {
        let inner = frame::unindent(line);
        let State::Stack(part) = self.state else {
            return false;
        };
        let Some(place) = frame::place(inner) else {
            self.open = self.open && !inner.starts_with(b"pc=0x");
            return inner.starts_with(b"pc=0x");
        };
        if !self.open {
            return part == Part::Ancestors;
        }
        self.open = false;
        let slot = match part {
            Part::Frames | Part::System => self.goroutine.frames.last_mut(),
            Part::Creator => self.goroutine.creator.as_mut(),
            Part::Ancestors => None,
        };
        if let Some(frame) = slot {
            frame.place = self.out.symbols.place(place);
            match part {
                Part::Frames => self.foreseen.saw_place(*frame),
                Part::Creator => {
                    let place = frame.place;
                    if let Some(last) = self.goroutine.frames.last() {
                        self.foreseen.saw_start(*last, place);
                    }
                }
                Part::System | Part::Ancestors => {}
            }
        }
        true
    }

    /// `created by F in goroutine N`.
    fn created(&mut self, line: &[u8], part: Part) {
        self.open = true;
        if part == Part::Ancestors {
            return;
        }
        let text = line["created by ".len()..].trim_ascii_end();
        let (name, parent) = match memmem::find(text, b" in goroutine ") {
            Some(at) => {
                let digits = header::number(&text[at + " in goroutine ".len()..]);
                (&text[..at], digits.map(|(id, _)| id))
            }
            None => (text, None),
        };
        self.goroutine.parent = parent;
        let func = self.out.symbols.function(name);
        if let Some(last) = self.goroutine.frames.last() {
            self.foreseen.saw_creator(*last, func);
        }
        self.goroutine.creator = Some(Frame {
            func,
            place: Symbols::NO_PLACE,
        });
        if part != Part::System {
            self.state = State::Stack(Part::Creator);
        }
    }

    /// The goroutine is complete.
    fn finish(&mut self) {
        let State::Stack(part) = std::mem::replace(&mut self.state, State::Outside) else {
            return self.profile.finish(self.out);
        };
        self.open = false;
        if part == Part::System {
            self.crash.system(&self.goroutine);
            return;
        }
        self.out.goroutine(&self.goroutine);
        let told = self.crash.take(&self.goroutine);
        if let Some(crash) = told.or_else(|| self.untold()) {
            self.out.crash(crash);
        }
    }

    /// The crash of the goroutine that was read, where no line announced one.
    fn untold(&mut self) -> Option<Crash> {
        if self.goroutine.id == 0 || self.crash.is_pending() {
            return None;
        }
        let (g, symbols) = (&self.goroutine, &self.out.symbols);
        let running = g
            .word
            .is_some_and(|word| self.out.words.get(word) == b"running");
        if !running {
            return None;
        }
        let first = self.out.sources.last().is_none_or(|s| s.crashes == 0);
        let fatal = first.then(|| inferred::fatal(g, self.crash.system_stack(), symbols));
        fatal
            .flatten()
            .or_else(|| inferred::logged(g, &self.heading, symbols))
    }

    fn note(&mut self, line: &[u8]) {
        let inside = !matches!(self.state, State::Outside | State::Block);
        self.out.note(self.number, inside, line);
        let cut = &line[..line.len().min(HEADING)];
        self.noted = (self.number, String::from_utf8_lossy(cut).into_owned());
    }
}

/// Where a line may hold a dump in one string.
fn interest(line: &[u8]) -> Option<usize> {
    let header = memmem::find_iter(line, b"goroutine ").find(|&at| {
        let rest = &line[at + "goroutine ".len()..];
        let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        let after = &rest[digits..];
        digits > 0 && (after.starts_with(b" [") || after.starts_with(b" gp="))
    });
    header
        .or_else(|| memmem::find(line, b"WARNING: DATA RACE"))
        .or_else(|| memmem::find(line, b"goroutine profile: total "))
}

/// Lines of the runtime about a goroutine whose stack it cannot show.
fn is_remark(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    line.ends_with(b"stack unavailable")
        || line.starts_with(b"goroutine running on other thread")
        || line.starts_with(b"stack trace unavailable")
}

fn starts_block(line: &[u8]) -> bool {
    [
        &b"panic: "[..],
        b"fatal error: ",
        b"runtime stack:",
        b"stack: frame={",
        b"SIG",
        b"runtime: ",
        b"WARNING: DATA RACE",
        b"goroutine profile: ",
        b"-----",
        b"exit status ",
    ]
    .iter()
    .any(|start| line.starts_with(start))
}
