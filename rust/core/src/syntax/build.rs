//! Nodes of a declaration to functions, statement lists and statements.
//!
//! One pass over the nodes in source order. Each node takes the [`Place`] that its
//! parent gives to its children, notes what it is, and leaves the place for its own.

use super::chunks::Chunk;
use super::effects;
use super::file::File;
use super::header;
use super::owners::{self, Claim};
use super::tree::{Field, Kind, Node};
use crate::control;
use crate::model::{
    Block, BlockId, BlockKind, FileSyntax, Func, FuncId, Owner, Span, Stmt, StmtId, StmtKind,
    VarSpec,
};
use crate::token::TokenKind;

/// Where a node stands.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    func: Option<FuncId>,
    block: Option<BlockId>,
    stmt: Option<StmtId>,
    var: Option<usize>,
    /// Whether it is inside the variable's values, and inside which.
    value: bool,
    nth: usize,
    /// Children of the node so far.
    children: usize,
}

pub(super) struct Builder<'f> {
    pub(super) file: &'f File<'f>,
    pub(super) out: FileSyntax,
    claims: Vec<Claim>,
}

impl<'f> Builder<'f> {
    pub(super) fn new(file: &'f File<'f>) -> Self {
        Self {
            file,
            out: FileSyntax::default(),
            claims: Vec::new(),
        }
    }

    pub(super) fn own(&mut self, first: usize, last: usize, owner: Owner) {
        self.claims.push(Claim { first, last, owner });
    }

    pub(super) fn finish(mut self) -> FileSyntax {
        let stmts = &self.out.stmts;
        for block in &mut self.out.blocks {
            block.entry = block
                .stmts
                .first()
                .map_or(block.open, |&id| stmts[id].span.start);
            if matches!(block.kind, BlockKind::Case | BlockKind::Comm) {
                block.span.end = block
                    .stmts
                    .last()
                    .map_or(block.open, |&id| stmts[id].span.end);
            }
        }
        self.out.owners = owners::pieces(self.file, self.claims);
        self.out
    }

    /// Notes a declaration that was read; `nodes[0]` is the declaration.
    pub(super) fn declaration(&mut self, chunk: &Chunk, nodes: &[Node]) {
        let owner = match nodes[0].kind {
            Kind::Function => Owner::Signature(self.out.funcs.len()),
            Kind::Const => Owner::Const,
            Kind::Type => Owner::Type,
            _ => Owner::VarGroup,
        };
        self.own(chunk.first, chunk.end, owner);
        let mut places: Vec<Place> = Vec::with_capacity(nodes.len());
        for (index, node) in nodes.iter().enumerate() {
            control::step();
            let parent = if index == 0 {
                None
            } else {
                Some(nodes[node.parent])
            };
            let mut place = Place::default();
            if index > 0 {
                place = places[node.parent];
                places[node.parent].children += 1;
                if parent.is_some_and(|parent| parent.kind == Kind::ExpressionList) {
                    place.nth = place.children;
                }
            }
            place.children = 0;
            self.node(chunk, *node, parent.as_ref(), &mut place);
            places.push(place);
        }
    }

    /// Notes one node; `place` is where it stands and becomes that of its children.
    fn node(&mut self, chunk: &Chunk, node: Node, parent: Option<&Node>, place: &mut Place) {
        let above = parent.map_or(Kind::Other, |parent| parent.kind);
        let listed = above == Kind::List || above == Kind::Labeled && node.field != Field::Label;
        match node.kind {
            Kind::Function => self.function(chunk, node, place),
            Kind::Literal => self.literal(chunk, node, place),
            Kind::Labeled => self.label(node, place),
            Kind::VarSpec if place.func.is_none() => self.spec(chunk, node, place),
            Kind::Case => self.clause(node, above, place),
            Kind::List if above == Kind::Case => self.clause_list(node, *place),
            Kind::Block if !listed => self.block(node, block_kind(node, above), place),
            Kind::If if above == Kind::If => self.else_if(node, place),
            _ if listed => self.statement(node, above, place),
            _ => self.detail(node, above, place),
        }
    }

    fn function(&mut self, chunk: &Chunk, node: Node, place: &mut Place) {
        let span = self.file.span(node.first, node.last);
        place.func = Some(self.out.funcs.len());
        self.out.funcs.push(Func {
            name: header::function_name(self.file, node.first).unwrap_or_default(),
            span,
            signature: span,
            body: None,
            parent: None,
            parent_stmt: None,
            literal: false,
            nosplit: header::nosplit(self.file, chunk),
        });
    }

