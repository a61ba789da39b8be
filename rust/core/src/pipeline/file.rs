//! A changed file and what becomes of it.

use serde::{Deserialize, Serialize};

use crate::model::{FilePoints, Key, Lines, Position, Reason};
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
    /// Its text, marks removed; empty where that was left unread, because what is made of
    /// it was kept.
    pub source: Vec<u8>,
    /// Whether it was.
    pub unread: bool,
    /// What names its analysis, where that may be kept.
    pub key: Option<Key>,
    /// How many lines of the universe it has.
    pub added: u32,
    /// How many of its hunks only delete.
    pub deletions: u32,
    /// How many points of the plan come before its own; names count them.
    pub before: usize,
    /// Which builds took it and take it, in the syntax of `//go:build`, where these are
    /// others and no point says so.
    pub asked: Option<(String, String)>,
    /// Why it is accounted for as a whole, or its points.
    pub state: State,
}

/// What becomes of a file.
#[derive(Debug, Serialize, Deserialize)]
pub enum State {
    /// It is gone; only the sum of the deletions says so.
    Deleted,
    /// It is accounted for as a whole.
    Whole(Reason),
    /// It is accounted for line by line.
    Lines(Box<Analysed>),
}

/// A file that was analysed.
#[derive(Debug, Serialize, Deserialize)]
pub struct Analysed {
    /// Its tokens; none where its text was left unread.
    #[serde(skip)]
    pub tokens: Vec<Token>,
    /// Its lines; none where its text was left unread.
    #[serde(skip)]
    pub lines: Lines,
    /// SHA-256 of its text, hex; empty where it has no points.
    pub hash: String,
    /// Package name.
    pub package: String,
    /// Which builds take it, in the syntax of `//go:build`; empty where all do.
    pub constraint: String,
    /// The lines at which what changed of it does not parse.
    pub damaged: Vec<u32>,
    /// How many of them stand outside declarations.
    pub damaged_outside: usize,
    /// Its points and its account.
    pub points: FilePoints,
    /// Start and end of what each point vouches for.
    pub places: Vec<(Position, Position)>,
}
