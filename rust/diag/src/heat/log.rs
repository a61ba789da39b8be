//! The log of one build: lines of JSON, each written at once by the process that it tells
//! of. What is half-written is said and left out.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read};

use serde::{Deserialize, Serialize};

use super::graph::Action;
use crate::error::{Error, Result};

/// A line longer than this is none of ours.
const LONGEST: u64 = 256 << 20;
/// How many places that were not read are listed.
const NOTES: usize = 50;

/// What a line says.
#[derive(Debug, Deserialize)]
#[serde(tag = "t", rename_all = "lowercase")]
enum Line {
    Build(Header),
    Tool(Box<Ran>),
    Graph(Graph),
    End(End),
    #[serde(other)]
    Later,
}

/// What the build was, as the verb knows it.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Header {
    pub format: u32,
    #[serde(default)]
    pub start: u64,
    #[serde(default)]
    pub verb: String,
    #[serde(default)]
    pub targets: Vec<String>,
    #[serde(default)]
    pub flags: Vec<String>,
    #[serde(default)]
    pub module: String,
    #[serde(default)]
    pub commit: String,
    #[serde(default)]
    pub dirty: bool,
    #[serde(default)]
    pub points: u64,
    #[serde(default)]
    pub os: String,
    #[serde(default)]
    pub arch: String,
    #[serde(default)]
    pub workers: usize,
    #[serde(default)]
    pub runner: String,
}

/// One process of a tool. Times are microseconds where the kernel counts them, else
/// nanoseconds.
#[derive(Clone, Debug, Deserialize)]
pub struct Ran {
    #[serde(default)]
    pub pid: u64,
    pub start: u64,
    pub wall: u64,
    pub user: u64,
    pub sys: u64,
    #[serde(default)]
    pub rss: u64,
    pub tool: String,
    #[serde(default)]
    pub pkg: String,
    #[serde(default)]
    pub var: String,
    #[serde(default)]
    pub os: String,
    #[serde(default)]
    pub arch: String,
    #[serde(default)]
    pub go: String,
    #[serde(default)]
    pub exit: i32,
    #[serde(default)]
    pub v: bool,
    #[serde(default)]
    pub own: bool,
    #[serde(default)]
    pub points: bool,
    #[serde(default, rename = "self")]
    pub helper: [u64; 2],
    #[serde(default)]
    pub out: u64,
    #[serde(default)]
    pub lines: u64,
    #[serde(default)]
    pub funcs: u64,
    #[serde(default)]
    pub phases: Vec<(String, u64)>,
}

impl Ran {
    /// Under which stage the process stands.
    pub fn stage(&self) -> &str {
        match self {
            _ if self.own => "goat",
            _ if self.v => "version",
            _ => &self.tool,
        }
    }
}

#[derive(Debug, Deserialize)]
struct Graph {
    actions: Vec<Action>,
}

/// What the kernel says of go and all that it has waited for.
#[derive(Clone, Debug, Deserialize)]
pub struct End {
    pub exit: i32,
    pub wall: u64,
    pub user: u64,
    pub sys: u64,
    #[serde(default)]
    pub rss: u64,
    #[serde(default)]
    pub children: Option<[u64; 2]>,
}

/// A place that was not read.
#[derive(Debug, Serialize)]
pub struct NotRead {
    source: String,
    line: u64,
    reason: String,
}

impl NotRead {
    /// A file of which nothing was read.
    pub fn whole(source: &str, error: &Error) -> Self {
        Self {
            source: source.to_owned(),
            line: 0,
            reason: error.message.clone(),
        }
    }
}

/// What a log holds.
#[derive(Debug, Default)]
pub struct Log {
    pub name: String,
    pub header: Option<Header>,
    pub tools: Vec<Ran>,
    pub actions: Vec<Action>,
    pub end: Option<End>,
}

impl Log {
    /// When the build began, in nanoseconds of the wall clock.
    pub fn start(&self) -> u64 {
        let first = self.tools.iter().map(|t| t.start).min();
        let header = self.header.as_ref().map(|h| h.start).filter(|s| *s > 0);
        header.or(first).unwrap_or(0)
    }

