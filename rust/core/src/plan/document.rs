//! The public document (`plan.json`), the index and the shards.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;

use serde::{Deserialize, Serialize};

use super::directory::Parts;
use crate::model::{Point, Position, Reason, Verdict};

/// Which goat wrote a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Goat {
    /// Version of the program, or of the core where no program said its own.
    pub version: String,
    /// Commit that it was built from; empty if unknown.
    pub commit: String,
}

impl Default for Goat {
    /// The core, which does not know its commit: it would be compiled again for each.
    fn default() -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").into(),
            commit: String::new(),
        }
    }
}

/// The base of the comparison.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Base {
    /// The name it was found by.
    #[serde(rename = "ref")]
    pub reference: String,
    /// The commit compared with.
    pub commit: String,
    /// The commit that the name stands for.
    pub tip: String,
    /// How the commit follows from the name.
    pub chosen: String,
    /// Why this base was taken.
    pub why: String,
    /// The later tag of a pre-release that was not taken; empty for none.
    #[serde(rename = "passedOver", skip_serializing_if = "String::is_empty")]
    pub passed_over: String,
}

/// The release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Release {
    /// The name asked for.
    #[serde(rename = "ref")]
    pub reference: String,
    /// The commit; HEAD for a working tree.
    pub commit: String,
    /// Whether the working tree differs from HEAD.
    pub dirty: bool,
    /// Identifies the difference; empty when clean.
    pub content_hash: String,
}

/// One package as `go list` prints it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BuildPackage {
    /// Import path.
    pub import_path: String,
    /// Directory.
    pub dir: String,
    /// Files that are compiled.
    #[serde(default)]
    pub go_files: Vec<String>,
    /// Files that are compiled through cgo.
    #[serde(default)]
    pub cgo_files: Vec<String>,
    /// Files that a build constraint excludes.
    #[serde(default)]
    pub ignored_go_files: Vec<String>,
}

/// The functions of a package that are in a binary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LinkedPackage {
    /// Import path.
    pub import_path: String,
    /// Names of declared functions, `F`, `T.M` or `(*T).M`, generic ones without type
    /// arguments; a function literal counts as the function around it.
    pub functions: Vec<String>,
}

/// The build that the account is drawn up for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Build {
    /// GOOS.
    pub goos: String,
    /// GOARCH.
    pub goarch: String,
    /// Build tags.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Whether cgo is on.
    #[serde(default)]
    pub cgo: bool,
    /// The toolchain's version.
    #[serde(default)]
    pub go_version: String,
    /// The packages of the build; not part of the document.
    #[serde(default, skip_serializing)]
    pub packages: Vec<BuildPackage>,
    /// What the linker kept, where there is a binary to tell; not part of the document.
    #[serde(default, skip_serializing)]
    pub linked: Option<Vec<LinkedPackage>>,
}

/// A point, as it is written.
#[derive(Clone, Copy, Debug)]
pub struct PointEntry<'a> {
    /// Content id.
    pub id: &'a str,
    /// Its number within this plan; `TRACK_ID_n` is its display name.
    pub number: usize,
    /// `change`, `branch`, `deletion` or `manual`.
    pub kind: &'static str,
    /// `exact`, `store` or `count`.
    pub form: &'static str,
    /// Why it has this form.
    pub form_reason: &'static str,
    /// The least that the function costs in the compiler's count of inlining, where
    /// it was counted.
    pub inline_cost: Option<usize>,
    /// Whether the function is so large that its points may keep the compiler from
    /// inlining calls into it.
    pub large: bool,
    /// Whether the linker left the function out of the binary that the account is for.
    pub link_removed: bool,
    /// Import path, as JSON.
    pub package: &'a str,
    /// File, as JSON.
    pub file: &'a str,
    /// Function around it.
    pub func: &'a str,
    /// First byte of what it vouches for.
    pub start: Position,
    /// One past the last byte.
    pub end: Position,
}

/// The display name of a point.
#[must_use]
pub fn point_name(number: usize) -> String {
    format!("TRACK_ID_{number}")
}

/// A text as JSON.
#[must_use]
pub fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

/// What stands in a point before its number.
const NAME: &str = "\"name\":\"TRACK_ID_";

