//! The text that the grammar reads in place of a declaration.
//!
//! It is made of the declaration's tokens, one space between two of them. Names
//! become `x` and literals the shortest of their kind, so that neither Unicode nor
//! a form of number matters. The rest of this file is what tree-sitter-go 0.25
//! needs beyond that; each function names one gap.

use super::chunks::Chunk;
use super::file::File;
use super::operands;
use super::parts::Places;
use crate::control;
use crate::token::TokenKind;

/// The rendering and the way back to the tokens.
pub(super) struct Rendered {
    pub(super) text: Vec<u8>,
    /// For each piece of the text: where it starts, and its token.
    pieces: Vec<(u32, u32)>,
}

impl Rendered {
    /// The token at a byte of the text.
    pub(super) fn token(&self, byte: usize) -> usize {
        let after = self
            .pieces
            .partition_point(|&(start, _)| start as usize <= byte);
        self.pieces
            .get(after.saturating_sub(1))
            .map_or(0, |&(_, token)| token as usize)
    }

    fn push(&mut self, token: usize, text: &[u8]) {
        self.pieces.push((self.text.len() as u32, token as u32));
        self.text.extend_from_slice(text);
        self.text.push(b' ');
    }

    /// One name that stands for all from a token to another.
    fn push_name(&mut self, first: usize, last: usize) {
        self.pieces.push((self.text.len() as u32, first as u32));
        self.text.push(b'x');
        self.push(last, b"x");
    }
}

/// What of a declaration the rendering leaves out: the inside of brackets in which there is
/// nothing that anybody looks for. It parses just as well without.
#[derive(Clone, Copy)]
pub(super) enum Outline<'a> {
    /// Nothing.
    Whole,
    /// What is plain in a function's body: selectors, and arguments that hold no code.
    Plain,
    /// Whatever these places do not touch.
    Around(&'a Places),
}

pub(super) fn render(file: &File<'_>, chunk: &Chunk, outline: Outline<'_>) -> Rendered {
    let count = chunk.end - chunk.first + 2;
    let pieces = Vec::with_capacity(count);
    let mut out = Rendered {
        text: Vec::with_capacity(count * 3),
        pieces,
    };
    let parameters = method_type_parameters(file, chunk);
    let body = (chunk.first..=chunk.last).find(|&at| file.is(at, b"{"));
    let in_body = |at: usize| body.is_some_and(|body| body <= at);
    let mut headers = Headers::default();
    let mut at = chunk.first;
    while at <= chunk.last {
        control::step();
        if let Some((_, close)) = parameters.filter(|(open, _)| *open == at) {
            at = close + 1;
            continue;
        }
        let selected = match outline {
            Outline::Plain if in_body(at) => operands::selector_end(file, at),
            _ => None,
        };
        if let Some(last) = selected {
            out.push_name(at, last);
            at = last + 1;
            continue;
        }
        let next = piece(file, chunk, &mut headers, &mut out, at);
        let close = (next == at + 1 && in_body(at)).then(|| outline.leaves_out(file, at));
        at = match close.flatten() {
            Some(close) => {
                if !file.is(at, b"{") {
                    out.push(at + 1, b"x");
                }
                close
            }
            None => next,
        };
    }
    out.push(chunk.last, b";");
    out
}

impl Outline<'_> {
    /// The closing bracket of the opening one at a token, if what is between them is not
    /// needed. The braces of statement lists and those of literals look alike here.
    fn leaves_out(self, file: &File<'_>, open: usize) -> Option<usize> {
        match file.text(open) {
            // A group of declarations cannot do without names and types.
            b"(" if !matches!(file.text(open - 1), b"var" | b"const" | b"type") => {}
            b"{" => {}
            _ => return None,
        }
        let close = file.pair(open).filter(|close| *close > open + 2)?;
        let needed = match self {
            Outline::Whole => true,
            Outline::Plain => !is_plain_call(file, open, close),
            Outline::Around(places) => places.touch(file.span(open, close)),
        };
        (!needed).then_some(close)
    }
}

/// Whether brackets hold the arguments of a call that are plain.
fn is_plain_call(file: &File<'_>, open: usize, close: usize) -> bool {
    let named = file.is_ident(open - 1) && name(file, open - 1) == b"x";
    file.is(open, b"(") && named && operands::are_plain(file, open, close)
}

