//! The error value of goat's crates: a word for programs, a sentence and a hint for
//! people. It is what a failed call answers at the ABI.
#![forbid(unsafe_code)]

use std::fmt;

use serde::{Serialize, Serializer};

/// A class of errors, as a `snake_case` word that programs can rely on.
pub trait Class {
    /// The word.
    fn word(&self) -> &'static str;
}

impl Class for &'static str {
    fn word(&self) -> &'static str {
        self
    }
}

/// What went wrong, with what a person needs to act on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault<C: Class> {
    /// The class.
    #[serde(serialize_with = "word")]
    pub code: C,
    /// What happened, in one sentence without a final full stop.
    pub message: String,
    /// What to do, a command where one helps; empty if nothing is known.
    pub hint: String,
    /// The file or directory concerned; empty if none is.
    pub path: String,
    /// Underlying messages, outermost first.
    pub causes: Vec<String>,
}

fn word<C: Class, S: Serializer>(code: &C, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(code.word())
}

impl<C: Class> Fault<C> {
    /// An error of this class.
    #[must_use]
    pub fn new(code: C, message: impl Into<String>) -> Self {
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

    /// Puts the file before the place, which is a line of it.
    #[must_use]
    pub fn in_file(mut self, path: &str) -> Self {
        self.path = if self.path.is_empty() {
            path.to_owned()
        } else {
            format!("{path}:{}", self.path)
        };
        self
    }

    /// Adds an underlying error.
    #[must_use]
    pub fn cause(mut self, cause: impl fmt::Display) -> Self {
        self.causes.push(cause.to_string());
        self
    }
}

impl<C: Class> fmt::Display for Fault<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl<C: Class + fmt::Debug> std::error::Error for Fault<C> {}