/// What a point begins with.
const ID: &str = "{\"id\":\"";

/// The ids of points that were written.
pub fn ids_in(points: &[u8]) -> impl Iterator<Item = &[u8]> {
    let found = memchr::memmem::find_iter(points, ID.as_bytes());
    // The finder borrows what it looks for.
    let found: Vec<usize> = found.collect();
    found.into_iter().map(|at| {
        let rest = &points[at + ID.len()..];
        let end = memchr::memchr(b'"', rest).unwrap_or(rest.len());
        &rest[..end]
    })
}

/// Whether the numbers of points that were written count on from `first`.
#[must_use]
pub fn counts_from(points: &[u8], first: usize) -> bool {
    let name = format!("{NAME}{first}\"");
    memchr::memmem::find(points, NAME.as_bytes())
        .is_none_or(|at| points[at..].starts_with(name.as_bytes()))
}

/// Adds points that were written before, with their numbers counted on from `first`.
pub fn renumber(out: &mut Vec<u8>, points: &[u8], first: usize) {
    let mut done = 0;
    // The quotes of what stands in a text have a backslash in front.
    let names = memchr::memmem::find_iter(points, NAME.as_bytes());
    for (at, number) in names.zip(first..) {
        let at = at + NAME.len();
        out.extend_from_slice(&points[done..at]);
        out.extend_from_slice(number.to_string().as_bytes());
        let digits = points[at..].iter().take_while(|byte| byte.is_ascii_digit());
        done = at + digits.count();
    }
    out.extend_from_slice(&points[done..]);
}

/// The entries of a list of the public document. It has many of them, which say the same
/// names again and again: they are written as they are made.
#[derive(Debug, Default)]
pub struct Entries(String);

impl Entries {
    /// None yet, with room for some bytes.
    #[must_use]
    pub fn with_room(bytes: usize) -> Self {
        Self(String::with_capacity(bytes))
    }

    /// Those that stand in parts of a list.
    #[must_use]
    pub fn of(parts: &Parts<'_>) -> Option<Self> {
        String::from_utf8(parts.concat()).ok().map(Self)
    }

    /// The text, without brackets.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How many bytes they have.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn separate(&mut self) {
        if !self.0.is_empty() {
            self.0.push(',');
        }
    }

    fn add(&mut self, text: std::fmt::Arguments<'_>) {
        // A string takes everything.
        let _ = self.0.write_fmt(text);
    }

    fn list<'i>(&mut self, key: &str, ids: impl Iterator<Item = &'i str>) {
        let mut separator = "";
        for id in ids {
            if separator.is_empty() {
                self.add(format_args!(",\"{key}\":["));
            }
            // Ids are letters and digits.
            for part in [separator, "\"", id, "\""] {
                self.0.push_str(part);
            }
            separator = ",";
        }
        if !separator.is_empty() {
            self.0.push(']');
        }
    }

    /// Adds a point.
    pub fn point(&mut self, point: &PointEntry<'_>) {
        self.separate();
        self.add(format_args!(
            "{{\"id\":\"{}\",\"name\":\"TRACK_ID_{}\",\"kind\":\"{}\",\"form\":\"{}\",\"formReason\":\"{}\"",
            point.id, point.number, point.kind, point.form, point.form_reason,
        ));
        if let Some(cost) = point.inline_cost {
            self.add(format_args!(",\"inlineCost\":{cost}"));
        }
        if point.large {
            self.0.push_str(",\"large\":true");
        }
        if point.link_removed {
            self.0.push_str(",\"linkRemoved\":true");
        }
        self.add(format_args!(
            ",\"package\":{},\"file\":{},\"func\":{},\"start\":{{\"line\":{},\"column\":{}}},\"end\":{{\"line\":{},\"column\":{}}}}}",
            point.package,
            point.file,
            quoted(point.func),
            point.start.line,
            point.start.column,
            point.end.line,
            point.end.column,
        ));
    }

    /// Adds a line or a deletion to the account.
    pub fn account(&mut self, account: &Account<'_>) {
        self.separate();
        for part in ["{\"file\":", account.file, ","] {
            self.0.push_str(part);
        }
        match account.place {
            Spot::Line(line) => self.add(format_args!("\"line\":{line}")),
            Spot::Deleted { after, lines } => self.add(format_args!(
                "\"deletedAfter\":{after},\"deletedLines\":{lines}"
            )),
        }
        for part in [",\"class\":\"", account.class(), "\""] {
            self.0.push_str(part);
        }
        if let Verdict::Not(reason) = account.verdict {
            for part in [",\"reason\":\"", reason.as_str(), "\""] {
                self.0.push_str(part);
            }
        }
        let ids = |&index: &usize| account.points[index].id.as_str();
        self.list("points", account.verdict.points().iter().map(ids));
        self.list("effects", account.effects.iter().map(ids));
        if let Some(note) = account.note {
            self.add(format_args!(",\"note\":\"{note}\""));
        }
        self.0.push('}');
    }
}