/// Renders what starts at a token and gives the token after it.
fn piece(
    file: &File<'_>,
    chunk: &Chunk,
    headers: &mut Headers,
    out: &mut Rendered,
    at: usize,
) -> usize {
    if let Some(close) = type_operand(file, at) {
        out.push(at, b"x");
        return close + 1;
    }
    match headers.semicolon(file, chunk, at) {
        Semicolon::Keep => {}
        Semicolon::Drop => return at + 1,
        Semicolon::Double => out.push(at, b";"),
    }
    if at > chunk.first && (unfinished_group(file, at) || ends_in_labels(file, at)) {
        out.push(at - 1, b";");
    }
    out.push(at, text(file, at));
    at + 1
}

fn text<'s>(file: &File<'s>, at: usize) -> &'s [u8] {
    match file.kind(at) {
        Some(TokenKind::Ident) => name(file, at),
        Some(TokenKind::Int | TokenKind::Float | TokenKind::Imag | TokenKind::Char) => b"1",
        Some(TokenKind::String | TokenKind::RawString) => b"\"\"",
        // No rule of the grammar starts with this character.
        Some(TokenKind::Illegal) => b"@",
        _ => file.text(at),
    }
}

/// `new` and `make` are keywords of the grammar that want a type as first argument:
/// they stay only where one stands. Since Go 1.26 `new` takes any expression; and
/// like `nil`, `true` and `iota` they may be anybody's names.
fn name<'s>(file: &File<'s>, at: usize) -> &'s [u8] {
    let text = file.text(at);
    let takes_type =
        matches!(text, b"new" | b"make") && file.is(at + 1, b"(") && !after_name(file, at);
    let close = if takes_type { file.pair(at + 1) } else { None };
    let Some(close) = close else { return b"x" };
    match type_end(file, at + 2, 0) {
        Some(end)
            if end == close || file.is(end, b",") && (text == b"make" || end + 1 == close) =>
        {
            text
        }
        _ => b"x",
    }
}

/// Whether a declaration or selector makes this word a plain name.
fn after_name(file: &File<'_>, at: usize) -> bool {
    at > 0 && matches!(file.text(at - 1), b"." | b"func" | b")")
}

/// How deep a type argument of `new` may nest and still be seen as a type.
const TYPE_DEPTH: u32 = 200;

/// The token after a type that starts here, if one does.
fn type_end(file: &File<'_>, at: usize, depth: u32) -> Option<usize> {
    if depth > TYPE_DEPTH {
        return None;
    }
    let inner = |at| type_end(file, at, depth + 1);
    let pair = |at: usize| file.pair(at);
    match file.text(at) {
        b"(" => inner(at + 1)
            .filter(|&end| file.is(end, b")"))
            .map(|end| end + 1),
        b"[" => inner(pair(at)? + 1),
        b"map" if file.is(at + 1, b"[") => inner(pair(at + 1)? + 1),
        b"chan" if file.is(at + 1, b"<-") => inner(at + 2),
        b"*" | b"chan" => inner(at + 1),
        b"<-" if file.is(at + 1, b"chan") => inner(at + 2),
        b"struct" | b"interface" if file.is(at + 1, b"{") => Some(pair(at + 1)? + 1),
        b"func" if file.is(at + 1, b"(") => function_type_end(file, pair(at + 1)? + 1, depth),
        _ if file.is_ident(at) => named_type_end(file, at, depth),
        _ => None,
    }
}

fn function_type_end(file: &File<'_>, result: usize, depth: u32) -> Option<usize> {
    if file.is(result, b"(") {
        return Some(file.pair(result)? + 1);
    }
    Some(type_end(file, result, depth + 1).unwrap_or(result))
}

fn named_type_end(file: &File<'_>, at: usize, depth: u32) -> Option<usize> {
    let qualified = file.is(at + 1, b".") && file.is_ident(at + 2);
    let mut end = if qualified { at + 3 } else { at + 1 };
    if !file.is(end, b"[") {
        return Some(end);
    }
    let close = file.pair(end)?;
    loop {
        end = type_end(file, end + 1, depth + 1)?;
        if file.is(end, b",") && end + 1 == close {
            end = close;
        }
        match file.text(end) {
            b"," => {}
            b"]" => return Some(end + 1),
            _ => return None,
        }
    }
}

