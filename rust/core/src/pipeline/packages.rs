//! Turns points into edits, package by package.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::ledger::{self, Desk, Kind};
use super::{Analysed, Options, PlannedFile, Sources, State};
use crate::control::Control;
use crate::error::Result;
use crate::instrument::{Forms, Names, Package, Text, accessor, apply, edits, write};
use crate::model::{Edit, Place, Point, Reason, Span, Verdict};
use crate::plan::{
    EditEntry, FORMAT, FileEntry, PackageDocument, PackagePoint, TextFile, Warning, marker,
};
use crate::points::make_distinct;
use crate::syntax;
use crate::token::TokenKind;
use crate::tree::hex_hash;

/// A package with points.
#[derive(Debug)]
pub struct PlannedPackage {
    /// Its document.
    pub document: PackageDocument,
    /// Names that its instrumentation uses.
    pub names: Names,
}

/// The names of a package, and what of the settings decides its texts.
struct Named {
    names: Names,
    deciding: String,
}

/// Indices of the files of each package with points.
type Groups = BTreeMap<String, Vec<usize>>;

/// Rewrites every file with points, gives back those whose rewrite does not parse,
/// names the points and writes the packages' documents.
pub(super) fn build(
    files: &mut [PlannedFile],
    options: &Options,
    sources: &Sources,
    desk: &Desk<'_>,
    warnings: &mut Vec<Warning>,
    control: &Control,
) -> Result<Vec<PlannedPackage>> {
    let forms = options.forms();
    let names: BTreeMap<String, Named> = groups(files)
        .into_iter()
        .map(|(import_path, members)| {
            let names = choose(&import_path, &files[members[0]].dir, sources);
            let deciding = format!("{names:?} {forms:?}");
            (import_path, Named { names, deciding })
        })
        .collect();
    let rejected: Vec<bool> = files
        .par_iter_mut()
        .map(|file| {
            control.check()?;
            match names.get(&file.import_path).filter(|_| file.has_points()) {
                Some(names) => rejects(file, names, forms, sources, desk),
                None => Ok(false),
            }
        })
        .collect::<Result<_>>()?;
    for (file, _) in files
        .iter_mut()
        .zip(rejected)
        .filter(|(_, rejected)| *rejected)
    {
        warnings.push(reject(file));
    }
    name_points(files);
    let groups: Vec<(String, Vec<usize>)> = groups(files).into_iter().collect();
    let mut firsts = vec![0; files.len()];
    for (_, members) in &groups {
        let mut first = 0;
        for &member in members {
            firsts[member] = first;
            first += files[member].points().len();
        }
    }
    let edits: Vec<Vec<Edit>> = files
        .par_iter_mut()
        .zip(firsts)
        .map(|(file, first)| {
            control.check()?;
            match names.get(&file.import_path).filter(|_| file.has_points()) {
                Some(names) => kept_edits(file, first, names, forms, desk),
                None => Ok(Vec::new()),
            }
        })
        .collect::<Result<_>>()?;
    let files = &*files;
    let written = groups.into_par_iter().map(|(import_path, members)| {
        let members = members.into_iter();
        let members: Vec<_> = members
            .map(|at| (&files[at], edits[at].as_slice()))
            .collect();
        let names = names[&import_path].names.clone();
        write_package(&import_path, &members, names, forms)
    });
    Ok(written.collect())
}

/// Whether the rewritten file is rejected, as it was found out once.
fn rejects(
    file: &mut PlannedFile,
    named: &Named,
    forms: Forms,
    sources: &Sources,
    desk: &Desk<'_>,
) -> Result<bool> {
    if sources.shadows(&file.dir) {
        return Ok(true);
    }
    let key = file
        .key
        .map(|of| ledger::key(Kind::Rejected, of, &[&named.deciding]));
    desk.recall(key, || {
        file.read(desk)?;
        Ok(is_rejected(file, &named.names, forms))
    })
}

