//! The operations of this crate at the ABI: JSON in, JSON out.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::changed::{Changed, ChangedFunction};
use crate::cluster;
use crate::collect::Collector;
use crate::document::{self, COMPARED, Document, Verdict, figure_names};
use crate::error::{Error, Result};
use crate::expression::Condition;
use crate::heat;
use crate::input::{DAMAGED, Input};
use crate::panics;
use crate::parse::Parser;
use crate::pprof::Profile;
use crate::profile;
use crate::proto;
use crate::stop::Stop;
use crate::symbols::Symbols;

/// The head that all requests share.
#[derive(Deserialize)]
struct Head {
    op: String,
}

/// What to read: a file, or a text that the request holds.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SourceRequest {
    /// How the source is called in the answer.
    name: String,
    #[serde(default)]
    path: String,
    #[serde(default)]
    text: Option<String>,
    /// Which process wrote it, where that is known.
    #[serde(default)]
    instance: String,
    /// What Go wrote for `SetCrashOutput`: it leaves out the first line of fatal errors.
    #[serde(default)]
    crash_output: bool,
}

/// The request of `panics`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PanicsRequest {
    format: u32,
    #[expect(dead_code, reason = "read before, by the head")]
    op: String,
    #[serde(default)]
    sources: Vec<SourceRequest>,
    /// What runtimes recorded.
    #[serde(default)]
    events: Vec<panics::Event>,
    /// The main modules, as far as they are known.
    #[serde(default)]
    modules: Vec<String>,
    #[serde(default)]
    changed: Vec<ChangedFunction>,
    #[serde(default)]
    fail_if: String,
    #[serde(default, rename = "controlFd")]
    _control: Option<i32>,
    #[serde(default, rename = "progressFd")]
    _progress: Option<i32>,
}

/// The request of `dump`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DumpRequest {
    format: u32,
    #[expect(dead_code, reason = "read before, by the head")]
    op: String,
    sources: Vec<SourceRequest>,
    #[serde(default)]
    diff: Vec<SourceRequest>,
    #[serde(default)]
    changed: Vec<ChangedFunction>,
    #[serde(default)]
    fail_if: String,
    #[serde(default, rename = "controlFd")]
    _control: Option<i32>,
    #[serde(default, rename = "progressFd")]
    _progress: Option<i32>,
}

/// The request of `profile`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ProfileRequest {
    format: u32,
    #[expect(dead_code, reason = "read before, by the head")]
    op: String,
    sources: Vec<SourceRequest>,
    #[serde(default)]
    diff: Vec<SourceRequest>,
    /// Null where no change is known.
    #[serde(default)]
    changed: Option<Vec<ChangedFunction>>,
    /// The column of values; empty for the profile's default.
    #[serde(default)]
    sample: String,
    /// Whether the sum is asked for as pprof reads it.
    #[serde(default)]
    pprof: bool,
    #[serde(default, rename = "controlFd")]
    _control: Option<i32>,
    #[serde(default, rename = "progressFd")]
    _progress: Option<i32>,
}

/// The answer of `profile`.
#[derive(Serialize)]
struct ProfileAnswer {
    document: profile::Document,
    /// The sum as pprof reads it, in base64.
    pprof: Option<String>,
}

/// Runs a request of this crate and gives its answer, `{"result":…}` or `{"error":…}`;
/// none where the operation is not one of this crate's.
#[must_use]
pub fn run(request: &[u8], stop: Stop<'_>) -> Option<Vec<u8>> {
    let head: Head = serde_json::from_slice(request).ok()?;
    let result = match head.op.as_str() {
        "dump" => read(request)
            .and_then(|r| dump(r, stop))
            .and_then(|d| answer(&d)),
        "heat" => read(request)
            .and_then(|r| heat::run(&r, stop))
            .and_then(|d| answer(&d)),
        "profile" => read(request)
            .and_then(|r| profile(r, stop))
            .and_then(|d| answer(&d)),
        "panics" => read(request)
            .and_then(|r| panics(r, stop))
            .and_then(|d| answer(&d)),
        _ => return None,
    };
    Some(match result {
        Ok(result) => [b"{\"result\":", result.as_slice(), b"}"].concat(),
        Err(error) => json!({ "error": error }).to_string().into_bytes(),
    })
}

