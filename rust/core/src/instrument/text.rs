//! What is needed of a file to edit it.

use crate::model::Lines;
use crate::token::Token;

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
