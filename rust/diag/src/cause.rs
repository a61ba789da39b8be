//! Why a goroutine waits: one of five dimensions, and what exactly.

use crate::names::Role;
use crate::symbols::{Frame, Symbols};

/// The first level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dimension {
    Channel,
    Select,
    Mutex,
    Netio,
    Block,
    Running,
    Runtime,
    Unknown,
}

impl Dimension {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 8] = [
        Self::Channel,
        Self::Select,
        Self::Mutex,
        Self::Netio,
        Self::Block,
        Self::Running,
        Self::Runtime,
        Self::Unknown,
    ];

    /// The word of the documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Channel => "channel",
            Self::Select => "select",
            Self::Mutex => "mutex",
            Self::Netio => "netio",
            Self::Block => "block",
            Self::Running => "running",
            Self::Runtime => "runtime",
            Self::Unknown => "unknown",
        }
    }

    /// Whether a goroutine of it waits for something.
    pub const fn is_blocked(self) -> bool {
        !matches!(self, Self::Running | Self::Runtime | Self::Unknown)
    }
}

/// A cause.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cause {
    /// The first level.
    pub dimension: Dimension,
    /// The second level.
    pub primitive: &'static str,
    /// Nothing can ever end this wait.
    pub never_wakes: bool,
}

const fn cause(dimension: Dimension, primitive: &'static str) -> Cause {
    Cause {
        dimension,
        primitive,
        never_wakes: false,
    }
}

const fn never(dimension: Dimension, primitive: &'static str) -> Cause {
    Cause {
        dimension,
        primitive,
        never_wakes: true,
    }
}

/// What a stack says: what it waits in, and all that stands above the user's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stack {
    /// The innermost function that is a reason to wait.
    pub primary: Role,
    mask: u64,
    user_on_top: bool,
    has_user: bool,
}

impl Stack {
    /// Looks at the frames down to the first of the user's.
    pub fn of(frames: &[Frame], symbols: &Symbols) -> Self {
        let mut stack = Self {
            primary: Role::None,
            mask: 0,
            user_on_top: false,
            has_user: false,
        };
        for (at, &frame) in frames.iter().enumerate() {
            let role = symbols.facts(frame.func).role;
            stack.mask |= role.bit();
            if stack.primary == Role::None && role.waits() {
                stack.primary = role;
            }
            if !symbols.is_standard(frame) {
                stack.user_on_top = at == 0;
                stack.has_user = true;
                break;
            }
        }
        stack
    }

    fn has(&self, role: Role) -> bool {
        self.mask & role.bit() != 0
    }
}

/// The cause, from the header's word, or from the stack alone where there is none.
pub fn classify(word: Option<&[u8]>, stack: &Stack) -> Cause {
    word.and_then(|word| by_word(word, stack))
        .unwrap_or_else(|| blind(stack))
}

/// None where the word says nothing about the reason.
fn by_word(word: &[u8], stack: &Stack) -> Option<Cause> {
    use Dimension::{Block, Channel, Mutex, Running, Runtime, Select};
    Some(match word {
        b"chan receive" => cause(Channel, "recv"),
        b"chan send" => cause(Channel, "send"),
        b"chan receive (nil chan)" => never(Channel, "nil-recv"),
        b"chan send (nil chan)" => never(Channel, "nil-send"),
        b"select (no cases)" => never(Select, "empty-select"),
        b"select" => select(stack),
        b"sync.Mutex.Lock" => lock(stack),
        b"sync.RWMutex.RLock" => cause(Mutex, "rw-read"),
        b"sync.RWMutex.Lock" => cause(Mutex, "rw-write"),
        b"semacquire" | b"semarelease" => semaphore(stack),
        b"IO wait" => input_output(stack),
        b"syscall" => system(stack),
        b"waiting for cgo callback" => cause(Block, "cgo"),
        b"sleep" => cause(Block, "sleep"),
        b"sync.Cond.Wait" => cause(Block, "cond"),
        b"sync.WaitGroup.Wait" => cause(Block, "waitgroup"),
        b"coroutine" => cause(Block, "coroutine"),
        b"synctest.Run" | b"synctest.Wait" => cause(Block, "synctest"),
        b"running" | b"runnable" | b"preempted" | b"copystack" => cause(Running, "cpu"),
        b"finalizer wait" | b"cleanup wait" => cause(Runtime, "finalizer"),
        b"idle"
        | b"dead"
        | b"panicwait"
        | b"dumping heap"
        | b"debug call"
        | b"stopping the world"
        | b"timer goroutine (idle)"
        | b"GOMAXPROCS updater (idle)"
        | b"trace reader (blocked)"
        | b"trace goroutine status"
        | b"trace proc status"
        | b"page trace flush"
        | b"flushing proc caches" => cause(Runtime, "runtime"),
        b"garbage collection"
        | b"garbage collection scan"
        | b"wait for GC cycle"
        | b"force gc (idle)"
        | b"force GC" => cause(Runtime, "gc"),
        _ if word.starts_with(b"GC ") => cause(Runtime, "gc"),
        _ => return None,
    })
}

