//! Cuts a file's tokens into top-level declarations and pairs its brackets.

use super::file::File;
use crate::control;

/// One top-level declaration, as token indices.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chunk {
    pub(super) kind: ChunkKind,
    pub(super) first: usize,
    /// The last token that is not its semicolon.
    pub(super) last: usize,
    /// The last token, its semicolons included.
    pub(super) end: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChunkKind {
    Package,
    Import,
    /// `func`, `type`, `var`, `const`
    Declaration,
    /// Anything else: Go has no statements at top level.
    Stray,
}

/// Cuts at semicolons outside brackets, and before what can only start a declaration:
/// there, something before it was never finished.
pub(super) fn split(file: &mut File<'_>) -> Vec<Chunk> {
    let mut cutter = Cutter {
        file,
        open: Vec::new(),
        first: 0,
        chunks: Vec::new(),
    };
    for at in 0..cutter.file.tokens.len() {
        cutter.token(at);
    }
    let end = cutter.file.tokens.len();
    cutter.cut_before(end);
    cutter.chunks
}

struct Cutter<'f, 's> {
    file: &'f mut File<'s>,
    /// Brackets that are open.
    open: Vec<usize>,
    first: usize,
    chunks: Vec<Chunk>,
}

impl Cutter<'_, '_> {
    fn token(&mut self, at: usize) {
        let starts = match self.file.text(at) {
            b"func" => starts_function(self.file, at),
            b"type" | b"var" | b"const" | b"import" => self.open.is_empty(),
            _ => false,
        };
        if starts {
            self.cut_before(at);
        }
        match self.file.text(at) {
            b"(" | b"[" | b"{" => self.open.push(at),
            b")" | b"]" | b"}" => self.close(at),
            b";" if self.open.is_empty() => self.cut_before(at + 1),
            _ => {}
        }
    }

    /// Pairs a closing bracket. A `}` closes what was left open inside it; a `)` or
    /// `]` that does not fit closes nothing.
    fn close(&mut self, at: usize) {
        let wanted: &[u8] = match self.file.text(at) {
            b")" => b"(",
            b"]" => b"[",
            _ => b"{",
        };
        let fits = |open: &usize| {
            control::step();
            self.file.text(*open) == wanted
        };
        let depth = match self.open.last() {
            Some(open) if fits(open) => self.open.len() - 1,
            Some(_) if wanted == b"{" => match self.open.iter().rposition(fits) {
                Some(depth) => depth,
                None => return,
            },
            _ => return,
        };
        let open = self.open[depth];
        self.file.pairs[open] = Some(at as u32);
        self.file.pairs[at] = Some(open as u32);
        self.open.truncate(depth);
    }

    /// Ends the chunk before the token `end`.
    fn cut_before(&mut self, end: usize) {
        if !self.open.is_empty() {
            self.cut_unclosed(end);
        }
        self.push(self.first, end);
        self.first = end;
        self.open.clear();
    }

    /// Brackets are open: cut wherever a line starts with a declaration's keyword.
    fn cut_unclosed(&mut self, end: usize) {
        for at in self.first + 1..end {
            let keyword = matches!(self.file.text(at), b"type" | b"var" | b"const" | b"import");
            if keyword && starts_line(self.file, at) {
                self.push(self.first, at);
                self.first = at;
            }
        }
    }

    fn push(&mut self, first: usize, end: usize) {
        let last = (first..end).rev().find(|&at| !self.file.is_semicolon(at));
        match (last, self.chunks.last_mut()) {
            (Some(last), _) => {
                let kind = kind(self.file, first);
                self.chunks.push(Chunk {
                    kind,
                    first,
                    last,
                    end: end - 1,
                });
            }
            // A semicolon too many is nobody's error.
            (None, Some(before)) if first < end => before.end = end - 1,
            _ => {}
        }
    }
}

fn kind(file: &File<'_>, first: usize) -> ChunkKind {
    match file.text(first) {
        b"package" => ChunkKind::Package,
        b"import" => ChunkKind::Import,
        b"func" | b"type" | b"var" | b"const" => ChunkKind::Declaration,
        _ => ChunkKind::Stray,
    }
}

fn starts_line(file: &File<'_>, at: usize) -> bool {
    let start = file.start(at);
    start == 0 || file.source.get(start - 1) == Some(&b'\n')
}

/// `func F(`, `func F[` or `func (…) M(` at the start of a line: only a declaration
/// reads like this.
fn starts_function(file: &File<'_>, at: usize) -> bool {
    if !file.is(at, b"func") || !starts_line(file, at) {
        return false;
    }
    let name = if file.is(at + 1, b"(") {
        let close = (at + 2..file.tokens.len().min(at + 64)).find(|&at| file.is(at, b")"));
        close.map_or(at, |close| close + 1)
    } else {
        at + 1
    };
    file.is_ident(name) && matches!(file.text(name + 1), b"(" | b"[")
}
