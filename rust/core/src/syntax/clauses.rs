//! What is noted without a tree: package and import clauses, and declarations that cannot
//! be read.

use super::build::Builder;
use super::chunks::{Chunk, ChunkKind};
use super::file::File;
use super::header::{doc, function_name, nosplit};
use crate::model::{Func, FuncId, Owner, SyntaxError};
use crate::token::TokenKind;

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

impl Builder<'_> {
    /// Notes a declaration that cannot be read; `at` is the first damaged token.
    pub(super) fn damaged(&mut self, chunk: &Chunk, at: usize) {
        let func = lost_function(self, chunk);
        let span = self.file.span(chunk.first, chunk.last);
        self.own(chunk.first, chunk.end, Owner::Error);
        self.out.outside += usize::from(chunk.kind != ChunkKind::Declaration);
        let at = self.file.start(at).clamp(span.start, span.end);
        self.out.errors.push(SyntaxError { span, at, func });
    }
}

/// The function that a damaged declaration is, without its code.
fn lost_function(builder: &mut Builder<'_>, chunk: &Chunk) -> Option<FuncId> {
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
