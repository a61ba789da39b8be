//! Profiles in the format of pprof (profile.proto): read into stacks with values, added up
//! over sources, and written again.

use std::collections::HashMap;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::error::{Error, Result};
use crate::symbols::{Frame, Symbols};
use crate::wire::{Fields, Value, Writer, numbers};

/// What a profile counts, and in what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SampleType {
    /// As `cpu`, `inuse_space`.
    pub name: String,
    /// As `nanoseconds`, `bytes`, `count`.
    pub unit: String,
}

/// A stack, innermost first, with the labels of its samples, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Key {
    /// The frames.
    pub frames: Vec<Frame>,
    /// Key and value as text, or a number with its unit.
    pub labels: Vec<(String, Label)>,
}

/// The value of a label.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Label {
    /// A text.
    Text(String),
    /// A number and its unit.
    Number(i64, String),
}

/// Profiles of one kind, added up.
#[derive(Default)]
pub struct Profile {
    /// The columns of values.
    pub types: Vec<SampleType>,
    /// The column that tools show first; empty where the profile says none.
    pub default_type: String,
    /// Values by stack.
    pub stacks: HashMap<Key, Vec<i64>>,
    /// Frames of all samples.
    frames: usize,
    /// Samples as they were read.
    pub samples: u64,
    /// Start of the first one, in nanoseconds since 1970; 0 where none says.
    pub time: i64,
    /// How long they took together, in nanoseconds.
    pub duration: i64,
    /// What a sample is taken of, and how many of it lie between two.
    pub period: Option<(SampleType, i64)>,
}

/// The tables of one message.
#[derive(Default)]
struct Tables<'a> {
    types: Vec<&'a [u8]>,
    samples: Vec<&'a [u8]>,
    locations: HashMap<u64, &'a [u8]>,
    functions: HashMap<u64, (u64, u64)>,
    texts: Vec<&'a [u8]>,
    time: i64,
    duration: i64,
    period_type: &'a [u8],
    period: i64,
    default_type: u64,
}

impl<'a> Tables<'a> {
    /// None where the bytes are no profile.
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let mut t = Self::default();
        for field in Fields(bytes) {
            match field? {
                (1, Value::Bytes(message)) => t.types.push(message),
                (2, Value::Bytes(message)) => t.samples.push(message),
                (4, Value::Bytes(message)) => {
                    let [id, ..] = fields(message);
                    t.locations.insert(id, message);
                }
                (5, Value::Bytes(message)) => {
                    let [id, name, _, file] = fields(message);
                    t.functions.insert(id, (name, file));
                }
                (6, Value::Bytes(text)) => t.texts.push(text),
                (9, Value::Number(time)) => t.time = time.cast_signed(),
                (10, Value::Number(duration)) => t.duration = duration.cast_signed(),
                (11, Value::Bytes(message)) => t.period_type = message,
                (12, Value::Number(period)) => t.period = period.cast_signed(),
                (14, Value::Number(default)) => t.default_type = default,
                _ => {}
            }
        }
        let first = t.texts.first().is_some_and(|text| text.is_empty());
        (first && !t.types.is_empty()).then_some(t)
    }

    fn bytes(&self, number: u64) -> &'a [u8] {
        let at = usize::try_from(number).ok();
        at.and_then(|at| self.texts.get(at))
            .copied()
            .unwrap_or_default()
    }

    fn text(&self, number: u64) -> String {
        String::from_utf8_lossy(self.bytes(number)).into_owned()
    }

    fn sample_type(&self, message: &[u8]) -> SampleType {
        let [name, unit, ..] = fields(message);
        SampleType {
            name: self.text(name),
            unit: self.text(unit),
        }
    }

    /// The frames of a location, innermost first; its address where it has no names.
    fn frames(&self, id: u64, symbols: &mut Symbols) -> Vec<Frame> {
        let message = self.locations.get(&id).copied().unwrap_or_default();
        let mut frames = Vec::new();
        let mut address = 0;
        for (number, value) in Fields(message).flatten() {
            match (number, value) {
                (3, Value::Number(found)) => address = found,
                (4, Value::Bytes(line)) => {
                    let [function, line, ..] = fields(line);
                    let (name, file) = self.functions.get(&function).copied().unwrap_or_default();
                    let place = [self.bytes(file), b":", line.to_string().as_bytes()].concat();
                    let name = self.bytes(name);
                    frames.push(Frame {
                        func: symbols.function(if name.is_empty() { b"??" } else { name }),
                        place: symbols.place(&place),
                    });
                }
                _ => {}
            }
        }
        if frames.is_empty() {
            frames.push(Frame {
                func: symbols.function(format!("{address:#x}").as_bytes()),
                place: Symbols::NO_PLACE,
            });
        }
        frames
    }

    fn label(&self, message: &[u8]) -> (String, Label) {
        let [key, text, number, unit] = fields(message);
        let value = if text == 0 {
            Label::Number(number.cast_signed(), self.text(unit))
        } else {
            Label::Text(self.text(text))
        };
        (self.text(key), value)
    }
}

