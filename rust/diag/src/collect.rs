//! What the readers found, gathered while they read: goroutines of equal stacks are one
//! group from the start, so that memory follows the number of stacks and not of
//! goroutines.

use std::collections::{BTreeMap, HashSet};
use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::locks::Traces;
use crate::model::{Crash, CrashKind, Goroutine, Race, Step};
use crate::symbols::{Frame, Symbols, Texts};

/// How many goroutine numbers a group keeps as examples.
const EXAMPLES: usize = 10;
/// How many different labels a group counts.
const LABELS: usize = 50;
/// How many places that were not read are listed.
const NOTES: usize = 50;
/// How much of a line is shown.
const SHOWN: usize = 120;

/// Goroutines of equal state and stack.
#[derive(Debug)]
pub struct Group {
    /// Number of the status word; none in profiles.
    pub word: Option<u32>,
    /// The stack, innermost first.
    pub frames: Vec<Frame>,
    /// Program counters that are not named.
    pub hidden: Vec<u64>,
    /// Who started them.
    pub creator: Option<Frame>,
    /// How many.
    pub count: u64,
    /// How many are marked as leaked.
    pub leaked: u64,
    /// How many are bound to a thread.
    pub locked: u64,
    /// How often each number of minutes stands in a header.
    pub minutes: BTreeMap<u32, u64>,
    /// Numbers of some of them.
    pub examples: Vec<u64>,
    /// How often each set of labels occurs.
    pub labels: BTreeMap<Vec<u8>, u64>,
}

/// A run of lines that no reader knew.
#[derive(Clone, Debug)]
pub struct Note {
    /// Number of the source.
    pub source: usize,
    /// First line.
    pub line: u64,
    /// How many lines.
    pub lines: u64,
    /// Inside of a goroutine.
    pub inside: bool,
    /// The first line's text, shortened.
    pub text: String,
}

/// What is known of one source.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// Its name.
    pub name: String,
    /// Goroutines that it holds, as far as it says.
    pub goroutines: u64,
    /// Goroutines that were read.
    pub parsed: u64,
    /// Goroutines with a header of their own.
    pub stacks: u64,
    /// How many dumps stand in it, one after the other.
    pub dumps: u64,
    /// Text profile, protocol buffer.
    pub profile: bool,
    /// As above.
    pub proto: bool,
    /// It ends in the middle.
    pub truncated: bool,
    /// Why it could not be read to its end.
    pub broken: Option<String>,
    /// Lines that were not read.
    pub unread: u64,
    /// Crashes and races in it.
    pub crashes: u64,
    /// As above.
    pub races: u64,
    /// A profile of another kind.
    pub other_profile: Option<String>,
    /// Bytes of text.
    pub bytes: u64,
}

/// Everything that was found.
#[derive(Debug, Default)]
pub struct Collector {
    /// Functions and places.
    pub symbols: Symbols,
    /// Status words.
    pub words: Texts,
    /// Groups in the order of their first goroutine.
    pub groups: Vec<Group>,
    /// Crashes, each with the number of its source.
    pub crashes: Vec<(usize, Crash)>,
    /// Races, each with the number of its source.
    pub races: Vec<(usize, Race)>,
    /// What was not read.
    pub notes: Vec<Note>,
    /// The sources.
    pub sources: Vec<Source>,
    /// Who waits for which lock, and who works on what.
    pub traces: Traces,
    table: HashTable<u32>,
    hasher: DefaultHashBuilder,
    /// Goroutines on a thread; under GOTRACEBACK=crash each thread shows its own again.
    on_thread: HashSet<u64>,
    threads: bool,
    /// The group of the source's first goroutine.
    first_group: Option<u32>,
}

impl Collector {
    /// Begins a source.
    pub fn begin(&mut self, name: &str) {
        self.sources.push(Source {
            name: name.to_owned(),
            ..Source::default()
        });
        self.on_thread.clear();
        self.threads = false;
        self.first_group = None;
    }

    /// The source that is being read.
    pub fn source(&mut self) -> &mut Source {
        if self.sources.is_empty() {
            self.sources.push(Source::default());
        }
        let last = self.sources.len() - 1;
        &mut self.sources[last]
    }

    /// Takes one goroutine, or as many as its count says.
    pub fn goroutine(&mut self, g: &Goroutine) {
        if self.is_shown_again(g) {
            return;
        }
        let source = self.source();
        source.goroutines += g.count;
        source.parsed += g.count;
        if g.word.is_some() {
            source.stacks += g.count;
            source.dumps = source.dumps.max(1);
        }
        let number = self.group(g);
        self.first_group.get_or_insert(number);
        let group = &mut self.groups[number as usize];
        group.count += g.count;
        group.leaked += if g.leaked { g.count } else { 0 };
        group.locked += u64::from(g.locked);
        if let Some(minutes) = g.minutes {
            *group.minutes.entry(minutes).or_default() += g.count;
        }
        if group.examples.len() < EXAMPLES && g.id != 0 {
            group.examples.push(g.id);
        }
        if !g.labels.is_empty() {
            count_labels(&mut group.labels, g);
        }
        self.traces.add(g, number, &self.symbols);
    }