/// Where an entry of the account stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spot {
    /// A line of the release.
    Line(u32),
    /// Lines that were removed.
    Deleted {
        /// The line after which they stood.
        after: u32,
        /// How many they were.
        lines: u32,
    },
}

impl Spot {
    /// By which entries are sorted: a line comes before what was removed after it.
    #[must_use]
    pub const fn order(&self) -> (u32, bool) {
        match *self {
            Self::Line(line) => (line, false),
            Self::Deleted { after, .. } => (after, true),
        }
    }
}

/// One entry of the account, as it is written.
#[derive(Clone, Copy, Debug)]
pub struct Account<'a> {
    /// File, as JSON.
    pub file: &'a str,
    /// Where in it.
    pub place: Spot,
    /// Which of the file's points vouch for it, or why none does.
    pub verdict: &'a Verdict,
    /// For a line without code: the points of the lines that it made code of, or no code.
    pub effects: &'a [usize],
    /// `case_expression`: it also runs where the clause, whose points vouch for it, is not
    /// taken.
    pub note: Option<&'static str>,
    /// The file's points.
    pub points: &'a [Point],
}

impl Account<'_> {
    /// `tracked`, `not_executable` or `untracked`.
    #[must_use]
    pub const fn class(&self) -> &'static str {
        match self.verdict {
            Verdict::Points(_) => "tracked",
            Verdict::Not(reason) => class_of(*reason),
        }
    }
}

const fn class_of(reason: Reason) -> &'static str {
    if reason.not_executable() {
        "not_executable"
    } else {
        "untracked"
    }
}

/// A file that is accounted for as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileAccount {
    /// File.
    pub file: String,
    /// How many lines of the universe it has.
    pub added: u32,
    /// How many of its hunks only delete.
    pub deletions: u32,
    /// `untracked`.
    pub class: &'static str,
    /// Why.
    pub reason: &'static str,
}

/// A file whose lines stand in the account, and the builds that take it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SourceEntry {
    /// File.
    pub file: String,
    /// Import path.
    pub package: String,
    /// What its name, its build lines and an import of "C" ask for, in the syntax of
    /// `//go:build`; empty where every build takes it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub constraint: String,
}

/// Something that changed besides the covered modules' Go code.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Other {
    /// `module`, `go`, `toolchain`, `cgo`, `assembly`, `syso`, `pgo`, `embed`, `vendor`,
    /// `submodule`, `constraint`.
    pub kind: Cow<'static, str>,
    /// File, or for a module its path.
    pub path: String,
    /// What it was.
    pub old: String,
    /// What it is.
    pub new: String,
    /// What takes its place by `replace`.
    pub replaced: String,
    /// What became of an upgraded module (with `deps`) or a submodule; empty for anything else.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// The sums.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Go files with lines in the universe or deletions.
    pub files: usize,
    /// Packages that hold the points.
    pub packages: usize,
    /// Lines of the universe: the sum of the next three.
    pub added_lines: u64,
    /// Lines that points vouch for.
    pub tracked: u64,
    /// Lines on which nothing can run.
    pub not_executable: u64,
    /// Lines that could run, without a point.
    pub untracked: u64,
    /// Hunks that only delete, and deleted files.
    pub deletions: u64,
    /// Points.
    pub points: usize,
    /// What else changed.
    pub other: Vec<Other>,
    /// Points of the plan that are not in the build asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outside: Option<Outside>,
}

