//! The line that a measured run of a tool leaves in the log of its build, as the helper
//! proper writes it (`go/internal/toolexec/timing.go`; read by `goat heat`).

use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use serde::Serialize;

use super::{Passed, is_version, starts};

/// Ends the name of a log.
const SUFFIX: &str = ".timings";

/// A line is not longer: what is appended at once and is shorter than a pipe's atomic
/// write is whole on every system.
const LONGEST: usize = 4000;

/// What the kernel says of a run. Times are microseconds, but for those that say otherwise.
#[derive(Clone, Debug, Default)]
pub struct Ran {
    /// The tool's process.
    pub pid: u32,
    /// When it began, in nanoseconds since 1970.
    pub start: u128,
    /// What it took by the clock, in nanoseconds.
    pub wall: u128,
    /// Its time, and its children's that it has waited for.
    pub user: i64,
    /// As above, in the kernel.
    pub sys: i64,
    /// The most memory that it had at once, in bytes.
    pub rss: i64,
    /// Its exit code; -1 where a signal ended it.
    pub exit: i32,
    /// What the helper itself took, user and system.
    pub own: [i64; 2],
    /// The compiler's report.
    pub report: Vec<u8>,
}

/// A phase of a tool under the tool's own name, and its nanoseconds.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Phase(String, u64);

#[derive(Debug, Serialize)]
struct Record<'a> {
    t: &'static str,
    run: &'a str,
    pid: u32,
    start: u128,
    wall: u128,
    user: i64,
    sys: i64,
    rss: i64,
    tool: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pkg: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    var: &'a str,
    os: String,
    arch: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    go: String,
    exit: i32,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    v: bool,
    #[serde(rename = "self")]
    own: [i64; 2],
    #[serde(skip_serializing_if = "is_zero")]
    out: u64,
    #[serde(skip_serializing_if = "is_zero")]
    lines: u64,
    #[serde(skip_serializing_if = "is_zero")]
    funcs: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    phases: Vec<Phase>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// Whether the compiler is to be asked how long its phases took; not where somebody has
/// asked for a report already.
#[must_use]
pub fn wants_report(tool: &str, args: &[&OsStr]) -> bool {
    tool == "compile"
        && args.len() > 1
        && !asks_version(args)
        && option(args, "bench").is_none()
        && option(args, "o").is_some()
}

/// Appends the line about a run to its log, in one write. It begins with a line break:
/// behind a line that a full disk has cut, it is whole all the same. A log that cannot be
/// written is no reason to break a build, nor to print a word.
pub fn append(passed: &Passed<'_>, args: &[&OsStr], import_path: &OsStr, ran: &Ran) {
    let Some(log) = passed.timings else { return };
    let Some(line) = line(passed, args, &import_path.to_string_lossy(), ran, log) else {
        return;
    };
    if let Ok(mut file) = File::options().append(true).create(true).open(log) {
        let _ = file.write_all(&line);
    }
}

fn line(
    passed: &Passed<'_>,
    args: &[&OsStr],
    import_path: &str,
    ran: &Ran,
    log: &Path,
) -> Option<Vec<u8>> {
    let run = log.file_name()?.to_str()?;
    let (pkg, var) = import_path.split_once(' ').unwrap_or((import_path, ""));
    let version = asks_version(args);
    let (phases, counts) = phases(&String::from_utf8_lossy(&ran.report));
    let mut record = Record {
        t: "tool",
        run: run.strip_suffix(SUFFIX).unwrap_or(run),
        pid: ran.pid,
        start: ran.start,
        wall: ran.wall,
        user: ran.user,
        sys: ran.sys,
        rss: ran.rss,
        tool: passed.name,
        pkg,
        var: var.trim_matches(['[', ']']),
        os: variable("GOOS", env::consts::OS),
        arch: variable("GOARCH", architecture()),
        go: go_version(&passed.program).unwrap_or_default(),
        exit: ran.exit,
        v: version,
        own: ran.own,
        out: if version { 0 } else { written(args) },
        lines: counts[0],
        funcs: counts[1],
        phases,
    };
    let mut text = serde_json::to_string(&record).ok()?;
    if text.len() > LONGEST {
        record.phases.clear();
        text = serde_json::to_string(&record).ok()?;
    }
    Some(format!("\n{text}\n").into_bytes())
}

fn asks_version(args: &[&OsStr]) -> bool {
    is_version(args)
        || args
            .first()
            .is_some_and(|arg| starts(arg, "-V") || *arg == "-###")
}

fn variable(name: &str, fallback: &str) -> String {
    env::var(name)
        .ok()
        .filter(|value| !value.is_empty())
        .unwrap_or_else(|| fallback.to_owned())
}

/// This machine's architecture as Go calls it.
fn architecture() -> &'static str {
    match env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// The value of an option, in any of its spellings.