/// Go 1.27: `func (r T) M[P any](…)`; the grammar knows no type parameters there.
fn method_type_parameters(file: &File<'_>, chunk: &Chunk) -> Option<(usize, usize)> {
    let name = file
        .pair(chunk.first + 1)
        .filter(|_| file.is(chunk.first + 1, b"("))?
        + 1;
    let open = name + 1;
    let method = file.is(chunk.first, b"func") && file.is_ident(name) && file.is(open, b"[");
    let close = file.pair(open).filter(|_| method)?;
    file.is(close + 1, b"(").then_some((open, close))
}

/// `const ( a = 1 )`: the grammar wants a semicolon before the `)`.
fn unfinished_group(file: &File<'_>, at: usize) -> bool {
    if !file.is(at, b")") || file.is_semicolon(at - 1) || file.is(at - 1, b"(") {
        return false;
    }
    let keyword = file.pair(at).and_then(|open| open.checked_sub(1));
    keyword.is_some_and(|at| matches!(file.text(at), b"const" | b"var"))
}

/// `interface { M() }.M`: the grammar takes no such type as an operand. Gives the end
/// of the type.
fn type_operand(file: &File<'_>, at: usize) -> Option<usize> {
    if !matches!(file.text(at), b"interface" | b"struct") {
        return None;
    }
    let close = file.pair(at + 1).filter(|_| file.is(at + 1, b"{"))?;
    let selected = file.is(close + 1, b".");
    let in_parentheses = file.pair(close + 1).is_some_and(|open| open + 1 == at);
    (selected || in_parentheses && file.is(close + 2, b".")).then_some(close)
}

/// `A: B: }`: the grammar lets only one label stand without a statement.
fn ends_in_labels(file: &File<'_>, at: usize) -> bool {
    let label = |at: usize| file.is(at - 1, b":") && file.is_ident(at - 2);
    at >= 4 && file.is(at, b"}") && label(at) && label(at - 2)
}

enum Semicolon {
    Keep,
    /// `if ; x {`: the grammar wants a statement before a header's semicolon.
    Drop,
    /// `{ ; a() }`: the grammar wants a semicolon after an empty statement too.
    Double,
}

/// Tells semicolons of `for` headers from empty statements.
#[derive(Default)]
struct Headers {
    /// For each `for` whose header is being read, how many brackets are open around it.
    inside: Vec<u32>,
    depth: u32,
}

impl Headers {
    fn semicolon(&mut self, file: &File<'_>, chunk: &Chunk, at: usize) -> Semicolon {
        match file.text(at) {
            b"for" => self.inside.push(self.depth),
            b"(" | b"[" => self.depth += 1,
            b")" | b"]" | b"}" => self.depth = self.depth.saturating_sub(1),
            b"{" => {
                if self.inside.last() == Some(&self.depth) && !header_goes_on(file, at) {
                    self.inside.pop();
                }
                self.depth += 1;
            }
            b";" if file.kind(at) == Some(TokenKind::Op) && at > chunk.first => {
                return self.written(file, at);
            }
            _ => {}
        }
        Semicolon::Keep
    }

    fn written(&self, file: &File<'_>, at: usize) -> Semicolon {
        if self.inside.last() == Some(&self.depth) {
            return Semicolon::Keep;
        }
        match file.text(at - 1) {
            b"if" | b"switch" => Semicolon::Drop,
            b"{" | b":" | b";" => Semicolon::Double,
            _ => Semicolon::Keep,
        }
    }
}

/// Whether the braces that open here in a `for` header are a literal's, because
/// `; … {` comes after them: `for s := []int{}; ; {`.
fn header_goes_on(file: &File<'_>, open: usize) -> bool {
    let Some(close) = file.pair(open) else {
        return false;
    };
    let (mut at, mut semicolons) = (close + 1, 0);
    while at < file.tokens.len() && semicolons <= 2 {
        match file.text(at) {
            b";" if file.kind(at) == Some(TokenKind::AutoSemi) => return false,
            b";" => semicolons += 1,
            b"{" => return semicolons > 0,
            b"(" | b"[" => at = file.pair(at).unwrap_or(at),
            b"}" | b"for" | b"if" | b"switch" | b"select" | b"go" | b"defer" | b"return" => break,
            _ if semicolons == 0 => return false,
            _ => {}
        }
        at += 1;
    }
    false
}
