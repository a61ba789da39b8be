//! The import that belongs to blocks but stands outside any: GOAT 1.0 wrote it
//! into the file's import group, and tools that tidy imports move ours there.

use crate::model::Span;
use crate::token::{self, Token, TokenKind};

/// An import specification.
struct Spec {
    span: Span,
    named: bool,
    /// The declaration, and how many specifications it holds.
    declaration: Span,
    count: usize,
}

/// What to cut so that the import named `qualifier` is gone; `None` if there is no
/// such import or something uses it.
pub(crate) fn find(source: &[u8], qualifier: &str) -> Option<Span> {
    let mut tokens = token::scan(source);
    tokens.retain(|token| token.kind != TokenKind::Comment);
    let (specs, end) = imports(source, &tokens, qualifier);
    let spec = specs.into_iter().find(|spec| spec.named)?;
    let alone = spec.count == 1;
    let cut = if alone { spec.declaration } else { spec.span };
    (!used(source, &tokens[end..], qualifier)).then(|| whole_lines(source, cut))
}

/// The import specifications, and the index of the first token after them.
fn imports(source: &[u8], tokens: &[Token], qualifier: &str) -> (Vec<Spec>, usize) {
    let mut specs = Vec::new();
    let mut at = tokens
        .iter()
        .position(|token| token.is_semicolon(source))
        .map_or(0, |n| n + 1);
    while tokens
        .get(at)
        .is_some_and(|token| token.is(source, b"import"))
    {
        let start = tokens[at].span.start;
        let group = tokens
            .get(at + 1)
            .is_some_and(|token| token.is(source, b"("));
        let first = at + 1 + usize::from(group);
        let length = |stop: &dyn Fn(&Token) -> bool| tokens[first..].iter().position(stop);
        let stop = if group {
            length(&|token| token.is(source, b")")).map_or(tokens.len(), |n| first + n + 1)
        } else {
            length(&|token| token.is_semicolon(source)).map_or(tokens.len(), |n| first + n)
        };
        let mut found = specifications(source, &tokens[first..stop], qualifier);
        let declaration = Span::new(start, tokens[stop - 1].span.end);
        let count = found.len();
        for spec in &mut found {
            (spec.declaration, spec.count) = (declaration, count);
        }
        specs.extend(found);
        at = (stop + 1).min(tokens.len());
    }
    (specs, at)
}

fn specifications(source: &[u8], tokens: &[Token], qualifier: &str) -> Vec<Spec> {
    let mut specs = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        if !matches!(token.kind, TokenKind::String | TokenKind::RawString) {
            continue;
        }
        let name = index.checked_sub(1).map(|before| &tokens[before]);
        let name = name.filter(|name| name.kind == TokenKind::Ident || name.is(source, b"."));
        let path = token.text(source);
        let last = path[1..path.len() - 1]
            .rsplit(|&byte| byte == b'/')
            .next()
            .unwrap_or_default();
        let local = name.map_or(last, |name| name.text(source));
        specs.push(Spec {
            span: Span::new(name.unwrap_or(token).span.start, token.span.end),
            named: local == qualifier.as_bytes(),
            declaration: Span::default(),
            count: 0,
        });
    }
    specs
}

fn used(source: &[u8], tokens: &[Token], qualifier: &str) -> bool {
    tokens.windows(2).any(|pair| {
        pair[0].kind == TokenKind::Ident
            && pair[0].text(source) == qualifier.as_bytes()
            && pair[1].is(source, b".")
    })
}

/// Extends to the whole lines where nothing else stands on them, and to one of two
/// empty lines that would then follow each other.
fn whole_lines(source: &[u8], cut: Span) -> Span {
    let start = memchr::memrchr(b'\n', &source[..cut.start]).map_or(0, |n| n + 1);
    let rest = &source[cut.end..];
    let end = memchr::memchr(b'\n', rest).map_or(source.len(), |n| cut.end + n + 1);
    if !source[start..cut.start].trim_ascii().is_empty() {
        return cut;
    }
    let after = source[cut.end..end].trim_ascii();
    if !after.is_empty() {
        let semicolon = after
            .strip_prefix(b";")
            .map_or(0, |_| rest.len() - rest.trim_ascii_start().len() + 1);
        return Span::new(cut.start, cut.end + semicolon);
    }
    let empty = |line: &[u8]| line.trim_ascii().is_empty();
    let above = source[..start]
        .strip_suffix(b"\n")
        .map(|text| text.rsplit(|&byte| byte == b'\n').next());
    let below = source[end..]
        .split_inclusive(|&byte| byte == b'\n')
        .next()
        .unwrap_or_default();
    let double = above.flatten().is_some_and(empty) && !below.is_empty() && empty(below);
    Span::new(start, if double { end + below.len() } else { end })
}
