//! Compiles the files of one side, from memory alone: they are parsed, put into the order
//! of their imports, and linked.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use globset::GlobSet;
use prost_reflect::DescriptorPool;
use prost_types::{DescriptorProto, FileDescriptorProto};

use crate::error::{Error, Result};
use crate::options;
use crate::roots::{self, Root};
use crate::schema::Place;
use crate::stubs::Names;

/// Asked now and then whether to go on.
pub type Stop<'a> = &'a dyn Fn() -> bool;

/// One side: all texts that a comparison may need.
pub struct Side<'a> {
    /// `base` or `release`.
    pub name: &'static str,
    /// Texts by path.
    pub texts: BTreeMap<&'a str, &'a str>,
    /// Where imports are looked for: the compared directories, then the others.
    pub search: &'a [Root],
    /// How many of these are compared.
    pub compared: usize,
    /// Imports that need not be there.
    pub absent: &'a GlobSet,
}

/// A file as it is written and as it is linked.
pub struct Unit {
    /// The name under which it is imported.
    pub name: String,
    /// Its path; empty for a file that comes with the language.
    pub path: String,
    /// Whether it is compared.
    pub own: bool,
    /// With its options, as written.
    pub raw: FileDescriptorProto,
    /// With its names resolved.
    pub linked: FileDescriptorProto,
}

/// What is wrong with a side.
#[derive(Clone)]
struct Problem {
    place: Place,
    what: String,
    hint: &'static str,
}

const ABSENT_HINT: &str = "name the directory in which it lies with check.compat.protobufImports, or what may be missing with check.compat.protobufAbsent";
const EDITION_HINT: &str = "compare it with `buf breaking`, or name directories without it";
const BROKEN_HINT: &str = "`protoc` or `buf build` says the same of it";

/// Compiles the files of one root and all that they import, those first that others
/// import.
pub fn compile(side: &Side<'_>, root: &Root, stop: Stop<'_>) -> Result<Vec<Unit>> {
    let mut order = Order::new(side, root);
    for path in side.texts.keys() {
        let owner = roots::owner(&side.search[..side.compared], path);
        if let Some(name) = root.name(path).filter(|_| owner == Some(root)) {
            order.add(&name, path, stop)?;
        }
    }
    let Order {
        mut units,
        absent,
        problems,
        ..
    } = order;
    refuse(side, &problems)?;
    if absent {
        stand_in(&mut units);
    }
    link(side, &mut units, stop)?;
    Ok(units)
}

/// The error for what is wrong with a side, the first problem first.
fn refuse(side: &Side<'_>, problems: &[Problem]) -> Result<()> {
    let Some((first, rest)) = problems.split_first() else {
        return Ok(());
    };
    let mut what = format!("{} (in the {})", first.what, side.name);
    if !rest.is_empty() {
        what = format!("{what}; {} more", rest.len());
    }
    let error = Error::new("unreadable", what).hint(first.hint);
    let error = error.path(said(&first.place));
    Err(rest.iter().take(20).fold(error, |error, problem| {
        error.cause(format_args!("{}: {}", said(&problem.place), problem.what))
    }))
}

fn said(place: &Place) -> String {
    if place.line == 0 {
        return place.file.clone();
    }
    format!("{}:{}:{}", place.file, place.line, place.column)
}

/// Brings files into the order of their imports. No recursion: a chain of imports may be
/// as long as there are files.
struct Order<'a> {
    side: &'a Side<'a>,
    root: &'a Root,
    /// Whether a file is done, by name.
    seen: BTreeMap<String, bool>,
    /// Names by path.
    names: BTreeMap<String, String>,
    units: Vec<Unit>,
    /// Whether an import was missing that may be.
    absent: bool,
    problems: Vec<Problem>,
}

impl<'a> Order<'a> {
    fn new(side: &'a Side<'a>, root: &'a Root) -> Self {
        Self {
            side,
            root,
            seen: BTreeMap::new(),
            names: BTreeMap::new(),
            units: Vec::new(),
            absent: false,
            problems: Vec::new(),
        }
    }

    /// Adds a file after all that it imports.
    fn add(&mut self, name: &str, path: &str, stop: Stop<'_>) -> Result<()> {
        let mut open: Vec<(Unit, usize)> = Vec::new();
        open.extend(self.begin(name, path).map(|unit| (unit, 0)));
        while let Some((unit, next)) = open.last_mut() {
            if stop() {
                return Err(Error::new("cancelled", "cancelled"));
            }
            let at = *next;
            *next += 1;
            let Some(import) = unit.raw.dependency.get(at).cloned() else {
                if let Some((unit, _)) = open.pop() {
                    self.seen.insert(unit.name.clone(), true);
                    self.units.push(unit);
                }
                continue;
            };
            let place = place(&unit.path, &unit.raw, &[3, i32::try_from(at).unwrap_or(0)]);
            let (name, path) = self.resolve(&import);
            unit.raw.dependency[at].clone_from(&name);
            match self.seen.get(&name) {
                Some(true) => {}
                Some(false) => {
                    let names = open.iter().map(|(unit, _)| unit.name.as_str());
                    let chain: Vec<&str> = names.skip_while(|open| *open != name).collect();
                    let what = format!(
                        "the imports form a circle: {} -> {name}",
                        chain.join(" -> ")
                    );
                    self.problem(place, what, BROKEN_HINT);
                }
                None => {
                    let unit = match path {
                        Some(path) => self.begin(&name, &path),
                        None => self.beyond(&name, place),
                    };
                    open.extend(unit.map(|unit| (unit, 0)));
                }
            }
        }
        Ok(())
    }

