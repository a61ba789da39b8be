//! What the readers find: goroutines, crashes, races.

use crate::symbols::Frame;

/// One goroutine as the dump shows it. The reader fills the same one again and again.
#[derive(Debug, Default)]
pub struct Goroutine {
    /// Its number; 0 in profiles.
    pub id: u64,
    /// How many there are of it; 1 but in profiles.
    pub count: u64,
    /// Number of the status word; none in profiles.
    pub word: Option<u32>,
    /// Minutes of waiting.
    pub minutes: Option<u32>,
    /// Marked as leaked by the runtime.
    pub leaked: bool,
    /// Bound to its thread.
    pub locked: bool,
    /// Labels as written; empty for none.
    pub labels: Vec<u8>,
    /// The stack, innermost first.
    pub frames: Vec<Frame>,
    /// The first argument of each frame, 0 where it is no address.
    pub addresses: Vec<u64>,
    /// Who started it.
    pub creator: Option<Frame>,
    /// Number of who started it.
    pub parent: Option<u64>,
    /// Frames are missing in the middle or at the end.
    pub elided: bool,
    /// Program counters that the profile holds but does not name, innermost first.
    pub hidden: Vec<u64>,
    /// Line of the source on which it begins.
    pub line: u64,
}

impl Goroutine {
    /// Makes it an empty one, and keeps its memory.
    pub fn reset(&mut self) {
        let mut old = std::mem::take(self);
        for list in [&mut old.addresses, &mut old.hidden] {
            list.clear();
        }
        old.frames.clear();
        old.labels.clear();
        self.frames = old.frames;
        self.addresses = old.addresses;
        self.hidden = old.hidden;
        self.labels = old.labels;
        self.count = 1;
    }
}

/// Why a process ended, or which panic was caught and logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrashKind {
    /// A panic.
    Panic,
    /// The runtime gave up.
    Fatal,
    /// A signal.
    Signal,
}

/// One panic of a chain, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// The value as printed.
    pub message: String,
    /// Somebody recovered it.
    pub recovered: bool,
    /// … and panicked again with the same value.
    pub repanicked: bool,
}

/// One crash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crash {
    /// Panic, fatal error or signal.
    pub kind: CrashKind,
    /// Panics in the order in which they happened; one step for the other kinds.
    pub chain: Vec<Step>,
    /// The `[signal …]` line, without its brackets.
    pub signal: String,
    /// The tests that were running when go test gave up.
    pub tests: Vec<String>,
    /// The process went on, as the text says.
    pub survived: bool,
    /// The first line was missing and has been concluded from the stack.
    pub inferred: bool,
    /// The goroutine, 0 where the text has none.
    pub goroutine: u64,
    /// Who started it.
    pub parent: Option<u64>,
    /// Where it was started.
    pub creator: Option<Frame>,
    /// Its stack.
    pub frames: Vec<Frame>,
    /// The line of the source.
    pub line: u64,
}

/// One access of a race, or the start of one of its goroutines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// `read`, `write`, `atomic read`, `previous write`, …; `created` for a start.
    pub operation: String,
    /// The goroutine; 1 for the main one.
    pub goroutine: u64,
    /// `running` or `finished`, of a start.
    pub state: String,
    /// The stack; empty where the detector could not restore it.
    pub frames: Vec<Frame>,
}

/// One race.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Race {
    /// The address, as written.
    pub address: String,
    /// The two accesses.
    pub accesses: Vec<Access>,
    /// Where the goroutines were started.
    pub created: Vec<Access>,
    /// The line of the source.
    pub line: u64,
}
