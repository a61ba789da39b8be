//! The nearest tag, as `git describe --tags --abbrev=0` picks it.

use std::collections::HashMap;

use git2::Oid;

use super::commits::insert_by_date;
use crate::error::Result;
use crate::git::repo::Repo;

/// git looks at ten candidates before it settles.
const CANDIDATES: usize = 10;

struct Candidate {
    name: String,
    tag: Oid,
    annotated: bool,
    /// How many commits of the start lie outside the tag's history.
    depth: usize,
}

/// The tag reachable from `start` that leaves out the fewest commits; `None`
/// where no tag is reachable.
pub(in crate::git) fn latest_tag(repo: &Repo, start: Oid) -> Result<Option<(String, Oid)>> {
    let tags = named_commits(repo);
    if let Some((name, tag, _)) = tags.get(&start) {
        return Ok(Some((name.clone(), *tag)));
    }
    let found = candidates(repo, start, &tags)?;
    let best = found.into_iter().min_by_key(|candidate| candidate.depth);
    Ok(best.map(|candidate| (candidate.name, candidate.tag)))
}

/// One tag per commit: annotated before lightweight, the newest annotated one, else
/// the first by name.
fn named_commits(repo: &Repo) -> HashMap<Oid, (String, Oid, Option<i64>)> {
    let mut named: HashMap<Oid, (String, Oid, Option<i64>)> = HashMap::new();
    for (name, tag, commit, date) in repo.tags() {
        let better = named.get(&commit).is_none_or(|(_, _, known)| date > *known);
        if better {
            named.insert(commit, (name, tag, date));
        }
    }
    named
}

/// Walks newest first; `within[c]` has bit n where candidate n reaches c.
fn candidates(
    repo: &Repo,
    start: Oid,
    tags: &HashMap<Oid, (String, Oid, Option<i64>)>,
) -> Result<Vec<Candidate>> {
    let mut found: Vec<Candidate> = Vec::new();
    let mut within: HashMap<Oid, u16> = HashMap::from([(start, 0)]);
    let date = |id| repo.commits.get(&repo.store, id).map(|commit| commit.date);
    let mut list = vec![(date(start)?, start)];
    let mut seen = 0;
    while !list.is_empty() {
        let (when, id) = list.remove(0);
        if let Some((name, tag, annotated)) = tags.get(&id) {
            if found.len() == CANDIDATES {
                list.insert(0, (when, id));
                break;
            }
            within
                .entry(id)
                .and_modify(|bits| *bits |= 1 << found.len());
            let (name, annotated) = (name.clone(), annotated.is_some());
            found.push(Candidate {
                name,
                tag: *tag,
                annotated,
                depth: seen,
            });
        }
        seen += 1;
        let bits = within[&id];
        deepen(&mut found, bits);
        if list.is_empty() && found.iter().any(|c| c.annotated) && covered(&found, bits) {
            break;
        }
        for &parent in &repo.commits.get(&repo.store, id)?.parents {
            if !within.contains_key(&parent) {
                insert_by_date(&mut list, date(parent)?, parent);
            }
            *within.entry(parent).or_default() |= bits;
        }
    }
    Ok(found)
}

/// Counts a commit for every candidate that does not reach it.
fn deepen(found: &mut [Candidate], bits: u16) {
    let outside = found
        .iter_mut()
        .enumerate()
        .filter(|(n, _)| bits & (1 << n) == 0);
    outside.for_each(|(_, candidate)| candidate.depth += 1);
}

/// Whether a commit lies within all candidates of the smallest depth.
fn covered(found: &[Candidate], bits: u16) -> bool {
    let best = found.iter().map(|c| c.depth).min();
    let mut of_best = found
        .iter()
        .enumerate()
        .filter(|(_, c)| Some(c.depth) == best);
    of_best.all(|(n, _)| bits & (1 << n) != 0)
}
