//! Blocks: marks put together, and what stands between them.

use data_encoding::BASE64;

use super::comment::{self, Mark};
use crate::error::{Code, Error, Result};
use crate::model::{Lines, Span};

/// What a block is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Points.
    Generate,
    /// The import of the runtime package.
    Import,
    /// GOAT 1.0's server start in `main`.
    Main,
    /// A block that the user asks `goat patch` to remove.
    Delete,
    /// The user's own.
    User,
}

impl Kind {
    fn of(word: &[u8]) -> Option<Self> {
        Some(match word {
            b"generate" => Self::Generate,
            b"import" => Self::Import,
            b"main" => Self::Main,
            b"delete" => Self::Delete,
            b"user" => Self::User,
            _ => return None,
        })
    }
}

/// A block: from its opening comment to its `+goat:end`.
#[derive(Clone, Debug)]
pub struct Block {
    /// What it is for.
    pub kind: Kind,
    /// From the opening comment's start to the end comment's end.
    pub span: Span,
    /// Between the opening comment and the end comment.
    pub inner: Span,
    /// The tips comment, if there is one.
    pub tips: Option<Span>,
    /// `rejoin=`: what stood here on the line that the block split.
    pub rejoin: Option<Vec<u8>>,
    /// `restore=`: the lines that the block took the place of.
    pub restore: Option<Vec<u8>>,
    /// `wrap`: the `{` before the block goes with it.
    pub wrap: bool,
    /// `gap`: the empty line after the block goes with it.
    pub gap: bool,
    /// 1-based line of the opening comment.
    pub line: u32,
}

/// All marks of a file.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    /// The blocks in order of their start.
    pub blocks: Vec<Block>,
    /// `// +goat:insert` comments outside goat's blocks.
    pub inserts: Vec<Span>,
}

impl Marks {
    /// The blocks that goat wrote.
    pub fn ours(&self) -> impl Iterator<Item = &Block> {
        self.blocks.iter().filter(|block| block.kind != Kind::User)
    }
}

/// Finds the marks of a file; fails where they do not fit together.
pub fn parse(source: &[u8]) -> Result<Marks> {
    let mut parser = Parser {
        lines: Lines::new(source),
        found: Marks::default(),
        open: Vec::new(),
    };
    for mark in comment::marks(source) {
        parser.take(&mark)?;
    }
    if let Some(at) = comment::swallowed(source) {
        let line = parser.lines.line(at);
        return Err(bad(
            line,
            "this does not end, and there are +goat blocks behind it",
        ));
    }
    if let Some(open) = parser.open.last() {
        return Err(bad(open.line, "a +goat block has no +goat:end"));
    }
    parser.found.blocks.sort_by_key(|block| block.span.start);
    Ok(parser.found)
}

struct Parser {
    lines: Lines,
    found: Marks,
    open: Vec<Block>,
}

impl Parser {
    fn take(&mut self, mark: &Mark<'_>) -> Result<()> {
        match mark.word {
            b"end" => self.end(mark),
            b"tips" => self.tips(mark),
            b"insert" => {
                self.not_inside(mark)?;
                self.found.inserts.push(mark.span);
                Ok(())
            }
            word => match Kind::of(word) {
                Some(kind) => self.start(mark, kind),
                None => Ok(()),
            },
        }
    }

    fn line(&self, mark: &Mark<'_>) -> u32 {
        self.lines.line(mark.span.start)
    }

    /// A user's block may hold blocks of goat's; goat's hold none.
    fn not_inside(&self, mark: &Mark<'_>) -> Result<()> {
        match self.open.last() {
            Some(open) if open.kind != Kind::User => Err(bad(
                self.line(mark),
                "a +goat mark stands inside a +goat block",
            )),
            _ => Ok(()),
        }
    }

    fn start(&mut self, mark: &Mark<'_>, kind: Kind) -> Result<()> {
        self.not_inside(mark)?;
        if kind == Kind::User && !self.open.is_empty() {
            return Err(bad(
                self.line(mark),
                "a +goat:user block stands inside another one",
            ));
        }
        self.open.push(Block {
            kind,
            span: mark.span,
            inner: Span::new(mark.span.end, mark.span.end),
            tips: None,
            rejoin: None,
            restore: None,
            wrap: false,
            gap: false,
            line: self.line(mark),
        });
        Ok(())
    }

    fn end(&mut self, mark: &Mark<'_>) -> Result<()> {
        let Some(mut block) = self.open.pop() else {
            return Err(bad(self.line(mark), "a +goat:end ends no +goat block"));
        };
        block.span.end = mark.span.end;
        block.inner.end = mark.span.start;
        self.found.blocks.push(block);
        Ok(())
    }

    fn tips(&mut self, mark: &Mark<'_>) -> Result<()> {
        let line = self.line(mark);
        let Some(block) = self.open.last_mut() else {
            return Err(bad(line, "a +goat:tips stands outside any +goat block"));
        };
        if block.kind == Kind::User {
            return Ok(());
        }
        block.tips = Some(mark.span);
        for word in mark.rest.split(u8::is_ascii_whitespace) {
            attribute(block, word)
                .ok_or_else(|| bad(line, "a +goat:tips line was edited by hand"))?;
        }
        Ok(())
    }
}

/// Reads one word of a tips line; `None` if it is damaged.
fn attribute(block: &mut Block, word: &[u8]) -> Option<()> {
    if let Some(text) = word.strip_prefix(b"rejoin=") {
        block.rejoin = Some(BASE64.decode(text).ok()?);
    } else if let Some(text) = word.strip_prefix(b"restore=") {
        block.restore = Some(BASE64.decode(text).ok()?);
    } else if word == b"wrap" {
        block.wrap = true;
    } else if word == b"gap" {
        block.gap = true;
    }
    Some(())
}

/// The error for marks on a line.
pub(crate) fn bad(line: u32, what: &str) -> Error {
    Error::new(Code::BadMarks, what)
        .path(line.to_string())
        .hint("repair the +goat comments by hand, or take the file back from git")
}
