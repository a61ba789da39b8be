//! Names of functions: which package, which role in waiting, and the name that stays the
//! same from one Go version to the next.

/// What a function's name says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Import path, as the linker writes it but with its escapes undone.
    pub package: String,
    /// Declaration without package: `F`, `(*T).M`; closures have that of the function
    /// around them.
    pub declaration: String,
    /// Package and declaration with all that differs between Go versions taken out.
    pub stable: String,
    /// Code of the Go distribution.
    pub standard: bool,
    /// What a goroutine does that has this function near the top of its stack.
    pub role: Role,
    /// Added by the compiler: no declaration of anybody's.
    pub wrapper: bool,
}

/// What a function on a stack says about why its goroutine waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Role {
    None,
    ChanReceive,
    ChanSend,
    Select,
    Forever,
    Poll,
    Semaphore,
    SemaphoreMutex,
    SemaphoreRead,
    SemaphoreWrite,
    SemaphoreGroup,
    Notify,
    Sleep,
    Coroutine,
    Synctest,
    Syscall,
    Cgo,
    Signal,
    Collector,
    Worker,
    Profile,
    // From here on: refinements, never a reason to wait of their own.
    Mutex,
    ReadLock,
    WriteLock,
    WaitGroup,
    Cond,
    Process,
    File,
    Net,
    Tls,
    HttpIdle,
    Http,
    Accept,
    Read,
    Write,
    Connect,
    Pipe,
    Reflect,
    FileLock,
}

impl Role {
    /// Whether the role itself is what a goroutine waits for.
    pub fn waits(self) -> bool {
        self != Self::None && (self as u8) < Self::Mutex as u8
    }

    /// The role as a bit of a mask.
    pub fn bit(self) -> u64 {
        1 << self as u8
    }
}

/// The first path elements of the standard library.
const STANDARD: &[&str] = &[
    "archive",
    "arena",
    "bufio",
    "bytes",
    "cmp",
    "compress",
    "container",
    "context",
    "crypto",
    "database",
    "debug",
    "embed",
    "encoding",
    "errors",
    "expvar",
    "flag",
    "fmt",
    "go",
    "hash",
    "html",
    "image",
    "index",
    "internal",
    "io",
    "iter",
    "log",
    "maps",
    "math",
    "mime",
    "net",
    "os",
    "path",
    "plugin",
    "reflect",
    "regexp",
    "runtime",
    "simd",
    "slices",
    "sort",
    "strconv",
    "strings",
    "structs",
    "sync",
    "syscall",
    "testing",
    "text",
    "time",
    "type",
    "unicode",
    "unique",
    "unsafe",
    "uuid",
    "vendor",
    "weak",
];

/// Everything that the name alone says.
pub fn facts(name: &[u8]) -> Function {
    let text = String::from_utf8_lossy(name);
    let plain = without_type_arguments(&text);
    let (package, rest) = split(&plain);
    let package = unescape(unvendored(package));
    let first = package.split('/').next().unwrap_or_default();
    let builtin = package.is_empty() && matches!(rest, "panic" | "goexit");
    let standard = builtin || STANDARD.binary_search(&first).is_ok();
    let (declaration, closure, wrapper) = declaration(rest);
    let stable = format!(
        "{package}.{declaration}{}",
        if closure { ".func" } else { "" }
    );
    Function {
        role: if standard || rest.contains("_Cfunc_") {
            role(&package, rest)
        } else {
            Role::None
        },
        package,
        declaration,
        stable,
        standard,
        wrapper,
    }
}

/// Takes `[...]` and instantiations out: a profile writes them, a traceback does not.
fn without_type_arguments(name: &str) -> String {
    let mut depth = 0_u32;
    name.chars()
        .filter(|&c| {
            match c {
                '[' => depth += 1,
                ']' => depth = depth.saturating_sub(1),
                _ => return depth == 0,
            }
            false
        })
        .collect()
}

/// Cuts behind the import path: at the first dot after the last slash.
fn split(name: &str) -> (&str, &str) {
    let head = name.find('(').map_or(name, |at| &name[..at]);
    let start = head.rfind('/').map_or(0, |at| at + 1);
    match head[start..].find('.') {
        Some(dot) => (&name[..start + dot], &name[start + dot + 1..]),
        None => ("", name),
    }
}

fn unvendored(package: &str) -> &str {
    match package.rfind("/vendor/") {
        Some(at) => &package[at + "/vendor/".len()..],
        None => package.strip_prefix("vendor/").unwrap_or(package),
    }
}

