//! Goroutine profiles as protocol buffers: the few messages of profile.proto that say
//! which stacks there are.

use std::collections::HashMap;

use crate::collect::Collector;
use crate::error::{Error, Result};
use crate::model::Goroutine;
use crate::parse::PROFILES;
use crate::symbols::Frame;
use crate::wire::{Fields, Value, numbers};

#[derive(Default)]
struct Profile<'a> {
    types: Vec<&'a [u8]>,
    samples: Vec<&'a [u8]>,
    locations: HashMap<u64, &'a [u8]>,
    functions: HashMap<u64, Named>,
    texts: Vec<&'a [u8]>,
}

#[derive(Clone, Copy, Default)]
struct Named {
    name: u64,
    file: u64,
    start: u64,
}

/// Reads a profile, and gives its goroutines to the collector. None where the bytes are
/// no profile at all.
pub fn read(bytes: &[u8], out: &mut Collector) -> Option<Result<()>> {
    let profile = Profile::of(bytes)?;
    let kind = profile.kind();
    if !PROFILES.contains(&kind.as_str()) && !profile.has_states() {
        let what = format!("a {kind} profile lists no goroutines");
        return Some(Err(Error::new("no_dump", what).hint(
            "`go tool pprof` reads it; goat dump takes the profiles goroutine and goroutineleak",
        )));
    }
    let source = out.source();
    source.proto = true;
    source.dumps += 1;
    let mut reader = Reader {
        profile: &profile,
        frames: HashMap::new(),
        leak: kind == "goroutineleak",
    };
    for sample in &profile.samples {
        reader.sample(sample, out);
    }
    Some(Ok(()))
}

/// Whether these may be the first bytes of a profile: a text with a bell or a NUL in it soon
/// has a key that no field of a profile has.
pub fn begins(head: &[u8]) -> bool {
    let mut fields = Fields(head);
    while let Some(&key) = fields.0.first() {
        if !is_key(key) {
            return false;
        }
        match fields.next() {
            // The counted value's type and unit are two numbers.
            Some(Some((1 | 11, Value::Bytes(pair)))) if !is_pair(pair) => return false,
            Some(Some(_)) => {}
            // Cut off where the bytes at hand end.
            _ => return true,
        }
    }
    !head.is_empty()
}

/// Whether a field of a profile begins so: its number and how it is written.
const fn is_key(key: u8) -> bool {
    matches!(
        (key >> 3, key & 7),
        (1..=6 | 11, 2) | (7..=10 | 12 | 14 | 15, 0) | (13, 0 | 2)
    )
}

fn is_pair(message: &[u8]) -> bool {
    Fields(message).all(|field| matches!(field, Some((1 | 2, Value::Number(_)))))
}

impl<'a> Profile<'a> {
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let mut profile = Self::default();
        for field in Fields(bytes) {
            match field? {
                (1, Value::Bytes(message)) => profile.types.push(message),
                (2, Value::Bytes(message)) => profile.samples.push(message),
                (4, Value::Bytes(message)) => {
                    profile.locations.insert(id(message)?, message);
                }
                (5, Value::Bytes(message)) => {
                    let (id, function) = function(message)?;
                    profile.functions.insert(id, function);
                }
                (6, Value::Bytes(text)) => profile.texts.push(text),
                _ => {}
            }
        }
        (!profile.types.is_empty() && !profile.texts.is_empty()).then_some(profile)
    }

    fn text(&self, number: u64) -> &'a [u8] {
        usize::try_from(number)
            .ok()
            .and_then(|at| self.texts.get(at))
            .copied()
            .unwrap_or_default()
    }

    /// The name of what the profile counts.
    fn kind(&self) -> String {
        let mut kind = String::new();
        for message in &self.types {
            for (number, value) in Fields(message).flatten() {
                if let (1, Value::Number(at)) = (number, value) {
                    kind = String::from_utf8_lossy(self.text(at)).into_owned();
                }
            }
        }
        kind
    }

    /// The profile of `CockroachDB` has one sample for each goroutine, and its state as a label.
    fn has_states(&self) -> bool {
        self.texts.contains(&&b"state"[..])
            && self.texts.iter().any(|t| t.starts_with(b"goroutine"))
    }
}

fn id(message: &[u8]) -> Option<u64> {
    Fields(message).flatten().find_map(|field| match field {
        (1, Value::Number(id)) => Some(id),
        _ => None,
    })
}

