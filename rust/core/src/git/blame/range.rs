//! The commits of the release that the base does not have, children before parents.

use std::collections::{HashMap, HashSet};

use git2::Oid;

use crate::control::Control;
use crate::error::{Code, Error, Result};
use crate::git::repo::Repo;

/// Commits reachable from `starts` and not from `base`, each before its parents.
///
/// Reachability decides, never dates: a clock that runs wrong moves no line.
pub(super) fn outside(
    repo: &Repo,
    starts: &[Oid],
    base: Oid,
    control: &Control,
) -> Result<Vec<Oid>> {
    let old = repo.commits.ancestors(&repo.store, base, control)?;
    let mut children: HashMap<Oid, u32> = HashMap::new();
    let mut seen: HashSet<Oid> = HashSet::new();
    let mut todo: Vec<Oid> = Vec::new();
    for &start in starts {
        if !old.contains(&start) && seen.insert(start) {
            todo.push(start);
        }
    }
    let tips = todo.clone();
    while let Some(id) = todo.pop() {
        control.check()?;
        let commit = repo.commits.get(&repo.store, id)?;
        if commit.cut {
            return Err(cut(repo, id));
        }
        for &parent in commit.parents.iter().filter(|parent| !old.contains(parent)) {
            *children.entry(parent).or_default() += 1;
            if seen.insert(parent) {
                todo.push(parent);
            }
        }
    }
    sort(repo, tips, children)
}

/// Puts each commit behind all its children.
fn sort(repo: &Repo, tips: Vec<Oid>, mut children: HashMap<Oid, u32>) -> Result<Vec<Oid>> {
    let mut ready: Vec<Oid> = tips
        .into_iter()
        .filter(|id| !children.contains_key(id))
        .collect();
    let mut order = Vec::new();
    while let Some(id) = ready.pop() {
        order.push(id);
        for parent in &repo.commits.get(&repo.store, id)?.parents {
            if let Some(left) = children.get_mut(parent) {
                *left -= 1;
                if *left == 0 {
                    ready.push(*parent);
                }
            }
        }
    }
    Ok(order)
}

fn cut(repo: &Repo, id: Oid) -> Error {
    Error::new(
        Code::MissingObjects,
        format!("the history between base and release is cut off at {id}"),
    )
    .hint(repo.store.missing_hint())
}
