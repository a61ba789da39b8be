//! What tokens and comments alone tell of a declaration: its comment, its directives and
//! the name of its function.

use super::chunks::Chunk;
use super::file::File;
use crate::model::Span;
use crate::token::directive;

/// The comments directly above a token: no blank line between them and it, and the
/// first of them on a line of its own.
pub(super) fn doc(file: &File<'_>, at: usize) -> Option<Span> {
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
