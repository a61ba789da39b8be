//! One occurrence: a crash out of a text, or what a runtime has recorded.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::kinds;
use crate::model::{Crash, CrashKind, Step};
use crate::symbols::{Frame, Symbols};

/// What the runtime of a program recorded of one kind of panic, as it comes in a request.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Event {
    /// Where it comes from: the address of a process, a spool.
    pub source: String,
    /// Which process.
    #[serde(default)]
    pub instance: String,
    #[serde(default)]
    pub lane: String,
    /// How many in `init`, `startup` and `traffic`.
    #[serde(default)]
    pub phases: BTreeMap<String, u64>,
    /// The type of the value.
    #[serde(rename = "type")]
    pub type_name: String,
    /// The value of the first of them, as text.
    pub message: String,
    /// `yes`, `no` or `unknown`.
    pub recovered: String,
    pub count: u64,
    /// RFC 3339, in UTC.
    #[serde(default)]
    pub first: Option<String>,
    #[serde(default)]
    pub last: Option<String>,
    #[serde(default)]
    pub goroutine: u64,
    #[serde(default)]
    pub parent: Option<u64>,
    /// The `go` statement.
    #[serde(default)]
    pub creator: Option<EventFrame>,
    /// Panics that passed it on, the oldest first; empty for none.
    #[serde(default)]
    pub chain: Vec<EventStep>,
    /// Innermost first.
    pub frames: Vec<EventFrame>,
}

/// A frame of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventFrame {
    pub func: String,
    pub file: String,
    pub line: u32,
}

/// A panic that passed it on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventStep {
    pub message: String,
}

/// One occurrence, or some that the runtime has counted together.
#[derive(Debug)]
pub struct Entry {
    pub source: String,
    pub instance: String,
    pub lane: String,
    pub phases: BTreeMap<String, u64>,
    pub kind: CrashKind,
    pub type_name: String,
    /// The first of the chain.
    pub message: String,
    pub recovered: &'static str,
    pub inferred: bool,
    pub count: u64,
    pub first: Option<String>,
    pub last: Option<String>,
    pub goroutine: u64,
    pub parent: Option<u64>,
    pub creator: Option<Frame>,
    pub chain: Vec<Step>,
    pub frames: Vec<Frame>,
    pub signal: String,
    pub tests: Vec<String>,
    pub line: u64,
    /// It was read out of a text, which says less of the value.
    pub text: bool,
}

impl Entry {
    /// Out of a text; `source` and `instance` say whose.
    pub fn of_crash(source: &str, instance: &str, crash: &Crash) -> Self {
        let message = crash.chain.first().map_or("", |s| s.message.as_str());
        let panic = crash.kind == CrashKind::Panic;
        Self {
            source: source.to_owned(),
            instance: instance.to_owned(),
            lane: String::new(),
            phases: BTreeMap::new(),
            kind: crash.kind,
            type_name: if panic {
                kinds::type_of(message)
            } else {
                String::new()
            },
            message: message.to_owned(),
            recovered: if crash.survived { "yes" } else { "no" },
            inferred: crash.inferred,
            count: 1,
            first: None,
            last: None,
            goroutine: crash.goroutine,
            parent: crash.parent,
            creator: crash.creator,
            chain: crash.chain.clone(),
            frames: crash.frames.clone(),
            signal: crash.signal.clone(),
            tests: crash.tests.clone(),
            line: crash.line,
            text: true,
        }
    }

    /// As a runtime recorded it.
    pub fn of_event(event: Event, symbols: &mut Symbols) -> Self {
        let frames = event.frames.iter().map(|f| frame(f, symbols)).collect();
        let creator = event.creator.as_ref().map(|f| frame(f, symbols));
        let first = Step {
            message: event.message.clone(),
            ..Step::default()
        };
        let later = event.chain.into_iter().map(|step| Step {
            message: step.message,
            ..Step::default()
        });
        Self {
            source: event.source,
            instance: event.instance,
            lane: event.lane,
            phases: event.phases,
            kind: CrashKind::Panic,
            type_name: kinds::canonical(&event.type_name).to_owned(),
            message: event.message,
            recovered: match event.recovered.as_str() {
                "yes" => "yes",
                "no" => "no",
                _ => "unknown",
            },
            inferred: false,
            count: event.count,
            first: event.first,
            last: event.last,
            goroutine: event.goroutine,
            parent: event.parent,
            creator,
            chain: std::iter::once(first).chain(later).collect(),
            frames,
            signal: String::new(),
            tests: Vec::new(),
            line: 0,
            text: false,
        }
    }
}

fn frame(f: &EventFrame, symbols: &mut Symbols) -> Frame {
    Frame {
        func: symbols.function(f.func.as_bytes()),
        place: symbols.place(format!("{}:{}", f.file, f.line).as_bytes()),
    }
}
