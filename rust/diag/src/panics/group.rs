//! Occurrences of one root cause: kind, type, and the first place of the user's code.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::entry::Entry;
use super::kinds::{self, Class};
use super::root::{self, InApp};
use crate::model::CrashKind;
use crate::symbols::{Frame, Symbols};

/// Changes when the key does.
const VERSION: &str = "p1";

/// All occurrences of one root cause.
#[derive(Debug)]
pub struct Group {
    pub key: String,
    pub class: Class,
    pub place: Option<Frame>,
    /// The one that is shown: of those that ended the process, else of the first.
    pub shown: Entry,
    pub count: u64,
    /// How many ended a process.
    pub ended: u64,
    pub unknown: u64,
    /// The processes that one of them ended.
    ended_in: BTreeSet<String>,
    pub first: Option<String>,
    pub last: Option<String>,
    pub sources: BTreeSet<String>,
    pub instances: BTreeSet<String>,
    pub lanes: BTreeSet<String>,
    pub phases: BTreeMap<String, u64>,
}

/// Sorts the occurrences by root cause. What a text tells of a panic that a runtime has
/// recorded, too, is the end of that one and not another.
pub fn groups(entries: Vec<Entry>, in_app: &InApp, symbols: &Symbols) -> Vec<Group> {
    let (events, texts): (Vec<Entry>, Vec<Entry>) = entries.into_iter().partition(|e| !e.text);
    let mut list: Vec<Group> = Vec::new();
    let mut at: HashMap<String, usize> = HashMap::new();
    for mut entry in events.into_iter().chain(texts) {
        let place = in_app.place(root::origin(&entry.frames, symbols), symbols);
        let known = list.iter().find(|g| entry.text && g.is_of(&entry, place));
        let recorded = known.is_some_and(|g| g.recorded(&entry));
        if let Some(group) = known {
            entry.type_name.clone_from(&group.shown.type_name);
        }
        if recorded {
            entry.count = 0;
        }
        let key = key(&entry, place, symbols);
        let index = *at.entry(key.clone()).or_insert(list.len());
        match list.get_mut(index) {
            Some(group) => group.add(entry, recorded),
            None => list.push(Group::new(key, place, entry, symbols)),
        }
    }
    list
}

impl Group {
    fn new(key: String, place: Option<Frame>, entry: Entry, symbols: &Symbols) -> Self {
        let origin = root::origin(&entry.frames, symbols);
        let thrower = root::thrower(origin, symbols).map(|f| symbols.facts(f.func));
        let class = match entry.kind {
            CrashKind::Panic => kinds::class(&entry.type_name, &entry.message, thrower),
            _ => Class::Defect,
        };
        let mut group = Self {
            key,
            class,
            place,
            count: 0,
            ended: 0,
            unknown: 0,
            ended_in: BTreeSet::new(),
            first: None,
            last: None,
            sources: BTreeSet::new(),
            instances: BTreeSet::new(),
            lanes: BTreeSet::new(),
            phases: BTreeMap::new(),
            shown: entry,
        };
        group.tally(None);
        group
    }

    /// Whether a text's panic is of this root cause; its type is not always printed.
    fn is_of(&self, entry: &Entry, place: Option<Frame>) -> bool {
        let type_fits = entry.type_name.is_empty() || entry.type_name == self.shown.type_name;
        let same_place = place.is_some() && place.map(|f| f.place) == self.place.map(|f| f.place);
        !self.shown.text && self.shown.kind == entry.kind && type_fits && same_place
    }

    /// Whether the runtime of this very process has counted it already.
    fn recorded(&self, entry: &Entry) -> bool {
        !entry.instance.is_empty() && self.instances.contains(&entry.instance)
    }

    fn add(&mut self, entry: Entry, recorded: bool) {
        // Of an end Go's own text says more than the record of the runtime.
        let more = self.shown.recovered != "no" || entry.text && !self.shown.text;
        let better = entry.recovered == "no" && more;
        if recorded && entry.recovered == "no" && !self.ended_in.contains(&entry.instance) {
            self.unknown = self.unknown.saturating_sub(1);
        }
        if better {
            let old = std::mem::replace(&mut self.shown, entry);
            if self.shown.message.is_empty() {
                self.shown.message = old.message;
            }
            self.tally(None);
        } else {
            self.tally(Some(&entry));
        }
    }

    /// Counts an occurrence: the one that is shown, or another.
    fn tally(&mut self, other: Option<&Entry>) {
        let e = other.unwrap_or(&self.shown);
        self.count += e.count;
        match e.recovered {
            // A process ends once, whatever it and its crash text count.
            "no" => {
                let told = !e.instance.is_empty() && !self.ended_in.insert(e.instance.clone());
                self.ended += u64::from(!told);
            }
            "unknown" => self.unknown += e.count,
            _ => {}
        }
        self.sources.insert(e.source.clone());
        for (text, set) in [
            (&e.instance, &mut self.instances),
            (&e.lane, &mut self.lanes),
        ] {
            if !text.is_empty() {
                set.insert(text.clone());
            }
        }
        for (phase, count) in &e.phases {
            *self.phases.entry(phase.clone()).or_default() += count;
        }
        let both = self.first.iter().chain(&e.first);
        self.first = both.min().cloned();
        self.last = self.last.clone().max(e.last.clone());
    }

    /// What is known of how they ended.
    pub fn recovered(&self) -> &'static str {
        if self.ended > 0 {
            "no"
        } else if self.unknown > 0 {
            "unknown"
        } else {
            "yes"
        }
    }
}

/// The key: it holds no path and no line end, so that it is the same on every machine. The
/// runtime makes the same one (go/goatrt/panics).
fn key(entry: &Entry, place: Option<Frame>, symbols: &Symbols) -> String {
    let mut hash = Fnv::default();
    hash.part(kind_word(entry.kind));
    if let Some(frame) = place {
        let (file, line) = symbols.file_line(frame.place);
        let base = file.rsplit(['/', '\\']).next().unwrap_or_default();
        hash.part(match entry.kind {
            CrashKind::Panic => &entry.type_name,
            _ => &entry.message,
        });
        hash.part(&symbols.facts(frame.func).package);
        hash.part(&format!("{base}:{line}"));
    } else {
        // Without a place of anybody's only the words are left.
        let words = entry.message.chars().filter(|c| !c.is_ascii_digit());
        hash.part(&words.collect::<String>());
    }
    let text = data_encoding::BASE32HEX_NOPAD.encode(&hash.0.to_be_bytes());
    format!("{VERSION}{}", text.to_ascii_lowercase())
}

/// The word for a kind in the key and the document.
pub fn kind_word(kind: CrashKind) -> &'static str {
    match kind {
        CrashKind::Panic => "panic",
        CrashKind::Fatal => "fatal",
        CrashKind::Signal => "signal",
    }
}

/// FNV-1a with 64 bits: the runtime has it without linking anything.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn part(&mut self, text: &str) {
        for byte in text.bytes().chain([0]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}