/// From the functions of the stack alone.
fn blind(stack: &Stack) -> Cause {
    use Dimension::{Block, Channel, Mutex, Running, Runtime, Select, Unknown};
    match stack.primary {
        Role::ChanReceive => cause(Channel, "recv"),
        Role::ChanSend => cause(Channel, "send"),
        Role::Select => select(stack),
        Role::Forever => never(Select, "empty-select"),
        Role::Poll => input_output(stack),
        Role::SemaphoreRead => cause(Mutex, "rw-read"),
        Role::SemaphoreWrite => cause(Mutex, "rw-write"),
        Role::SemaphoreGroup => cause(Block, "waitgroup"),
        Role::SemaphoreMutex => lock(stack),
        Role::Semaphore => semaphore(stack),
        Role::Notify => cause(Block, "cond"),
        Role::Sleep => cause(Block, "sleep"),
        Role::Coroutine => cause(Block, "coroutine"),
        Role::Synctest => cause(Block, "synctest"),
        Role::Syscall | Role::Cgo | Role::Signal => system(stack),
        Role::Collector => cause(Block, "gc"),
        Role::Worker => cause(Runtime, "runtime"),
        Role::Profile => cause(Running, "cpu"),
        _ if stack.has(Role::Pipe) => cause(Select, "pipe"),
        _ if stack.has(Role::Reflect) => cause(Select, "reflect"),
        _ => cause(Unknown, "unknown"),
    }
}

/// By program counters that a profile does not name: how many of them stand above the
/// first frame that it shows. What a function of the runtime is called on its way to the
/// scheduler is the same in every program of one Go version.
pub fn hidden(count: usize, stack: &Stack) -> Cause {
    use Dimension::{Block, Channel, Running, Select};
    let known = blind(stack);
    if known.dimension != Dimension::Unknown {
        return known;
    }
    match count {
        0 | 1 => cause(Running, "cpu"),
        2 => cause(Select, "select"),
        3 => cause(Channel, "channel"),
        _ => cause(Block, "gc"),
    }
}

fn select(stack: &Stack) -> Cause {
    let primitive = if stack.has(Role::Pipe) {
        "pipe"
    } else if stack.has(Role::Reflect) {
        "reflect"
    } else {
        "select"
    };
    cause(Dimension::Select, primitive)
}

/// A writer that waits behind another writer waits for the mutex inside: what the user
/// called stands in the frames only.
fn lock(stack: &Stack) -> Cause {
    let primitive = if stack.has(Role::WriteLock) || stack.has(Role::SemaphoreWrite) {
        "rw-write"
    } else if stack.has(Role::ReadLock) || stack.has(Role::SemaphoreRead) {
        "rw-read"
    } else {
        "mutex"
    };
    cause(Dimension::Mutex, primitive)
}

fn semaphore(stack: &Stack) -> Cause {
    use Dimension::Block;
    if stack.has(Role::WaitGroup) || stack.has(Role::SemaphoreGroup) {
        cause(Block, "waitgroup")
    } else if stack.has(Role::Cond) {
        cause(Block, "cond")
    } else if [
        Role::Mutex,
        Role::ReadLock,
        Role::WriteLock,
        Role::SemaphoreMutex,
        Role::SemaphoreRead,
        Role::SemaphoreWrite,
    ]
    .iter()
    .any(|role| stack.has(*role))
    {
        lock(stack)
    } else if stack.has(Role::FileLock) {
        cause(Block, "file")
    } else if stack.user_on_top || stack.has(Role::Collector) {
        cause(Block, "gc")
    } else {
        cause(Block, "semaphore")
    }
}

fn input_output(stack: &Stack) -> Cause {
    use Dimension::{Block, Netio};
    let net = [
        Role::Net,
        Role::Tls,
        Role::Http,
        Role::HttpIdle,
        Role::Accept,
    ];
    let connects = stack.has(Role::Connect) && !stack.has(Role::Read) && !stack.has(Role::Accept);
    if !connects && !net.iter().any(|role| stack.has(*role)) {
        return cause(Block, "file");
    }
    let primitive = if stack.has(Role::Accept) {
        "accept"
    } else if connects && !stack.has(Role::Write) {
        "connect"
    } else if stack.has(Role::HttpIdle) || (stack.has(Role::Http) && !stack.has_user) {
        "http-idle"
    } else if stack.has(Role::Tls) {
        "tls"
    } else if stack.has(Role::Write) {
        "write"
    } else {
        "read"
    };
    cause(Netio, primitive)
}

fn system(stack: &Stack) -> Cause {
    let primitive = if stack.has(Role::Process) {
        "process-wait"
    } else if stack.has(Role::Cgo) {
        "cgo"
    } else if stack.has(Role::Signal) {
        "signal"
    } else {
        "syscall"
    };
    cause(Dimension::Block, primitive)
}
