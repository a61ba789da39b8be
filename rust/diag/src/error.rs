//! The error of an operation, as it crosses the ABI.

use std::fmt;

use serde::Serialize;

/// What went wrong, with what a person needs to act on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Error {
    /// A `snake_case` word that programs can rely on: `bad_request`, `unreadable`,
    /// `no_dump`, `cancelled`, `internal`.
    pub code: &'static str,
    /// What happened, in one sentence without a final full stop.
    pub message: String,
    /// What to do; empty if nothing is known.
    pub hint: String,
    /// The file concerned; empty if none is.
    pub path: String,
    /// Underlying messages, outermost first.
    pub causes: Vec<String>,
}

impl Error {
    /// An error of this class.
    #[must_use]
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: String::new(),
            path: String::new(),
            causes: Vec::new(),
        }
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// Adds the place.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// Adds an underlying error.
    #[must_use]
    pub fn cause(mut self, cause: impl fmt::Display) -> Self {
        self.causes.push(cause.to_string());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// The result of everything in this crate that can fail.
pub type Result<T> = std::result::Result<T, Error>;
