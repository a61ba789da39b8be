//! Content ids: the same for the same code, wherever and whenever it is built.
//!
//! An id is made of what the region is (its own tokens), where it is (import path,
//! file, function) and which of its equals it is (k of n), never of line numbers.

use std::collections::{HashMap, HashSet};

use sha2::{Digest, Sha256};

use crate::control;
use crate::model::{BlockId, FuncId, Granularity, Owner, PointKind, Span, StmtId};

use super::repeats::{Repeats, Sum};
use super::runs::runs;
use super::unit::{Shape, Unit};
use super::view::View;

/// Number of the id's recipe; another number gives other ids.
const FORMAT: &[u8] = b"goat point 1";

/// Gives ids to the points of one file.
pub(super) struct Namer<'v, 'a> {
    view: &'v View<'a>,
    granularity: Granularity,
    funcs: HashMap<&'a str, Vec<FuncId>>,
    blocks: Vec<Vec<BlockId>>,
    /// Where equal regions start, by function name, shape and content.
    equals: HashMap<(&'a str, Shape), HashMap<Sum, Vec<usize>>>,
    /// Where equal statements start, by function name.
    repeats: HashMap<&'a str, Repeats>,
    /// The contents of statements.
    statements: HashMap<StmtId, Sum>,
}

impl<'v, 'a> Namer<'v, 'a> {
    pub(super) fn new(view: &'v View<'a>, granularity: Granularity) -> Self {
        let mut funcs: HashMap<&str, Vec<FuncId>> = HashMap::new();
        for (id, func) in view.syntax.funcs.iter().enumerate() {
            funcs.entry(&func.name).or_default().push(id);
        }
        let mut blocks = vec![Vec::new(); view.syntax.funcs.len()];
        for (id, block) in view.syntax.blocks.iter().enumerate() {
            blocks[block.func].push(id);
        }
        Self {
            view,
            granularity,
            funcs,
            blocks,
            equals: HashMap::new(),
            repeats: HashMap::new(),
            statements: HashMap::new(),
        }
    }

    /// The id of a point.
    pub(super) fn id(&mut self, unit: &Unit, kind: PointKind) -> String {
        let (view, granularity) = (self.view, self.granularity);
        let name = view.name(unit);
        let sum = content(view, unit);
        let start = start(view, unit);
        let places = match unit {
            Unit::Stmts(stmts) => self.repeats(name, stmts),
            Unit::Post(_) => self.equals(name, Shape::Post, &sum),
            Unit::List(_) => self.equals(name, Shape::List, &sum),
            Unit::Body(_) => self.equals(name, Shape::Body, &sum),
            Unit::Var(_) => self.equals(name, Shape::Var, &sum),
        };
        let (k, n) = (
            places.partition_point(|&place| place < start) + 1,
            places.len().max(1),
        );
        let fields: [&[u8]; 9] = [
            FORMAT,
            view.import_path.as_bytes(),
            view.file.as_bytes(),
            name.as_bytes(),
            &sum,
            &(k as u64).to_le_bytes(),
            &(n as u64).to_le_bytes(),
            granularity.as_str().as_bytes(),
            kind.as_str().as_bytes(),
        ];
        text(&digest(fields.into_iter()))
    }

    /// Where statements like these start in the functions of a name, changed or not.
    fn repeats(&mut self, name: &'a str, stmts: &[StmtId]) -> &[usize] {
        let (view, known) = (self.view, &mut self.statements);
        let mut sum = |id: StmtId| *known.entry(id).or_insert_with(|| statement(view, id));
        let wanted: Vec<Sum> = stmts.iter().map(|&id| sum(id)).collect();
        let (funcs, blocks) = (&self.funcs, &self.blocks);
        let repeats = self.repeats.entry(name).or_insert_with(|| {
            let runs = lists(funcs, blocks, name).flat_map(|block| runs(view.syntax, block));
            Repeats::new(runs.map(|run| {
                let placed = run.into_iter();
                let placed = placed.map(|id| (sum(id), view.syntax.stmts[id].span.start));
                placed.collect()
            }))
        });
        repeats.places(&wanted)
    }

    /// Where regions of a shape with this content start in the functions of a name, changed
    /// or not.
    fn equals(&mut self, name: &'a str, shape: Shape, sum: &Sum) -> &[usize] {
        let (view, funcs, blocks) = (self.view, &self.funcs, &self.blocks);
        let all = self.equals.entry((name, shape)).or_insert_with(|| {
            let mut found: HashMap<Sum, Vec<usize>> = HashMap::new();
            for unit in units(view, funcs, blocks, name, shape) {
                found
                    .entry(content(view, &unit))
                    .or_default()
                    .push(start(view, &unit));
            }
            for places in found.values_mut() {
                places.sort_unstable();
            }
            found
        });
        all.get(sum).map_or(&[], Vec::as_slice)
    }
}

/// The lists of the functions of a name.
fn lists<'x>(
    funcs: &'x HashMap<&str, Vec<FuncId>>,
    blocks: &'x [Vec<BlockId>],
    name: &str,
) -> impl Iterator<Item = BlockId> {
    let funcs = funcs.get(name).map_or(&[][..], Vec::as_slice);
    let lists = funcs.iter().map(move |&func| &blocks[func]);
    lists.flatten().copied()
}