fn function(message: &[u8]) -> Option<(u64, Named)> {
    let (mut id, mut named) = (None, Named::default());
    for field in Fields(message).flatten() {
        match field {
            (1, Value::Number(number)) => id = Some(number),
            (2, Value::Number(number)) => named.name = number,
            (4, Value::Number(number)) => named.file = number,
            (5, Value::Number(number)) => named.start = number,
            _ => {}
        }
    }
    Some((id?, named))
}

struct Reader<'p, 'a> {
    profile: &'p Profile<'a>,
    /// The frames of a location, innermost first, and whether it waits on a nil channel.
    frames: HashMap<u64, (Vec<Frame>, bool)>,
    leak: bool,
}

impl Reader<'_, '_> {
    fn sample(&mut self, message: &[u8], out: &mut Collector) {
        let (mut locations, mut values, mut labels) = (Vec::new(), Vec::new(), Vec::new());
        let mut g = Goroutine::default();
        for (number, value) in Fields(message).flatten() {
            match (number, value) {
                (1, value) => numbers(&value, &mut locations),
                (2, value) => numbers(&value, &mut values),
                (3, Value::Bytes(label)) => self.label(label, &mut labels),
                _ => {}
            }
        }
        let mut nil = false;
        for location in locations {
            let (frames, waits) = self.location(location, out);
            g.frames.extend_from_slice(frames);
            nil |= *waits;
        }
        g.addresses.resize(g.frames.len(), 0);
        g.count = values.first().copied().unwrap_or(1);
        g.leaked = self.leak;
        g.labels = labels.join(&b", "[..]);
        if nil {
            let receive = g
                .frames
                .iter()
                .any(|f| out.symbols.name(f.func).starts_with("runtime.chanrecv"));
            let word: &[u8] = if receive {
                b"chan receive (nil chan)"
            } else {
                b"chan send (nil chan)"
            };
            g.word = Some(out.words.intern(word).0);
        }
        if g.count > 0 {
            out.goroutine(&g);
        }
    }

    fn label(&self, message: &[u8], into: &mut Vec<Vec<u8>>) {
        let (mut key, mut value) = (&b""[..], Vec::new());
        for (number, field) in Fields(message).flatten() {
            match (number, field) {
                (1, Value::Number(at)) => key = self.profile.text(at),
                (2, Value::Number(at)) => value = self.profile.text(at).to_vec(),
                (3, Value::Number(number)) => value = number.to_string().into_bytes(),
                _ => {}
            }
        }
        let quoted = |text: &[u8]| format!("{:?}", String::from_utf8_lossy(text)).into_bytes();
        into.push([quoted(key), quoted(&value)].join(&b": "[..]));
    }

    fn location(&mut self, id: u64, out: &mut Collector) -> &(Vec<Frame>, bool) {
        let profile = self.profile;
        self.frames.entry(id).or_insert_with(|| {
            let (mut frames, mut nil) = (Vec::new(), false);
            let message = profile.locations.get(&id).copied().unwrap_or_default();
            for (number, value) in Fields(message).flatten() {
                if let (4, Value::Bytes(line)) = (number, value) {
                    let (frame, waits) = self::line(line, profile, out);
                    frames.push(frame);
                    nil |= waits;
                }
            }
            (frames, nil)
        })
    }
}

/// How far below its first line a channel operation is surely not the one on nil.
const NIL_WITHIN: u64 = 30;

fn line(message: &[u8], profile: &Profile<'_>, out: &mut Collector) -> (Frame, bool) {
    let (mut function, mut line) = (0, 0);
    for (number, value) in Fields(message).flatten() {
        match (number, value) {
            (1, Value::Number(id)) => function = id,
            (2, Value::Number(number)) => line = number,
            _ => {}
        }
    }
    let named = profile
        .functions
        .get(&function)
        .copied()
        .unwrap_or_default();
    let name = profile.text(named.name);
    let place = [profile.text(named.file), b":", line.to_string().as_bytes()].concat();
    // A channel that is nil is looked at first, some lines below the function's start.
    let operation = matches!(name, b"runtime.chanrecv" | b"runtime.chansend");
    let nil =
        operation && named.start > 0 && line >= named.start && line - named.start < NIL_WITHIN;
    let frame = Frame {
        func: out
            .symbols
            .function(if name.is_empty() { b"??" } else { name }),
        place: out.symbols.place(&place),
    };
    (frame, nil)
}
