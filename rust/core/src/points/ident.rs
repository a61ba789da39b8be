//! Content ids: the same for the same code, wherever and whenever it is built.
//!
//! An id is made of what the region is (its own tokens), where it is (import path,
//! file, function) and which of its equals it is (k of n), never of line numbers.

use std::collections::{HashMap, HashSet};

use sha2::{Digest, Sha256};

use crate::control;
use crate::model::{BlockId, FuncId, Granularity, Owner, PointKind, Span, StmtId};

use super::runs::runs;
use super::unit::{Shape, Unit};
use super::view::View;

/// Number of the id's recipe; another number gives other ids.
const FORMAT: &[u8] = b"goat point 1";

type Sum = [u8; 32];

/// Gives ids to the points of one file.
pub(super) struct Namer<'v, 'a> {
    view: &'v View<'a>,
    granularity: Granularity,
    funcs: HashMap<&'a str, Vec<FuncId>>,
    blocks: Vec<Vec<BlockId>>,
    /// Where equal regions start, by function name, shape and content.
    equals: HashMap<(&'a str, Shape), HashMap<Sum, Vec<usize>>>,
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
        }
    }

    /// The id of a point.
    pub(super) fn id(&mut self, unit: &Unit, kind: PointKind) -> String {
        let name = self.view.name(unit);
        let sum = content(self.view, unit);
        let start = start(self.view, unit);
        let places = self
            .equals(name, unit.shape())
            .get(&sum)
            .map_or(&[][..], Vec::as_slice);
        let (k, n) = (
            places.partition_point(|&place| place < start) + 1,
            places.len().max(1),
        );
        let fields: [&[u8]; 9] = [
            FORMAT,
            self.view.import_path.as_bytes(),
            self.view.file.as_bytes(),
            name.as_bytes(),
            &sum,
            &(k as u64).to_le_bytes(),
            &(n as u64).to_le_bytes(),
            self.granularity.as_str().as_bytes(),
            kind.as_str().as_bytes(),
        ];
        text(&digest(fields.into_iter()))
    }

    /// All regions of a shape in the functions of a name, changed or not.
    fn equals(&mut self, name: &'a str, shape: Shape) -> &HashMap<Sum, Vec<usize>> {
        let (view, funcs, blocks) = (self.view, &self.funcs, &self.blocks);
        self.equals.entry((name, shape)).or_insert_with(|| {
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
        })
    }
}

fn units(
    view: &View<'_>,
    funcs: &HashMap<&str, Vec<FuncId>>,
    blocks: &[Vec<BlockId>],
    name: &str,
    shape: Shape,
) -> Vec<Unit> {
    let funcs = funcs.get(name).map_or(&[][..], Vec::as_slice);
    let lists = funcs.iter().flat_map(|&func| blocks[func].iter().copied());
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
            .iter()
            .filter_map(|&f| view.syntax.funcs[f].body)
            .map(Unit::Body)
            .collect(),
        Shape::Stmts(size) => {
            let runs = lists.flat_map(|block| runs(view.syntax, block));
            let windows =
                |run: Vec<StmtId>| run.windows(size).map(<[_]>::to_vec).collect::<Vec<_>>();
            runs.flat_map(windows).map(Unit::Stmts).collect()
        }
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
                tokens.push(b"statement");
                tokens.extend(own(view, view.syntax.stmts[id].span, Owner::Stmt(id)));
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
