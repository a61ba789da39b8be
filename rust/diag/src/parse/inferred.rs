//! The first line of a crash that Go leaves out of what it writes for `SetCrashOutput`: it
//! is told by the stack, and marked as inferred.

use crate::model::{Crash, CrashKind, Goroutine, Step};
use crate::symbols::{Frame, Symbols};

/// What a function says that ends a process, by the function that called it. The first
/// that is on the stack counts.
const FATAL: &[(&str, &str)] = &[
    ("runtime.newstack", "stack overflow"),
    ("runtime.mapassign", "concurrent map writes"),
    ("runtime.mapdelete", "concurrent map writes"),
    ("runtime.mapclear", "concurrent map writes"),
    ("runtime.mapaccess", "concurrent map read and map write"),
    ("runtime.mapiter", "concurrent map iteration and map write"),
    (
        "internal/runtime/maps.(*Iter)",
        "concurrent map iteration and map write",
    ),
    ("internal/runtime/maps.(*Map).Put", "concurrent map writes"),
    (
        "internal/runtime/maps.(*Map).Delete",
        "concurrent map writes",
    ),
    (
        "internal/runtime/maps.(*Map).Clear",
        "concurrent map writes",
    ),
    (
        "internal/runtime/maps.(*Map).get",
        "concurrent map read and map write",
    ),
    (
        "internal/runtime/maps.(*Map).Get",
        "concurrent map read and map write",
    ),
    (
        "internal/runtime/maps.runtime_mapassign",
        "concurrent map writes",
    ),
    (
        "internal/runtime/maps.runtime_mapaccess",
        "concurrent map read and map write",
    ),
    (
        "sync.(*RWMutex).RUnlock",
        "sync: RUnlock of unlocked RWMutex",
    ),
    (
        "sync.(*RWMutex).rUnlockSlow",
        "sync: RUnlock of unlocked RWMutex",
    ),
    ("sync.(*RWMutex).Unlock", "sync: Unlock of unlocked RWMutex"),
    ("sync.(*Mutex).", "sync: unlock of unlocked mutex"),
    ("internal/sync.(*Mutex).", "sync: unlock of unlocked mutex"),
    ("runtime.sysMap", "runtime: out of memory"),
    ("runtime.(*mheap).grow", "runtime: out of memory"),
    ("runtime.throw", "the runtime gave up"),
    ("internal/runtime/maps.fatal", "concurrent map access"),
    ("runtime.fatal", "the runtime gave up"),
];

/// Functions that only a process that ends has on its stack.
const ENDS: &[&str] = &[
    "runtime.throw",
    "runtime.fatal",
    "runtime.fatalthrow",
    "internal/runtime/maps.fatal",
    "sync.fatal",
    "sync.throw",
    "internal/sync.fatal",
    "internal/sync.throw",
    "runtime.maps_fatal",
    "runtime.sync_fatal",
];

/// How deep a function lies that ends the process.
const NEAR: usize = 6;

/// The crash of a process that gave up, of whose goroutine no line told; `system` is the
/// stack of the runtime.
pub fn fatal(g: &Goroutine, system: &[Frame], symbols: &Symbols) -> Option<Crash> {
    let stacks = [system, g.frames.as_slice()];
    let frames = stacks.into_iter().find(|frames| ends(frames, symbols))?;
    let mut crash = of(g, CrashKind::Fatal, fatal_message(frames, symbols));
    if crash.frames.is_empty() {
        crash.frames = frames.to_vec();
    }
    Some(crash)
}

/// The panic of a goroutine that showed its own stack after it had recovered; `heading`
/// is the line above.
pub fn logged(g: &Goroutine, heading: &str, symbols: &Symbols) -> Option<Crash> {
    let mut near = g.frames.iter().take(2 * NEAR);
    near.any(|f| symbols.is_panic(f.func)).then(|| Crash {
        survived: true,
        inferred: heading.is_empty(),
        ..of(g, CrashKind::Panic, message_of(heading).to_owned())
    })
}

/// What a log line says of a panic, without what it says before.
fn message_of(heading: &str) -> &str {
    const BEFORE: &[&str] = &[
        "panic: ",
        "recovered: ",
        "recover: ",
        "recovered from: ",
        "panic ",
    ];
    let lower = heading.to_ascii_lowercase();
    let found = BEFORE
        .iter()
        .find_map(|word| lower.find(word).map(|at| at + word.len()));
    found.map_or(heading, |at| &heading[at..]).trim()
}

fn of(g: &Goroutine, kind: CrashKind, message: String) -> Crash {
    Crash {
        kind,
        chain: vec![Step {
            message,
            ..Step::default()
        }],
        signal: String::new(),
        tests: Vec::new(),
        survived: false,
        inferred: true,
        goroutine: g.id,
        parent: g.parent,
        creator: g.creator,
        frames: g.frames.clone(),
        line: g.line,
    }
}

fn ends(frames: &[Frame], symbols: &Symbols) -> bool {
    let near = frames.iter().take(NEAR);
    near.map(|f| symbols.name(f.func))
        .any(|name| ENDS.contains(&name.as_str()))
}

fn fatal_message(frames: &[Frame], symbols: &Symbols) -> String {
    let names: Vec<String> = frames
        .iter()
        .take(2 * NEAR)
        .map(|f| symbols.name(f.func))
        .collect();
    let said = FATAL
        .iter()
        .find(|(function, _)| names.iter().any(|name| name.starts_with(function)));
    said.map_or("the runtime gave up", |(_, message)| message)
        .to_owned()
}
