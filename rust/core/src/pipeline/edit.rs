//! A plan that follows from the last one of everything, where nothing but the contents of a
//! few tracked Go files has changed since: these are looked into, and their parts of the
//! documents are put in the place of the old ones. What is not surely so is left to a plan of
//! everything.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::document::{Asked, Outline};
use super::last::Last;
use super::ledger::{Desk, Ledger};
use super::lists::Lists;
use super::memo::{self, Memo};
use super::other::is_embedded;
use super::pack::Use;
use super::planned::Given;
use super::rows::{Row, Rows};
use super::scope::{self, Cleaner};
use super::sources::{self, Disk, Sources};
use super::{Options, PlannedFile, State, analyse, packages};
use crate::control::Control;
use crate::error::{Code, Result};
use crate::git::{Edited, Repo, Sides, Stamp, content_hash};
use crate::model::FileChange;
use crate::modules::{Covered, parent};
use crate::plan::{
    self, Entries, FORMAT, Files, Parts, Shard, Text, Warning, seal_parts, sealed, whole_in,
};
use crate::tree::GoFile;

/// With more edited files a plan of everything, by all cores, costs no more.
const MOST: usize = 32;

/// What every step needs.
struct Work<'a> {
    options: &'a Options,
    repo: &'a Repo,
    sides: &'a Sides,
    memo: &'a Memo,
    control: &'a Control,
}

/// The answer, where it follows from the last plan.
pub(super) fn answer(
    options: &Options,
    repo: &Repo,
    sides: &Sides,
    memo: &Memo,
    control: &Control,
) -> Result<Option<Vec<u8>>> {
    let work = Work {
        options,
        repo,
        sides,
        memo,
        control,
    };
    match work.answer() {
        // A plan of everything says what is wrong.
        Err(error) if error.code != Code::Cancelled => Ok(None),
        done => done,
    }
}

/// The edited files, and all that is known of them.
struct Known<'a> {
    edits: &'a [(String, Stamp)],
    sources: &'a Sources,
    ledger: &'a Ledger,
}

