//! Turns points into edits, package by package.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::ledger::{self, Desk, Kind};
use super::{Analysed, Options, PlannedFile, Sources, State};
use crate::control::Control;
use crate::error::Result;
use crate::instrument::{Forms, Names, Package, Text, accessor, apply, edits, write};
use crate::model::{Edit, Key, Place, Point, Reason, Span, Verdict};
use crate::plan::{
    EditEntry, FORMAT, FileEntry, IndexPackage, PackageDocument, PackagePoint, TextFile, Warning,
    marker, sealed, short_hash,
};
use crate::points::make_distinct;
use crate::syntax;
use crate::token::TokenKind;
use crate::tree::hex_hash;

/// A package with points.
#[derive(Debug, Serialize, Deserialize)]
pub struct PlannedPackage {
    /// What the index says of it.
    pub entry: IndexPackage,
    /// Its document as it is written down.
    pub text: String,
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
    let press = Press {
        names: choose_all(files, sources, options.forms()),
        forms: options.forms(),
        sources,
        desk,
        control,
    };
    press.reject_all(files, warnings)?;
    name_points(files);
    let groups: Vec<(String, Vec<usize>)> = groups(files).into_iter().collect();
    let kept: Vec<(Option<Key>, Option<PlannedPackage>)> = groups
        .par_iter()
        .map(|(import_path, members)| {
            let key = press.key(import_path, members, files);
            (key, desk.known(key))
        })
        .collect();
    let edits = press.edits(files, &groups, &kept)?;
    let files = &*files;
    let written = groups.into_par_iter().zip(kept);
    let written = written.map(|((import_path, members), (key, known))| {
        known.unwrap_or_else(|| {
            let members: Vec<_> = members
                .into_iter()
                .map(|at| (&files[at], edits[at].as_slice()))
                .collect();
            let names = &press.names[&import_path].names;
            let package = write_package(&import_path, &members, names, press.forms);
            desk.keep(key, &package);
            package
        })
    });
    Ok(written.collect())
}

/// What all packages are written with.
struct Press<'a> {
    names: BTreeMap<String, Named>,
    forms: Forms,
    sources: &'a Sources,
    desk: &'a Desk<'a>,
    control: &'a Control,
}

impl Press<'_> {
    fn names_of(&self, file: &PlannedFile) -> Option<&Named> {
        self.names
            .get(&file.import_path)
            .filter(|_| file.has_points())
    }

    /// Takes the points from files whose rewrite does not parse.
    fn reject_all(&self, files: &mut [PlannedFile], warnings: &mut Vec<Warning>) -> Result<()> {
        let rejected: Vec<bool> = files
            .par_iter_mut()
            .map(|file| {
                self.control.check()?;
                match self.names_of(file) {
                    Some(named) => rejects(file, named, self.forms, self.sources, self.desk),
                    None => Ok(false),
                }
            })
            .collect::<Result<_>>()?;
        let all = files.iter_mut().zip(rejected);
        warnings.extend(
            all.filter(|(_, rejected)| *rejected)
                .map(|(file, _)| reject(file)),
        );
        Ok(())
    }

    /// What names a package's document: what is made of its files, and the ids of all its
    /// points, which the rest of the plan may decide.
    fn key(&self, import_path: &str, members: &[usize], files: &[PlannedFile]) -> Option<Key> {
        let members = members.iter().map(|&at| &files[at]);
        let keys: Option<Vec<Key>> = members.clone().map(|file| file.key).collect();
        let mut deciding = vec![import_path, self.names[import_path].deciding.as_str()];
        for file in members {
            deciding.extend([file.path.as_str(), file.dir.as_str()]);
            deciding.extend(file.points().iter().map(|point| point.id.as_str()));
        }
        Some(ledger::key(Kind::Package, ledger::all(&keys?), &deciding))
    }

    /// The edits of the files of those packages whose documents are not known.
    fn edits(
        &self,
        files: &mut [PlannedFile],
        groups: &[(String, Vec<usize>)],
        kept: &[(Option<Key>, Option<PlannedPackage>)],
    ) -> Result<Vec<Vec<Edit>>> {
        let mut places = vec![(0, false); files.len()];
        for ((_, members), (_, known)) in groups.iter().zip(kept) {
            let mut first = 0;
            for &member in members {
                places[member] = (first, known.is_some());
                first += files[member].points().len();
            }
        }
        let all = files.par_iter_mut().zip(places);
        let all = all.map(|(file, (first, known))| {
            self.control.check()?;
            match self.names_of(file) {
                Some(named) if known => {
                    self.desk.touch(edits_key(file, first, named));
                    Ok(Vec::new())
                }
                Some(named) => kept_edits(file, first, named, self.forms, self.desk),
                None => Ok(Vec::new()),
            }
        });
        all.collect()
    }
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
    desk.recall(edits_key(file, first, named), || {
        file.read(desk)?;
        Ok(file.edits(first, &named.names, forms))
    })
}

