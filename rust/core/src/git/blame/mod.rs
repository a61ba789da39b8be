//! Precision 1: the lines whose commit the base does not reach.
//!
//! Line for line the answer of `git blame -s BASE..RELEASE -- FILE` for every file,
//! found in one walk instead of one walk per file. git's rules (its `blame`
//! documentation, and what it does): a version passes its lines to its parents in
//! order; each parent takes the lines that the line diff leaves unchanged, from the
//! same path or, where that is missing, from the file that rename detection finds
//! for this one path; a parent with the very same content takes everything.
//!
//! These rules look at one version at a time, so the order in which git's queue
//! happens to visit commits does not matter, and the work falls into three parts:
//! [`flow`] follows versions through the commits, each commit once; the line diffs it
//! asks for are made in parallel ([`contents`]); [`lines`] then carries the lines.

use std::collections::{BTreeMap, HashMap};

use git2::Oid;
use rayon::prelude::*;

use self::contents::Versions;
use self::flow::{Flow, From, Point, Stop, Way};
use self::lines::{Piece, split};
use self::start::{Followed, Start};
use crate::control::Control;
use crate::error::Result;
use crate::git::diff::trees::Trees;
use crate::git::repo::Repo;
use crate::git::repo::sides::Sides;
use crate::git::worktree::contents::Clean;
use crate::model::{Hunk, Lines};

mod contents;
mod flow;
mod lines;
mod range;
mod start;

/// The new lines of files, 1-based and ascending, by path.
pub type NewLines = BTreeMap<String, Vec<u32>>;

impl Repo {
    /// The lines of these files of the release (paths from the root) that come from
    /// commits outside the base or from no commit yet. Files that are not in the
    /// release, or cannot be read, are left out.
    pub fn blame_lines(
        &self,
        sides: &Sides,
        paths: &[String],
        clean: &Clean<'_>,
        control: &Control,
    ) -> Result<NewLines> {
        control.tick("blame", 0, 0);
        let start = self.blame_start(sides, paths, clean, control)?;
        let load = start.load();
        let Start {
            tips,
            files,
            work,
            disk,
        } = start;
        let versions = Versions {
            repo: self,
            clean,
            disk,
        };
        let Some(base) = sides.base_id() else {
            return all_lines(&files, &versions);
        };
        let range = range::outside(self, &tips, base, control)?;
        let trees = Trees::remembering(&self.store);
        let mut flow = Flow::new(&versions, &trees, &range, control);
        match (work, tips.first()) {
            (Some(work), _) => flow.pass(&work, load)?,
            (None, Some(&tip)) => flow.put(tip, load),
            (None, None) => {}
        }
        for point in self.points(&trees, &range, control)? {
            let load = flow.take(point.id);
            if !load.is_empty() {
                flow.pass(&point, load)?;
            }
        }
        let Flow { stops, jobs, .. } = flow;
        let hunks = versions.hunks(&jobs, control)?;
        let lengths = lengths(&files, &stops, &versions)?;
        Ok(named(&files, settle(&lengths, &stops, &hunks)))
    }

    /// The commits of a range with their differences from their first parents.
    fn points(&self, trees: &Trees<'_>, range: &[Oid], control: &Control) -> Result<Vec<Point>> {
        let point = |&id: &Oid| {
            control.check()?;
            let commit = self.commits.get(&self.store, id)?;
            let first = commit
                .parents
                .first()
                .map(|&parent| self.tree_of(parent))
                .transpose()?;
            let pairs = match first {
                Some(first) => trees.diff(Some(first), Some(commit.tree))?,
                None => Vec::new(),
            };
            let parents = commit.parents.clone();
            Ok(Point {
                id,
                parents,
                pairs,
                own: None,
                listing: None,
            })
        };
        range.par_iter().map(point).collect()
    }
}

/// Without a base every line is new.
fn all_lines(files: &[Followed], versions: &Versions<'_>) -> Result<NewLines> {
    let length = |file: &Followed| Ok(count(&versions.load(&file.path, file.id)?));
    let lengths: Vec<u32> = files.par_iter().map(length).collect::<Result<_>>()?;
    Ok(named(
        files,
        lengths
            .into_iter()
            .map(|length| (1..=length).collect())
            .collect(),
    ))
}

/// How many lines the files have that meet a stop; the others are old throughout.
fn lengths(files: &[Followed], stops: &[Stop], versions: &Versions<'_>) -> Result<Vec<u32>> {
    let mut met = vec![false; files.len()];
    for from in stops.iter().flat_map(|stop| &stop.from) {
        if let From::File(file) = from {
            met[*file as usize] = true;
        }
    }
    let length = |(file, met): (&Followed, bool)| {
        if met {
            Ok(count(&versions.load(&file.path, file.id)?))
        } else {
            Ok(0)
        }
    };
    files.par_iter().zip(met).map(length).collect()
}

fn named(files: &[Followed], lines: Vec<Vec<u32>>) -> NewLines {
    let text = |file: &Followed| String::from_utf8_lossy(&file.path).into_owned();
    files.iter().map(text).zip(lines).collect()
}

/// Carries the lines of all files through the stops; what stays at one is new.
fn settle(lengths: &[u32], stops: &[Stop], hunks: &[Vec<Hunk>]) -> Vec<Vec<u32>> {
    let mut passed: HashMap<(u32, u8), Vec<Piece>> = HashMap::new();
    let mut new: Vec<Vec<u32>> = vec![Vec::new(); lengths.len()];
    for (index, stop) in stops.iter().enumerate() {
        let mut pieces = Vec::new();
        for &from in &stop.from {
            match from {
                From::File(file) => {
                    let len = lengths[file as usize];
                    pieces.push(Piece {
                        at: 0,
                        len,
                        file,
                        line: 0,
                    });
                }
                From::Stop(stop, slot) => {
                    pieces.extend(passed.remove(&(stop, slot)).unwrap_or_default());
                }
            }
        }
        for (slot, way) in stop.ways.iter().enumerate() {
            let (on, stay) = match *way {
                Way::Whole => (std::mem::take(&mut pieces), Vec::new()),
                Way::Unchanged(job) => split(&pieces, &hunks[job as usize]),
            };
            passed.insert((index as u32, slot as u8), on);
            pieces = stay;
        }
        for piece in pieces {
            new[piece.file as usize].extend(piece.line + 1..=piece.line + piece.len);
        }
    }
    for lines in &mut new {
        lines.sort_unstable();
    }
    new
}

/// How many lines a content has.
fn count(data: &[u8]) -> u32 {
    Lines::new(data).count()
}
