//! Writing blocks into one file.
//!
//! A block stands on lines of its own before the line of its place. Where code
//! stands before the place on the same line, the line is split there and the tips
//! line says what stood at the joint. No byte of the user's changes.

use data_encoding::BASE64;

use crate::model::Span;
use crate::token::{self, Token, TokenKind};

const TIPS: &str = "// +goat:tips: do not edit the block between the +goat comments";

/// What to put at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Put {
    /// Point number n.
    Point(u32),
    /// Point number n with an open brace before it: the start of an `else if`.
    Open(u32),
    /// The brace that ends what [`Put::Open`] began.
    Close,
    /// Point number n in the place of a `// +goat:insert` comment (its start), which
    /// comes back when the block goes.
    Insert(u32),
    /// Point number n of a package-level variable's initialiser. Its place is the
    /// end of the variable's specification.
    Var(u32, String),
}

/// A place in a file without marks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Byte offset.
    pub at: usize,
    /// What to put there.
    pub put: Put,
}

/// How the file refers to the runtime package.
#[derive(Clone, Copy, Debug)]
pub struct Package<'a> {
    /// The name in the file.
    pub alias: &'a str,
    /// The import path.
    pub path: &'a str,
}

/// The file with its blocks and the import; the same text without any place.
#[must_use]
pub fn write(source: &[u8], places: &[Place], package: Package<'_>) -> Vec<u8> {
    let mut writer = Writer {
        source,
        tokens: token::scan(source),
        package,
        at: 0,
        out: Vec::with_capacity(source.len() + 256 * places.len()),
    };
    let mut spots: Vec<Spot> = places.iter().map(|place| writer.spot(place)).collect();
    if spots.iter().any(|spot| !spot.lines.is_empty()) {
        spots.push(writer.import());
    }
    spots.sort_by_key(|spot| (spot.at, spot.order));
    for spot in merge(spots) {
        writer.put(&spot);
    }
    writer.copy_to(source.len());
    writer.out
}

/// Blocks at one offset become one block.
fn merge(spots: Vec<Spot>) -> Vec<Spot> {
    let mut merged: Vec<Spot> = Vec::with_capacity(spots.len());
    for spot in spots {
        match merged.last_mut() {
            Some(last)
                if last.at == spot.at && last.mark == spot.mark && last.order == spot.order =>
            {
                last.lines.extend(spot.lines);
                last.wrap |= spot.wrap;
                last.restore = last.restore.take().or(spot.restore);
            }
            _ => merged.push(spot),
        }
    }
    merged
}

/// A block to write, its place found.
struct Spot {
    at: usize,
    /// Blocks that close come before blocks that open.
    order: u8,
    mark: &'static str,
    lines: Vec<String>,
    wrap: bool,
    gap: bool,
    /// The lines that the block takes the place of.
    restore: Option<Span>,
    indent: Vec<u8>,
}

struct Writer<'a> {
    source: &'a [u8],
    tokens: Vec<Token>,
    package: Package<'a>,
    at: usize,
    out: Vec<u8>,
}

