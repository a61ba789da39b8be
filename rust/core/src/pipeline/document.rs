//! Writes a plan down.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Serialize;

use super::build::BuildView;
use super::options::Options;
use super::planned::{Planned, app};
use super::rows::{Row, Rows, tail};
use crate::git::Sides;
use crate::plan::{
    self, Base, Build, Document, Entries, FORMAT, Files, Head, Index, IndexPackage, MainPackage,
    ModuleEntry, Other, Outside, Release, TestPackage, Warning, hash_of, json, seal, sealed,
    splice,
};

/// What the documents say besides the long lists.
pub(super) struct Outline {
    /// Path of the module that was asked for.
    pub(super) main: String,
    pub(super) modules: Vec<ModuleEntry>,
    /// What names the difference from HEAD; empty where there is none.
    pub(super) content_hash: String,
    pub(super) rows: Vec<Row>,
    pub(super) packages: Vec<IndexPackage>,
    pub(super) mains: Vec<MainPackage>,
    pub(super) tests: Vec<TestPackage>,
    pub(super) other: Vec<Other>,
    pub(super) warnings: Vec<Warning>,
    pub(super) marked: bool,
}

/// What was asked for.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) options: &'a Options,
    pub(super) sides: &'a Sides,
}

/// The files of a plan directory, with what they were made of.
pub(super) struct Written<'p> {
    pub(super) hash: String,
    pub(super) files: Files<'p>,
    pub(super) outline: Outline,
    pub(super) public: Document,
}

impl Planned {
    fn asked(&self) -> Asked<'_> {
        Asked {
            options: &self.options,
            sides: &self.sides,
        }
    }
}

/// The files of the plan directory with their hash, and the public document among them.
pub(super) fn directory(planned: &Planned) -> Written<'_> {
    let rows = Rows::of(&planned.files, planned.options.forms(), None);
    let Rows {
        all,
        points,
        account,
        ..
    } = rows;
    let outline = outline(planned, all);
    let mut public = planned.asked().document(&outline, None, None);
    (public.points, public.account) = (points, account);
    let mut files = Files::new();
    for package in &planned.packages {
        let text = package.text.as_bytes();
        files.insert(package.entry.doc.clone(), text.into());
    }
    for (name, shard) in planned.sources.shards() {
        files.insert(name, sealed(&shard).into());
    }
    let text = seal(|out| public.write(out));
    files.insert("plan.json".into(), text.into());
    let hash = planned.asked().finish(&mut files, &outline);
    Written {
        hash,
        files,
        outline,
        public,
    }
}

fn outline(planned: &Planned, rows: Vec<Row>) -> Outline {
    let modules = planned.modules.iter();
    let modules = modules.map(|m| ModuleEntry {
        path: m.path.clone(),
        dir: m.dir.clone(),
    });
    let packages = planned.packages.iter();
    Outline {
        main: planned.main.path.clone(),
        modules: modules.collect(),
        content_hash: planned.content_hash.clone(),
        rows,
        packages: packages.map(|package| package.entry.clone()).collect(),
        mains: planned.sources.mains(),
        tests: planned.sources.tests(),
        other: planned.other.clone(),
        warnings: planned.warnings.clone(),
        marked: planned.sources.marked,
    }
}

/// The answer to a plan request, and the outline of its document. Without a build of its
/// own that is the public one.
pub(super) fn answer(
    planned: &Planned,
    written: Written<'_>,
    directory: Option<&Path>,
) -> (Vec<u8>, Outline) {
    let Written {
        hash,
        mut outline,
        mut public,
        ..
    } = written;
    if let Some(build) = &planned.options.build {
        let view = BuildView::new(build, &planned.packages);
        let rows = Rows::of(&planned.files, planned.options.forms(), Some(&view));
        outline.rows = rows.all;
        let asked = planned.asked();
        public = asked.document(&outline, Some(build), Some(rows.outside));
        (public.points, public.account) = (rows.points, rows.account);
    }
    let answer = planned.asked().answer(&outline, public, &hash, directory);
    (answer, outline)
}

