//! The answer of `panics`: the document of docs/diagnostics.md.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::entry::{Entry, Event};
use super::group::{self, Group, kind_word};
use super::kinds::Class;
use super::root::InApp;
use crate::changed::{Changed, Known};
use crate::collect::Collector;
use crate::document::{FrameFacts, NotParsed, StepFacts, Verdict, Writer, not_parsed};

/// The whole answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    pub format: u32,
    pub panics: Vec<PanicFacts>,
    /// The texts, each with what was found in it.
    pub sources: Vec<TextFacts>,
    pub truncated: bool,
    pub not_parsed: Vec<NotParsed>,
    pub not_parsed_lines: u64,
    pub figures: BTreeMap<String, f64>,
    pub fail_if: Option<Verdict>,
}

/// One text.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TextFacts {
    pub name: String,
    pub crashes: u64,
    pub goroutines: u64,
    pub truncated: bool,
    pub broken: Option<String>,
    pub bytes: u64,
}

/// One root cause.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PanicFacts {
    pub key: String,
    pub kind: &'static str,
    /// The type of the value; empty where a text does not tell.
    #[serde(rename = "type")]
    pub type_name: String,
    pub message: String,
    pub recovered: &'static str,
    pub class: &'static str,
    pub inferred: bool,
    pub count: u64,
    /// How many of them ended a process.
    pub ended: u64,
    pub first: Option<String>,
    pub last: Option<String>,
    pub goroutine: u64,
    pub parent: Option<u64>,
    pub creator: String,
    pub creator_file: String,
    pub creator_line: u32,
    pub chain: Vec<StepFacts>,
    pub signal: String,
    pub tests: Vec<String>,
    pub place: Option<FrameFacts>,
    pub frames: Vec<FrameFacts>,
    /// A frame or the `go` statement is in a changed function.
    pub changed: bool,
    /// The changed functions of its stack and of its creator, as the plan calls them.
    pub changed_in: Vec<Known>,
    pub phases: BTreeMap<String, u64>,
    pub lanes: BTreeSet<String>,
    pub instances: BTreeSet<String>,
    pub sources: BTreeSet<String>,
    /// Where the shown one stands in its text; 0 for none.
    pub line: u64,
}

/// Makes the document of crashes and of what runtimes recorded. `instances` are those of
/// the texts, by the number of the source.
pub fn build(
    found: &mut Collector,
    instances: &[String],
    events: Vec<Event>,
    modules: Vec<String>,
    changed: &Changed,
) -> Document {
    let mut entries: Vec<Entry> = found
        .crashes
        .iter()
        .map(|(source, crash)| {
            let instance = instances.get(*source).map_or("", String::as_str);
            Entry::of_crash(&found.sources[*source].name, instance, crash)
        })
        .collect();
    let recorded = events
        .into_iter()
        .map(|event| Entry::of_event(event, &mut found.symbols));
    entries.extend(recorded);
    let groups = group::groups(entries, &InApp::new(modules), &found.symbols);
    let writer = Writer {
        symbols: &found.symbols,
        changed,
    };
    let mut groups: Vec<(Class, PanicFacts)> = groups
        .iter()
        .map(|g| (g.class, facts(g, &writer)))
        .collect();
    groups.sort_by(|(a_class, a), (b_class, b)| {
        let order = |class: &Class, p: &PanicFacts| (*class, p.ended == 0, !p.changed);
        order(a_class, a)
            .cmp(&order(b_class, b))
            .then(b.count.cmp(&a.count))
            .then(a.key.cmp(&b.key))
    });
    let panics: Vec<PanicFacts> = groups.into_iter().map(|(_, facts)| facts).collect();
    Document {
        format: 1,
        figures: figures(&panics),
        panics,
        sources: found.sources.iter().map(text).collect(),
        truncated: found
            .sources
            .iter()
            .any(|s| s.truncated || s.broken.is_some()),
        not_parsed: not_parsed(found),
        not_parsed_lines: found.sources.iter().map(|s| s.unread).sum(),
        fail_if: None,
    }
}

fn text(s: &crate::collect::Source) -> TextFacts {
    TextFacts {
        name: s.name.clone(),
        crashes: s.crashes,
        goroutines: s.goroutines,
        truncated: s.truncated,
        broken: s.broken.clone(),
        bytes: s.bytes,
    }
}

fn facts(g: &Group, writer: &Writer<'_>) -> PanicFacts {
    let e = &g.shown;
    let frames = writer.frames(&e.frames);
    let creator = e.creator.map(|f| writer.frame(f));
    let changed_in = writer.changed_in(&e.frames, e.creator);
    let (creator, creator_file, creator_line) =
        creator.map_or_else(Default::default, |f| (f.func, f.file, f.line));
    PanicFacts {
        key: g.key.clone(),
        kind: kind_word(e.kind),
        type_name: e.type_name.clone(),
        message: e.message.clone(),
        recovered: g.recovered(),
        class: g.class.as_str(),
        inferred: e.inferred,
        count: g.count,
        ended: g.ended,
        first: g.first.clone(),
        last: g.last.clone(),
        goroutine: e.goroutine,
        parent: e.parent,
        creator,
        creator_file,
        creator_line,
        chain: e.chain.iter().map(StepFacts::of).collect(),
        signal: e.signal.clone(),
        tests: e.tests.clone(),
        place: g.place.map(|f| writer.frame(f)),
        frames,
        changed: !changed_in.is_empty(),
        changed_in,
        phases: g.phases.clone(),
        lanes: g.lanes.clone(),
        instances: g.instances.clone(),
        sources: g.sources.clone(),
        line: e.line,
    }
}

/// The figures that `--fail-if` may compare: occurrences but for `causes`.
fn figures(panics: &[PanicFacts]) -> BTreeMap<String, f64> {
    let mut f: BTreeMap<String, f64> = figure_names().into_iter().map(|n| (n, 0.0)).collect();
    let mut add = |name: &str, changed: bool, count: u64| {
        #[expect(clippy::cast_precision_loss, reason = "no process has 2^53 panics")]
        let count = count as f64;
        *f.entry(name.to_owned()).or_default() += count;
        if changed {
            *f.entry(format!("{name}.changed")).or_default() += count;
        }
    };
    for p in panics {
        if p.class != Class::Defect.as_str() {
            add(p.class, p.changed, p.count);
            continue;
        }
        add("causes", p.changed, 1);
        add("panics", p.changed, p.count);
        add("ended", p.changed, p.ended);
        add("recovered", p.changed, p.count.saturating_sub(p.ended));
        if p.kind != "panic" {
            add(p.kind, p.changed, p.count);
        }
    }
    f
}

/// The names of all figures.
pub fn figure_names() -> Vec<String> {
    [
        "causes",
        "panics",
        "ended",
        "recovered",
        "fatal",
        "signal",
        "flow",
        "abort",
    ]
    .iter()
    .flat_map(|name| [(*name).to_owned(), format!("{name}.changed")])
    .collect()
}