/// The linker writes dots of the last path element, and odd bytes, as `%2e`.
fn unescape(path: &str) -> String {
    if !path.contains('%') {
        return path.to_owned();
    }
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = tail
            .get(..2)
            .filter(|_| first == b'%')
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        bytes.push(hex.unwrap_or(first));
        rest = if hex.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The declaration that a name belongs to, whether the name is a closure in it, and
/// whether the compiler made it.
///
/// `glob..func1` and `init.func1`, `main.inlined.func4` and `inlined.func1`,
/// `f.S.each.f-range1.func2` and `f-range1.func1`, `f-fm`, `f·dwrap·1`, `func·014` are
/// what Go versions have written for the same source.
fn declaration(rest: &str) -> (String, bool, bool) {
    let rest = rest
        .strip_prefix("glob..")
        .map_or(rest.to_owned(), |tail| format!("init.{tail}"));
    let wrapper =
        rest.contains(".gowrap") || rest.contains(".deferwrap") || rest.contains("·dwrap·");
    let parts = parts(&rest);
    let named: Vec<&str> = parts.iter().copied().filter(|p| !is_closure(p)).collect();
    let closure = named.len() < parts.len() || rest.contains("-range");
    let Some((last, before)) = named.split_last() else {
        return ("func".to_owned(), true, wrapper);
    };
    let own = bare(last);
    let receiver = before
        .last()
        .filter(|part| part.starts_with('(') || (!closure && before.len() == 1));
    match receiver {
        Some(receiver) => (format!("{receiver}.{own}"), closure, wrapper),
        None => (own.to_owned(), closure, wrapper),
    }
}

/// The parts between dots, `(*T)` being one.
fn parts(rest: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut depth) = (0, 0_u32);
    for (at, c) in rest.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            '.' if depth == 0 => {
                parts.push(&rest[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&rest[start..]);
    parts.retain(|part| !part.is_empty());
    parts
}

fn is_closure(part: &str) -> bool {
    let numbered = |prefix: &str| {
        part.strip_prefix(prefix).is_some_and(|tail| {
            let tail = tail.split('-').next().unwrap_or_default();
            let tail = tail.strip_prefix('·').unwrap_or(tail);
            !tail.is_empty() && tail.bytes().all(|b| b.is_ascii_digit())
        })
    };
    part.bytes().all(|b| b.is_ascii_digit())
        || numbered("func")
        || numbered("gowrap")
        || numbered("deferwrap")
}

/// A name without what the compiler hangs on it.
fn bare(name: &str) -> &str {
    let end = ["-range", "-fm", "·dwrap·", "·"]
        .iter()
        .filter_map(|tail| name.find(tail))
        .min()
        .unwrap_or(name.len());
    &name[..end]
}

fn role(package: &str, name: &str) -> Role {
    if name.contains("_Cfunc_") {
        return Role::Cgo;
    }
    match package {
        "runtime" => runtime_role(name),
        "sync" | "internal/sync" => sync_role(name),
        "internal/poll" => poll_role(name),
        "time" if name == "Sleep" => Role::Sleep,
        "os/signal" if name == "signal_recv" => Role::Signal,
        "os" => os_role(name),
        "syscall" | "internal/runtime/syscall" | "runtime/internal/syscall" => syscall_role(name),
        "internal/synctest" | "testing/synctest" => synctest_role(name),
        "runtime/pprof" | "runtime/debug" => Role::Profile,
        "iter" if name.starts_with("Pull") => Role::None,
        "io" if name.starts_with("(*pipe).") => Role::Pipe,
        "reflect" if name == "rselect" || name == "Select" => Role::Reflect,
        "net/http" => http_role(name),
        "crypto/tls" => Role::Tls,
        "net" if name.contains("connect") || name.contains("dial") || name.contains("Dial") => {
            Role::Connect
        }
        _ if package == "net" || package.starts_with("net/") => Role::Net,
        _ => Role::None,
    }
}

fn runtime_role(name: &str) -> Role {
    match name {
        "chanrecv" | "chanrecv1" | "chanrecv2" => Role::ChanReceive,
        "chansend" | "chansend1" => Role::ChanSend,
        "selectgo" => Role::Select,
        "block" => Role::Forever,
        "netpollblock" => Role::Poll,
        "semacquire1" | "semacquire" | "semacquirewaiting" => Role::Semaphore,
        "notifyListWait" => Role::Notify,
        "timeSleep" => Role::Sleep,
        "coroswitch" | "coroswitch_m" | "corostart" | "coroexit" => Role::Coroutine,
        "cgocall" | "cgocallback" | "cgocallbackg" | "asmcgocall" => Role::Cgo,
        "GC" | "gcStart" | "stopTheWorld" | "stopTheWorldGC" | "ReadMemStats" => Role::Collector,
        "gcBgMarkWorker"
        | "forcegchelper"
        | "bgsweep"
        | "bgscavenge"
        | "runfinq"
        | "runFinalizers"
        | "runCleanups"
        | "updateMaxProcsGoroutine"
        | "ensureSigM.func1"
        | "timerproc"
        | "sysmon"
        | "traceReader"
        | "ReadTrace" => Role::Worker,
        _ => Role::None,
    }
}

fn sync_role(name: &str) -> Role {
    match name {
        "runtime_Semacquire" => Role::Semaphore,
        "runtime_SemacquireMutex" => Role::SemaphoreMutex,
        "runtime_SemacquireRWMutexR" => Role::SemaphoreRead,
        "runtime_SemacquireRWMutex" => Role::SemaphoreWrite,
        "runtime_SemacquireWaitGroup" => Role::SemaphoreGroup,
        "runtime_notifyListWait" => Role::Notify,
        "(*Cond).Wait" => Role::Cond,
        "(*WaitGroup).Wait" => Role::WaitGroup,
        "(*RWMutex).RLock" => Role::ReadLock,
        "(*RWMutex).Lock" => Role::WriteLock,
        _ if name.starts_with("(*Mutex).") => Role::Mutex,
        _ => Role::None,
    }
}

fn poll_role(name: &str) -> Role {
    match name {
        "runtime_pollWait" => Role::Poll,
        "runtime_Semacquire" => Role::Semaphore,
        "(*FD).Accept" => Role::Accept,
        "(*FD).WaitWrite" => Role::Connect,
        _ if name.starts_with("(*fdMutex).") => Role::FileLock,
        _ if name.starts_with("(*FD).Read") || name.starts_with("(*FD).Pread") => Role::Read,
        _ if name.starts_with("(*FD).Write") || name.starts_with("(*FD).Pwrite") => Role::Write,
        _ => Role::None,
    }
}

fn os_role(name: &str) -> Role {
    match name {
        _ if name.starts_with("(*File).") => Role::File,
        _ if name.starts_with("(*Process).") => Role::Process,
        _ => Role::None,
    }
}

fn syscall_role(name: &str) -> Role {
    match name {
        "wait4" | "Wait4" => Role::Process,
        _ if name.contains("yscall") || name == "EpollWait" => Role::Syscall,
        _ => Role::None,
    }
}

fn synctest_role(name: &str) -> Role {
    match name {
        "Run" | "Wait" | "Test" => Role::Synctest,
        _ => Role::None,
    }
}

fn http_role(name: &str) -> Role {
    match name {
        "(*persistConn).readLoop" | "(*connReader).backgroundRead" | "(*conn).readRequest" => {
            Role::HttpIdle
        }
        _ => Role::Http,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_list_is_sorted() {
        assert!(STANDARD.is_sorted());
    }

    #[test]
    fn the_same_source_has_one_stable_name() {
        for group in [
            &["main.glob..func1", "main.init.func1"][..],
            &["main.main.inlined.func4", "main.inlined.func1"],
            &[
                "main.f.S.each.f-range1.func2",
                "main.f-range1.func1",
                "main.f.func1",
            ],
            &[
                "main.(*G[...]).Run",
                "main.(*G[go.shape.int]).Run",
                "main.(*G[example.com/x.T]).Run",
            ],
            &["main.(*T).Run.func1", "main.(*T).Run.func2.1"],
            &[
                "example.com/a/vendor/gopkg.in/yaml%2ev3.F",
                "gopkg.in/yaml%2ev3.F",
            ],
            &["main.f·dwrap·1", "main.f"],
        ] {
            let names: Vec<String> = group.iter().map(|n| facts(n.as_bytes()).stable).collect();
            assert!(names.iter().all(|n| *n == names[0]), "{names:?}");
        }
    }

    #[test]
    fn packages_and_declarations() {
        for (name, package, declaration, standard) in [
            ("main.main", "main", "main", false),
            ("main.T.M", "main", "T.M", false),
            (
                "gopkg.in/yaml%2ev3.(*Decoder).Decode",
                "gopkg.in/yaml.v3",
                "(*Decoder).Decode",
                false,
            ),
            (
                "net/http.(*conn).serve.func1",
                "net/http",
                "(*conn).serve",
                true,
            ),
            ("panic", "", "panic", true),
            (
                "golang.org/x/net/http2.(*Framer).ReadFrame",
                "golang.org/x/net/http2",
                "(*Framer).ReadFrame",
                false,
            ),
            ("main.(*Set[...]).Add-fm", "main", "(*Set).Add", false),
            ("main.func·014", "main", "func", false),
        ] {
            let f = facts(name.as_bytes());
            assert_eq!(
                (f.package.as_str(), f.declaration.as_str(), f.standard),
                (package, declaration, standard),
                "{name}"
            );
        }
    }
}