/// The numbers in the first four fields of a message.
fn fields(message: &[u8]) -> [u64; 4] {
    let mut all = [0; 4];
    for (number, value) in Fields(message).flatten() {
        let at = usize::try_from(number.wrapping_sub(1)).unwrap_or(usize::MAX);
        if let (Some(into), Value::Number(value)) = (all.get_mut(at), value) {
            *into = value;
        }
    }
    all
}

/// What is in it instead of a profile.
fn what_else(bytes: &[u8]) -> String {
    let line = bytes
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    match std::str::from_utf8(line) {
        _ if bytes.is_empty() => "the profile is empty".to_owned(),
        Ok(text)
            if !text.trim().is_empty()
                && text
                    .bytes()
                    .all(|byte| byte >= b' ' || byte == b'\t' || byte == b'\r') =>
        {
            let begin: String = text.trim().chars().take(40).collect();
            format!("no profile of pprof is in it: it is text that begins with {begin:?}")
        }
        _ => "no profile of pprof is in it, or it is damaged".to_owned(),
    }
}

/// As many frames as a stack may have, and as all stacks may have together: what names
/// more was made to fill the memory.
const MOST_FRAMES: usize = 100_000;
const MOST_FRAMES_OF_ALL: usize = 200_000_000;

const HINT: &str = "name a file that go test -cpuprofile, runtime/pprof or /debug/pprof wrote";

impl Profile {
    /// Adds a profile. One of another kind than those before is refused.
    pub fn add(&mut self, bytes: &[u8], symbols: &mut Symbols) -> Result<()> {
        let Some(tables) = Tables::of(bytes) else {
            return Err(Error::new("no_profile", what_else(bytes)).hint(HINT));
        };
        let types: Vec<SampleType> = tables.types.iter().map(|m| tables.sample_type(m)).collect();
        if self.types.is_empty() {
            self.types = types;
            self.default_type = tables.text(tables.default_type);
            let kind = tables.sample_type(tables.period_type);
            self.period = (tables.period != 0).then_some((kind, tables.period));
        } else {
            self.alike(&types)?;
        }
        if tables.time > 0 && (self.time == 0 || tables.time < self.time) {
            self.time = tables.time;
        }
        self.duration = self.duration.saturating_add(tables.duration.max(0));
        let mut known: HashMap<u64, Vec<Frame>> = HashMap::new();
        for message in &tables.samples {
            self.sample(message, &tables, &mut known, symbols)?;
        }
        Ok(())
    }