/// What only the answer says, behind the public document.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    plan_hash: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan_dir: Option<String>,
    app: plan::App,
    marked: bool,
    warnings: &'a [Warning],
}

impl Asked<'_> {
    /// The public document without its long lists; for a build where one is named.
    pub(super) fn document(
        self,
        outline: &Outline,
        build: Option<&Build>,
        outside: Option<Outside>,
    ) -> Document {
        Document {
            head: Head {
                format: FORMAT,
                goat: self.options.goat.clone(),
                module: outline.main.clone(),
                base: self.base(),
                release: self.release(outline),
                build: build.cloned(),
                precision: self.options.precision,
                granularity: self.options.granularity().as_str(),
            },
            points: Entries::default(),
            account: Entries::default(),
            tail: tail(&outline.rows, &outline.other, outside),
        }
    }

    /// Adds the index to the other files of a plan directory; gives its hash.
    pub(super) fn finish(self, files: &mut Files<'_>, outline: &Outline) -> String {
        let mut index = self.index(outline);
        let hash = hash_of(files, &json(&index));
        index.plan_hash = Some(hash.clone());
        files.insert("index.json".into(), sealed(&index).into());
        hash
    }

    /// The answer to a plan request, with a document.
    pub(super) fn answer(
        self,
        outline: &Outline,
        mut document: Document,
        hash: &str,
        directory: Option<&Path>,
    ) -> Vec<u8> {
        let plan_dir = directory.map(|dir| {
            std::path::absolute(dir)
                .unwrap_or_else(|_| dir.to_owned())
                .display()
                .to_string()
        });
        if self.options.brief {
            document.shorten();
        }
        let mut text = Vec::new();
        document.write(&mut text);
        text.pop();
        let more = Answer {
            plan_hash: hash,
            plan_dir,
            app: self.app(outline),
            marked: outline.marked,
            warnings: &outline.warnings,
        };
        splice(&mut text, &more);
        text
    }

    fn app(self, outline: &Outline) -> plan::App {
        app(
            self.options,
            self.sides,
            &outline.main,
            &outline.content_hash,
        )
    }

    fn index(self, outline: &Outline) -> Index {
        Index {
            format: FORMAT,
            goat: self.options.goat.clone(),
            plan_hash: None,
            module: outline.main.clone(),
            modules: outline.modules.clone(),
            base: self.base(),
            release: self.release(outline),
            precision: self.options.precision,
            granularity: self.options.granularity().as_str(),
            app: self.app(outline),
            points: outline.packages.iter().map(|p| p.counters).sum(),
            marked: outline.marked,
            runtime_path: self.options.runtime_path().to_owned(),
            packages: outline.packages.clone(),
            plain: plain(outline),
            mains: outline.mains.clone(),
            tests: outline.tests.clone(),
        }
    }

    fn base(self) -> Base {
        let base = &self.sides.base;
        Base {
            reference: base.reference.clone(),
            commit: base.commit.clone(),
            tip: base.tip.clone(),
            chosen: base.chosen.as_str().to_owned(),
            why: base.why.clone(),
            passed_over: base.passed_over.clone(),
        }
    }

    fn release(self, outline: &Outline) -> Release {
        Release {
            reference: self.sides.release.reference.clone(),
            commit: self.sides.release.commit.clone(),
            dirty: !outline.content_hash.is_empty(),
            content_hash: outline.content_hash.clone(),
        }
    }
}

/// The packages that have lines in the account and no points.
fn plain(outline: &Outline) -> Vec<String> {
    let rows = outline.rows.iter().filter(|row| row.is_listed());
    let mut changed: BTreeSet<&str> = rows.map(|row| row.import_path.as_str()).collect();
    for package in &outline.packages {
        changed.remove(package.import_path.as_str());
    }
    changed.into_iter().map(str::to_owned).collect()
}
