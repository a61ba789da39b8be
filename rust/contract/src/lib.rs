//! Two versions of an interface in Protocol Buffers: what in the release breaks those who
//! use the base.
//!
//! Both sides come as texts, which are compiled in memory ([`compile`]), described as
//! values ([`schema`]) and held against each other by rules that have the names and
//! groups of buf's ([`rules`]). Knows nothing of git. No C, no network, no file, no tool.
#![forbid(unsafe_code)]

mod compile;
mod describe;
mod error;
mod finding;
mod options;
mod request;
mod roots;
mod rules;
mod schema;
mod stubs;

pub use error::Error;
pub use request::run;
