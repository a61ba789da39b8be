//! tree-sitter's tree of one declaration as a flat list.

use super::chunks::Chunk;
use super::effects;
use super::file::File;
use super::parts::Places;
use super::render::{Outline, Rendered, render};
use crate::control;
use std::cell::RefCell;
use std::ops::ControlFlow;
use std::sync::OnceLock;
use tree_sitter::{Language, Node as TsNode, ParseOptions, ParseState, Parser, Tree, TreeCursor};

/// What a node is, as far as the builder cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Function,
    Literal,
    Const,
    Type,
    Var,
    VarSpec,
    Block,
    List,
    ExpressionList,
    Expression,
    Simple,
    Return,
    Jump,
    Go,
    Defer,
    If,
    For,
    ForClause,
    RangeClause,
    Switch,
    TypeSwitch,
    Select,
    Case,
    Labeled,
    Empty,
    /// A call, a conversion, a slice, an assertion: what may panic or be seen.
    Call,
    Unary,
    Binary,
    Index,
    Selector,
    Composite,
    Other,
}

/// The names of the fields that the builder asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Alternative,
    Condition,
    Initializer,
    Label,
    Name,
    Update,
    Value,
    Alias,
    None,
}

/// A named node. Nodes stand in source order, a parent before its children.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) field: Field,
    /// First and last token.
    pub(super) first: usize,
    pub(super) last: usize,
    /// Index of the parent; the root is its own.
    pub(super) parent: usize,
}

thread_local! {
    static PARSER: RefCell<Option<Parser>> = const { RefCell::new(None) };
}

/// Whether a declaration can be read, as far as `places` touch it and what stands around.
pub(super) fn is_sound(file: &File<'_>, chunk: &Chunk, places: &Places) -> bool {
    let rendered = render(file, chunk, Outline::Around(places));
    run(&rendered, chunk.end - chunk.first).is_ok_and(|tree| {
        let root = tree.root_node();
        !root.has_error() && root.named_child_count() == 1
    })
}

/// The nodes of a declaration, or the first token that cannot be read. Half of the tokens
/// of a function stand in plain operands, of which nobody asks more than where they are:
/// the grammar sees them only where it does not understand the rest.
pub(super) fn parse(file: &File<'_>, chunk: &Chunk) -> Result<Vec<Node>, usize> {
    if file.is(chunk.first, b"func")
        && let Ok(nodes) = parse_outline(file, chunk, Outline::Plain)
    {
        return Ok(nodes);
    }
    parse_outline(file, chunk, Outline::Whole)
}

fn parse_outline(file: &File<'_>, chunk: &Chunk, outline: Outline<'_>) -> Result<Vec<Node>, usize> {
    let rendered = render(file, chunk, outline);
    let tree = match run(&rendered, chunk.end - chunk.first) {
        Ok(tree) => tree,
        Err(byte) => return Err(rendered.token(byte)),
    };
    let root = tree.root_node();
    if root.has_error() {
        return Err(rendered.token(first_error(root)));
    }
    let Some(declaration) = root
        .named_child(0)
        .filter(|_| root.named_child_count() == 1)
    else {
        return Err(chunk.first);
    };
    let nodes = flatten(file, &rendered, declaration);
    let declares = matches!(
        nodes[0].kind,
        Kind::Function | Kind::Const | Kind::Type | Kind::Var
    );
    if declares {
        Ok(nodes)
    } else {
        Err(chunk.first)
    }
}

/// Recovery from an error can take quadratic time, and its tree is of no use: the
/// parser stops some work after the first error. One step is 100 operations.
const STEPS_AFTER_ERROR: usize = 200;

/// How much work correct code may take, in steps per token. Real code needs 0.1.
const STEPS_PER_TOKEN: usize = 20;

/// Parses, or tells the byte where it gave up.
fn run(rendered: &Rendered, tokens: usize) -> Result<Tree, usize> {
    let (mut steps, mut damaged, mut at) = (0, 0, 0);
    let mut watch = |state: &ParseState| {
        steps += 1;
        damaged += usize::from(state.has_error());
        at = state.current_byte_offset();
        let hopeless = damaged > STEPS_AFTER_ERROR || steps > STEPS_PER_TOKEN * tokens + 1000;
        if hopeless || control::is_stopped() {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    };
    let options = ParseOptions::new().progress_callback(&mut watch);
    let mut read = |byte: usize, _| rendered.text.get(byte..).unwrap_or_default();
    let tree = PARSER.with_borrow_mut(|slot| {
        let parser = slot.get_or_insert_with(new_parser);
        let tree = parser.parse_with_options(&mut read, None, Some(options));
        if tree.is_none() {
            parser.reset();
        }
        tree
    });
    tree.ok_or(at)
}

fn new_parser() -> Parser {
    let mut parser = Parser::new();
    parser
        .set_language(&language())
        .expect("the grammar is made for this tree-sitter");
    parser
}

fn language() -> Language {
    tree_sitter_go::LANGUAGE.into()
}

/// The byte of the first ERROR or MISSING node.
fn first_error(root: TsNode<'_>) -> usize {
    let mut cursor = root.walk();
    loop {
        let node = cursor.node();
        if node.is_error() || node.is_missing() {
            return node.start_byte();
        }
        let inside = node.has_error() && cursor.goto_first_child();
        if !inside && !cursor.goto_next_sibling() {
            return node.start_byte();
        }
    }
}

/// The named nodes below a declaration. Expressions without a `func` have nothing
/// inside that matters, except calls in package variables; what stands in constants
/// and types never runs.
fn flatten(file: &File<'_>, rendered: &Rendered, top: TsNode<'_>) -> Vec<Node> {
    let mut nodes = Vec::new();
    let mut parents: Vec<usize> = vec![0];
    let mut cursor = top.walk();
    let is_var = top.kind() == "var_declaration";
    loop {
        control::step();
        let named = cursor.node().is_named();
        let mut descend = false;
        if named {
            let parent = parents.last().copied().unwrap_or(0);
            let mut node = node(&cursor, rendered, parent);
            if is_var && node.kind == Kind::Binary && is_doubtful(file, rendered, cursor.node()) {
                node.kind = Kind::Call;
            }
            descend = descends(file, &node, is_var);
            nodes.push(node);
        }
        if descend && cursor.goto_first_child() {
            parents.push(nodes.len() - 1);
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return nodes;
            }
            parents.pop();
        }
    }
}

