//! Taking blocks out.

use super::block::{Block, Kind, Marks, bad};
use super::{import, line};
use crate::error::Result;
use crate::model::{Lines, Span};

/// A line that goat did not write but found inside one of its blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// 1-based line, in the text with marks.
    pub line: u32,
    /// The line without its indentation.
    pub text: String,
}

/// A file without its blocks.
#[derive(Clone, Debug, Default)]
pub struct Stripped {
    /// The text.
    pub source: Vec<u8>,
    /// What stood inside goat's blocks and was kept.
    pub kept: Vec<Kept>,
    /// The name by which the blocks call the runtime package.
    pub qualifier: Option<String>,
    /// Where each block of [`Marks::ours`] stood, as an offset into `source`.
    pub places: Vec<usize>,
}

impl Stripped {
    /// Removes an import that stands outside the blocks but served only them.
    fn without_import(mut self) -> Self {
        let name = self.qualifier.as_deref();
        if let Some(cut) = name.and_then(|name| import::find(&self.source, name)) {
            self.source.drain(cut.start..cut.end);
            for place in self.places.iter_mut().filter(|place| **place >= cut.end) {
                *place -= cut.end - cut.start;
            }
        }
        self
    }
}

/// The text without what stands inside `+goat:delete` blocks and is not goat's: who
/// wrote that mark wants it gone. `None` if there is no such text.
pub fn empty_deleted(source: &[u8]) -> Result<Option<Vec<u8>>> {
    let marks = super::parse(source)?;
    let mut cut = Cut::new(source);
    let mut any = false;
    for block in marks.ours().filter(|block| block.kind == Kind::Delete) {
        let (foreign, _) = cut.sort_lines(block);
        for kept in &foreign {
            let line = cut.lines.span(kept.line);
            cut.copy_to(line.start.max(block.inner.start));
            cut.at = line.end.min(block.inner.end);
            any = true;
        }
    }
    cut.copy_to(source.len());
    Ok(any.then_some(cut.out.source))
}

/// Takes all of goat's blocks out of `source`; `None` if there are none.
pub fn remove(source: &[u8], marks: &Marks) -> Result<Option<Stripped>> {
    let mut cut = Cut::new(source);
    let mut any = false;
    for block in marks.ours() {
        cut.block(block)?;
        any = true;
    }
    if !any {
        return Ok(None);
    }
    cut.copy_to(source.len());
    let imported = cut.imported;
    Ok(Some(if imported {
        cut.out
    } else {
        cut.out.without_import()
    }))
}

struct Cut<'a> {
    source: &'a [u8],
    lines: Lines,
    at: usize,
    out: Stripped,
    /// Whether one of the blocks held the import.
    imported: bool,
}

impl<'a> Cut<'a> {
    fn new(source: &'a [u8]) -> Self {
        let lines = Lines::new(source);
        Self {
            source,
            lines,
            at: 0,
            out: Stripped::default(),
            imported: false,
        }
    }

    fn copy_to(&mut self, at: usize) {
        if self.at < at {
            self.out.source.extend_from_slice(&self.source[self.at..at]);
        }
        self.at = self.at.max(at);
    }

    fn block(&mut self, block: &Block) -> Result<()> {
        let (foreign, ours) = self.sort_lines(block);
        if foreign.is_empty() {
            let region = self.region(block)?;
            self.copy_to(region.start);
            self.at = self.at.max(region.end);
            self.out.places.push(self.out.source.len());
            // Who asks for the removal of a point also takes back the request for it.
            let restore = block
                .restore
                .as_ref()
                .filter(|_| block.kind != Kind::Delete);
            let put = block.rejoin.as_ref().or(restore);
            self.out
                .source
                .extend_from_slice(put.map_or(&[], Vec::as_slice));
            return Ok(());
        }
        self.copy_to(if block.wrap {
            self.brace(block)?
        } else {
            self.at
        });
        if block.wrap {
            self.at += 1;
        }
        self.out.places.push(self.out.source.len());
        for span in ours {
            self.copy_to(span.start);
            self.at = self.at.max(span.end);
        }
        self.out.kept.extend(foreign);
        Ok(())
    }

    /// The lines of a block that are not goat's, and the spans of those that are.
    fn sort_lines(&mut self, block: &Block) -> (Vec<Kept>, Vec<Span>) {
        let (first, last) = (
            self.lines.line(block.span.start),
            self.lines.line(block.span.end),
        );
        let (mut foreign, mut ours) = (Vec::new(), Vec::new());
        for number in first..=last {
            let span = self.lines.span(number);
            let part = Span::new(
                span.start.max(block.span.start),
                span.end.min(block.span.end),
            );
            let own = match line::read(part.of(self.source), block.kind) {
                line::Line::Foreign => false,
                line::Line::Empty => true,
                line::Line::Ours(qualifier) => {
                    self.imported |= block.kind == Kind::Import && qualifier.is_some();
                    self.out.qualifier = qualifier.or(self.out.qualifier.take());
                    true
                }
            };
            let whole = blank(Span::new(span.start, part.start).of(self.source))
                && blank(Span::new(part.end, span.end).of(self.source));
            if own {
                ours.push(if whole { span } else { part });
            } else {
                let text = String::from_utf8_lossy(part.of(self.source))
                    .trim()
                    .to_owned();
                foreign.push(Kept { line: number, text });
                // The end comment may stand behind such a line.
                if number == last {
                    ours.push(Span::new(block.inner.end, block.span.end));
                }
            }
        }
        (foreign, ours)
    }

    /// What a whole block takes with it.
    fn region(&self, block: &Block) -> Result<Span> {
        let source = self.source;
        if block.rejoin.is_some() {
            let mut start = trim_back(source, block.span.start);
            if block.wrap {
                start = trim_back(source, self.brace(block)?);
            }
            return Ok(Span::new(start, skip_blank(source, block.span.end)));
        }
        let first = self.lines.span(self.lines.line(block.span.start));
        let last = self.lines.span(self.lines.line(block.span.end));
        let before = Span::new(first.start, block.span.start);
        let start = if blank(before.of(source)) {
            before.start
        } else {
            before.end
        };
        let after = Span::new(block.span.end, last.end);
        let mut end = if blank(after.of(source)) {
            after.end
        } else {
            after.start
        };
        if block.gap {
            let next = self.lines.span(self.lines.line(last.end));
            if next.start == end && blank(next.of(source)) {
                end = next.end;
            }
        }
        Ok(Span::new(start, end))
    }

    /// The brace that a wrapping block opened.
    fn brace(&self, block: &Block) -> Result<usize> {
        let end = trim_back(self.source, block.span.start);
        match end.checked_sub(1) {
            Some(at) if self.source[at] == b'{' && at >= self.at => Ok(at),
            _ => Err(bad(block.line, "the brace before a +goat block is gone")),
        }
    }
}

fn blank(text: &[u8]) -> bool {
    text.trim_ascii().is_empty()
}

/// The end of the last byte before `at` that is no white space.
fn trim_back(source: &[u8], at: usize) -> usize {
    source[..at].trim_ascii_end().len()
}

/// The start of the first byte from `at` on that is no white space.
fn skip_blank(source: &[u8], at: usize) -> usize {
    source.len() - source[at..].trim_ascii_start().len()
}

impl Block {
    /// Whether the block stands for points of goat's (or did in GOAT 1.0).
    #[must_use]
    pub fn is_point(&self) -> bool {
        matches!(self.kind, Kind::Generate | Kind::Delete)
    }
}