fn read<'r, T: Deserialize<'r>>(request: &'r [u8]) -> Result<T> {
    serde_json::from_slice(request)
        .map_err(|e| Error::new("bad_request", "the request cannot be read").cause(e))
}

fn answer(result: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(result)
        .map_err(|e| Error::new("internal", "the answer cannot be written").cause(e))
}

fn profile(request: ProfileRequest, stop: Stop<'_>) -> Result<ProfileAnswer> {
    right_format(request.format)?;
    let mut symbols = Symbols::default();
    let profiles = request.sources.len();
    let mut new = add_up(request.sources, &mut symbols, stop)?;
    let old = if request.diff.is_empty() {
        None
    } else {
        Some(add_up(request.diff, &mut symbols, stop)?)
    };
    if let Some(old) = &old {
        new.comparable(old)?;
    }
    let column = new.column(&request.sample)?;
    let changed = request.changed.map(Changed::new);
    let document = profile::build(
        &new,
        old.as_ref(),
        column,
        profiles,
        &symbols,
        changed.as_ref(),
    );
    let mut pprof = None;
    if request.pprof {
        if let Some(old) = &old {
            new.subtract(old);
        }
        let unwritten = |e| Error::new("internal", "the profile cannot be written").cause(e);
        let bytes = new.write(&symbols).map_err(unwritten)?;
        pprof = Some(data_encoding::BASE64.encode(&bytes));
    }
    Ok(ProfileAnswer { document, pprof })
}

/// Reads all sources into one profile.
fn add_up(sources: Vec<SourceRequest>, symbols: &mut Symbols, stop: Stop<'_>) -> Result<Profile> {
    let mut sum = Profile::default();
    for source in sources {
        if stop() {
            return Err(Error::new("cancelled", "cancelled"));
        }
        let named = |mut error: Error| {
            error.path.clone_from(&source.name);
            error
        };
        let input = match &source.text {
            Some(text) => Input::text(text.clone()),
            None => Input::file(&source.path),
        };
        let unreadable = |cause: std::io::Error| {
            Error::new("unreadable", "the profile cannot be read to its end")
                .hint("fetch it again, and keep it in a binary file")
                .cause(cause)
        };
        let bytes = input
            .map_err(said_of_profiles)
            .and_then(|input| input.profile(stop).map_err(unreadable));
        bytes
            .and_then(|bytes| sum.add(&bytes, symbols))
            .map_err(named)?;
    }
    if sum.types.is_empty() {
        return Err(Error::new("bad_request", "no profile is named"));
    }
    Ok(sum)
}

/// The reader of files speaks of dumps.
fn said_of_profiles(mut error: Error) -> Error {
    error.message = error.message.replace("dump", "profile");
    if error.hint.is_empty() || error.hint == DAMAGED {
        "fetch it again, and keep it in a binary file".clone_into(&mut error.hint);
    }
    error
}

fn right_format(format: u32) -> Result<()> {
    if format == 1 {
        return Ok(());
    }
    let what = format!("request format {format} is not 1");
    Err(Error::new("bad_request", what).hint("rebuild with the same goat"))
}

fn panics(request: PanicsRequest, stop: Stop<'_>) -> Result<panics::Document> {
    right_format(request.format)?;
    let condition = match request.fail_if.trim() {
        "" => None,
        text => Some(Condition::parse(text, &panics::figure_names())?),
    };
    let sources = &request.sources;
    let instances: Vec<String> = sources.iter().map(|s| s.instance.clone()).collect();
    let mut found = collect(request.sources, stop)?;
    let changed = Changed::new(request.changed);
    let (events, modules) = (request.events, request.modules);
    let mut document = panics::build(&mut found, &instances, events, modules, &changed);
    document.fail_if = condition.map(|c| Verdict::of(request.fail_if, &c, &document.figures));
    Ok(document)
}

fn dump(request: DumpRequest, stop: Stop<'_>) -> Result<Document> {
    right_format(request.format)?;
    let condition = condition(&request)?;
    let found = collect(request.sources, stop)?;
    let changed = Changed::new(request.changed);
    let mut document = document::build(&found, &cluster::build(&found), &changed);
    if !request.diff.is_empty() {
        let old = collect(request.diff, stop)?;
        let old = document::build(&old, &cluster::build(&old), &changed);
        document.compare(&old.clusters);
    }
    document.count();
    document.fail_if = condition.map(|c| Verdict::of(request.fail_if, &c, &document.figures));
    Ok(document)
}

