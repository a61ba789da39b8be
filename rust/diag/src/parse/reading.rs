//! What became of a line that a reader was given.

/// Whose the next line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Still the reader's.
    Mine,
    /// The reader is done, and this line was its last.
    Done,
    /// The reader is done, and this line is of something else.
    Other,
    /// Still the reader's, but this line says nothing that it knows.
    Unknown,
}