fn units(
    view: &View<'_>,
    funcs: &HashMap<&str, Vec<FuncId>>,
    blocks: &[Vec<BlockId>],
    name: &str,
    shape: Shape,
) -> Vec<Unit> {
    let lists = lists(funcs, blocks, name);
    match shape {
        Shape::Var => {
            let vars = (0..view.syntax.vars.len()).map(Unit::Var);
            vars.filter(|unit| view.name(unit) == name).collect()
        }
        Shape::Post => {
            let stmts = lists.flat_map(|block| view.syntax.blocks[block].stmts.iter().copied());
            let posts = stmts.filter(|&stmt| view.syntax.stmts[stmt].post.is_some());
            posts.map(Unit::Post).collect()
        }
        Shape::List => lists.map(Unit::List).collect(),
        Shape::Body => funcs
            .get(name)
            .into_iter()
            .flatten()
            .filter_map(|&f| view.syntax.funcs[f].body)
            .map(Unit::Body)
            .collect(),
    }
}

/// Where a region starts, to tell equals apart.
fn start(view: &View<'_>, unit: &Unit) -> usize {
    match unit {
        Unit::Stmts(stmts) => view.syntax.stmts[stmts[0]].span.start,
        Unit::Post(stmt) => post(view, *stmt).start,
        Unit::List(block) | Unit::Body(block) => view.syntax.blocks[*block].span.start,
        Unit::Var(id) => view.syntax.vars[*id].span.start,
    }
}

/// The normalised tokens of a region, condensed. Statements count without nested
/// lists and literals' bodies, whose code has regions of its own.
fn content(view: &View<'_>, unit: &Unit) -> Sum {
    let mut tokens: Vec<&[u8]> = vec![match unit {
        Unit::Stmts(_) => b"statements",
        Unit::Post(_) => b"post",
        Unit::List(_) => b"list",
        Unit::Body(_) => b"body",
        Unit::Var(_) => b"variable",
    }];
    match unit {
        Unit::Stmts(stmts) => {
            for &id in stmts {
                tokens.extend(statement_tokens(view, id));
            }
        }
        Unit::Post(id) => tokens.extend(own(view, post(view, *id), Owner::Stmt(*id))),
        Unit::List(block) | Unit::Body(block) => {
            tokens.extend(
                view.words_in(view.syntax.blocks[*block].span)
                    .iter()
                    .map(|w| &*w.text),
            );
        }
        Unit::Var(id) => tokens.extend(own(view, view.syntax.vars[*id].span, Owner::Var(*id))),
    }
    digest(tokens.into_iter())
}

/// The content of one statement, as [`content`] takes it in.
fn statement(view: &View<'_>, id: StmtId) -> Sum {
    digest(statement_tokens(view, id))
}

fn statement_tokens<'x>(view: &'x View<'_>, id: StmtId) -> impl Iterator<Item = &'x [u8]> {
    let own = own(view, view.syntax.stmts[id].span, Owner::Stmt(id));
    std::iter::once(&b"statement"[..]).chain(own)
}

fn post(view: &View<'_>, stmt: StmtId) -> Span {
    view.syntax.stmts[stmt].post.unwrap_or_default()
}

fn own<'x>(view: &'x View<'_>, span: Span, owner: Owner) -> impl Iterator<Item = &'x [u8]> {
    view.own(span, owner).into_iter().map(|w| &*w.text)
}

/// SHA-256 over fields, each with its length in front.
fn digest<'x>(fields: impl Iterator<Item = &'x [u8]>) -> Sum {
    let mut hash = Sha256::new();
    for field in fields {
        control::step();
        hash.update((field.len() as u64).to_le_bytes());
        hash.update(field);
    }
    hash.finalize().into()
}

/// Sees to it that no two points of a build have one id, whatever the hash gave them: of
/// equals the first keeps it, the others get what it hashes to with their number. The
/// order is the plan's, so that the outcome is the same everywhere.
pub fn make_distinct<'p>(ids: impl Iterator<Item = &'p mut String>) {
    let ids: Vec<&mut String> = ids.collect();
    let different: HashSet<&str> = ids.iter().map(|id| id.as_str()).collect();
    if different.len() == ids.len() {
        return;
    }
    let mut taken: HashSet<String> = HashSet::new();
    for id in ids {
        let mut candidate = id.clone();
        for again in 1_u64.. {
            if taken.insert(candidate.clone()) {
                break;
            }
            let fields = [b"again".as_slice(), id.as_bytes(), &again.to_le_bytes()];
            candidate = text(&digest(fields.into_iter()));
            candidate.truncate(id.len());
        }
        *id = candidate;
    }
}

/// The first 80 bits of a hash as they stand in an id.
fn text(digest: &Sum) -> String {
    data_encoding::BASE32HEX_NOPAD
        .encode(&digest[..10])
        .to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{digest, make_distinct, text};

    fn ids(count: u64, length: usize) -> Vec<String> {
        let id = |n: u64| text(&digest([n.to_le_bytes().as_slice()].into_iter()));
        (0..count).map(|n| id(n)[..length].to_owned()).collect()
    }

    /// With two characters of the hash half of 1,000 ids are taken already.
    #[test]
    fn colliding_ids_are_told_apart() {
        let hashed = ids(1000, 2);
        let distinct: BTreeSet<&String> = hashed.iter().collect();
        assert!(distinct.len() < 700, "{} without collision", distinct.len());
        let settle = || {
            let mut settled = hashed.clone();
            make_distinct(settled.iter_mut());
            settled
        };
        let settled = settle();
        assert_eq!(settled.iter().collect::<BTreeSet<_>>().len(), 1000);
        assert!(settled.iter().all(|id| id.len() == 2));
        assert_eq!(settled, settle(), "the same every time");
        for (index, id) in hashed.iter().enumerate() {
            let taken = settled[..index].contains(id);
            assert!(taken || settled[index] == *id, "the first keeps its id");
        }
    }

    #[test]
    fn ids_without_collision_stay() {
        let mut settled = ids(1000, 16);
        make_distinct(settled.iter_mut());
        assert_eq!(settled, ids(1000, 16));
    }
}
