//! Whether a repository is as it was: everything that decides what a comparison
//! says, in one hash, without reading the files that the stat data vouch for.

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::control::Control;
use crate::error::Result;
use crate::git::repo::Repo;
use crate::git::repo::paths::os_path;
use crate::git::repo::sides::Sides;

/// Local file systems tell times apart by a tick of the kernel, a few milliseconds. A
/// file that was written that shortly before it was looked at may be written again
/// without looking different.
const TICK: Duration = Duration::from_millis(50);

/// Where times have whole seconds only (or two, on FAT).
const COARSE: Duration = Duration::from_millis(2100);

/// The state of a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// Equal where the same comparison gives the same result.
    pub hash: [u8; 32],
    /// Whether nothing was written so recently that an equal hash could mislead.
    pub settled: bool,
}

/// What was looked at: a hash, and the latest change of a file.
struct Look {
    hash: Sha256,
    latest: Option<SystemTime>,
}

impl Repo {
    /// The state of the two sides. Where a commit is the release, commits and settings
    /// decide; for the working tree also the index, every tracked file's stat data, and
    /// the files that git does not know. What [`Repo::probed`] names is not part of it.
    pub fn fingerprint(&self, sides: &Sides, control: &Control) -> Result<Fingerprint> {
        let began = SystemTime::now();
        let mut look = Look {
            hash: Sha256::new(),
            latest: None,
        };
        let places = [&self.root, &self.layout.git_dir, &self.layout.common];
        look.text(&format!("{sides:?}\n{places:?}\n"));
        self.configuration(&mut look);
        if sides.release.worktree {
            self.tracked(&mut look, control)?;
            self.strangers(&mut look, control)?;
        }
        let settled = look.latest.is_none_or(|latest| is_past(latest, began));
        Ok(Fingerprint {
            hash: look.hash.finalize().into(),
            settled,
        })
    }

    /// Settings, attributes, replaced objects, grafts and shallow cuts.
    fn configuration(&self, look: &mut Look) {
        look.text(&format!("{:?}\n", self.settings));
        for (name, id) in self.refs.with_prefix("refs/replace/") {
            look.text(&format!("{name} {id}\n"));
        }
        let common = &self.layout.common;
        let own = [
            "shallow",
            "info/grafts",
            "info/exclude",
            "info/attributes",
            "config",
        ];
        let own = own.iter().map(|name| common.join(name));
        for path in own.chain(global_files()) {
            look.content(&path);
        }
        look.content(&self.layout.git_dir.join("config.worktree"));
    }

    fn tracked(&self, look: &mut Look, control: &Control) -> Result<()> {
        let index = self.index()?;
        let states: Vec<(String, Option<SystemTime>)> = index
            .entries
            .par_iter()
            .map(|entry| {
                control.check()?;
                let seen = Seen::of(&self.root.join(os_path(&entry.path)));
                let head = entry.entry.is_submodule().then(|| {
                    crate::git::repo::open::head_of(&self.root.join(os_path(&entry.path)))
                });
                let text = format!(
                    "{:o} {} {} {} {} {head:?}\n",
                    entry.entry.mode, entry.entry.id, entry.stage, entry.skip, seen.text,
                );
                Ok((text, seen.latest))
            })
            .collect::<Result<_>>()?;
        for (entry, (text, latest)) in index.entries.iter().zip(states) {
            look.bytes(&entry.path);
            look.text(&text);
            look.late(latest);
        }
        Ok(())
    }

    fn strangers(&self, look: &mut Look, control: &Control) -> Result<()> {
        let files = self.untracked(true, control)?;
        let seen: Vec<Seen> = files
            .par_iter()
            .map(|file| Seen::of(&self.full_path(&file.path)))
            .collect();
        for (file, seen) in files.iter().zip(seen) {
            look.bytes(&file.path);
            look.text(&format!("{} {}\n", file.ignored, seen.text));
            look.late(seen.latest);
        }
        Ok(())
    }
}

/// A file by its stat data; behind a link also what it points at.
struct Seen {
    text: String,
    latest: Option<SystemTime>,
}

impl Seen {
    fn of(path: &Path) -> Self {
        let Ok(meta) = std::fs::symlink_metadata(path) else {
            return Self {
                text: "gone".into(),
                latest: None,
            };
        };
        let mut seen = Self {
            text: stamp(&meta),
            latest: latest(&meta),
        };
        if meta.is_symlink()
            && let Ok(target) = std::fs::metadata(path)
        {
            seen.text.push_str(&stamp(&target));
            seen.latest = seen.latest.max(latest(&target));
        }
        seen
    }
}

#[cfg(unix)]
fn stamp(meta: &Metadata) -> String {
    use std::os::unix::fs::MetadataExt;
    format!(
        "{:o} {} {} {}.{} {}.{};",
        meta.mode(),
        meta.len(),
        meta.ino(),
        meta.mtime(),
        meta.mtime_nsec(),
        meta.ctime(),
        meta.ctime_nsec()
    )
}

#[cfg(not(unix))]
fn stamp(meta: &Metadata) -> String {
    let kind = (meta.is_dir(), meta.is_symlink());
    format!("{kind:?} {} {:?};", meta.len(), meta.modified().ok())
}

/// When a file was last changed. Unlike the time of its content, nobody can set it.
#[cfg(unix)]
fn latest(meta: &Metadata) -> Option<SystemTime> {
    use std::os::unix::fs::MetadataExt;
    let seconds = u64::try_from(meta.ctime()).ok()?;
    let nanos = u32::try_from(meta.ctime_nsec()).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::new(seconds, nanos))
}

#[cfg(not(unix))]
fn latest(meta: &Metadata) -> Option<SystemTime> {
    meta.modified().ok()
}

/// Whether a change lies so far back that another one would get another time.
fn is_past(change: SystemTime, now: SystemTime) -> bool {
    let since_epoch = change.duration_since(SystemTime::UNIX_EPOCH);
    let whole_seconds = since_epoch.is_ok_and(|since| since.subsec_nanos() == 0);
    let least = if whole_seconds { COARSE } else { TICK };
    now.duration_since(change).is_ok_and(|age| age > least)
}

/// Files outside the repository that git reads settings, attributes and ignore rules
/// from, as far as their place is fixed.
fn global_files() -> Vec<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let home = variable("HOME");
    let xdg = variable("XDG_CONFIG_HOME").or_else(|| Some(home.as_ref()?.join(".config")));
    let mut files: Vec<PathBuf> = vec!["/etc/gitconfig".into(), "/etc/gitattributes".into()];
    files.extend(variable("GIT_CONFIG_SYSTEM"));
    files.extend(variable("GIT_CONFIG_GLOBAL"));
    files.extend(home.map(|home| home.join(".gitconfig")));
    for name in ["config", "attributes", "ignore"] {
        files.extend(xdg.iter().map(|dir| dir.join("git").join(name)));
    }
    let named = git2::Config::open_default()
        .and_then(|config| config.get_path("core.attributesfile"))
        .ok();
    files.extend(named);
    files
}

impl Look {
    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// With its length, so that no two sequences of texts look alike.
    fn bytes(&mut self, bytes: &[u8]) {
        self.hash.update((bytes.len() as u64).to_le_bytes());
        self.hash.update(bytes);
    }

    fn content(&mut self, path: &Path) {
        let content = std::fs::read(path).unwrap_or_default();
        self.bytes(path.as_os_str().as_encoded_bytes());
        self.bytes(&content);
    }

    fn late(&mut self, when: Option<SystemTime>) {
        self.latest = self.latest.max(when);
    }
}