/// The condition, checked before anything is read.
fn condition(request: &DumpRequest) -> Result<Option<Condition>> {
    if request.fail_if.trim().is_empty() {
        return Ok(None);
    }
    let mut known = figure_names();
    if request.diff.is_empty() {
        let needs = |name: &String| COMPARED.contains(&name.split('.').next().unwrap_or_default());
        let mut words = request
            .fail_if
            .split(|c: char| !c.is_alphanumeric() && c != '.')
            .map(str::to_owned);
        if let Some(name) = words.find(|word| known.contains(word) && needs(word)) {
            let what = format!("--fail-if: {name:?} compares with an older dump");
            return Err(Error::new("bad_request", what).hint("name it with --diff"));
        }
        known.retain(|name| !needs(name));
    }
    Condition::parse(&request.fail_if, &known).map(Some)
}

/// Reads all sources. A source without a goroutine, a crash or a race in it is an error:
/// a wrong file must not pass for a healthy process.
fn collect(sources: Vec<SourceRequest>, stop: Stop<'_>) -> Result<Collector> {
    let mut found = Collector::default();
    for source in sources {
        found.begin(&source.name);
        let input = match source.text {
            Some(text) => Input::text(text),
            None => Input::file(&source.path),
        };
        let mut result = input.and_then(|input| one(input, &mut found, stop));
        if source.crash_output {
            found.ended();
        }
        result = result.and_then(|()| holds(&found));
        result.map_err(|mut error| {
            if error.code != "cancelled" {
                error.path.clone_from(&source.name);
            }
            error
        })?;
    }
    Ok(found)
}

fn one(mut input: Input, found: &mut Collector, stop: Stop<'_>) -> Result<()> {
    let unreadable = |e: std::io::Error| {
        Error::new("unreadable", "the dump cannot be read")
            .hint(DAMAGED)
            .cause(e)
    };
    if input.may_be_proto().map_err(unreadable)? {
        let bytes = input.whole(stop).map_err(unreadable)?;
        found.source().bytes = bytes.len() as u64;
        return proto::read(&bytes, found).unwrap_or_else(|| {
            Err(Error::new(
                "no_dump",
                "the profile is damaged: it ends or breaks in the middle",
            )
            .hint("fetch it again, and keep it in a binary file"))
        });
    }
    let mut parser = Parser::new(found);
    let mut whole = true;
    let ended = input.lines(stop, |line, complete, rest| {
        whole = complete;
        parser.line(line, rest);
        Ok(())
    })?;
    parser.end(whole, ended.bytes);
    let source = found.source();
    source.bytes = ended.bytes;
    source.broken = ended.broken;
    Ok(())
}

/// What to say of a source with nothing in it.
fn holds(found: &Collector) -> Result<()> {
    let Some(source) = found.sources.last() else {
        return Ok(());
    };
    let empty_profile = source.proto || source.profile;
    if source.goroutines > 0 || source.crashes > 0 || empty_profile {
        return Ok(());
    }
    let last = found.sources.len() - 1;
    let mut races = found.races.iter().filter(|(of, _)| *of == last);
    if races.any(|(_, race)| !race.accesses.is_empty()) {
        return Ok(());
    }
    if source.races > 0 {
        let what = "the race report says nothing of the two accesses";
        return Err(Error::new("no_dump", what)
            .hint("take it whole: from the line WARNING: DATA RACE to the line of ===="));
    }
    if let Some(name) = &source.other_profile {
        let what = format!("a {name} profile lists no goroutines");
        return Err(Error::new("no_dump", what).hint(
            "`go tool pprof` reads it; goat dump takes the profiles goroutine and goroutineleak",
        ));
    }
    let error = match (&source.broken, source.bytes) {
        (Some(cause), _) => {
            Error::new("unreadable", "the dump cannot be read to its end").cause(cause)
        }
        (None, 0) => Error::new("no_dump", "the dump is empty"),
        _ => Error::new(
            "no_dump",
            "no goroutine, crash, race or goroutine profile in it",
        ),
    };
    Err(error.hint(
        "a dump is what GOTRACEBACK=all prints at a crash or kill -QUIT, or /debug/pprof/goroutine?debug=2",
    ))
}
