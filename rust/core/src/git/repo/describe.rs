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
/// where no tag is reachable. Only the tags that count are looked at.
pub(in crate::git) fn latest_tag(
    repo: &Repo,
    start: Oid,
    counts: &dyn Fn(&str) -> bool,
) -> Result<Option<(String, Oid)>> {
    let tags = named_commits(repo, counts);
    if let Some((name, tag, _)) = tags.get(&start) {
        return Ok(Some((name.clone(), *tag)));
    }
    let found = candidates(repo, start, &tags)?;
    let best = found.into_iter().min_by_key(|candidate| candidate.depth);
    Ok(best.map(|candidate| (candidate.name, candidate.tag)))
}

/// One tag per commit: annotated before lightweight, the newest annotated one, else
/// the first by name.
fn named_commits(
    repo: &Repo,
    counts: &dyn Fn(&str) -> bool,
) -> HashMap<Oid, (String, Oid, Option<i64>)> {
    let mut named: HashMap<Oid, (String, Oid, Option<i64>)> = HashMap::new();
    let tags = repo.tags().into_iter();
    for (name, tag, commit, date) in tags.filter(|(name, ..)| counts(name)) {
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

/// Whether a tag names a version before a final one: `v1.2.0-rc.1`, `go/v1.2.0-beta`,
/// `go1.21rc1`. What names no version is final.
pub(in crate::git) fn is_pre_release(tag: &str) -> bool {
    let name = tag.rsplit('/').next().unwrap_or(tag);
    let Some(first) = name.find(|c: char| c.is_ascii_digit()) else {
        return false;
    };
    let version = &name[first..];
    let end = version.find(|c: char| !c.is_ascii_digit() && c != '.');
    let (numbers, rest) = version.split_at(end.unwrap_or(version.len()));
    let (rest, _) = rest.split_once('+').unwrap_or((rest, ""));
    let word = rest
        .trim_start_matches(['-', '_', '.', '~'])
        .to_ascii_lowercase();
    let is_word = |known: &str| {
        let behind = word.strip_prefix(known);
        behind.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_lowercase()))
    };
    if ["final", "ga", "release"]
        .iter()
        .any(|known| is_word(known))
    {
        return false;
    }
    let semantic = rest.starts_with('-') && numbers.contains('.');
    let words = [
        "rc", "beta", "alpha", "pre", "preview", "dev", "snapshot", "a", "b", "m",
    ];
    semantic || !rest.is_empty() && words.iter().any(|known| is_word(known))
}

#[cfg(test)]
mod tests {
    use super::is_pre_release;

    #[test]
    fn pre_releases_are_told_by_their_version() {
        for tag in [
            "v2.1.3-rc.2",
            "sub/dir/v1.0.0-beta",
            "go1.21rc1",
            "v1.0.0-0.20200101",
            "1.0.0.RC1",
            "release-1.2.0-alpha1",
            "v3.0.0-rc.1+build",
        ] {
            assert!(is_pre_release(tag), "{tag}");
        }
        for tag in [
            "v2.1.3",
            "v2.0.0+incompatible",
            "go/v1.2.3",
            "release-2020-01-01",
            "nightly",
            "v1",
            "v1.0.0-final",
            "2024.1",
            "build-7",
            "v1.2.3+meta-rc",
        ] {
            assert!(!is_pre_release(tag), "{tag}");
        }
    }
}