    fn sample(
        &mut self,
        message: &[u8],
        tables: &Tables<'_>,
        known: &mut HashMap<u64, Vec<Frame>>,
        symbols: &mut Symbols,
    ) -> Result<()> {
        let damaged = || {
            Error::new(
                "no_profile",
                "the profile is damaged: a sample cannot be read",
            )
            .hint("fetch it again, and keep it in a binary file")
        };
        let (mut locations, mut values) = (Vec::new(), Vec::new());
        let mut key = Key::default();
        for field in Fields(message) {
            match field.ok_or_else(damaged)? {
                (1, value) => numbers(&value, &mut locations),
                (2, value) => numbers(&value, &mut values),
                (3, Value::Bytes(label)) => key.labels.push(tables.label(label)),
                _ => {}
            }
        }
        if values.len() != self.types.len() {
            return Err(damaged());
        }
        for id in locations {
            let frames = known
                .entry(id)
                .or_insert_with(|| tables.frames(id, symbols));
            key.frames.extend_from_slice(frames);
            if key.frames.len() > MOST_FRAMES {
                return Err(damaged());
            }
        }
        self.frames += key.frames.len();
        if self.frames > MOST_FRAMES_OF_ALL {
            return Err(damaged());
        }
        key.labels.sort();
        self.samples += 1;
        let sums = self
            .stacks
            .entry(key)
            .or_insert_with(|| vec![0; values.len()]);
        for (sum, value) in sums.iter_mut().zip(values) {
            *sum = sum.saturating_add(value.cast_signed());
        }
        Ok(())
    }

    fn alike(&self, types: &[SampleType]) -> Result<()> {
        if self.types == types {
            return Ok(());
        }
        let what = format!(
            "a profile of {} and one of {} cannot be put together",
            names(&self.types),
            names(types)
        );
        Err(Error::new("no_profile", what).hint("name profiles of one kind"))
    }

    /// Refuses another kind of profile.
    pub fn comparable(&self, old: &Self) -> Result<()> {
        self.alike(&old.types)
    }

    /// Takes another one's values off: what is left is the difference.
    pub fn subtract(&mut self, old: &Self) {
        for (key, values) in &old.stacks {
            let sums = self
                .stacks
                .entry(key.clone())
                .or_insert_with(|| vec![0; values.len()]);
            for (sum, value) in sums.iter_mut().zip(values) {
                *sum = sum.saturating_sub(*value);
            }
        }
    }

    /// The number of the column of this name; that of the profile's default, or the last
    /// one, where none is named.
    pub fn column(&self, name: &str) -> Result<usize> {
        let find = |name: &str| self.types.iter().position(|t| t.name == name);
        if name.is_empty() {
            let default = find(&self.default_type);
            return Ok(default.unwrap_or(self.types.len().saturating_sub(1)));
        }
        find(name).ok_or_else(|| {
            let what = format!("the profile has no values of {name:?}");
            Error::new("bad_request", what).hint(format!("it has {}", names(&self.types)))
        })
    }

    /// The profile as pprof reads it, compressed.
    pub fn write(&self, symbols: &Symbols) -> std::io::Result<Vec<u8>> {
        let mut out = Out::default();
        out.text("");
        for kind in &self.types {
            let message = out.sample_type(kind);
            out.profile.bytes(1, &message);
        }
        let mut stacks: Vec<(&Key, &Vec<i64>)> = self
            .stacks
            .iter()
            .filter(|(_, values)| values.iter().any(|v| *v != 0))
            .collect();
        // The same profile gives the same bytes.
        stacks.sort_by(|a, b| {
            a.0.labels
                .cmp(&b.0.labels)
                .then_with(|| order(a.0).cmp(order(b.0)))
        });
        for (key, values) in stacks {
            out.sample(key, values, symbols);
        }
        out.tables();
        let bytes = out.finish(self);
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(&bytes)?;
        gzip.finish()
    }
}

/// Frames as they are numbered, which follows the order of the sources.
fn order(key: &Key) -> impl Iterator<Item = (u32, u32)> {
    key.frames.iter().map(|frame| (frame.func, frame.place))
}

