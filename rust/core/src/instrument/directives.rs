//! Positions under a file's own `//line` directives.

use crate::model::Position;
use crate::token::TokenKind;

use super::text::Text;

/// A directive of the file: from `after` on, positions count from `line:column`.
#[derive(Clone, Copy, Debug)]
struct Directive {
    /// First position that it holds for.
    after: Position,
    line: u32,
    /// `None`: columns are not known.
    column: Option<u32>,
}

/// The `//line` and `/*line*/` directives of a file, in order.
#[derive(Debug)]
pub(super) struct Directives(Vec<Directive>);

impl Directives {
    pub(super) fn new(text: Text<'_>) -> Self {
        let comments = text.tokens.iter().filter(|t| t.kind == TokenKind::Comment);
        let found = comments.filter_map(|token| {
            let comment = token.span.of(text.source);
            let start = text.lines.position(token.span.start);
            if let Some(body) = comment.strip_prefix(b"//line ") {
                let after = Position {
                    line: start.line + 1,
                    column: 1,
                };
                return (start.column == 1).then(|| parse(body, after)).flatten();
            }
            let body = comment.strip_prefix(b"/*line ")?.strip_suffix(b"*/")?;
            parse(body, text.lines.position(token.span.end))
        });
        Self(found.collect())
    }

    /// The comment that gives the byte at `real` its own position back; empty where a
    /// directive has made columns unknown, so that there is nothing to give back.
    pub(super) fn comment(&self, real: Position) -> String {
        let next = self.0.partition_point(|d| d.after <= real);
        let Some(directive) = next.checked_sub(1).map(|last| self.0[last]) else {
            return format!("/*line :{}:{}*/", real.line, real.column);
        };
        let Some(column) = directive.column else {
            return String::new();
        };
        let line = directive.line + (real.line - directive.after.line);
        let column = if real.line == directive.after.line {
            column + (real.column - directive.after.column)
        } else {
            real.column
        };
        format!("/*line :{line}:{column}*/")
    }
}

/// Reads `name:line` or `name:line:column`.
fn parse(body: &[u8], after: Position) -> Option<Directive> {
    let body = std::str::from_utf8(body).ok()?.trim_end();
    let (rest, last) = body.rsplit_once(':')?;
    let last: u32 = last.parse().ok().filter(|&n| n > 0)?;
    let before = rest
        .rsplit_once(':')
        .and_then(|(_, n)| n.parse::<u32>().ok());
    Some(match before.filter(|&n| n > 0) {
        Some(line) => Directive {
            after,
            line,
            column: Some(last),
        },
        None => Directive {
            after,
            line: last,
            column: None,
        },
    })
}