fn option<'a>(args: &[&'a OsStr], name: &str) -> Option<&'a OsStr> {
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let word = arg.to_str().unwrap_or_default();
        let Some(flag) = word.strip_prefix("--").or_else(|| word.strip_prefix('-')) else {
            continue;
        };
        if flag == name {
            return args.next().copied();
        }
        if let Some(value) = flag
            .strip_prefix(name)
            .and_then(|rest| rest.strip_prefix('='))
        {
            return Some(OsStr::new(value));
        }
    }
    None
}

/// How large what the tool has written is.
fn written(args: &[&OsStr]) -> u64 {
    option(args, "o")
        .and_then(|file| fs::metadata(file).ok())
        .filter(fs::Metadata::is_file)
        .map_or(0, |info| info.len())
}

/// What the GOROOT of a tool says of itself, which costs no process.
fn go_version(tool: &Path) -> Option<String> {
    let root = tool.ancestors().nth(4)?;
    let text = fs::read_to_string(root.join("VERSION")).ok()?;
    Some(text.lines().next()?.trim().to_owned())
}

/// The phases of the compiler's report, and how many lines and functions it counts. Lines
/// are such as `BenchmarkCompile:fmt:fe:parse  1  204832179 ns/op  12.81 %  3552 lines`.
fn phases(report: &str) -> (Vec<Phase>, [u64; 2]) {
    let (mut phases, mut counts) = (Vec::new(), [0, 0]);
    for line in report.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [name, _, took, "ns/op", rest @ ..] = words.as_slice() else {
            continue;
        };
        let parts: Vec<&str> = name.split(':').collect();
        let ([.., group, phase], Ok(took)) = (parts.as_slice(), took.parse()) else {
            continue;
        };
        // The sums are those of the others.
        if parts.len() < 4
            || parts[0] != "BenchmarkCompile"
            || *phase == "subtotal"
            || *phase == "total"
        {
            continue;
        }
        phases.push(Phase(format!("{group}:{phase}"), took));
        for pair in rest.chunks_exact(2) {
            let kind = ["lines", "funcs"].iter().position(|unit| *unit == pair[1]);
            if let (Some(kind), Ok(count)) = (kind, pair[0].parse::<u64>()) {
                counts[kind] += count;
            }
        }
    }
    (phases, counts)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::borrow::Cow;

    use super::*;

    /// What both writers of the log are held against: this one and the helper proper's.
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Case {
        name: String,
        tool: String,
        args: Vec<String>,
        import_path: String,
        out_bytes: usize,
        exit: i32,
        report: Vec<String>,
        times: usize,
        line: String,
    }

    #[test]
    fn lines_are_those_of_the_helper_proper() {
        let shared = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../testdata/timings/records.json"
        );
        let cases: Vec<Case> =
            serde_json::from_slice(&fs::read(shared).unwrap_or_default()).unwrap_or_default();
        assert!(!cases.is_empty());
        for case in cases {
            let place = tempfile::tempdir().unwrap();
            let dir = place.path();
            fs::write(dir.join("VERSION"), "go1.99.9\ntime 2026\n").unwrap();
            if case.out_bytes > 0 {
                fs::write(dir.join("x.a"), vec![0; case.out_bytes]).unwrap();
            }
            let program = dir.join("pkg/tool/x").join(&case.tool);
            let log = dir.join("run-1.timings");
            let passed = Passed {
                tool: 1,
                name: &case.tool,
                program: Cow::Borrowed(&program),
                timings: Some(&log),
            };
            let ran = Ran {
                pid: 7,
                start: 1,
                wall: 2,
                user: 3,
                sys: 4,
                rss: 5,
                exit: case.exit,
                own: [6, 7],
                report: (case.report.join("\n") + "\n").repeat(case.times).into(),
            };
            let dir = dir.to_string_lossy();
            let args: Vec<String> = case
                .args
                .iter()
                .map(|arg| arg.replace("DIR", &dir))
                .collect();
            let args: Vec<&OsStr> = args.iter().map(OsStr::new).collect();
            let line = line(&passed, &args, &case.import_path, &ran, &log).unwrap_or_default();
            let want = case
                .line
                .replace("OS", &variable("GOOS", env::consts::OS))
                .replace("ARCH", &variable("GOARCH", architecture()));
            assert_eq!(
                String::from_utf8_lossy(&line),
                format!("\n{want}\n"),
                "{}",
                case.name
            );
        }
    }

    #[test]
    fn a_report_is_asked_for_once() {
        for (line, want) in [
            ("-o x.a a.go", true),
            ("--o=x.a a.go", true),
            ("-o x.a -bench=mine a.go", false),
            ("-bench mine -o x.a", false),
            ("-V=full", false),
            ("-V=full -o x.a", false),
            ("a.go b.go", false),
        ] {
            let args: Vec<&OsStr> = line.split(' ').map(OsStr::new).collect();
            assert_eq!(wants_report("compile", &args), want, "{line}");
            assert!(!wants_report("asm", &args));
        }
    }
}
