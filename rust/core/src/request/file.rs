//! The operations on one file: `instrument` and `inspect`.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::{Code, Error, Result};
use crate::instrument::apply;
use crate::model::{Edit, Func, Lines, Span};
use crate::plan::{self, PackageDocument};
use crate::syntax;

/// Applies a package's document to one of its files.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Instrument {
    #[serde(rename = "format")]
    _format: u32,
    #[serde(rename = "op")]
    _op: String,
    source: String,
    package: PackageDocument,
    file: String,
    #[serde(default)]
    exact: bool,
}

pub(super) fn instrument(request: &Instrument) -> Result<Vec<u8>> {
    let package = &request.package;
    if package.format != plan::FORMAT {
        return Err(Error::new(Code::PlanMismatch, "plan of another goat")
            .hint("rebuild with the same goat"));
    }
    let file = package.files.iter().find(|file| file.name == request.file);
    let edits: Vec<Edit> = file
        .map_or(&[][..], |file| &file.edits)
        .iter()
        .cloned()
        .map(Edit::from)
        .collect();
    let ends =
        |edit: &Edit| edit.at > request.source.len() || !request.source.is_char_boundary(edit.at);
    if edits.iter().any(ends) {
        return Err(Error::new(
            Code::PlanMismatch,
            "the source is not the one that was planned",
        )
        .hint("plan again")
        .path(&request.file));
    }
    let source = apply(request.source.as_bytes(), &edits, request.exact);
    let source = String::from_utf8_lossy(&source);
    Ok(json!({ "source": source }).to_string().into_bytes())
}

/// Shows how a file is read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Inspect {
    #[serde(rename = "format")]
    _format: u32,
    #[serde(rename = "op")]
    _op: String,
    source: String,
}

pub(super) fn inspect(request: &Inspect) -> Vec<u8> {
    let source = request.source.as_bytes();
    let (syntax, lines) = (syntax::parse(source), Lines::new(source));
    let place = |at: usize| {
        let position = lines.position(at);
        json!({ "line": position.line, "column": position.column })
    };
    let span = |span: Span| json!({ "start": place(span.start), "end": place(span.end) });
    let word = |kind: &dyn std::fmt::Debug| format!("{kind:?}").to_lowercase();
    let function = |f: &Func| {
        json!({
            "name": f.name, "span": span(f.span), "literal": f.literal,
            "nosplit": f.nosplit, "body": f.body,
        })
    };
    let blocks = syntax.blocks.iter().map(|b| {
        json!({
            "function": b.func, "kind": word(&b.kind), "span": span(b.span),
            "statements": b.stmts,
        })
    });
    let statements = syntax.stmts.iter().map(|s| {
        json!({
            "block": s.block, "kind": word(&s.kind), "span": span(s.span),
            "blocks": s.blocks, "literals": s.literals,
        })
    });
    let errors = syntax.errors.iter();
    let errors = errors.map(|e| json!({ "at": place(e.at), "span": span(e.span) }));
    let answer = json!({
        "package": syntax.package,
        "imports": syntax.imports,
        "functions": syntax.funcs.iter().map(function).collect::<Vec<Value>>(),
        "blocks": blocks.collect::<Vec<Value>>(),
        "statements": statements.collect::<Vec<Value>>(),
        "errors": errors.collect::<Vec<Value>>(),
    });
    answer.to_string().into_bytes()
}
