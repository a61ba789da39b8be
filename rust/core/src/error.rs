//! The one error type of the core.

use goat_fault::{Class, Fault};

/// What went wrong, as a word that programs can rely on. The wire form is the
/// variant in `snake_case` ([`Code::as_str`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// The request is not what the contract says (unknown field, wrong type).
    BadRequest,
    /// The configuration holds a value that is not allowed.
    BadConfig,
    /// The directory is not inside a git repository.
    NotARepository,
    /// A ref that does not name a commit.
    UnknownRef,
    /// The base's commits are not in this shallow or partial clone.
    MissingObjects,
    /// git refuses the repository because of its owner.
    DubiousOwnership,
    /// The repository uses a format that the core cannot read.
    UnsupportedRepository,
    /// Any other failure of git.
    Git,
    /// No go.mod in the directory or above it.
    NoGoMod,
    /// A file could not be read.
    Unreadable,
    /// A file or directory could not be written.
    Unwritable,
    /// Marks that are unbalanced, nested or edited by hand.
    BadMarks,
    /// A plan of another format or another goat.
    PlanMismatch,
    /// The caller asked to stop.
    Cancelled,
    /// A defect of goat; please report it.
    Internal,
}

impl Code {
    /// The `snake_case` word of the wire format.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::BadConfig => "bad_config",
            Self::NotARepository => "not_a_repository",
            Self::UnknownRef => "unknown_ref",
            Self::MissingObjects => "missing_objects",
            Self::DubiousOwnership => "dubious_ownership",
            Self::UnsupportedRepository => "unsupported_repository",
            Self::Git => "git",
            Self::NoGoMod => "no_go_mod",
            Self::Unreadable => "unreadable",
            Self::Unwritable => "unwritable",
            Self::BadMarks => "bad_marks",
            Self::PlanMismatch => "plan_mismatch",
            Self::Cancelled => "cancelled",
            Self::Internal => "internal",
        }
    }
}

impl Class for Code {
    fn word(&self) -> &'static str {
        self.as_str()
    }
}

/// An error with what a person needs to act on it.
pub type Error = Fault<Code>;

/// The result of everything in this crate that can fail.
pub type Result<T> = std::result::Result<T, Error>;