fn node(cursor: &TreeCursor<'_>, rendered: &Rendered, parent: usize) -> Node {
    let names = names();
    let node = cursor.node();
    let field = cursor.field_id().map_or(0, |id| id.get() as usize);
    let first = rendered.token(node.start_byte());
    let kind = names
        .kinds
        .get(node.kind_id() as usize)
        .copied()
        .unwrap_or(Kind::Other);
    Node {
        kind,
        field: names.fields.get(field).copied().unwrap_or(Field::None),
        first,
        last: rendered.token(node.end_byte().saturating_sub(1)),
        parent,
    }
}

/// Whether an operation may panic.
fn is_doubtful(file: &File<'_>, rendered: &Rendered, node: TsNode<'_>) -> bool {
    let tokens = |node: TsNode<'_>| {
        let last = rendered.token(node.end_byte().saturating_sub(1));
        (rendered.token(node.start_byte()), last + 1)
    };
    let operands = node.named_child(0).zip(node.named_child(1));
    operands.is_some_and(|(left, right)| {
        let (left, right) = (tokens(left), tokens(right));
        effects::may_panic(file, left, left.1, right)
    })
}

fn descends(file: &File<'_>, node: &Node, is_var: bool) -> bool {
    let constant = matches!(node.kind, Kind::Const | Kind::Type);
    !constant && (is_var || holds_code(node.kind) || file.has_func(node.first, node.last))
}

/// Whether statements can stand inside without a `func` literal.
fn holds_code(kind: Kind) -> bool {
    use Kind::{
        Block, Case, For, ForClause, Function, If, Labeled, List, Select, Switch, TypeSwitch,
    };
    matches!(
        kind,
        Function
            | Block
            | List
            | Labeled
            | If
            | For
            | ForClause
            | Switch
            | TypeSwitch
            | Select
            | Case
    )
}

/// The grammar's numbers for kinds and fields.
struct Names {
    kinds: Vec<Kind>,
    fields: Vec<Field>,
}

fn names() -> &'static Names {
    static NAMES: OnceLock<Names> = OnceLock::new();
    NAMES.get_or_init(|| {
        let language = language();
        let kinds = 0..language.node_kind_count() as u16;
        let fields = 0..=language.field_count() as u16;
        Names {
            kinds: kinds
                .map(|id| kind(language.node_kind_for_id(id).unwrap_or("")))
                .collect(),
            fields: fields
                .map(|id| field(language.field_name_for_id(id).unwrap_or("")))
                .collect(),
        }
    })
}

fn field(name: &str) -> Field {
    match name {
        "alias" => Field::Alias,
        "alternative" => Field::Alternative,
        "condition" => Field::Condition,
        "initializer" => Field::Initializer,
        "label" => Field::Label,
        "name" => Field::Name,
        "update" => Field::Update,
        "value" => Field::Value,
        _ => Field::None,
    }
}

fn kind(name: &str) -> Kind {
    match name {
        "function_declaration" | "method_declaration" => Kind::Function,
        "func_literal" => Kind::Literal,
        "const_declaration" => Kind::Const,
        "type_declaration" => Kind::Type,
        "var_declaration" => Kind::Var,
        "var_spec" => Kind::VarSpec,
        "block" => Kind::Block,
        "statement_list" => Kind::List,
        "expression_list" => Kind::ExpressionList,
        "expression_statement" => Kind::Expression,
        "send_statement"
        | "inc_statement"
        | "dec_statement"
        | "assignment_statement"
        | "short_var_declaration" => Kind::Simple,
        "return_statement" => Kind::Return,
        "break_statement" | "continue_statement" | "goto_statement" | "fallthrough_statement" => {
            Kind::Jump
        }
        "go_statement" => Kind::Go,
        "defer_statement" => Kind::Defer,
        "if_statement" => Kind::If,
        "for_statement" => Kind::For,
        "for_clause" => Kind::ForClause,
        "range_clause" => Kind::RangeClause,
        "expression_switch_statement" => Kind::Switch,
        "type_switch_statement" => Kind::TypeSwitch,
        "select_statement" => Kind::Select,
        "expression_case" | "type_case" | "communication_case" | "default_case" => Kind::Case,
        "labeled_statement" => Kind::Labeled,
        "empty_statement" => Kind::Empty,
        "call_expression"
        | "type_conversion_expression"
        | "slice_expression"
        | "type_assertion_expression" => Kind::Call,
        "unary_expression" => Kind::Unary,
        "binary_expression" => Kind::Binary,
        "index_expression" => Kind::Index,
        "selector_expression" => Kind::Selector,
        "composite_literal" => Kind::Composite,
        _ => Kind::Other,
    }
}
