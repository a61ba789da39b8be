//! What tokens and comments alone tell: package clause, imports, directives, and the
//! names of functions.

use super::File;
use super::build::Builder;
use super::chunks::Chunk;
use crate::model::{Func, FuncId, Owner, Span};
use crate::token::{TokenKind, directive};

/// `package x`
pub(super) fn package(builder: &mut Builder<'_>, chunk: &Chunk) {
    let name = chunk.first + 1;
    if chunk.last != name || !builder.file.is_ident(name) {
        return builder.damaged(chunk, chunk.last.min(name));
    }
    builder.own(chunk.first, chunk.end, Owner::Package);
    if builder.out.package_end == 0 {
        builder.out.package = builder.file.name(name);
        builder.out.package_end = builder.file.end(name);
    }
}

/// `import "x"`, `import ( … )`
pub(super) fn import(builder: &mut Builder<'_>, chunk: &Chunk) {
    let file = builder.file;
    let open = chunk.first + 1;
    let grouped = file.is(open, b"(");
    let specs = if grouped {
        open + 1..chunk.last
    } else {
        open..chunk.last + 1
    };
    if let Some(at) = specs.clone().find(|&at| !belongs_to_import(file, at)) {
        return builder.damaged(chunk, at);
    }
    if specs.is_empty() && !grouped || grouped && file.pair(open) != Some(chunk.last) {
        return builder.damaged(chunk, chunk.last);
    }
    builder.own(chunk.first, chunk.end, Owner::Import);
    for at in specs {
        if let Some(path) = import_path(file, at) {
            if path == "C" {
                let above = if grouped {
                    doc(file, first_of_spec(file, at))
                } else {
                    None
                };
                let above = above.or_else(|| doc(file, chunk.first));
                builder.out.cgo_preambles.extend(above);
            }
            builder.out.imports.push(path);
        }
    }
}

fn belongs_to_import(file: &File<'_>, at: usize) -> bool {
    let name = file.is_ident(at) || file.is(at, b".");
    let spec = import_path(file, at).is_some() || name && import_path(file, at + 1).is_some();
    spec || file.is_semicolon(at)
}

fn import_path(file: &File<'_>, at: usize) -> Option<String> {
    let text = file.text(at);
    let literal = matches!(
        file.kind(at),
        Some(TokenKind::String | TokenKind::RawString)
    );
    literal.then(|| String::from_utf8_lossy(&text[1..text.len() - 1]).into_owned())
}

/// The name before an import path, or the path itself.
fn first_of_spec(file: &File<'_>, path: usize) -> usize {
    let named = file.is_ident(path - 1) || file.is(path - 1, b".");
    if named { path - 1 } else { path }
}

/// The comments directly above a token: no blank line between them and it, and the
/// first of them on a line of its own.
fn doc(file: &File<'_>, at: usize) -> Option<Span> {
    let floor = at.checked_sub(1).map_or(0, |before| file.end(before));
    let line_end = memchr::memchr(b'\n', &file.source[floor..]).map(|end| floor + end);
    let mut top = file.start(at);
    let end = file.comments.partition_point(|comment| comment.end <= top);
    let mut found: Option<Span> = None;
    for comment in file.comments[..end].iter().rev() {
        let gap = Span::new(comment.end, top).of(file.source);
        let own_line = floor == 0 || line_end.is_some_and(|end| end < comment.start);
        if comment.start < floor || !own_line || memchr::memchr_iter(b'\n', gap).count() > 1 {
            break;
        }
        top = comment.start;
        found = Some(Span::new(top, found.map_or(comment.end, |span| span.end)));
    }
    found
}

/// Whether a directive between the declaration before and this one forbids points.
/// Like the compiler, it need not touch the function.
pub(super) fn nosplit(file: &File<'_>, chunk: &Chunk) -> bool {
    let floor = chunk
        .first
        .checked_sub(1)
        .map_or(0, |before| file.end(before));
    let from = file
        .comments
        .partition_point(|comment| comment.start < floor);
    let to = file
        .comments
        .partition_point(|comment| comment.end <= file.start(chunk.first));
    let above = file.comments.get(from..to).unwrap_or_default();
    above
        .iter()
        .filter_map(|comment| directive(comment.of(file.source)))
        .any(|text| {
            let word = text
                .split(u8::is_ascii_whitespace)
                .next()
                .unwrap_or_default();
            matches!(
                word,
                b"go:nosplit"
                    | b"go:systemstack"
                    | b"go:nowritebarrier"
                    | b"go:nowritebarrierrec"
                    | b"go:yeswritebarrierrec"
            )
        })
}

/// `F`, `T.M` or `(*T).M`, if the tokens from `func` on go that way.
pub(super) fn function_name(file: &File<'_>, func: usize) -> Option<String> {
    if file.is_ident(func + 1) {
        return Some(file.name(func + 1));
    }
    let close = file.pair(func + 1).filter(|_| file.is(func + 1, b"("))?;
    if !file.is_ident(close + 1) {
        return None;
    }
    let arguments = (func + 2..close)
        .find(|&at| file.is(at, b"["))
        .unwrap_or(close);
    let receiver = (func + 2..arguments).rev().find(|&at| file.is_ident(at))?;
    let (receiver_name, method) = (file.name(receiver), file.name(close + 1));
    if (func + 2..receiver).any(|at| file.is(at, b"*")) {
        return Some(format!("(*{receiver_name}).{method}"));
    }
    Some(format!("{receiver_name}.{method}"))
}

/// The function that a damaged declaration is, without its code.
pub(super) fn lost_function(builder: &mut Builder<'_>, chunk: &Chunk) -> Option<FuncId> {
    let file = builder.file;
    let name = function_name(file, chunk.first).filter(|_| file.is(chunk.first, b"func"))?;
    let body = (chunk.first..=chunk.last).find(|&at| file.is(at, b"{"));
    let span = file.span(chunk.first, chunk.last);
    let signature = body.map_or(span, |at| file.span(chunk.first, at - 1));
    builder.out.funcs.push(Func {
        name,
        span,
        signature,
        body: None,
        parent: None,
        parent_stmt: None,
        literal: false,
        nosplit: nosplit(file, chunk),
    });
    Some(builder.out.funcs.len() - 1)
}