    fn literal(&mut self, chunk: &Chunk, node: Node, place: &mut Place) {
        let span = self.file.span(node.first, node.last);
        let id = self.out.funcs.len();
        let around = place.func.map(|func| {
            (
                self.out.funcs[func].name.clone(),
                self.out.funcs[func].nosplit,
            )
        });
        let (name, nosplit) = around.unwrap_or_else(|| (self.declared_name(chunk, *place), false));
        self.out.funcs.push(Func {
            name,
            span,
            signature: span,
            body: None,
            parent: place.func,
            parent_stmt: place.stmt,
            literal: true,
            nosplit,
        });
        let home = place
            .stmt
            .filter(|&stmt| Some(self.out.blocks[self.out.stmts[stmt].block].func) == place.func);
        match (home, place.var) {
            (Some(stmt), _) => self.out.stmts[stmt].literals.push(id),
            (None, Some(var)) => self.out.vars[var].literals.push(id),
            _ => {}
        }
        *place = Place {
            func: Some(id),
            stmt: place.stmt,
            ..Place::default()
        };
    }

    /// The name for a literal outside functions.
    fn declared_name(&self, chunk: &Chunk, place: Place) -> String {
        let names = place.var.map(|var| &self.out.vars[var].names);
        let name = names.and_then(|names| names.get(place.nth).or(names.first()));
        name.cloned()
            .unwrap_or_else(|| self.file.name(chunk.first + 1))
    }

    /// A variable specification at package level.
    fn spec(&mut self, chunk: &Chunk, node: Node, place: &mut Place) {
        let var = self.out.vars.len();
        place.var = Some(var);
        self.out.vars.push(VarSpec {
            names: Vec::new(),
            span: self.file.span(node.first, node.last),
            runs: false,
            literals: Vec::new(),
        });
        let grouped = self.file.is(chunk.first + 1, b"(");
        let (first, last) = if grouped {
            (node.first, self.with_semicolon(node.last))
        } else {
            (chunk.first, chunk.end)
        };
        self.own(first, last, Owner::Var(var));
    }

    /// `last`, or the semicolon directly after it.
    fn with_semicolon(&self, last: usize) -> usize {
        if self.file.is_semicolon(last + 1) {
            last + 1
        } else {
            last
        }
    }

    fn label(&mut self, node: Node, place: &mut Place) {
        let colon = node.first + 1;
        let id = self.add_statement(StmtKind::Label, node.first, colon, *place);
        self.own(node.first, colon, Owner::Label(id));
        place.stmt = Some(id);
    }

    /// A statement of a list or behind a label.
    fn statement(&mut self, node: Node, above: Kind, place: &mut Place) {
        let kind = self.statement_kind(node);
        if kind == StmtKind::Empty && !self.file.is(node.first, b";") {
            return; // Only the rendering has it.
        }
        let control = matches!(kind, StmtKind::For | StmtKind::Switch | StmtKind::Select);
        let label = place.stmt.filter(|_| above == Kind::Labeled && control);
        if let Some(label) = label {
            self.out.stmts[label].labels_control = true;
        }
        let id = self.add_statement(kind, node.first, node.last, *place);
        let last = if kind == StmtKind::Empty {
            node.last
        } else {
            self.with_semicolon(node.last)
        };
        self.own(node.first, last, Owner::Stmt(id));
        self.out.stmts[id].of_types = node.kind == Kind::TypeSwitch;
        place.stmt = Some(id);
        match kind {
            StmtKind::Switch | StmtKind::Select => {
                self.brace_ends_header(id, self.file.pair(node.last));
            }
            StmtKind::Block => self.block(node, BlockKind::Bare, place),
            _ => {}
        }
    }

    fn statement_kind(&self, node: Node) -> StmtKind {
        match node.kind {
            Kind::Expression if self.is_panic(node) => StmtKind::Panic,
            Kind::Var => StmtKind::Var,
            Kind::Const => StmtKind::Const,
            Kind::Type => StmtKind::Type,
            Kind::Return => StmtKind::Return,
            Kind::Jump => StmtKind::Jump,
            Kind::Go => StmtKind::Go,
            Kind::Defer => StmtKind::Defer,
            Kind::If => StmtKind::If,
            Kind::For => StmtKind::For,
            Kind::Switch | Kind::TypeSwitch => StmtKind::Switch,
            Kind::Select => StmtKind::Select,
            Kind::Block => StmtKind::Block,
            Kind::Empty => StmtKind::Empty,
            _ => StmtKind::Simple,
        }
    }

    /// `panic(…)` and nothing after it.
    fn is_panic(&self, node: Node) -> bool {
        let call = self.file.text(node.first) == b"panic" && self.file.is(node.first + 1, b"(");
        call && self.file.pair(node.first + 1) == Some(node.last)
    }