    /// Whether a goroutine was printed already, by the thread that runs it.
    fn is_shown_again(&mut self, g: &Goroutine) -> bool {
        let Some(word) = g.word else {
            return false;
        };
        if !matches!(self.words.get(word), b"running" | b"syscall") {
            return false;
        }
        if self.on_thread.insert(g.id) {
            return false;
        }
        if !self.threads {
            self.on_thread.clear();
            self.on_thread.insert(g.id);
            self.source().dumps += 1;
        }
        self.threads
    }

    /// The number of the group of a goroutine.
    fn group(&mut self, g: &Goroutine) -> u32 {
        let hash = self
            .hasher
            .hash_one((g.word, g.creator, &g.frames, &g.hidden));
        let groups = &self.groups;
        let same = |&at: &u32| {
            let group = &groups[at as usize];
            group.frames == g.frames
                && group.word == g.word
                && group.creator == g.creator
                && group.hidden == g.hidden
        };
        if let Some(&at) = self.table.find(hash, same) {
            return at;
        }
        let at = self.groups.len() as u32;
        self.groups.push(Group {
            word: g.word,
            frames: g.frames.clone(),
            hidden: g.hidden.clone(),
            creator: g.creator,
            count: 0,
            leaked: 0,
            locked: 0,
            minutes: BTreeMap::new(),
            examples: Vec::new(),
            labels: BTreeMap::new(),
        });
        let (groups, hasher) = (&self.groups, &self.hasher);
        self.table.insert_unique(hash, at, |&at| {
            let group = &groups[at as usize];
            hasher.hash_one((group.word, group.creator, &group.frames, &group.hidden))
        });
        at
    }

    /// Takes a crash.
    pub fn crash(&mut self, crash: Crash) {
        self.source().crashes += 1;
        let source = self.sources.len() - 1;
        self.crashes.push((source, crash));
    }

    /// What the source shows is all of a process that ended: without a word on why, it is
    /// concluded from its goroutines.
    pub fn ended(&mut self) {
        let source = self.source();
        if source.crashes > 0 || source.stacks == 0 {
            return;
        }
        let first = self.first_group.and_then(|at| self.groups.get(at as usize));
        let Some(group) = first else {
            return;
        };
        let running = group
            .word
            .is_some_and(|word| self.words.get(word) == b"running");
        let message = if running {
            "the process ended, without a word on why"
        } else {
            "all goroutines are asleep - deadlock!"
        };
        let crash = Crash {
            kind: CrashKind::Fatal,
            chain: vec![Step {
                message: message.to_owned(),
                ..Step::default()
            }],
            signal: String::new(),
            tests: Vec::new(),
            survived: false,
            inferred: true,
            goroutine: group.examples.first().copied().unwrap_or(0),
            parent: None,
            creator: group.creator,
            frames: group.frames.clone(),
            line: 1,
        };
        self.crash(crash);
    }

    /// Takes a race.
    pub fn race(&mut self, race: Race) {
        self.source().races += 1;
        let source = self.sources.len() - 1;
        self.races.push((source, race));
    }

    /// Each thread shows its goroutine from here on.
    pub fn threads(&mut self) {
        self.threads = true;
    }

    /// The source is a text profile.
    pub fn profile(&mut self) {
        let source = self.source();
        source.profile = true;
        source.dumps += 1;
    }

    /// The source is a profile that lists no goroutines.
    pub fn other_profile(&mut self, name: &str) {
        self.source()
            .other_profile
            .get_or_insert_with(|| name.to_owned());
    }

    /// A profile says how many goroutines it lists; those that are missing were cut off.
    pub fn expect(&mut self, total: u64, read: u64) {
        let source = self.source();
        if total > read {
            source.goroutines += total - read;
            source.truncated = true;
        }
    }

    /// The source ends in the middle.
    pub fn truncated(&mut self) {
        self.source().truncated = true;
    }

    /// Takes note of a line that no reader knew.
    pub fn note(&mut self, line: u64, inside: bool, text: &[u8]) {
        self.source().unread += 1;
        let source = self.sources.len() - 1;
        if let Some(last) = self.notes.last_mut() {
            let next = last.source == source && last.inside == inside;
            if next && (last.line + last.lines == line || last.line + last.lines == line + 1) {
                last.lines = line - last.line + 1;
                return;
            }
        }
        if self.notes.len() < NOTES {
            let cut = &text[..text.len().min(SHOWN)];
            self.notes.push(Note {
                source,
                line,
                lines: 1,
                inside,
                text: String::from_utf8_lossy(cut).into_owned(),
            });
        }
    }
}

fn count_labels(labels: &mut BTreeMap<Vec<u8>, u64>, g: &Goroutine) {
    if labels.len() < LABELS || labels.contains_key(&g.labels) {
        *labels.entry(g.labels.clone()).or_default() += g.count;
    }
}