/// The edits of a file, as they were written once.
fn kept_edits(
    file: &mut PlannedFile,
    first: usize,
    named: &Named,
    forms: Forms,
    desk: &Desk<'_>,
) -> Result<Vec<Edit>> {
    let deciding = [named.deciding.as_str(), &first.to_string()];
    let key = file.key.map(|of| ledger::key(Kind::Edits, of, &deciding));
    desk.recall(key, || {
        file.read(desk)?;
        Ok(file.edits(first, &named.names, forms))
    })
}

fn groups(files: &[PlannedFile]) -> Groups {
    let mut groups = Groups::new();
    for (index, file) in files.iter().enumerate() {
        if file.has_points() {
            groups
                .entry(file.import_path.clone())
                .or_default()
                .push(index);
        }
    }
    groups
}

fn choose(import_path: &str, dir: &str, sources: &Sources) -> Names {
    let taken = sources.taken(dir);
    Names::choose(&hex_hash(import_path.as_bytes()), |names| {
        let prefixes = names.prefixes();
        let files = [names.file(), names.stub_file()];
        taken.iter().any(|word| {
            prefixes
                .iter()
                .any(|prefix| word.starts_with(prefix.as_str()))
                || files.iter().any(|file| file == word)
        })
    })
}

impl PlannedFile {
    /// What is known of it, if it is accounted for line by line.
    #[must_use]
    pub fn analysed(&self) -> Option<&Analysed> {
        match &self.state {
            State::Lines(analysed) => Some(analysed),
            State::Whole(_) | State::Deleted => None,
        }
    }

    /// The same, where the account has something of it: a file without a change can still
    /// hold points that somebody asked for.
    #[must_use]
    pub fn listed(&self) -> Option<&Analysed> {
        let changed = self.added > 0 || self.deletions > 0;
        self.analysed()
            .filter(|analysed| changed || !analysed.points.points.is_empty())
    }

    fn points(&self) -> &[Point] {
        self.analysed().map_or(&[], |a| a.points.points.as_slice())
    }

    fn has_points(&self) -> bool {
        !self.points().is_empty()
    }

    fn edits(&self, first: usize, names: &Names, forms: Forms) -> Vec<Edit> {
        self.analysed().map_or_else(Vec::new, |analysed| {
            let text = Text {
                source: &self.source,
                tokens: &analysed.tokens,
                lines: &analysed.lines,
            };
            edits(text, &analysed.points.points, first, names, forms)
        })
    }
}

/// Whether what is no declaration, or a declaration that got points, has damage that the
/// original had not. A statement where a statement may start does none; the rest
/// is parsed again.
fn is_rejected(file: &PlannedFile, names: &Names, forms: Forms) -> bool {
    let Some(analysed) = file.analysed() else {
        return false;
    };
    let places = analysed.points.points.iter().map(|point| &point.place);
    let doubtful: BTreeSet<usize> = places
        .flat_map(|place| {
            let starts = !matches!(place, Place::Wrap { .. } | Place::Variable { .. });
            let all = place.all().into_iter();
            all.filter(move |&at| !starts || !is_statement_start(file, analysed, at))
        })
        .collect();
    if doubtful.is_empty() {
        return false;
    }
    let edits = file.edits(0, names, forms);
    let rewritten = apply(&file.source, &edits, false);
    let (mut shift, mut inserted) = (0, Vec::new());
    for edit in &edits {
        let start = edit.at + shift;
        shift += edit.text.len();
        if doubtful.contains(&edit.at) {
            inserted.push(Span::new(start, start + edit.text.len()));
        }
    }
    syntax::damage(&rewritten, &inserted) > analysed.damaged_outside
}

/// Whether a statement may stand here: directly after a brace, a colon or the end of
/// another statement.
fn is_statement_start(file: &PlannedFile, analysed: &Analysed, at: usize) -> bool {
    let end = analysed
        .tokens
        .partition_point(|token| token.span.start < at);
    let mut before = analysed.tokens[..end].iter().rev();
    let before = before.find(|token| token.kind != TokenKind::Comment);
    before.is_some_and(|token| {
        token.is_semicolon(&file.source)
            || token.is(&file.source, b"{")
            || token.is(&file.source, b":")
    })
}

