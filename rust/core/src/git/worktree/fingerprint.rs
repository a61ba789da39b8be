//! Whether a repository is as it was: everything that decides what a comparison
//! says, in one hash, without reading the files that the stat data vouch for.

use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::control::Control;
use crate::error::Result;
use crate::git::repo::Repo;
use crate::git::repo::index::IndexEntry;
use crate::git::repo::paths::read_file;
use crate::git::repo::sides::Sides;
use crate::git::repo::stats::{Stamp, is_past, latest, stamp};

/// The state of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// Equal where the same comparison gives the same result.
    pub hash: [u8; 32],
    /// The same without `files`.
    pub rest: [u8; 32],
    /// The stat data of the tracked Go files that are plain files, in the order of the
    /// index: what an edit changes.
    pub files: Vec<Stamp>,
    /// Whether nothing was written so recently that an equal hash could mislead.
    pub settled: bool,
}

/// What was looked at: a hash, and the latest change of a file.
struct Look {
    hash: Sha256,
    files: Vec<Stamp>,
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
            files: Vec::new(),
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
        let rest: [u8; 32] = look.hash.finalize().into();
        let mut hash = Sha256::new();
        hash.update(rest);
        hash.update(look.files.as_flattened());
        Ok(Fingerprint {
            hash: hash.finalize().into(),
            rest,
            files: look.files,
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
        let stats = self.stats(control)?;
        let walked = self.walked(control)?;
        let mut last: &[u8] = &[];
        look.count(index.entries.len());
        for (entry, meta) in index.entries.iter().zip(&stats.all) {
            control.check()?;
            // Behind a link to a directory all stat data may be what they were in the
            // directory, and git sees none of the files.
            let slash = memchr::memrchr(b'/', &entry.path);
            let dir = slash.map_or(&[][..], |slash| &entry.path[..=slash]);
            if dir != last && !walked.directories.contains_key(dir) {
                look.text("behind a link");
            }
            last = dir;
            look.bytes(&entry.path);
            look.part(&entry.entry.mode.to_le_bytes());
            look.part(entry.entry.id.as_bytes());
            look.part(&[entry.stage, u8::from(entry.skip)]);
            if let Some(meta) = plain_go(entry, meta) {
                look.part(&[PLAIN_GO]);
                look.files.push(stamp(meta));
                look.late(latest(meta));
                continue;
            }
            look.seen(&Seen::of(&|| self.full_path(&entry.path), meta));
            if entry.entry.is_submodule() {
                let head = crate::git::repo::open::head_of(&self.full_path(&entry.path));
                look.text(&format!("{head:?}\n"));
            }
        }
        Ok(())
    }

    fn strangers(&self, look: &mut Look, control: &Control) -> Result<()> {
        let walked = self.walked(control)?;
        let files = &walked.untracked;
        let see = |path: PathBuf| Seen::of(&|| path.clone(), &std::fs::symlink_metadata(&path));
        let seen: Vec<Seen> = files
            .par_iter()
            .map(|file| see(self.full_path(&file.path)))
            .collect();
        look.count(files.len());
        for (file, seen) in files.iter().zip(seen) {
            look.bytes(&file.path);
            look.part(&[u8::from(file.ignored)]);
            look.seen(&seen);
        }
        // Which directories are modules of their own decides as well; a go.mod that is
        // ignored is none of the files above.
        let modules = walked.directories.iter().filter(|(_, module)| **module);
        let mut modules: Vec<&Vec<u8>> = modules.map(|(dir, _)| dir).collect();
        modules.sort_unstable();
        for dir in modules {
            look.bytes(dir);
        }
        Ok(())
    }
}

/// Stands for the stat data of a file that are kept apart.
const PLAIN_GO: u8 = 2;

/// The stat data of an entry whose content is that of a plain Go file on disk.
pub(super) fn plain_go<'m>(
    entry: &IndexEntry,
    meta: &'m io::Result<Metadata>,
) -> Option<&'m Metadata> {
    let known = entry.stage == 0 && !entry.skip && entry.entry.is_file();
    let go = known && entry.path.ends_with(b".go");
    meta.as_ref().ok().filter(|meta| go && meta.is_file())
}

/// A file by its stat data; behind a link also what it points at.
#[derive(Default)]
struct Seen {
    /// `None` where there is none.
    own: Option<Stamp>,
    target: Option<Stamp>,
    latest: Option<SystemTime>,
}

impl Seen {
    fn of(path: &dyn Fn() -> PathBuf, meta: &io::Result<Metadata>) -> Self {
        let Ok(meta) = meta else {
            return Self::default();
        };
        let mut seen = Self {
            own: Some(stamp(meta)),
            target: None,
            latest: latest(meta),
        };
        if meta.is_symlink()
            && let Ok(target) = std::fs::metadata(path())
        {
            seen.target = Some(stamp(&target));
            seen.latest = seen.latest.max(latest(&target));
        }
        seen
    }
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

    fn count(&mut self, count: usize) {
        self.part(&(count as u64).to_le_bytes());
    }

    /// Bytes whose number is always the same.
    fn part(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
    }

    fn seen(&mut self, seen: &Seen) {
        for stamp in [&seen.own, &seen.target] {
            self.part(&[u8::from(stamp.is_some())]);
            self.part(stamp.as_ref().map_or(&[], Stamp::as_slice));
        }
        self.late(seen.latest);
    }

    fn content(&mut self, path: &Path) {
        let content = read_file(path).unwrap_or_default();
        self.bytes(path.as_os_str().as_encoded_bytes());
        self.bytes(&content);
    }

    fn late(&mut self, when: Option<SystemTime>) {
        self.latest = self.latest.max(when);
    }
}
