//! Go sources as functions, statement lists and statements.
//!
//! The scanner of [`crate::token`] cuts a file into top-level declarations; each
//! one is parsed by tree-sitter on its own, so that damage stays where it is. The
//! grammar never sees the file itself but a rendering of its tokens (`render`)
//! with every semicolon written out and with what the grammar does not know put
//! into a form that it knows. Every span in the result is that of source tokens, so
//! the rendering need not have the length of the source.
//!
//! Nothing here recurses on the nesting of the code.

mod build;
mod chunks;
mod header;
mod owners;
mod parts;
mod render;
mod tree;

use crate::model::{FileSyntax, Span, SyntaxError};
use crate::token::{self, Token, TokenKind};
use build::Builder;
use chunks::{Chunk, ChunkKind};
use parts::Places;

/// Reads a Go file. Never fails: what cannot be read is in `errors`.
#[must_use]
pub fn parse(source: &[u8]) -> FileSyntax {
    let mut file = File::new(source, &token::scan(source));
    let chunks = chunks::split(&mut file);
    let mut builder = Builder::new(&file);
    for chunk in &chunks {
        declare(&mut builder, chunk);
    }
    builder.finish()
}

/// Reads of a file, given its tokens, no more than the declarations that share a byte
/// with a span of `wanted` or hold the place of an empty one, those that have a name in
/// common with one of them, and the package and import clauses. What is read is
/// read as [`parse`] does; nothing is said of the rest. The spans do not overlap.
#[must_use]
pub fn parse_parts(source: &[u8], tokens: &[Token], wanted: &[Span]) -> FileSyntax {
    let mut file = File::new(source, tokens);
    let chunks = chunks::split(&mut file);
    let mut chosen = parts::touched(&file, &chunks, &Places::new(wanted));
    parts::add_namesakes(&file, &chunks, &mut chosen);
    let mut builder = Builder::new(&file);
    for (chunk, chosen) in chunks.iter().zip(chosen) {
        if chosen || chunk.kind != ChunkKind::Declaration {
            declare(&mut builder, chunk);
        }
    }
    builder.finish()
}

/// How many parts of a rewritten file cannot be read, if of its declarations only those
/// count that hold `inserted` text, and of what stands in their braces only
/// what holds some. The rest must be that of a file whose declarations could be read.
#[must_use]
pub fn damage(source: &[u8], inserted: &[Span]) -> usize {
    let mut file = File::new(source, &token::scan(source));
    let chunks = chunks::split(&mut file);
    let places = Places::new(inserted);
    let touched = parts::touched(&file, &chunks, &places);
    let mut builder = Builder::new(&file);
    for (chunk, touched) in chunks.iter().zip(touched) {
        match chunk.kind {
            ChunkKind::Declaration if !touched => {}
            ChunkKind::Declaration if tree::is_sound(&file, chunk, &places) => {}
            ChunkKind::Declaration => builder.damaged(chunk, chunk.first),
            _ => declare(&mut builder, chunk),
        }
    }
    builder.out.errors.len()
}

fn declare(builder: &mut Builder<'_>, chunk: &Chunk) {
    match chunk.kind {
        ChunkKind::Package => header::package(builder, chunk),
        ChunkKind::Import => header::import(builder, chunk),
        ChunkKind::Declaration => match tree::parse(builder.file, chunk) {
            Ok(nodes) => builder.declaration(chunk, &nodes),
            Err(at) => builder.damaged(chunk, at),
        },
        ChunkKind::Stray => builder.damaged(chunk, chunk.first),
    }
}

/// A file as its tokens; everything below works on indices into `tokens`.
struct File<'s> {
    source: &'s [u8],
    /// All tokens but comments.
    tokens: Vec<Token>,
    comments: Vec<Span>,
    /// For an opening bracket its closing one and the other way round.
    pairs: Vec<Option<u32>>,
    /// How many `func` stand before each token (one entry more than tokens).
    funcs_before: Vec<u32>,
}

impl<'s> File<'s> {
    fn new(source: &'s [u8], all: &[Token]) -> Self {
        let (mut tokens, mut comments) = (Vec::with_capacity(all.len()), Vec::new());
        for token in all {
            if token.kind == TokenKind::Comment {
                comments.push(token.span);
            } else {
                tokens.push(*token);
            }
        }
        let mut funcs_before = Vec::with_capacity(tokens.len() + 1);
        let mut count = 0;
        for token in &tokens {
            funcs_before.push(count);
            count += u32::from(token.is(source, b"func"));
        }
        funcs_before.push(count);
        let pairs = vec![None; tokens.len()];
        Self {
            source,
            tokens,
            comments,
            pairs,
            funcs_before,
        }
    }

    fn text(&self, at: usize) -> &'s [u8] {
        self.tokens
            .get(at)
            .map_or(b"", |token| token.text(self.source))
    }

    fn kind(&self, at: usize) -> Option<TokenKind> {
        self.tokens.get(at).map(|token| token.kind)
    }

    /// Whether the token is this operator or keyword.
    fn is<const N: usize>(&self, at: usize, text: &[u8; N]) -> bool {
        self.tokens
            .get(at)
            .is_some_and(|token| token.is(self.source, text))
    }

    fn is_ident(&self, at: usize) -> bool {
        self.kind(at) == Some(TokenKind::Ident)
    }

    fn is_semicolon(&self, at: usize) -> bool {
        self.tokens
            .get(at)
            .is_some_and(|token| token.is_semicolon(self.source))
    }

    fn pair(&self, at: usize) -> Option<usize> {
        self.pairs.get(at).copied().flatten().map(|at| at as usize)
    }

    fn start(&self, at: usize) -> usize {
        self.tokens
            .get(at)
            .map_or(self.source.len(), |token| token.span.start)
    }

    fn end(&self, at: usize) -> usize {
        self.tokens
            .get(at)
            .map_or(self.source.len(), |token| token.span.end)
    }

    /// From the first to the last token, both included.
    fn span(&self, first: usize, last: usize) -> Span {
        Span::new(self.start(first), self.end(last))
    }

    /// Whether a `func` stands among these tokens.
    fn has_func(&self, first: usize, last: usize) -> bool {
        self.funcs_before[first] != self.funcs_before[last + 1]
    }

    fn name(&self, at: usize) -> String {
        String::from_utf8_lossy(self.text(at)).into_owned()
    }
}

impl Builder<'_> {
    /// Notes a declaration that cannot be read; `at` is the first damaged token.
    fn damaged(&mut self, chunk: &Chunk, at: usize) {
        let func = header::lost_function(self, chunk);
        let span = self.file.span(chunk.first, chunk.last);
        self.own(chunk.first, chunk.end, crate::model::Owner::Error);
        self.out.outside += usize::from(chunk.kind != ChunkKind::Declaration);
        let at = self.file.start(at).clamp(span.start, span.end);
        self.out.errors.push(SyntaxError { span, at, func });
    }
}