    fn add_statement(&mut self, kind: StmtKind, first: usize, last: usize, place: Place) -> StmtId {
        let id = self.out.stmts.len();
        let span = self.file.span(first, last);
        let block = place.block.unwrap_or_default();
        self.out.stmts.push(Stmt {
            block,
            kind,
            span,
            header_end: span.end,
            blocks: Vec::new(),
            literals: Vec::new(),
            condition: Vec::new(),
            post: None,
            of_types: false,
            labels_control: false,
        });
        if let Some(block) = self.out.blocks.get_mut(block) {
            block.stmts.push(id);
        }
        id
    }

    fn brace_ends_header(&mut self, stmt: StmtId, brace: Option<usize>) {
        if let Some(brace) = brace {
            let header_end = &mut self.out.stmts[stmt].header_end;
            *header_end = self.file.start(brace).min(*header_end);
        }
    }

    /// `else if …`: a list without braces, then the statement in it.
    fn else_if(&mut self, node: Node, place: &mut Place) {
        let start = self.file.start(node.first);
        let span = self.file.span(node.first, node.last);
        let id = self.add_block(BlockKind::ElseIf, span, start, *place);
        self.own(node.first - 1, node.first - 1, Owner::Brace(id));
        place.block = Some(id);
        let stmt = self.add_statement(StmtKind::If, node.first, node.last, *place);
        self.own(node.first, node.last, Owner::Stmt(stmt));
        place.stmt = Some(stmt);
    }

    /// A statement list in braces.
    fn block(&mut self, node: Node, kind: BlockKind, place: &mut Place) {
        let span = self.file.span(node.first, node.last);
        let id = self.add_block(kind, span, span.start + 1, *place);
        if let Some(stmt) = place.stmt {
            self.brace_ends_header(stmt, Some(node.first));
        }
        if kind == BlockKind::Body {
            self.body(node, id, *place);
        }
        let literal =
            kind == BlockKind::Body && place.func.is_some_and(|id| self.out.funcs[id].literal);
        if !literal {
            let first = if kind == BlockKind::Else {
                node.first - 1
            } else {
                node.first
            };
            self.own(first, node.first, Owner::Brace(id));
            self.own(node.last, node.last, Owner::Brace(id));
        }
        place.block = Some(id);
    }

    fn body(&mut self, node: Node, id: BlockId, place: Place) {
        if let Some(func) = place.func {
            let func = &mut self.out.funcs[func];
            func.body = Some(id);
            func.signature.end = self.file.end(node.first - 1);
        }
    }

    fn add_block(&mut self, kind: BlockKind, span: Span, open: usize, place: Place) -> BlockId {
        let id = self.out.blocks.len();
        let owner = place.stmt.filter(|_| kind != BlockKind::Body);
        self.out.blocks.push(Block {
            func: place.func.unwrap_or_default(),
            kind,
            owner,
            span,
            entry: open,
            open,
            clause: Span::new(open, open),
            operands: None,
            later: None,
            stmts: Vec::new(),
        });
        if let Some(stmt) = owner {
            self.out.stmts[stmt].blocks.push(id);
        }
        id
    }

    /// A `case` or `default` with its list.
    fn clause(&mut self, node: Node, above: Kind, place: &mut Place) {
        let kind = if above == Kind::Select {
            BlockKind::Comm
        } else {
            BlockKind::Case
        };
        let span = self.file.span(node.first, node.last);
        let id = self.add_block(kind, span, span.end, *place);
        self.out.blocks[id].clause = span;
        self.own(node.first, node.last, Owner::Clause(id));
        place.block = Some(id);
        let Some(stmt) = place.stmt else { return };
        let (open, close) = self.braces(stmt);
        if self.out.stmts[stmt].blocks.len() == 1 {
            self.own(open, open, Owner::Brace(id));
        }
        self.own(close, close, Owner::Brace(id));
        self.operands(id, stmt, node);
    }

