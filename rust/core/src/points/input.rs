//! What the planning of one file is given.

use crate::model::{Delta, FileSyntax, Granularity, Lines};
use crate::token::{Token, Word};

/// A file of the release with everything that earlier stages know of it.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// Its text.
    pub source: &'a [u8],
    /// Its tokens, comments included.
    pub tokens: &'a [Token],
    /// What of them means something.
    pub words: &'a [Word<'a>],
    /// Its structure.
    pub syntax: &'a FileSyntax,
    /// Its lines.
    pub lines: &'a Lines,
    /// What changed.
    pub delta: &'a Delta,
    /// The base's text and structure, needed where code was removed outside bodies.
    pub old: Option<(&'a [u8], &'a [Token], &'a FileSyntax)>,
    /// How finely points are set.
    pub granularity: Granularity,
    /// Import path of the package.
    pub import_path: &'a str,
    /// Base name of the file.
    pub file: &'a str,
}