    /// The target: what most tools were started for. A tool of go generate's may be another's.
    pub fn platform(&self) -> (String, String) {
        if let Some(h) = self.header.as_ref().filter(|h| !h.os.is_empty()) {
            return (h.os.clone(), h.arch.clone());
        }
        let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for tool in self.tools.iter().filter(|t| !t.v) {
            *counts.entry((&tool.os, &tool.arch)).or_default() += 1;
        }
        let most = counts.into_iter().max_by_key(|(_, n)| *n);
        let versions = || self.tools.first().map(|t| (&*t.os, &*t.arch));
        let (os, arch) = most
            .map(|(p, _)| p)
            .or_else(versions)
            .unwrap_or(("unknown", "unknown"));
        (os.to_owned(), arch.to_owned())
    }

    /// The Go version that most tools are of.
    pub fn go(&self) -> &str {
        self.tools
            .iter()
            .map(|t| t.go.as_str())
            .find(|go| !go.is_empty())
            .unwrap_or("")
    }
}

/// A file, by what is in it.
pub enum Source {
    /// A log of a build.
    Log(Box<Log>),
    /// What `go build -debug-actiongraph` writes.
    Graph(Vec<Action>),
}

/// Reads a file.
pub fn read(name: &str, path: &str, not_read: &mut Vec<NotRead>) -> Result<Source> {
    let unreadable = |cause: std::io::Error| {
        let hint = match cause.kind() {
            ErrorKind::PermissionDenied => "make it readable, or copy it",
            _ => "name a log, or a directory of logs",
        };
        Error::new("unreadable", "the timings cannot be read")
            .path(name)
            .hint(hint)
            .cause(cause)
    };
    let mut reader = BufReader::with_capacity(1 << 20, File::open(path).map_err(unreadable)?);
    let head = reader.fill_buf().map_err(unreadable)?;
    if head.is_empty() {
        return Err(foreign("the log is empty", name));
    }
    if head.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'[') {
        let actions: Vec<Action> = serde_json::from_reader(reader)
            .map_err(|e| foreign("no action graph of go's, and no log of goat's", name).cause(e))?;
        return Ok(Source::Graph(actions));
    }
    lines(name, reader, not_read)
        .map_err(unreadable)?
        .map(|log| Source::Log(Box::new(log)))
}

fn foreign(what: &str, name: &str) -> Error {
    Error::new("no_timings", what)
        .path(name)
        .hint("a log is what `goat build --timings=DIR` leaves in DIR")
}

fn lines(
    name: &str,
    mut reader: impl BufRead,
    not_read: &mut Vec<NotRead>,
) -> std::io::Result<Result<Log>> {
    let mut log = Log {
        name: name.to_owned(),
        ..Log::default()
    };
    let (mut number, mut known, mut bad) = (0, 0_u64, 0_u64);
    let mut text = Vec::new();
    loop {
        text.clear();
        if reader.by_ref().take(LONGEST).read_until(b'\n', &mut text)? == 0 {
            break;
        }
        number += 1;
        let line = text.trim_ascii();
        if line.is_empty() {
            continue;
        }
        match serde_json::from_slice(line) {
            Ok(line) => {
                known += 1;
                log.take(line);
            }
            Err(cause) => {
                bad += 1;
                if known == 0 && bad > 3 {
                    break; // a foreign file, however long it is
                }
                if not_read.len() < NOTES {
                    let reason = if text.ends_with(b"\n") && !cause.is_eof() {
                        format!("no line of a log: {cause}")
                    } else {
                        "the line ends in the middle".to_owned()
                    };
                    not_read.push(NotRead {
                        source: name.to_owned(),
                        line: number,
                        reason,
                    });
                }
            }
        }
    }
    Ok(log.whole(known))
}

impl Log {
    fn take(&mut self, line: Line) {
        match line {
            Line::Build(header) => self.header = Some(header),
            Line::Tool(tool) => self.tools.push(*tool),
            Line::Graph(graph) => self.actions = graph.actions,
            Line::End(end) => self.end = Some(end),
            Line::Later => {}
        }
    }

    fn whole(self, known: u64) -> Result<Self> {
        if known == 0 {
            return Err(foreign("no log of a build", &self.name));
        }
        if self.header.as_ref().is_some_and(|h| h.format > 1) {
            return Err(Error::new("no_timings", "a newer goat wrote this log")
                .path(&self.name)
                .hint("read it with that goat"));
        }
        if self.tools.is_empty() && self.end.is_none() && self.header.is_none() {
            return Err(foreign("no tool ran in it", &self.name));
        }
        Ok(self)
    }
}
