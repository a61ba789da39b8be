//! What the marks of a tree ask `goat patch` for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::journal::{self, Change};
use super::planned::{FilePlan, TreePlan};
use super::{places, tree};
use crate::control::Control;
use crate::error::Result;
use crate::marks::{self, Kind, Stripped};
use crate::model::{Lines, Place};
use crate::plan::Warning;
use crate::token::{self, Token};

/// Where the blocks of a file stand, as anchors in its text without marks.
#[derive(Debug, Default)]
pub(super) struct Marked {
    /// Blocks that stay.
    stay: BTreeSet<usize>,
    /// Blocks that go.
    go: BTreeSet<usize>,
    /// `+goat:insert` comments, with their lines.
    requests: Vec<(usize, u32)>,
}

/// Reads the marks of the tree. Code that stands inside `+goat:delete` blocks goes
/// now, so that the plan does not know it any more.
pub(super) fn prepare(root: &Path, control: &Control) -> Result<BTreeMap<String, Marked>> {
    let (changes, marked) = control.guard(|| read_all(root, control))?;
    journal::apply(root, &changes, control)?;
    Ok(marked)
}

/// The marks of all files, and what they say is to go now.
fn read_all(root: &Path, control: &Control) -> Result<(Vec<Change>, BTreeMap<String, Marked>)> {
    let mut changes = Vec::new();
    let mut marked = BTreeMap::new();
    for path in tree::go_files(root)? {
        control.check()?;
        let content = tree::read(root, &path)?;
        if !marks::suspect(&content) {
            continue;
        }
        let emptied = marks::empty_deleted(&content).map_err(|e| e.in_file(&path))?;
        let content = match emptied {
            Some(emptied) => {
                let content = Some(emptied.clone());
                changes.push(Change {
                    path: root.join(&path),
                    content,
                });
                emptied
            }
            None => content,
        };
        if let Some(blocks) = read(&path, &content)? {
            marked.insert(path, blocks);
        }
    }
    Ok((changes, marked))
}

fn read(path: &str, content: &[u8]) -> Result<Option<Marked>> {
    let marks = marks::parse(content).map_err(|e| e.in_file(path))?;
    let stripped = marks::remove(content, &marks).map_err(|e| e.in_file(path))?;
    let stripped = stripped.unwrap_or_else(|| Stripped {
        source: content.to_vec(),
        ..Stripped::default()
    });
    let (tokens, lines) = (token::scan(&stripped.source), Lines::new(&stripped.source));
    let mut marked = Marked::default();
    for (block, &at) in marks.ours().zip(&stripped.places) {
        let anchor = places::anchor(&tokens, at);
        match block.kind {
            Kind::Generate => marked.stay.insert(anchor),
            Kind::Delete => marked.go.insert(anchor),
            Kind::Import | Kind::Main | Kind::User => false,
        };
    }
    let inserts = marks::inserts(&stripped.source).into_iter();
    marked.requests = inserts.map(|at| (at, lines.line(at))).collect();
    let empty = marked.stay.is_empty() && marked.go.is_empty() && marked.requests.is_empty();
    Ok(Some(marked).filter(|_| !empty))
}

/// Leaves in the plan what has a block, and what somebody asks for; gives the number
/// of blocks that no point of the plan belongs to.
pub(super) fn choose(plan: &mut TreePlan, marked: &BTreeMap<String, Marked>) -> usize {
    let mut lost: usize = marked.values().map(|marked| marked.stay.len()).sum();
    let none = Marked::default();
    for package in &mut plan.packages {
        for file in &mut package.files {
            let marked = marked.get(&file.path).unwrap_or(&none);
            lost -= choose_in(file, marked);
        }
        package.files.retain(|file| !file.points.is_empty());
    }
    plan.packages.retain(|package| !package.files.is_empty());
    lost
}

/// Gives the number of blocks that belong to a point.
fn choose_in(file: &mut FilePlan, marked: &Marked) -> usize {
    let tokens = token::scan(&file.source);
    let mut found = BTreeSet::new();
    let points = std::mem::take(&mut file.points);
    file.points = points
        .into_iter()
        .filter(|point| {
            let anchors = anchors(&tokens, &file.source, &point.place);
            let requested = point.row.kind == "manual"
                || places::is_requested(&file.source, &tokens, &point.place);
            let staying = anchors.iter().filter(|at| marked.stay.contains(at));
            let stays = staying.clone().next().is_some();
            found.extend(staying.copied());
            let gone = anchors.iter().any(|at| marked.go.contains(at));
            (stays || requested) && !gone
        })
        .collect();
    found.len()
}

/// What a point stands before.
fn anchors(tokens: &[Token], source: &[u8], place: &Place) -> Vec<usize> {
    match place {
        Place::Variable { at, .. } => {
            let end = super::text::declaration_end(source, tokens, *at);
            vec![places::anchor(tokens, end)]
        }
        Place::Before(_) | Place::Each(_) | Place::Wrap { .. } => {
            let all = place.all().into_iter();
            all.map(|at| places::anchor(tokens, at)).collect()
        }
    }
}

/// `+goat:insert` comments that no point was made for.
pub(super) fn misplaced(plan: &TreePlan, marked: &BTreeMap<String, Marked>) -> Vec<Warning> {
    let files = plan.packages.iter().flat_map(|package| &package.files);
    let planned: BTreeMap<&str, &FilePlan> = files.map(|file| (file.path.as_str(), file)).collect();
    let mut warnings = Vec::new();
    for (path, marked) in marked
        .iter()
        .filter(|(path, _)| !path.ends_with("_test.go"))
    {
        let file = planned.get(path.as_str());
        let tokens = file.map_or_else(Vec::new, |file| token::scan(&file.source));
        for &(at, line) in &marked.requests {
            let served = |place: &Place| matches!(place, Place::Before(to) if places::insert_before(&tokens, &[at], *to).is_some());
            if !file.is_some_and(|file| file.points.iter().any(|point| served(&point.place))) {
                warnings.push(Warning {
                    path: path.clone(),
                    line,
                    message: "no point can stand at this +goat:insert".into(),
                });
            }
        }
    }
    warnings
}