fn names(types: &[SampleType]) -> String {
    let names: Vec<&str> = types.iter().map(|t| t.name.as_str()).collect();
    names.join(", ")
}

/// A profile on its way out.
#[derive(Default)]
struct Out {
    profile: Writer,
    texts: Vec<String>,
    numbers: HashMap<String, u64>,
    locations: HashMap<Frame, u64>,
    /// In the order of their numbers: function and line.
    lines: Vec<(u64, u64)>,
    functions: HashMap<(u64, u64), u64>,
    /// In the order of their numbers: name and file.
    named: Vec<(u64, u64)>,
}

impl Out {
    fn text(&mut self, text: &str) -> u64 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = self.texts.len() as u64;
        self.texts.push(text.to_owned());
        self.numbers.insert(text.to_owned(), number);
        number
    }

    fn sample_type(&mut self, kind: &SampleType) -> Vec<u8> {
        let (name, unit) = (self.text(&kind.name), self.text(&kind.unit));
        let mut message = Writer::default();
        message.number(1, name);
        message.number(2, unit);
        message.bytes
    }

    fn sample(&mut self, key: &Key, values: &[i64], symbols: &Symbols) {
        let locations: Vec<u64> = key
            .frames
            .iter()
            .map(|f| self.location(*f, symbols))
            .collect();
        let mut message = Writer::default();
        message.numbers(1, locations.into_iter());
        message.numbers(2, values.iter().map(|value| value.cast_unsigned()));
        for (name, value) in &key.labels {
            let mut label = Writer::default();
            label.number(1, self.text(name));
            match value {
                Label::Text(text) => label.number(2, self.text(text)),
                Label::Number(number, unit) => {
                    label.number(3, number.cast_unsigned());
                    label.number(4, self.text(unit));
                }
            }
            message.bytes(3, &label.bytes);
        }
        self.profile.bytes(2, &message.bytes);
    }

    fn location(&mut self, frame: Frame, symbols: &Symbols) -> u64 {
        if let Some(number) = self.locations.get(&frame) {
            return *number;
        }
        let (file, line) = symbols.file_line(frame.place);
        let named = (self.text(&symbols.name(frame.func)), self.text(&file));
        let next = self.named.len() as u64 + 1;
        let function = *self.functions.entry(named).or_insert(next);
        if function == next {
            self.named.push(named);
        }
        self.lines.push((function, u64::from(line)));
        let number = self.lines.len() as u64;
        self.locations.insert(frame, number);
        number
    }

    /// The tables of locations and functions.
    fn tables(&mut self) {
        for (at, (function, line)) in self.lines.iter().enumerate() {
            let (mut place, mut message) = (Writer::default(), Writer::default());
            place.number(1, *function);
            place.number(2, *line);
            message.number(1, at as u64 + 1);
            message.bytes(4, &place.bytes);
            self.profile.bytes(4, &message.bytes);
        }
        for (at, (name, file)) in self.named.iter().enumerate() {
            let mut message = Writer::default();
            message.number(1, at as u64 + 1);
            message.number(2, *name);
            message.number(3, *name);
            message.number(4, *file);
            self.profile.bytes(5, &message.bytes);
        }
    }

    fn finish(mut self, of: &Profile) -> Vec<u8> {
        let period = of
            .period
            .as_ref()
            .map(|(kind, number)| (self.sample_type(kind), *number));
        let default = self.text(&of.default_type);
        for text in &self.texts {
            self.profile.bytes(6, text.as_bytes());
        }
        self.profile.number(9, of.time.cast_unsigned());
        self.profile.number(10, of.duration.cast_unsigned());
        if let Some((kind, number)) = period {
            self.profile.bytes(11, &kind);
            self.profile.number(12, number.cast_unsigned());
        }
        self.profile.number(14, default);
        self.profile.bytes
    }
}
