//! Renames between two sets of files that stand in no repository.

use std::collections::HashMap;
use std::sync::Arc;

use super::changes::blob_id;
use super::rename::{Contents, renames};
use super::trees::Pair;
use crate::control::Control;
use crate::error::Result;
use crate::git::repo::entry::Entry;

const PLAIN: u32 = 0o100_644;

/// Contents by path: those of the base and those of the release.
struct Memory<'a> {
    old: HashMap<&'a [u8], &'a [u8]>,
    new: HashMap<&'a [u8], &'a [u8]>,
}

impl Contents for Memory<'_> {
    fn size(&self, release: bool, path: &[u8], _: Entry) -> Option<u64> {
        let side = if release { &self.new } else { &self.old };
        side.get(path).map(|content| content.len() as u64)
    }

    fn load(&self, release: bool, path: &[u8], _: Entry) -> Option<Arc<Vec<u8>>> {
        let side = if release { &self.new } else { &self.old };
        side.get(path).map(|content| Arc::new(content.to_vec()))
    }

    fn forced(&self, _: &[u8]) -> Option<bool> {
        None
    }

    fn failure(&self) -> Result<()> {
        Ok(())
    }
}

/// For each added file (by its index) the removed one that git would take it to come from.
pub fn renamed(
    removed: &[(&str, &[u8])],
    added: &[(&str, &[u8])],
    control: &Control,
) -> Result<HashMap<usize, usize>> {
    if removed.is_empty() || added.is_empty() {
        return Ok(HashMap::new());
    }
    let memory = Memory {
        old: removed.iter().map(|(p, c)| (p.as_bytes(), *c)).collect(),
        new: added.iter().map(|(p, c)| (p.as_bytes(), *c)).collect(),
    };
    let entry = |content: &[u8]| Entry {
        mode: PLAIN,
        id: blob_id(content),
    };
    let gone = removed.iter().enumerate().map(|(index, (path, content))| {
        let pair = Pair {
            path: path.as_bytes().to_vec(),
            old: Some(entry(content)),
            new: None,
        };
        (pair, index)
    });
    let came = added.iter().enumerate().map(|(index, (path, content))| {
        let pair = Pair {
            path: path.as_bytes().to_vec(),
            old: None,
            new: Some(entry(content)),
        };
        (pair, index)
    });
    // git looks at paths in their order.
    let mut all: Vec<(Pair, usize)> = gone.chain(came).collect();
    all.sort_by(|(a, _), (b, _)| a.path.cmp(&b.path));
    let (pairs, indices): (Vec<Pair>, Vec<usize>) = all.into_iter().unzip();
    let found = renames(&pairs, &memory, control)?;
    Ok(found
        .into_iter()
        .map(|(target, source)| (indices[target], indices[source]))
        .collect())
}
