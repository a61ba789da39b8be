//! The public document (`plan.json`), the index and the shards.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{Reason, Verdict};

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

/// A place in the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Position {
    /// 1-based line.
    pub line: u32,
    /// 1-based byte column.
    pub column: u32,
}

/// A point.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PointEntry {
    /// Content id.
    pub id: String,
    /// Display name within this plan, `TRACK_ID_n`.
    pub name: String,
    /// `change`, `branch`, `deletion` or `manual`.
    pub kind: &'static str,
    /// `exact`, `store` or `count`.
    pub form: &'static str,
    /// Why it has this form.
    #[serde(rename = "formReason")]
    pub form_reason: &'static str,
    /// The least that the function costs in the compiler's count of inlining, where
    /// it was counted.
    #[serde(rename = "inlineCost", skip_serializing_if = "Option::is_none")]
    pub inline_cost: Option<usize>,
    /// Whether the function is so large that its points may keep the compiler from
    /// inlining calls into it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub large: bool,
    /// Whether the linker left the function out of the binary that the account is for.
    #[serde(rename = "linkRemoved", skip_serializing_if = "std::ops::Not::not")]
    pub link_removed: bool,
    /// Import path.
    pub package: String,
    /// File.
    pub file: String,
    /// Function around it.
    pub func: String,
    /// First byte of what it vouches for.
    pub start: Position,
    /// One past the last byte.
    pub end: Position,
}

/// One entry of the account: a line or a deletion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// File.
    pub file: String,
    /// Line of the release.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Line after which lines were removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_after: Option<u32>,
    /// How many were removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_lines: Option<u32>,
    /// `tracked`, `not_executable` or `untracked`.
    pub class: &'static str,
    /// Why it is not tracked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// Which points vouch for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<String>,
    /// For a line without code: the points of the lines that it made code of, or no code.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub effects: Vec<String>,
    /// `case_expression`: it also runs where the clause, whose points vouch for it, is not
    /// taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'static str>,
}

/// An entry for a verdict, without its place; `ids` are those of the file's points.
#[must_use]
pub fn entry(file: &str, verdict: &Verdict, ids: &[String]) -> Account {
    let (class, reason, points) = match verdict {
        Verdict::Points(points) => (
            "tracked",
            None,
            points.iter().map(|&index| ids[index].clone()).collect(),
        ),
        Verdict::Not(reason) => (class_of(*reason), Some(reason.as_str()), Vec::new()),
    };
    Account {
        file: file.to_owned(),
        line: None,
        deleted_after: None,
        deleted_lines: None,
        class,
        reason,
        points,
        effects: Vec::new(),
        note: None,
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
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Other {
    /// `module`, `go`, `toolchain`, `cgo`, `assembly`, `syso`, `pgo`, `embed`, `vendor`,
    /// `submodule`, `constraint`.
    pub kind: &'static str,
    /// File, or for a module its path.
    pub path: String,
    /// What it was.
    pub old: String,
    /// What it is.
    pub new: String,
    /// What takes its place by `replace`.
    pub replaced: String,
    /// What became of an upgraded module (with `deps`) or a submodule; empty for anything else.
    #[serde(skip_serializing_if = "String::is_empty")]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Document {
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
    /// The points, in the order of their names.
    pub points: Vec<PointEntry>,
    /// Every line and deletion of the files that are not in `files`.
    pub account: Vec<Account>,
    /// Files accounted for as a whole.
    pub files: Vec<FileAccount>,
    /// The files that the account goes through line by line.
    pub sources: Vec<SourceEntry>,
    /// The sums.
    pub summary: Summary,
}

/// Something to know that is no error.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Warning {
    /// File.
    pub path: String,
    /// Line; 0 for the whole file.
    pub line: u32,
    /// What.
    pub message: String,
}

/// A covered module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModuleEntry {
    /// Module path.
    pub path: String,
    /// Directory.
    pub dir: String,
}

/// The application's identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
}

/// A directory with tests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
    #[serde(skip_serializing_if = "std::ops::Not::not")]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shard {
    /// Format number.
    pub format: u32,
    /// Hashes of Go files, by import path and base name.
    pub packages: BTreeMap<String, BTreeMap<String, String>>,
}
