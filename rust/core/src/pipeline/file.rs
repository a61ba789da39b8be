//! A changed file and what becomes of it.

use crate::model::{FilePoints, Lines, Reason};
use crate::token::Token;

/// A changed file of the release and what becomes of it.
#[derive(Debug)]
pub struct PlannedFile {
    /// Path relative to the repository's root.
    pub path: String,
    /// Directory of it.
    pub dir: String,
    /// Import path of its package; empty outside the covered modules.
    pub import_path: String,
    /// Its text, marks removed.
    pub source: Vec<u8>,
    /// How many lines of the universe it has.
    pub added: u32,
    /// How many of its hunks only delete.
    pub deletions: u32,
    /// Why it is accounted for as a whole, or its points.
    pub state: State,
}

/// What becomes of a file.
#[derive(Debug)]
pub enum State {
    /// It is gone; only the sum of the deletions says so.
    Deleted,
    /// It is accounted for as a whole.
    Whole(Reason),
    /// It is accounted for line by line.
    Lines(Box<Analysed>),
}

/// A file that was analysed.
#[derive(Debug)]
pub struct Analysed {
    /// Its tokens.
    pub tokens: Vec<Token>,
    /// Its lines.
    pub lines: Lines,
    /// Package name.
    pub package: String,
    /// The lines at which what changed of it does not parse.
    pub damaged: Vec<u32>,
    /// How many of them stand outside declarations.
    pub damaged_outside: usize,
    /// Its points and its account.
    pub points: FilePoints,
    /// Display names of the points.
    pub names: Vec<String>,
}
