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
mod clauses;
mod effects;
mod file;
mod header;
mod operands;
mod owners;
mod parts;
mod render;
mod tree;

use crate::model::{FileSyntax, Span};
use crate::token::{self, Token};
use build::Builder;
use chunks::{Chunk, ChunkKind};
use file::File;
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
        ChunkKind::Package => clauses::package(builder, chunk),
        ChunkKind::Import => clauses::import(builder, chunk),
        ChunkKind::Declaration => match tree::parse(builder.file, chunk) {
            Ok(nodes) => builder.declaration(chunk, &nodes),
            Err(at) => builder.damaged(chunk, at),
        },
        ChunkKind::Stray => builder.damaged(chunk, chunk.first),
    }
}