/// Points that another build would have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outside {
    /// Those in files for other systems or tags.
    pub build_constraint: usize,
    /// Those in packages that the build does not take.
    pub not_in_build: usize,
}

/// `plan.json`.
#[derive(Debug)]
pub struct Document {
    /// What it is about.
    pub head: Head,
    /// The points, in the order of their names.
    pub points: Entries,
    /// Every line and deletion of the files that are not in `files`.
    pub account: Entries,
    /// The rest.
    pub tail: Tail,
}

impl Document {
    /// Writes it down.
    pub fn write(&self, out: &mut Vec<u8>) {
        let [points, account] =
            [&self.points, &self.account].map(|list| list.as_str().as_bytes().into());
        let parts = self.around(vec![points], vec![account]);
        out.reserve(parts.iter().map(|part| part.len()).sum());
        for part in parts {
            out.extend_from_slice(&part);
        }
    }

    /// The document in parts, with lists that are in parts themselves.
    #[must_use]
    pub fn around<'p>(&self, points: Parts<'p>, account: Parts<'p>) -> Parts<'p> {
        // All keys are strings, so nothing can fail.
        let mut head = serde_json::to_vec(&self.head).unwrap_or_default();
        head.pop();
        head.extend_from_slice(b",\"points\":[");
        let mut tail = b"]".to_vec();
        splice(&mut tail, &self.tail);
        let mut parts = vec![head.into()];
        parts.extend(points);
        parts.push(b"],\"account\":["[..].into());
        parts.extend(account);
        parts.push(tail.into());
        parts
    }

    /// Leaves nothing but the sums.
    pub fn shorten(&mut self) {
        (self.points, self.account) = Default::default();
        self.tail.files.clear();
        self.tail.sources.clear();
    }
}

/// Puts the fields of an object behind those of one that is not closed yet.
pub fn splice(out: &mut Vec<u8>, more: &impl Serialize) {
    let at = out.len();
    let _ = serde_json::to_writer(&mut *out, more);
    if let Some(brace) = out.get_mut(at) {
        *brace = b',';
    }
}

/// What a plan is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Head {
    /// Format number.
    pub format: u32,
    /// Which goat wrote it.
    pub goat: Goat,
    /// The module that was asked for.
    pub module: String,
    /// The base.
    pub base: Base,
    /// The release.
    pub release: Release,
    /// The build; `None` in the plan directory.
    pub build: Option<Build>,
    /// 1, 2 or 3.
    pub precision: u8,
    /// `line`, `patch`, `scope` or `func`.
    pub granularity: &'static str,
}

/// What stands behind the points and the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tail {
    /// Files that are accounted for as a whole.
    pub files: Vec<FileAccount>,
    /// The files that the account goes through line by line.
    pub sources: Vec<SourceEntry>,
    /// The sums.
    pub summary: Summary,
}

/// Something to know that is no error.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Warning {
    /// File.
    pub path: String,
    /// Line; 0 for the whole file.
    pub line: u32,
    /// What.
    pub message: String,
}

/// A covered module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleEntry {
    /// Module path.
    pub path: String,
    /// Directory.
    pub dir: String,
}

/// The application's identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct App {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
}

/// A package with points.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IndexPackage {
    /// Import path.
    pub import_path: String,
    /// Directory.
    pub dir: String,
    /// Package name.
    pub name: String,
    /// Its document.
    pub doc: String,
    /// Its marker.
    pub marker: String,
    /// Its accessor.
    pub symbol: String,
    /// Number of counters.
    pub counters: usize,
    /// How many of them each file has, by its base name.
    pub files: BTreeMap<String, usize>,
}

/// A directory with a main package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MainPackage {
    /// Import path.
    pub import_path: String,
    /// Directory.
    pub dir: String,
    /// Base names of its files.
    pub files: Vec<String>,
    /// Everything that they import, sorted.
    pub imports: Vec<String>,
    /// Whether go's patterns pass over the directory.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
}

/// A directory with tests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TestPackage {
    /// Import path.
    pub import_path: String,
    /// Directory.
    pub dir: String,
    /// Package of the tests inside; empty if there are none.
    pub internal: String,
    /// Package of the tests outside; empty if there are none.
    pub external: String,
    /// Whether go's patterns pass over the directory.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
}