    /// The name and path of what an import means. A file has one name, also where several
    /// directories give it another.
    fn resolve(&mut self, import: &str) -> (String, Option<String>) {
        let others = self.side.search.iter().filter(|root| *root != self.root);
        let candidates = std::iter::once(self.root).chain(others);
        let mut paths = candidates.filter_map(|root| root.path(import));
        let Some(path) = paths.find(|path| self.side.texts.contains_key(path.as_str())) else {
            return (import.to_owned(), None);
        };
        let own = self.root.name(&path).filter(|_| self.owns(&path));
        let name = own.unwrap_or_else(|| import.to_owned());
        let name = self.names.entry(path.clone()).or_insert(name);
        (name.clone(), Some(path))
    }

    fn owns(&self, path: &str) -> bool {
        roots::owner(&self.side.search[..self.side.compared], path) == Some(self.root)
    }

    fn problem(&mut self, place: Place, what: String, hint: &'static str) {
        self.problems.push(Problem { place, what, hint });
    }

    /// Begins an imported file that is not in the repository.
    fn beyond(&mut self, import: &str, place: Place) -> Option<Unit> {
        self.seen.insert(import.to_owned(), true);
        if let Some(file) = well_known(import) {
            return Some(Unit {
                name: import.to_owned(),
                path: String::new(),
                own: false,
                linked: FileDescriptorProto::default(),
                raw: file,
            });
        }
        if self.side.absent.is_match(import) {
            self.absent = true;
        } else {
            let what = format!("the import {import:?} is not in the repository");
            self.problem(place, what, ABSENT_HINT);
        }
        None
    }

    /// Parses a file that was not met before.
    fn begin(&mut self, name: &str, path: &str) -> Option<Unit> {
        if self.seen.contains_key(name) {
            return None;
        }
        self.seen.insert(name.to_owned(), false);
        let own = self.owns(path);
        match parse(
            name,
            path,
            self.side.texts.get(path).copied().unwrap_or_default(),
        ) {
            Ok(raw) => Some(Unit {
                name: name.to_owned(),
                path: path.to_owned(),
                own,
                linked: FileDescriptorProto::default(),
                raw,
            }),
            Err(problem) => {
                self.seen.insert(name.to_owned(), true);
                self.problems.push(problem);
                None
            }
        }
    }
}

/// A file that comes with the language.
fn well_known(name: &str) -> Option<FileDescriptorProto> {
    if !name.starts_with("google/protobuf/") {
        return None;
    }
    let file = DescriptorPool::global().get_file_by_name(name)?;
    let mut proto = file.file_descriptor_proto().clone();
    proto.source_code_info = None;
    Some(proto)
}

fn parse(name: &str, path: &str, text: &str) -> std::result::Result<FileDescriptorProto, Problem> {
    let at = |offset: usize, what: String, hint| Problem {
        place: offset_place(path, text, offset),
        what,
        hint,
    };
    let text_read = text.strip_prefix('\u{feff}').unwrap_or(text);
    let parsed = catch_unwind(AssertUnwindSafe(|| protox_parse::parse(name, text_read)));
    let Ok(parsed) = parsed else {
        return Err(at(
            0,
            "the parser gives up on this file".to_owned(),
            BROKEN_HINT,
        ));
    };
    parsed.map_err(|error| {
        let skipped = text.len() - text_read.len();
        let offset = error.span().map_or(text.len(), |span| span.start + skipped);
        if text
            .get(offset..)
            .is_some_and(|rest| rest.starts_with("edition"))
        {
            let what = "the file is written in an edition; goat reads proto2 and proto3";
            return at(offset, what.to_owned(), EDITION_HINT);
        }
        at(offset, error.to_string(), BROKEN_HINT)
    })
}

fn offset_place(path: &str, text: &str, offset: usize) -> Place {
    let before = &text.as_bytes()[..offset.min(text.len())];
    let line = before.split(|byte| *byte == b'\n').count();
    let column = before
        .iter()
        .rev()
        .take_while(|byte| **byte != b'\n')
        .count();
    Place {
        file: path.to_owned(),
        line: line as u32,
        column: column as u32 + 1,
    }
}

