//! How a request is stopped.

/// Asked now and then whether to go on.
pub type Stop<'a> = &'a dyn Fn() -> bool;