impl Work<'_> {
    fn answer(&self) -> Result<Option<Vec<u8>>> {
        let place = self.memo.last(self.options, self.repo);
        let few = |stamps: &[Stamp]| {
            let edits = self.repo.edits(stamps, &self.memo.state, self.control);
            let edits = edits.ok().flatten();
            edits.filter(|edits| (1..=MOST).contains(&edits.len()))
        };
        let Some((mut last, edits)) = Last::read(&place, &self.memo.state, few) else {
            return Ok(None);
        };
        if !memo::are_same(&last.probes, self.repo, self.sides) {
            return Ok(None);
        }
        let (Some(mut outline), Some(document)) = (last.outline(), read(&last)) else {
            return Ok(None);
        };
        let old = old_files(&last);
        let ledger = Ledger::open(self.options, self.repo, Use::Few);
        let Some(ledger) = ledger.filter(|ledger| ledger.has_room(last.ledger)) else {
            return Ok(None);
        };
        let lists = Lists::find(&document, &outline.rows);
        let given = &mut last.given;
        let made = lists.map(|lists| self.plan(&edits, given, &mut outline, &old, lists, &ledger));
        let Some(made) = made.transpose()?.flatten() else {
            return Ok(None);
        };
        self.control.check()?;
        let asked = Asked {
            options: self.options,
            sides: self.sides,
        };
        let mut public = asked.document(&outline, None, None);
        if !self.options.brief {
            let lists = (Entries::of(&made.points), Entries::of(&made.account));
            let (Some(points), Some(account)) = lists else {
                return Ok(None);
            };
            (public.points, public.account) = (points, account);
        }
        let mut files: Files<'_> = old;
        // The plan's hash is not over its own place.
        files.retain(|name, _| name != "index.json" && !made.gone.contains(name));
        let fresh = made.fresh.into_iter();
        files.extend(fresh.map(|(name, bytes)| (name, bytes.into())));
        let text = seal_parts(public.around(made.points, made.account));
        files.insert("plan.json".into(), Text::Parts(text));
        let hash = asked.finish(&mut files, &outline);
        self.control.tick("write", 0, 0);
        let out = Path::new(&self.options.out_dir);
        let directory = plan::write(out, &hash, &files, None)?;
        ledger.add();
        let answer = asked.answer(&outline, public, &hash, Some(&directory));
        let sums = memo::sums(&files);
        self.memo.keep(self.repo, &directory, sums, &answer);
        Ok(Some(answer))
    }

    /// Plans the edited files and brings the outline up to date; `None` where other parts of
    /// the plan hang on them.
    fn plan<'t>(
        &self,
        edits: &[(String, Stamp)],
        given: &mut Given,
        outline: &mut Outline,
        old: &Files<'_>,
        lists: Lists<'t>,
        ledger: &Ledger,
    ) -> Result<Option<Made<'t>>> {
        let read_release = |path: &str| self.repo.read_release(self.sides, path);
        let read = |path: &str| read_release(path).ok();
        let ground = self.options.ground(self.repo.root())?;
        let dirs = self.repo.module_directories(self.sides, self.control)?;
        let may_hold = |dir: &str| dirs.may_hold(dir);
        let prefix = self.repo.prefix();
        let covered = scope::covered(self.options, prefix, &ground, &read, &may_hold)?;
        let Some(changes) = self.compare(edits, given, ledger)? else {
            return Ok(None);
        };
        outline.content_hash = content_hash(&given.notes).unwrap_or_default();
        let dirs: BTreeSet<&str> = edits.iter().map(|(path, _)| parent(path)).collect();
        let listing = self.repo.go_files_in(&dirs, self.control)?;
        let tree = Disk {
            read: &read_release,
            repo: self.repo,
            ledger: Some(ledger),
        };
        let sources = sources::read(&tree, &covered, listing, self.control)?;
        let known = Known {
            edits,
            sources: &sources,
            ledger,
        };
        let Some(shards) = known.shards(given, &covered, old) else {
            return Ok(None);
        };
        let count = changes.len();
        let scoped = scope::sort(changes, &covered, &self.options.config.ignores)?;
        if scoped.len() != count {
            return Ok(None);
        }
        let read_base = |path: &str| self.repo.read_base(self.sides, path);
        let desk = Desk {
            ledger: Some(ledger),
            read_base: &read_base,
            read_release: &read_release,
        };
        let mut files = analyse::all(scoped, self.options, &sources, &desk, self.control)?;
        if !known.asks_the_same(&files, outline) {
            return Ok(None);
        }
        let mut warnings = analyse::warnings(&files);
        let affected = known.import_paths(&covered);
        let Some(members) = known.members(&affected, outline) else {
            return Ok(None);
        };
        files.extend(members);
        files.sort_by(|a, b| a.path.cmp(&b.path));
        if !packages::are_distinct(&files) {
            return Ok(None);
        }
        let (options, control) = (self.options, self.control);
        let written =
            packages::build(&mut files, options, &sources, &desk, &mut warnings, control)?;
        let own = |path: &str| known.has(path);
        if warnings.iter().any(|warning| !own(&warning.path)) {
            return Ok(None);
        }
        files.retain(|file| own(&file.path));
        replace_warnings(outline, own, warnings);
        let (all, mut fresh) = (&mut outline.packages, shards);
        let gone = all.extract_if(.., |package| affected.contains(&package.import_path));
        let gone = gone.map(|package| package.doc).collect();
        for package in written {
            fresh.insert(package.entry.doc.clone(), package.text.into_bytes());
            all.push(package.entry);
        }
        all.sort_by(|a, b| a.import_path.cmp(&b.import_path));
        let rows = Rows::of(&files, options.forms(), None);
        let Some((points, account)) = lists.put_in(&mut outline.rows, &rows, edits) else {
            return Ok(None);
        };
        Ok(Some(Made {
            points,
            account,
            gone,
            fresh,
        }))
    }

    /// What differs of the edited files, with the notes brought up to date.
    fn compare(
        &self,
        edits: &[(String, Stamp)],
        given: &mut Given,
        ledger: &Ledger,
    ) -> Result<Option<Vec<FileChange>>> {
        let cleaner = Cleaner::default();
        let strip = |path: &str, bytes: &[u8]| cleaner.cleaned(path, bytes);
        let mut changes = Vec::new();
        for (path, _) in edits {
            let (sides, control) = (self.sides, self.control);
            let edited = self
                .repo
                .edited(sides, path, given.moves, &strip, ledger, control)?;
            let Some(Edited { change, note }) = edited else {
                return Ok(None);
            };
            if change.as_ref().is_some_and(|c| c.unreadable.is_some()) {
                return Ok(None);
            }
            changes.extend(change);
            let tracked = &mut given.notes[0];
            let at = tracked.partition_point(|(known, _)| known.as_slice() < path.as_bytes());
            if tracked
                .get(at)
                .is_some_and(|(known, _)| known == path.as_bytes())
            {
                tracked.remove(at);
            }
            if let Some(note) = note {
                tracked.insert(at, (path.clone().into_bytes(), note));
            }
        }
        cleaner.finish()?;
        Ok(Some(changes))
    }
}

/// What an edit makes of a plan directory.
struct Made<'t> {
    points: Parts<'t>,
    account: Parts<'t>,
    /// The documents that are no longer, or others.
    gone: BTreeSet<String>,
    /// Those that are made anew.
    fresh: BTreeMap<String, Vec<u8>>,
}

/// The public document of the last plan, all of whose files are whole.
fn read(last: &Last) -> Option<Vec<u8>> {
    // One place for all that is only looked at.
    let (mut document, mut place) = (Vec::new(), Vec::new());
    let is_whole = |(name, sum): &(String, String)| {
        let path = last.directory.join(name);
        let place = match name.as_str() {
            "plan.json" => &mut document,
            _ => &mut place,
        };
        whole_in(&path, sum, place)
    };
    last.files.iter().all(is_whole).then_some(document)
}