    /// Notes what of `case … :` runs before the choice falls: the channels and values of a
    /// `select`'s clauses, and the first expression of a `switch`.
    fn operands(&mut self, id: BlockId, stmt: StmtId, node: Node) {
        let file = self.file;
        if !file.is(node.first, b"case") {
            return;
        }
        let first = node.first + 1;
        let top = |wanted: &[&[u8]]| top_level(file, first, node.last, wanted);
        let colon = top(&[b":"]).unwrap_or(node.last);
        let (operands, later) = if self.out.blocks[id].kind == BlockKind::Comm {
            let assigned = top(&[b"=", b":=", b":"]).filter(|&at| at < colon);
            ((assigned.map_or(first, |at| at + 1), colon), (colon, colon))
        } else if self.out.stmts[stmt].of_types {
            return;
        } else {
            let earlier = &self.out.stmts[stmt].blocks;
            let is_default = |block: &BlockId| {
                let clause = self.out.blocks[*block].clause;
                clause.of(file.source).starts_with(b"default")
            };
            let leads = earlier
                .iter()
                .all(|block| *block == id || is_default(block));
            let comma = top(&[b",", b":"]).filter(|_| leads).unwrap_or(first);
            ((first, comma), (comma, colon))
        };
        let span = |(first, end): effects::Tokens| file.span(first, end - 1);
        // `<-` alone only names what the clause waits for.
        let waits = self.out.blocks[id].kind == BlockKind::Comm;
        let arrow = |at: usize| waits && file.is(at, b"<-");
        let mut parts = Vec::new();
        let mut from = operands.0;
        for at in operands.0..=operands.1 {
            if at == operands.1 || arrow(at) {
                parts.push((from, at));
                from = at + 1;
            }
        }
        let runs = |part: &effects::Tokens| effects::does_more(file, *part);
        let nested = parts.len() > 2;
        let block = &mut self.out.blocks[id];
        if parts.iter().any(runs) || nested {
            block.operands = Some(span(operands));
        }
        if runs(&later) {
            block.later = Some(span(later));
        }
    }

    /// The braces of a `switch` or `select`.
    fn braces(&self, stmt: StmtId) -> (usize, usize) {
        let end = self.out.stmts[stmt].span.end;
        let close = self
            .file
            .tokens
            .partition_point(|token| token.span.start < end);
        let close = close.saturating_sub(1);
        (self.file.pair(close).unwrap_or(close), close)
    }

    fn clause_list(&mut self, node: Node, place: Place) {
        if let Some(block) = place.block {
            let colon = self.file.end(node.first - 1);
            let block = &mut self.out.blocks[block];
            block.open = colon;
            block.clause.end = colon;
        }
    }

    /// What is neither list nor statement: names, values and conditions.
    fn detail(&mut self, node: Node, above: Kind, place: &mut Place) {
        match (above, node.kind, node.field) {
            (Kind::VarSpec, _, Field::Name) => {
                if let Some(var) = place.var {
                    self.out.vars[var].names.push(self.file.name(node.first));
                }
            }
            (Kind::VarSpec, Kind::ExpressionList, _) => place.value = true,
            _ if place.value && runs(self.file, node) => {
                if let Some(var) = place.var {
                    self.out.vars[var].runs = true;
                }
            }
            _ => {}
        }
        let Some(stmt) = place.stmt.filter(|_| is_condition(node, above)) else {
            return;
        };
        // `x := y.(type)` goes up to the `{`.
        let guard = above == Kind::TypeSwitch && node.field != Field::Initializer;
        let last = if guard {
            self.braces(stmt).0 - 1
        } else {
            node.last
        };
        let span = self.file.span(node.first, last);
        if above == Kind::ForClause && node.field == Field::Update {
            self.out.stmts[stmt].post = Some(span);
        }
        let condition = &mut self.out.stmts[stmt].condition;
        if !condition.last().is_some_and(|before| before.encloses(span)) {
            condition.push(span);
        }
    }
}

/// Whether a node of a package variable's value runs something of its own.
fn runs(file: &File<'_>, node: Node) -> bool {
    match node.kind {
        Kind::Call => true,
        Kind::Unary => effects::reaches_out(file, node.first),
        Kind::Index => !effects::instantiates(file, node.last),
        Kind::Selector => effects::follows(file, node.first, node.last),
        Kind::Composite => effects::has_variable_key(file, node.first, node.last),
        _ => false,
    }
}

/// The first of these tokens that stands in no brackets.
fn top_level(file: &File<'_>, first: usize, last: usize, wanted: &[&[u8]]) -> Option<usize> {
    let mut at = first;
    while at <= last {
        let is_op = file.kind(at) == Some(TokenKind::Op);
        if is_op && wanted.contains(&file.text(at)) {
            return Some(at);
        }
        at = file.pair(at).filter(|&end| end > at).unwrap_or(at) + 1;
    }
    None
}

/// Whether a node is a part of what decides where a statement goes.
fn is_condition(node: Node, above: Kind) -> bool {
    match above {
        Kind::If | Kind::ForClause | Kind::Switch | Kind::TypeSwitch => node.field != Field::None,
        Kind::For => node.kind != Kind::ForClause,
        _ => false,
    }
}

fn block_kind(node: Node, above: Kind) -> BlockKind {
    match above {
        Kind::If if node.field == Field::Alternative => BlockKind::Else,
        Kind::If => BlockKind::Then,
        Kind::For => BlockKind::Loop,
        _ => BlockKind::Body,
    }
}
