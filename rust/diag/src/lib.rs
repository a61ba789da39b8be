//! What a process or a build left behind: goroutine dumps, crash texts, race reports and
//! goroutine profiles, read in whatever form they come, grouped by cause, and held against
//! the change; and logs of what builds took.
//!
//! Knows nothing of git or of plans: the changed functions come in as values. No C, no
//! network, no tool is run; the only files read are those that a request names.
#![forbid(unsafe_code)]

mod cause;
mod changed;
mod cluster;
mod collect;
mod document;
mod error;
mod expression;
pub mod heat;
mod input;
mod locks;
mod model;
mod names;
mod panics;
mod parse;
mod pprof;
mod profile;
mod proto;
mod request;
mod stop;
mod symbols;
mod wire;

pub use error::Error;
pub use request::run;