/// The place of an element by its path in the descriptor.
fn place(file: &str, proto: &FileDescriptorProto, path: &[i32]) -> Place {
    let locations = proto
        .source_code_info
        .iter()
        .flat_map(|info| &info.location);
    let span = locations
        .filter(|location| location.path == path)
        .map(|location| location.span.as_slice())
        .next();
    let number = |at: usize| {
        let value = span.and_then(|span| span.get(at)).copied().unwrap_or(0);
        u32::try_from(value).unwrap_or(0) + 1
    };
    Place {
        file: file.to_owned(),
        line: number(0),
        column: number(1),
    }
}

/// Gives files whose imports are absent something that stands for the types.
fn stand_in(units: &mut Vec<Unit>) {
    let mut names = Names::default();
    for unit in units.iter() {
        names.declare(&unit.raw);
    }
    for unit in units.iter() {
        names.refer(&unit.raw);
    }
    let stubs = names.files();
    let stub_names: Vec<String> = stubs.iter().map(|file| file.name().to_owned()).collect();
    for unit in units.iter_mut().filter(|unit| !unit.path.is_empty()) {
        // What is imported publicly has a number, so the absent ones make way last.
        unit.raw.dependency.extend(stub_names.iter().cloned());
    }
    let stub = |raw: FileDescriptorProto| Unit {
        name: raw.name().to_owned(),
        path: String::new(),
        own: false,
        linked: FileDescriptorProto::default(),
        raw,
    };
    units.splice(0..0, stubs.into_iter().map(stub));
}

/// Resolves the names of all files.
fn link(side: &Side<'_>, units: &mut [Unit], stop: Stop<'_>) -> Result<()> {
    let mut pool = DescriptorPool::new();
    for unit in units.iter_mut() {
        if stop() {
            return Err(Error::new("cancelled", "cancelled"));
        }
        let bare = bare(&unit.raw, &pool);
        let added = catch_unwind(AssertUnwindSafe(|| pool.add_file_descriptor_proto(bare)));
        let problem = |place: Place, what: String| {
            let hint = BROKEN_HINT;
            refuse(side, &[Problem { place, what, hint }])
        };
        let whole = Place {
            file: if unit.path.is_empty() {
                unit.name.clone()
            } else {
                unit.path.clone()
            },
            ..Place::default()
        };
        match added {
            Err(_) => return problem(whole, "the linker gives up on this file".to_owned()),
            Ok(Err(error)) => {
                let start = error.line().zip(error.column());
                let (line, column) = start.map_or((0, 0), |(l, c)| (l as u32 + 1, c as u32 + 1));
                return problem(
                    Place {
                        line,
                        column,
                        ..whole
                    },
                    error.to_string(),
                );
            }
            Ok(Ok(())) => {}
        }
        if let Some(file) = pool.get_file_by_name(&unit.name) {
            unit.linked = file.file_descriptor_proto().clone();
        }
    }
    Ok(())
}

/// A file without its options, except those that decide about how it is linked, and
/// without imports that are absent or there already.
fn bare(raw: &FileDescriptorProto, pool: &DescriptorPool) -> FileDescriptorProto {
    let mut file = raw.clone();
    file.options = None;
    let kept: Vec<usize> = (0..raw.dependency.len())
        .filter(|at| {
            let (before, rest) = raw.dependency.split_at(*at);
            !before.contains(&rest[0]) && pool.get_file_by_name(&rest[0]).is_some()
        })
        .collect();
    file.dependency = kept.iter().map(|at| raw.dependency[*at].clone()).collect();
    let moved = |list: &[i32]| -> Vec<i32> {
        let place = |at: &i32| kept.iter().position(|k| i32::try_from(*k) == Ok(*at));
        let places = list.iter().filter_map(place);
        places.filter_map(|at| i32::try_from(at).ok()).collect()
    };
    file.public_dependency = moved(&raw.public_dependency);
    file.weak_dependency = moved(&raw.weak_dependency);
    file.message_type.iter_mut().for_each(bare_message);
    file.enum_type.iter_mut().for_each(bare_enum);
    for extension in &mut file.extension {
        extension.options = None;
    }
    for service in &mut file.service {
        service.options = None;
        for method in &mut service.method {
            method.options = None;
        }
    }
    file
}

fn bare_message(message: &mut DescriptorProto) {
    if let Some(options) = &mut message.options {
        let list = std::mem::take(&mut options.uninterpreted_option);
        if options::is_true(&list, "message_set_wire_format") {
            options.message_set_wire_format = Some(true);
        }
    }
    for field in message.field.iter_mut().chain(&mut message.extension) {
        field.options = None;
    }
    for oneof in &mut message.oneof_decl {
        oneof.options = None;
    }
    for range in &mut message.extension_range {
        range.options = None;
    }
    message.enum_type.iter_mut().for_each(bare_enum);
    message.nested_type.iter_mut().for_each(bare_message);
}

fn bare_enum(one: &mut prost_types::EnumDescriptorProto) {
    if let Some(options) = &mut one.options {
        let list = std::mem::take(&mut options.uninterpreted_option);
        if options::is_true(&list, "allow_alias") {
            options.allow_alias = Some(true);
        }
    }
    for value in &mut one.value {
        value.options = None;
    }
}
