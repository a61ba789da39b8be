//! The one place that writes Go text: points into sources, and the file that a
//! package gets in addition.
//!
//! Everything is inserted on the line where it stands, followed by `/*line :L:C*/`
//! where code follows, so that panics, stack traces, compile errors and coverage
//! keep the original's lines and columns. Applying the edits is a splice; taking the
//! inserted text out again gives the original's bytes.

mod directives;
mod package;

use crate::model::{Edit, Lines, Place, Point, Span};
use crate::token::{Token, TokenKind};

use directives::Directives;
pub use package::{Names, Package, Written, accessor, write};

/// A file's text with what is needed to edit it.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    /// The original.
    pub source: &'a [u8],
    /// Its tokens, comments included.
    pub tokens: &'a [Token],
    /// Its lines.
    pub lines: &'a Lines,
}

/// Which forms the points of a plan take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forms {
    /// Exact or store, as each point says.
    Chosen,
    /// Exact everywhere.
    Exact,
    /// Every hit is counted.
    Count,
}

impl Forms {
    /// The word for one point.
    #[must_use]
    pub fn of(self, point: &Point) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Chosen if !point.exact => "store",
            Self::Chosen | Self::Exact => "exact",
        }
    }
}

/// The edits that put `points`, whose counters start at `first`, into a file.
#[must_use]
pub fn edits(
    text: Text<'_>,
    points: &[Point],
    first: usize,
    names: &Names,
    forms: Forms,
) -> Vec<Edit> {
    let mut pieces: Vec<(usize, String, String)> = Vec::new();
    for (index, point) in points.iter().enumerate() {
        let counter = first + index;
        if let Place::Wrap { close, .. } = point.place {
            pieces.push((close, "}".into(), "}".into()));
        }
        let write = |form| insertion(&point.place, names, counter, form);
        pieces.push((
            point.place.at(),
            write(forms.of(point)),
            write(exact_form(forms)),
        ));
    }
    // A closing brace at an offset comes before what starts there.
    pieces.sort_by_key(|(at, text, _)| (*at, text != "}"));
    let directives = Directives::new(text);
    pieces
        .chunk_by(|a, b| a.0 == b.0)
        .map(|chunk| merge(text, &directives, chunk))
        .collect()
}

const fn exact_form(forms: Forms) -> &'static str {
    match forms {
        Forms::Count => "count",
        Forms::Chosen | Forms::Exact => "exact",
    }
}

/// One edit of everything that goes to one offset.
fn merge(text: Text<'_>, directives: &Directives, chunk: &[(usize, String, String)]) -> Edit {
    let at = chunk[0].0;
    let back = if code_follows(text, at) {
        directives.comment(text.lines.position(at))
    } else {
        String::new()
    };
    let join = |part: fn(&(usize, String, String)) -> &str| {
        chunk
            .iter()
            .map(part)
            .chain([back.as_str()])
            .collect::<String>()
    };
    let (plain, exact) = (join(|c| &c.1), join(|c| &c.2));
    let exact = (plain != exact).then_some(exact);
    Edit {
        at,
        text: plain,
        exact,
    }
}

/// Whether a token, or a comment with code behind it, follows on the line.
fn code_follows(text: Text<'_>, at: usize) -> bool {
    let next = text.tokens.partition_point(|t| {
        t.span.start < at || t.kind == TokenKind::AutoSemi && t.span.start == at
    });
    text.tokens.get(next).is_some_and(|token| {
        let between = Span::new(at, token.span.start).of(text.source);
        !between.contains(&b'\n') && !token.span.of(text.source).starts_with(b"//")
    })
}

/// The text of one point, without the way back to the original's position.
fn insertion(place: &Place, names: &Names, counter: usize, form: &str) -> String {
    match place {
        Place::Before(_) => point(names, counter, form),
        Place::Wrap { .. } => format!("{{{}", point(names, counter, form)),
        Place::Variable { name, grouped, .. } => variable(names, counter, name, *grouped),
    }
}

fn point(names: &Names, counter: usize, form: &str) -> String {
    let (array, hit) = (names.counters(), names.hit());
    match form {
        "store" => format!("if {array}[{counter}] == 0 {{ {array}[{counter}] = 1 }};"),
        "count" => format!("{hit}({counter});"),
        _ => format!("if {array}[{counter}] == 0 {{ {hit}({counter}) }};"),
    }
}

/// A variable of its own whose initialiser needs `name`, so that Go runs it after
/// `name`'s, in the same file, so that the same build constraints hold for both. No
/// function literal: it would take a number from the names of the package's own.
fn variable(names: &Names, counter: usize, name: &str, grouped: bool) -> String {
    let keyword = if grouped { "" } else { "var " };
    let (own, ran) = (names.variable(counter), names.ran());
    format!(";{keyword}{own} = {ran}({counter}, &{name} == nil)")
}

/// The source with the edits applied; `exact` takes the exact form everywhere.
#[must_use]
pub fn apply(source: &[u8], edits: &[Edit], exact: bool) -> Vec<u8> {
    let added: usize = edits.iter().map(|edit| edit.text.len() + 16).sum();
    let mut out = Vec::with_capacity(source.len() + added);
    let mut from = 0;
    for edit in edits {
        let at = edit.at.clamp(from, source.len());
        out.extend_from_slice(&source[from..at]);
        let text = edit.exact.as_ref().filter(|_| exact).unwrap_or(&edit.text);
        out.extend_from_slice(text.as_bytes());
        from = at;
    }
    out.extend_from_slice(&source[from..]);
    out
}
