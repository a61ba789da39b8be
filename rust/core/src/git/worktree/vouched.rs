//! What the stat data of the tracked files vouch for: looked up once, for all that ask, as
//! of one moment.

use std::sync::Arc;
use std::time::SystemTime;

use rayon::prelude::*;

use crate::control::Control;
use crate::error::Result;
use crate::git::repo::Repo;
use crate::git::repo::paths::os_path;
use crate::git::repo::stats::{Stamp, Stats, is_past, latest, stamp};

impl Repo {
    /// The stat data of the index entries, as they were when first asked for.
    pub(in crate::git) fn stats(&self, control: &Control) -> Result<Arc<Stats>> {
        if let Some(stats) = self.stats.get() {
            return Ok(Arc::clone(stats));
        }
        let began = SystemTime::now();
        let look = |path: &[u8]| std::fs::symlink_metadata(self.root.join(os_path(path)));
        let index = self.index()?;
        let all = index.entries.par_iter().map(|entry| {
            control.check()?;
            Ok(look(&entry.path))
        });
        let all = all.collect::<Result<_>>()?;
        let stats = Arc::new(Stats { began, all });
        Ok(Arc::clone(self.stats.get_or_init(|| stats)))
    }

    /// What tells the content of a tracked file on disk from any other that stands or stood
    /// there, without reading it; `None` where stat data do not: it is no plain file, nobody
    /// has looked yet, or it was written too shortly before.
    #[must_use]
    pub fn vouched(&self, path: &[u8]) -> Option<Stamp> {
        let (stats, index) = (self.stats.get()?, self.index.get()?);
        let at = index
            .entries
            .partition_point(|entry| entry.path.as_slice() < path);
        index.entries.get(at).filter(|entry| entry.path == path)?;
        let meta = stats.all.get(at)?.as_ref().ok()?;
        let settled = latest(meta).is_some_and(|latest| is_past(latest, stats.began));
        (meta.is_file() && settled).then(|| stamp(meta))
    }

    /// Whether a file that was read since is still the one that was vouched for.
    #[must_use]
    pub fn is_still(&self, path: &[u8], vouched: &Stamp) -> bool {
        let now = std::fs::symlink_metadata(self.root.join(os_path(path)));
        now.is_ok_and(|meta| stamp(&meta) == *vouched)
    }
}