/// The files of the last plan.
fn old_files(last: &Last) -> Files<'static> {
    let files = last.files.iter().map(|(name, sum)| {
        let (path, sum) = (last.directory.join(name), sum.clone());
        (name.clone(), Text::Old { path, sum })
    });
    files.collect()
}

impl Known<'_> {
    fn has(&self, path: &str) -> bool {
        let at = self
            .edits
            .binary_search_by(|(known, _)| known.as_str().cmp(path));
        at.is_ok()
    }

    /// The hash documents that say something else; `None` where an edit changed what the
    /// plan knows of a file besides.
    fn shards(
        &self,
        given: &Given,
        covered: &Covered<'_>,
        old: &Files<'_>,
    ) -> Option<BTreeMap<String, Vec<u8>>> {
        if self.sources.marked || !self.sources.requested.is_empty() {
            return None;
        }
        let mut shards: BTreeMap<String, Shard> = BTreeMap::new();
        for (path, before) in self.edits {
            let was = sources::known(self.ledger, path, before)?;
            let is = self.sources.file(path)?;
            let embedded = |(dir, pattern): &(String, String)| is_embedded(dir, pattern, path);
            if !is_alike(&was, is) || given.embeds.iter().any(embedded) {
                return None;
            }
            if is.is_test() {
                continue;
            }
            let dir = parent(path);
            let import_path = covered.module_of(dir)?.import_path(dir);
            let name = sources::shard_of(&import_path);
            if !shards.contains_key(&name) {
                let shard: Shard = serde_json::from_slice(&old.get(&name)?.bytes()?).ok()?;
                shards.insert(name.clone(), shard);
            }
            let packages = &mut shards.get_mut(&name)?.packages;
            let base = path.rsplit('/').next()?;
            let hash = packages.get_mut(&import_path)?.get_mut(base)?;
            if *hash != was.hash {
                return None;
            }
            hash.clone_from(&is.hash);
        }
        let sealed = |(name, shard): (String, Shard)| {
            (shard.format == FORMAT).then(|| (name, sealed(&shard)))
        };
        shards.into_iter().map(sealed).collect()
    }

    /// Whether builds take the files that took them.
    fn asks_the_same(&self, files: &[PlannedFile], outline: &Outline) -> bool {
        self.edits.iter().all(|(path, _)| {
            let file = files.iter().find(|file| file.path == *path);
            let mut rows = outline.rows.iter().filter(|row| row.path == *path);
            let row = rows.next();
            let asked = |row: Option<&Row>| row.and_then(|row| row.asked.clone());
            rows.next().is_none() && asked(row) == file.and_then(|file| file.asked.clone())
        })
    }

    /// The packages of the edited files.
    fn import_paths(&self, covered: &Covered<'_>) -> BTreeSet<String> {
        let code = self
            .edits
            .iter()
            .filter(|(path, _)| !path.ends_with("_test.go"));
        let modules = code.filter_map(|(path, _)| {
            let dir = parent(path);
            Some(covered.module_of(dir)?.import_path(dir))
        });
        modules.collect()
    }

    /// The other files with points of these packages, as they were analysed.
    fn members(&self, affected: &BTreeSet<String>, outline: &Outline) -> Option<Vec<PlannedFile>> {
        let rows = outline.rows.iter();
        let rows = rows.filter(|row| row.points > 0 && affected.contains(&row.import_path));
        let rows = rows.filter(|row| !self.has(&row.path));
        let members = rows.map(|row| {
            let (state, asked): (State, Option<(String, String)>) = self.ledger.get(row.key?)?;
            self.sources.file(&row.path)?;
            Some(PlannedFile {
                path: row.path.clone(),
                dir: parent(&row.path).to_owned(),
                import_path: row.import_path.clone(),
                source: Vec::new(),
                unread: true,
                key: row.key,
                added: row.added,
                deletions: row.deletions,
                before: 0,
                asked,
                state,
            })
        });
        members.collect()
    }
}

/// Whether all that the plan knows of a file besides its code is what it was.
fn is_alike(was: &GoFile, is: &GoFile) -> bool {
    let (a, b) = (&was.header, &is.header);
    // What a program imports stands in the index.
    let imports = a.imports == b.imports || is.is_test() || b.package != "main";
    let header = a.package == b.package && a.asks == b.asks && a.generated == b.generated;
    let plain = !a.own && !b.own;
    plain
        && header
        && imports
        && was.names == is.names
        && was.shadows == is.shadows
        && was.embeds == is.embeds
}

fn replace_warnings(outline: &mut Outline, own: impl Fn(&str) -> bool, new: Vec<Warning>) {
    outline.warnings.retain(|warning| !own(&warning.path));
    outline.warnings.extend(new);
    outline.warnings.sort();
}
