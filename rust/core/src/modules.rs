//! Which modules a plan covers, from go.mod and go.work; no tool is asked.

mod discover;
mod parse;
mod replaced;

pub use discover::{
    Covered, Find, Ground, Module, Workspace, discover, inside, is_below, join, parent,
};
pub use parse::{GoMod, Replace, parse_mod, parse_work};