/// `index.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// Format number.
    pub format: u32,
    /// Which goat wrote it.
    pub goat: Goat,
    /// Hash of the whole directory; left out while that is computed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan_hash: Option<String>,
    /// The module that was asked for.
    pub module: String,
    /// Covered modules, by directory.
    pub modules: Vec<ModuleEntry>,
    /// The base.
    pub base: Base,
    /// The release.
    pub release: Release,
    /// 1, 2 or 3.
    pub precision: u8,
    /// `line`, `patch`, `scope` or `func`.
    pub granularity: &'static str,
    /// The application.
    pub app: App,
    /// Number of points.
    pub points: usize,
    /// Whether the tree holds goat's marks: the points are in the source already.
    pub marked: bool,
    /// Import path suffix of the runtime package.
    pub runtime_path: String,
    /// Packages with points, by import path.
    pub packages: Vec<IndexPackage>,
    /// Import paths of the packages that the account goes through and that have no points.
    pub plain: Vec<String>,
    /// Main packages, by directory.
    pub mains: Vec<MainPackage>,
    /// Packages with tests, by directory.
    pub tests: Vec<TestPackage>,
}

/// `s/<H2>.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// Format number.
    pub format: u32,
    /// Hashes of Go files, by import path and base name.
    pub packages: BTreeMap<String, BTreeMap<String, String>>,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::model::{Form, FormReason, Place, PointKind, Span};

    fn list(entries: &Entries) -> Value {
        serde_json::from_str(&format!("[{}]", entries.as_str())).unwrap_or_default()
    }

    fn point(id: &str) -> Point {
        Point {
            id: id.into(),
            place: Place::Before(0),
            kind: PointKind::Change,
            region: Span::new(0, 1),
            func: String::new(),
            declared: true,
            form: Form {
                exact: true,
                reason: FormReason::TooLarge,
                cost: None,
                large: false,
                crowded: false,
            },
        }
    }

    /// Names may hold whatever git and Go allow.
    #[test]
    fn points_are_json() {
        let (package, file) = (quoted("x/é"), quoted("a\"b\n.go"));
        let mut entries = Entries::default();
        let place = |line, column| Position { line, column };
        let plain = PointEntry {
            id: "k3",
            number: 7,
            kind: "change",
            form: "exact",
            form_reason: "too_large",
            inline_cost: None,
            large: false,
            link_removed: false,
            package: &package,
            file: &file,
            func: "(*T\u{7f}).é",
            start: place(1, 2),
            end: place(3, 4),
        };
        entries.point(&plain);
        entries.point(&PointEntry {
            inline_cost: Some(120),
            large: true,
            link_removed: true,
            ..plain
        });
        let want = json!({
            "id": "k3", "name": "TRACK_ID_7", "kind": "change", "form": "exact",
            "formReason": "too_large", "package": "x/é", "file": "a\"b\n.go",
            "func": "(*T\u{7f}).é", "start": {"line": 1, "column": 2},
            "end": {"line": 3, "column": 4},
        });
        let mut large = want.clone();
        large["inlineCost"] = 120.into();
        large["large"] = true.into();
        large["linkRemoved"] = true.into();
        assert_eq!(list(&entries), json!([want, large]));
    }

    #[test]
    fn the_account_is_json() {
        let points = [point("a"), point("b")];
        let (both, none) = (Verdict::Points(vec![0, 1]), Verdict::Not(Reason::Comment));
        let mut entries = Entries::default();
        let line = Account {
            file: "\"a.go\"",
            place: Spot::Line(4),
            verdict: &both,
            effects: &[],
            note: Some("case_expression"),
            points: &points,
        };
        entries.account(&line);
        entries.account(&Account {
            place: Spot::Deleted { after: 4, lines: 2 },
            verdict: &none,
            effects: &[1],
            note: None,
            ..line
        });
        let want = json!([
            {"file": "a.go", "line": 4, "class": "tracked", "points": ["a", "b"],
             "note": "case_expression"},
            {"file": "a.go", "deletedAfter": 4, "deletedLines": 2, "class": "not_executable",
             "reason": "comment", "effects": ["b"]},
        ]);
        assert_eq!(list(&entries), want);
    }
}
