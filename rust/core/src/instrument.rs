//! The one place that writes Go text: points into sources, and the file that a
//! package gets in addition.
//!
//! Everything is inserted on the line where it stands, followed by `/*line :L:C*/`
//! where code follows, so that panics, stack traces, compile errors and coverage
//! keep the original's lines and columns. Applying the edits is a splice; taking the
//! inserted text out again gives the original's bytes.

mod directives;
mod package;
mod text;

use crate::control;
use crate::model::{Edit, Place, Point, Span};
use crate::token::TokenKind;

use directives::Directives;
pub use package::{Names, Package, Written, accessor, write};
pub use text::Text;

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
            Self::Chosen if !point.form.exact => "store",
            Self::Chosen | Self::Exact => "exact",
        }
    }

    /// Why, in one word.
    #[must_use]
    pub const fn reason(self, point: &Point) -> &'static str {
        match self {
            Self::Count => "asked",
            Self::Exact if !point.form.exact => "asked",
            Self::Chosen | Self::Exact => point.form.reason.as_str(),
        }
    }
}

/// What goes to one place, in the four kinds of builds.
struct Piece {
    at: usize,
    /// Whether what follows on the line gets its column back.
    restores: bool,
    /// Whether it closes a brace: that comes before what starts at the same offset.
    closes: bool,
    texts: Texts,
}

/// The texts of an [`Edit`], all spelled out.
#[derive(Default)]
struct Texts {
    plain: String,
    exact: String,
    free: String,
    free_exact: String,
}

impl Texts {
    fn same(text: &str) -> Self {
        Self {
            plain: text.to_owned(),
            exact: text.to_owned(),
            free: text.to_owned(),
            free_exact: text.to_owned(),
        }
    }

    /// Puts something before all of them.
    fn after(&mut self, text: &str) {
        for own in [
            &mut self.plain,
            &mut self.exact,
            &mut self.free,
            &mut self.free_exact,
        ] {
            own.insert_str(0, text);
        }
    }

    fn push(&mut self, other: &Self) {
        self.plain.push_str(&other.plain);
        self.exact.push_str(&other.exact);
        self.free.push_str(&other.free);
        self.free_exact.push_str(&other.free_exact);
    }

