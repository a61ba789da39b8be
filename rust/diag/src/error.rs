//! The error of an operation, as it crosses the ABI.

/// What went wrong. The code is a `snake_case` word that programs can rely on:
/// `bad_request`, `unreadable`, `no_dump`, `no_profile`, `no_timings`, `cancelled`, `internal`.
pub type Error = goat_fault::Fault<&'static str>;

/// The result of everything in this crate that can fail.
pub type Result<T> = std::result::Result<T, Error>;