/// What names the edits of a file.
fn edits_key(file: &PlannedFile, first: usize, named: &Named) -> Option<Key> {
    let deciding = [named.deciding.as_str(), &first.to_string()];
    file.key.map(|of| ledger::key(Kind::Edits, of, &deciding))
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

fn choose_all(files: &[PlannedFile], sources: &Sources, forms: Forms) -> BTreeMap<String, Named> {
    let all = groups(files).into_iter().map(|(import_path, members)| {
        let names = choose(&import_path, &files[members[0]].dir, sources);
        let deciding = format!("{names:?} {forms:?}");
        (import_path, Named { names, deciding })
    });
    all.collect()
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

    /// Its points, if it has any.
    pub(super) fn points(&self) -> &[Point] {
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

/// Whether no two points have one id before anybody sees to that.
pub(super) fn are_distinct(files: &[PlannedFile]) -> bool {
    let mut points = files.iter().flat_map(PlannedFile::points);
    let mut known = HashSet::new();
    points.all(|point| known.insert(&point.id))
}

/// Numbers the points by import path, file and place; and no id twice.
fn name_points(files: &mut [PlannedFile]) {
    let mut order: Vec<&mut PlannedFile> = files.iter_mut().collect();
    order.sort_by(|a, b| (&a.import_path, &a.path).cmp(&(&b.import_path, &b.path)));
    let mut number = 0;
    for file in &mut order {
        file.before = number;
        number += file.points().len();
    }
    let points = order.iter_mut().filter_map(|file| match &mut file.state {
        State::Lines(analysed) => Some(&mut analysed.points.points),
        State::Whole(_) | State::Deleted => None,
    });
    make_distinct(points.flatten().map(|point| &mut point.id));
}

fn write_package(
    import_path: &str,
    files: &[(&PlannedFile, &[Edit])],
    names: &Names,
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
            names,
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
    let text = String::from_utf8(sealed(&document)).unwrap_or_default();
    let entry = IndexPackage {
        doc: format!("p/{}.json", short_hash(import_path)),
        files: points_by_file(&document),
        import_path: document.import_path,
        dir: document.dir,
        name: document.name,
        marker: document.marker,
        symbol: document.symbol,
        counters,
    };
    PlannedPackage { entry, text }
}

fn points_by_file(document: &PackageDocument) -> BTreeMap<String, usize> {
    let mut files = BTreeMap::new();
    for point in &document.points {
        let name = point.file.rsplit('/').next().unwrap_or(&point.file);
        *files.entry(name.to_owned()).or_default() += 1;
    }
    files
}

impl PlannedFile {
    fn package_points(&self, forms: Forms) -> Vec<PackagePoint> {
        let Some(analysed) = self.analysed() else {
            return Vec::new();
        };
        let placed = analysed.points.points.iter().zip(&analysed.places);
        let entries = placed.map(|(point, (start, end))| PackagePoint {
            id: point.id.clone(),
            name: String::new(),
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