impl Writer<'_> {
    fn copy_to(&mut self, at: usize) {
        self.out
            .extend_from_slice(&self.source[self.at.min(at)..at]);
        self.at = self.at.max(at);
    }

    fn call(&self, number: u32) -> String {
        let alias = self.package.alias;
        format!("{alias}.Track({alias}.TRACK_ID_{number})")
    }

    fn spot(&self, place: &Place) -> Spot {
        let (at, indent) = self.settle(place);
        let mut spot = Spot {
            at,
            order: 1,
            mark: "generate",
            lines: Vec::new(),
            wrap: false,
            gap: false,
            restore: None,
            indent,
        };
        match &place.put {
            Put::Point(number) => spot.lines.push(self.call(*number)),
            Put::Open(number) => {
                spot.wrap = true;
                spot.lines.push(self.call(*number));
            }
            Put::Close => {
                spot.order = 0;
                spot.lines.push("}".to_owned());
            }
            Put::Insert(number) => {
                if self.starts_line(place.at) {
                    let line = self.line_of(place.at);
                    spot.at = line.start;
                    spot.restore = Some(line);
                }
                spot.lines.push(self.call(*number));
            }
            Put::Var(number, name) => {
                let alias = self.package.alias;
                let line = format!("var _ = {alias}.TrackInit(&{name}, {alias}.TRACK_ID_{number})");
                spot.lines.push(line);
            }
        }
        spot
    }

    /// Where a block really goes: past what is left of the line if that is blank or
    /// comment; and its indentation: deeper than a line that it splits or follows.
    fn settle(&self, place: &Place) -> (usize, Vec<u8>) {
        if let Put::Var(..) = place.put {
            let at = declaration_end(self.source, &self.tokens, place.at);
            return (self.past_blank_rest(at), Vec::new());
        }
        let (at, mut indent) = (place.at, self.indent(place.at).to_vec());
        let opens = matches!(place.put, Put::Point(_) | Put::Open(_));
        // The line of a closing brace is not as deep as the code before it.
        if opens && (!self.starts_line(at) || self.source[at..].starts_with(b"}")) {
            indent.push(b'\t');
        }
        (self.past_blank_rest(at), indent)
    }

    /// Whether nothing but white space stands before `at` on its line.
    fn starts_line(&self, at: usize) -> bool {
        self.source[self.line_of(at).start..at]
            .trim_ascii()
            .is_empty()
    }

    fn past_blank_rest(&self, at: usize) -> usize {
        past_blank_rest(self.source, &self.tokens, at)
    }

    fn import(&self) -> Spot {
        let clause = self
            .tokens
            .iter()
            .position(|token| token.is(self.source, b"package"));
        let semicolon = clause.and_then(|at| {
            self.tokens[at..]
                .iter()
                .find(|token| token.is_semicolon(self.source))
        });
        let mut at = self.past_blank_rest(semicolon.map_or(0, |token| token.span.end));
        let line = self.line_of(at);
        if line.start == at && line.end > at && line.of(self.source).trim_ascii().is_empty() {
            at = line.end;
        }
        let Package { alias, path } = self.package;
        Spot {
            at,
            order: 0,
            mark: "import",
            lines: vec![format!("import {alias} \"{path}\"")],
            wrap: false,
            gap: self.line_of(at).start == at,
            restore: None,
            indent: Vec::new(),
        }
    }

    /// The line around `at`, with its end.
    fn line_of(&self, at: usize) -> Span {
        let start = memchr::memrchr(b'\n', &self.source[..at]).map_or(0, |n| n + 1);
        let end =
            memchr::memchr(b'\n', &self.source[at..]).map_or(self.source.len(), |n| at + n + 1);
        Span::new(start, end)
    }

    /// White space at the start of the line around `at`.
    fn indent(&self, at: usize) -> &[u8] {
        let line = self.line_of(at).of(self.source);
        let length = line
            .iter()
            .take_while(|byte| matches!(byte, b' ' | b'\t'))
            .count();
        &line[..length]
    }

    /// The line end in use around `at`.
    fn line_end(&self, at: usize) -> &'static [u8] {
        let line = self.line_of(at).of(self.source);
        let first = self.line_of(0).of(self.source);
        let sample = if line.ends_with(b"\n") { line } else { first };
        if sample.ends_with(b"\r\n") {
            b"\r\n"
        } else {
            b"\n"
        }
    }

    fn put(&mut self, spot: &Spot) {
        let end = self.line_end(spot.at);
        let cut_off = spot.at == self.source.len() && !self.source.ends_with(b"\n");
        if self.starts_line(spot.at) && !spot.wrap && !cut_off {
            self.put_lines(spot, self.line_of(spot.at).start, end);
        } else {
            self.split(spot, end);
        }
    }

    /// A block on lines of its own.
    fn put_lines(&mut self, spot: &Spot, start: usize, end: &[u8]) {
        self.copy_to(start);
        let mut words = String::new();
        if let Some(span) = spot.restore {
            words = format!(" restore={}", BASE64.encode(span.of(self.source)));
            self.at = span.end;
        }
        if spot.gap {
            words.push_str(" gap");
        }
        self.block(spot, &words, end);
        self.out.extend_from_slice(end);
        if spot.gap {
            self.out.extend_from_slice(end);
        }
    }

    /// A block inside a line.
    fn split(&mut self, spot: &Spot, end: &[u8]) {
        // A block before this one may have taken the white space between the two.
        let start = self.source[..spot.at].trim_ascii_end().len().max(self.at);
        let rest = self.source[spot.at..].trim_ascii_start();
        let next = self.source.len() - rest.len();
        self.copy_to(start);
        let joint = BASE64.encode(&self.source[start..next]);
        self.at = next;
        let mut words = format!(" rejoin={joint}");
        if spot.wrap {
            self.out.extend_from_slice(b" {");
            words.push_str(" wrap");
        }
        self.out.extend_from_slice(end);
        self.block(spot, &words, end);
        if rest.is_empty() {
            return;
        }
        self.out.extend_from_slice(end);
        let outdent =
            usize::from(rest[0] == b'}' && spot.indent.ends_with(b"\t") && spot.order > 0);
        self.out
            .extend_from_slice(&spot.indent[..spot.indent.len() - outdent]);
    }

    /// The block itself, without the end of its last line.
    fn block(&mut self, spot: &Spot, words: &str, end: &[u8]) {
        let mut line = |text: &str| {
            self.out.extend_from_slice(&spot.indent);
            self.out.extend_from_slice(text.as_bytes());
            self.out.extend_from_slice(end);
        };
        line(&format!("// +goat:{}", spot.mark));
        line(&format!("{TIPS}{words}"));
        spot.lines.iter().for_each(|text| line(text));
        self.out.extend_from_slice(&spot.indent);
        self.out.extend_from_slice(b"// +goat:end");
    }
}

/// The start of the next line where nothing but comments stands on this one after
/// `at`; else the end of these comments or `at` itself.
fn past_blank_rest(source: &[u8], tokens: &[Token], at: usize) -> usize {
    let mut to = at;
    let first = tokens.partition_point(|token| token.span.start < at);
    for token in &tokens[first..] {
        let between = &source[to..token.span.start];
        if let Some(end) = memchr::memchr(b'\n', between) {
            return to + end + 1;
        }
        match token.kind {
            TokenKind::Comment => to = token.span.end,
            TokenKind::AutoSemi => {}
            _ => return to,
        }
    }
    memchr::memchr(b'\n', &source[to..]).map_or(source.len(), |end| to + end + 1)
}

/// The end of the package-level declaration around `at`, or of a later one, so that
/// the line ends there too.
pub(super) fn declaration_end(source: &[u8], tokens: &[Token], at: usize) -> usize {
    let line_ends = |at: usize| {
        let to = past_blank_rest(source, tokens, at);
        to == source.len() || source[..to].ends_with(b"\n")
    };
    let mut depth = 0_i32;
    for token in tokens {
        if token.kind == TokenKind::Op {
            match token.text(source) {
                b"(" | b"[" | b"{" => depth += 1,
                b")" | b"]" | b"}" => depth -= 1,
                _ => {}
            }
        }
        let end = token.span.end;
        if depth == 0 && end >= at && token.is_semicolon(source) && line_ends(end) {
            return end;
        }
    }
    source.len()
}

#[cfg(test)]
mod tests;