    /// Each text is left out where another one says it.
    fn edit(self, at: usize) -> Edit {
        let exact = (self.exact != self.plain).then_some(self.exact);
        let free = (self.free != self.plain).then_some(self.free);
        let otherwise = free.as_ref().or(exact.as_ref()).unwrap_or(&self.plain);
        let free_exact = (self.free_exact != *otherwise).then_some(self.free_exact);
        Edit {
            at,
            text: self.plain,
            exact,
            free,
            free_exact,
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
    let mut pieces: Vec<Piece> = Vec::new();
    for (index, point) in points.iter().enumerate() {
        control::step();
        let restores = !point.form.crowded;
        if let Place::Wrap { close, .. } = point.place {
            pieces.push(Piece {
                at: close,
                restores,
                closes: true,
                texts: Texts::same("}"),
            });
        }
        for at in point.place.all() {
            let mut piece = Piece {
                at,
                restores,
                closes: false,
                texts: insertion(point, names, first + index, forms),
            };
            if let Some((at, open)) = line_before(text, point) {
                piece.at = at;
                piece.texts.after(open);
            } else if follows_code(text, at, &point.place) {
                piece.texts.after(";");
            }
            pieces.push(piece);
        }
    }
    pieces.sort_by_key(|piece| (piece.at, !piece.closes));
    let directives = Directives::new(text);
    pieces
        .chunk_by(|a, b| a.at == b.at)
        .map(|chunk| merge(text, &directives, chunk))
        .collect()
}

/// One edit of everything that goes to one offset.
fn merge(text: Text<'_>, directives: &Directives, chunk: &[Piece]) -> Edit {
    let at = chunk[0].at;
    let mut texts = Texts::default();
    for piece in chunk {
        texts.push(&piece.texts);
    }
    if chunk.iter().any(|piece| piece.restores) && code_follows(text, at) {
        texts.push(&Texts::same(&directives.comment(text.lines.position(at))));
    }
    texts.edit(at)
}

/// Where a crowded function's point goes if it is the first on its line: after the token
/// before it, which is on a line before, so that nothing moves and nothing has to be put
/// right. Each `/*line*/` costs the compiler some time in every block of the function. With
/// the place comes what parts the point from that token.
fn line_before(text: Text<'_>, point: &Point) -> Option<(usize, &'static str)> {
    let Place::Before(at) = point.place else {
        return None;
    };
    let end = text.tokens.partition_point(|t| t.span.start < at);
    let mut before = text.tokens[..end].iter().rev();
    let before = before
        .find(|t| !matches!(t.kind, TokenKind::Comment | TokenKind::AutoSemi))
        .filter(|_| point.form.crowded)?;
    let between = Span::new(before.span.end, at).of(text.source);
    let opens = matches!(before.text(text.source), b"{" | b":" | b";");
    between
        .contains(&b'\n')
        .then_some((before.span.end, if opens { "" } else { ";" }))
}

/// Whether a statement stands before this end of a body without a semicolon between:
/// `x++ }`.
fn follows_code(text: Text<'_>, at: usize, place: &Place) -> bool {
    if !matches!(place, Place::Each(_)) {
        return false;
    }
    let end = text.tokens.partition_point(|token| token.span.start < at);
    let mut before = text.tokens[..end].iter().rev();
    let before = before.find(|token| token.kind != TokenKind::Comment);
    before.is_some_and(|token| {
        let ended = token.is_semicolon(text.source) || token.is(text.source, b"{");
        !ended && !token.is(text.source, b":")
    })
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

/// The texts of one point, without the way back to the original's position.
fn insertion(point: &Point, names: &Names, counter: usize, forms: Forms) -> Texts {
    let open = match &point.place {
        Place::Before(_) | Place::Each(_) => "",
        Place::Wrap { .. } => "{",
        Place::Variable { name, grouped, .. } => {
            return Texts::same(&variable(names, counter, name, *grouped));
        }
    };
    if point.form.crowded && forms != Forms::Count {
        return Texts::same(&format!("{open}{}({counter});", names.crowded()));
    }
    let (form, exact) = match forms {
        Forms::Count => ("count", "count"),
        Forms::Chosen | Forms::Exact => (forms.of(point), "exact"),
    };
    let free = |form| {
        // Into a large function the compiler would not inline the exact form's call.
        let write = if point.form.large && form == "exact" {
            guard
        } else {
            free
        };
        open.to_owned() + &write(names, counter, form)
    };
    Texts {
        plain: open.to_owned() + &guard(names, counter, form),
        exact: open.to_owned() + &guard(names, counter, exact),
        free: free(form),
        free_exact: free(exact),
    }
}

/// A point that counts in the inliner's budget.
fn guard(names: &Names, counter: usize, form: &str) -> String {
    let (array, hit) = (names.counters(), names.hit());
    match form {
        "store" => format!("if {array}[{counter}] == 0 {{ {array}[{counter}] = 1 }};"),
        "count" => format!("{hit}({counter});"),
        _ => format!("if {array}[{counter}] == 0 {{ {hit}({counter}) }};"),
    }
}

/// A point that does not: the compiler counts nothing for an assignment to an element
/// of a variable that it takes for one of cmd/cover's, and this one takes no space, so
/// that the call is all that is left of it. The compiler inlines that.
fn free(names: &Names, counter: usize, form: &str) -> String {
    let variable = names.free();
    match form {
        "store" => format!("{variable}[0] = {}({counter});", names.store()),
        "count" => format!("{variable}[0] = {}({counter}, true);", names.ran()),
        _ => format!("{variable}[0] = {}({counter});", names.exact()),
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
