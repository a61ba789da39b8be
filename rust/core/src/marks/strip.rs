//! Taking blocks out.

use super::block::{Block, Kind, Marks, bad};
use super::{import, line, verify};
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
    /// What cannot be put back exactly: the text without it has a line end more than the
    /// original, and the file is better left as it is.
    pub left: Vec<Kept>,
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
///
/// What a block says it took the place of holds only where its surroundings are what
/// goat left: a formatter or a comment may have made a line end of a joint that cannot go
/// any more. So the result must have the tokens of the source without the blocks. Where
/// it has not, the blocks to blame are named, and leave a line end.
pub fn remove(source: &[u8], marks: &Marks) -> Result<Option<Stripped>> {
    if marks.ours().next().is_none() {
        return Ok(None);
    }
    let all = cut(source, marks, &|_| true)?;
    let mut done = if all.is_same() {
        all
    } else {
        let joins = |block: &Block| {
            cut(source, marks, &|other| other.line == block.line).is_ok_and(|cut| cut.is_same())
        };
        let blame: Vec<&Block> = marks
            .ours()
            .filter(|block| block.rejoin.is_some() && !joins(block))
            .collect();
        let mut safe = cut(source, marks, &|block| {
            blame.iter().all(|bad| bad.line != block.line)
        })?;
        if blame.is_empty() || !safe.is_same() {
            safe = cut(source, marks, &|_| false)?;
        }
        if !safe.is_same() {
            let line = marks.ours().next().map_or(0, |block| block.line);
            return Err(bad(line, "the code around a +goat block was changed"));
        }
        safe.out.left = blame.iter().map(|block| left(block)).collect();
        if safe.out.left.is_empty() {
            safe.out.left = marks.ours().take(1).map(left).collect();
        }
        safe
    };
    Ok(Some(if done.imported {
        done.out
    } else {
        done.out = done.out.without_import();
        done.out
    }))
}

fn left(block: &Block) -> Kept {
    Kept {
        line: block.line,
        text: "the code beside this block was changed, so the line that it split cannot be put together again".to_owned(),
    }
}

/// Takes the blocks out; those that `joins` refuses leave a line end where they stood.
fn cut<'a>(source: &'a [u8], marks: &Marks, joins: &dyn Fn(&Block) -> bool) -> Result<Cut<'a>> {
    let mut cut = Cut::new(source);
    for block in marks.ours() {
        cut.block(block, joins(block))?;
    }
    cut.copy_to(source.len());
    Ok(cut)
}

struct Cut<'a> {
    source: &'a [u8],
    lines: Lines,
    at: usize,
    out: Stripped,
    /// What went.
    gone: Vec<Span>,
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
            gone: Vec::new(),
            imported: false,
        }
    }

    /// Whether the program is still what it was.
    fn is_same(&self) -> bool {
        verify::same(self.source, &self.gone, &self.out.source)
    }

    fn copy_to(&mut self, at: usize) {
        if self.at < at {
            self.out.source.extend_from_slice(&self.source[self.at..at]);
        }
        self.at = self.at.max(at);
    }

    /// Goes on behind what is not to be copied.
    fn skip_to(&mut self, at: usize) {
        if self.at < at {
            self.gone.push(Span::new(self.at, at));
            self.at = at;
        }
    }

    fn block(&mut self, block: &Block, joins: bool) -> Result<()> {
        let (foreign, ours) = self.sort_lines(block);
        if foreign.is_empty() {
            let region = self.region(block)?;
            self.copy_to(region.start);
            self.skip_to(region.end);
            self.out.places.push(self.out.source.len());
            // Who asks for the removal of a point also takes back the request for it.
            let restore = block
                .restore
                .as_ref()
                .filter(|_| block.kind != Kind::Delete);
            let put = match &block.rejoin {
                Some(_) if !joins => &b"\n"[..],
                rejoin => rejoin.as_ref().or(restore).map_or(&[][..], Vec::as_slice),
            };
            self.out.source.extend_from_slice(put);
            return Ok(());
        }
        self.copy_to(if block.wrap {
            self.brace(block)?
        } else {
            self.at
        });
        if block.wrap {
            self.skip_to(self.at + 1);
        }
        self.out.places.push(self.out.source.len());
        for span in ours {
            self.copy_to(span.start);
            self.skip_to(span.end);
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