fn reject(file: &mut PlannedFile) -> Warning {
    if let State::Lines(analysed) = &mut file.state {
        analysed.points.points.clear();
        analysed.points.effects.clear();
        analysed.points.untaken.clear();
        let rejected = Verdict::Not(Reason::RewriteRejected);
        let lines = analysed.points.lines.iter_mut().map(|(_, verdict)| verdict);
        let deletions = analysed
            .points
            .deletions
            .iter_mut()
            .map(|(_, verdict)| verdict);
        for verdict in lines
            .chain(deletions)
            .filter(|v| matches!(v, Verdict::Points(_)))
        {
            *verdict = rejected.clone();
        }
    }
    Warning {
        path: file.path.clone(),
        line: 0,
        message: "cannot be instrumented; it is compiled as it is".into(),
    }
}

/// `TRACK_ID_1…` by import path, file and place; and no id twice.
fn name_points(files: &mut [PlannedFile]) {
    let mut order: Vec<&mut PlannedFile> = files.iter_mut().collect();
    order.sort_by(|a, b| (&a.import_path, &a.path).cmp(&(&b.import_path, &b.path)));
    let points = order.iter_mut().filter_map(|file| match &mut file.state {
        State::Lines(analysed) => Some(&mut analysed.points.points),
        State::Whole(_) | State::Deleted => None,
    });
    make_distinct(points.flatten().map(|point| &mut point.id));
    let mut number = 0;
    for file in order {
        if let State::Lines(analysed) = &mut file.state {
            let names = analysed.points.points.iter().map(|_| {
                number += 1;
                format!("TRACK_ID_{number}")
            });
            analysed.names = names.collect();
        }
    }
}

fn write_package(
    import_path: &str,
    files: &[(&PlannedFile, &[Edit])],
    names: Names,
    forms: Forms,
) -> PlannedPackage {
    let mut points = Vec::new();
    let mut entries = Vec::new();
    for (file, edits) in files {
        let hash = file.analysed().map_or("", |analysed| &analysed.hash);
        entries.push(FileEntry {
            name: file
                .path
                .rsplit('/')
                .next()
                .unwrap_or(&file.path)
                .to_owned(),
            hash: format!("sha256:{hash}"),
            edits: edits.iter().cloned().map(EditEntry::from).collect(),
        });
        points.extend(file.package_points(forms));
    }
    let name = files[0]
        .0
        .analysed()
        .map_or("", |analysed| analysed.package.as_str());
    let counters = points.len();
    let all = files.iter().flat_map(|(file, _)| file.points());
    let crowded = all.into_iter().any(|point| point.form.crowded);
    let package = |marker| {
        write(Package {
            name,
            names: &names,
            counters,
            crowded,
            marker,
        })
    };
    let marker = marker(import_path, &entries, &package("").added);
    let written = package(&marker);
    let document = PackageDocument {
        format: FORMAT,
        sum: String::new(),
        import_path: import_path.to_owned(),
        dir: files[0].0.dir.clone(),
        name: name.to_owned(),
        symbol: accessor(&marker),
        marker,
        counters,
        free: names.free(),
        files: entries,
        added: TextFile {
            name: names.file(),
            text: written.added,
        },
        stub: TextFile {
            name: names.stub_file(),
            text: written.stub,
        },
        points,
    };
    PlannedPackage { document, names }
}

impl PlannedFile {
    fn package_points(&self, forms: Forms) -> Vec<PackagePoint> {
        let Some(analysed) = self.analysed() else {
            return Vec::new();
        };
        let named = analysed.points.points.iter().zip(&analysed.names);
        let entries = named
            .zip(&analysed.places)
            .map(|((point, name), (start, end))| PackagePoint {
                id: point.id.clone(),
                name: name.clone(),
                kind: point.kind.as_str().to_owned(),
                form: forms.of(point).to_owned(),
                file: self.path.clone(),
                func: point.func.clone(),
                line: start.line,
                column: start.column,
                end_line: end.line,
                end_column: end.column,
            });
        entries.collect()
    }
}
