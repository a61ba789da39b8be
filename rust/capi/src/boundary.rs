//! What every call goes through: checked arguments, a thread of our own, and panics
//! that become values.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use goat_core::error::{Code, Error};
use serde_json::json;

use crate::panics;

/// What became of a call. The numbers are fixed for ever.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GoatStatus {
    /// The answer is `{"result":...}`.
    Ok = 0,
    /// The answer is `{"error":...}`: the request could not be carried out.
    Error = 1,
    /// The answer is `{"error":...}`: a defect of goat, please report it. The library
    /// is still usable.
    Panic = 2,
    /// The call broke the contract: `out` is NULL (then nothing is written), or
    /// `request` is NULL or too long for its length.
    Argument = 3,
}

/// An answer with its status, before it becomes a C buffer.
#[derive(Debug)]
pub struct Answer {
    /// What `goat_run` returns.
    pub status: GoatStatus,
    /// What it writes to `out`.
    pub json: Vec<u8>,
}

impl Answer {
    /// The answer of the core: its first key says whether it is an error.
    #[must_use]
    pub fn from_core(json: Vec<u8>) -> Self {
        let failed = json.starts_with(b"{\"error\":");
        let status = if failed {
            GoatStatus::Error
        } else {
            GoatStatus::Ok
        };
        Self { status, json }
    }

    /// An error found at the boundary itself.
    #[must_use]
    pub fn refuse(status: GoatStatus, error: &Error) -> Self {
        let json = json!({ "error": error }).to_string().into_bytes();
        Self { status, json }
    }
}

/// The stack of the thread that works. The caller's may be as small as 128 KiB (musl).
const STACK_BYTES: usize = 8 << 20;

const DEFECT: &str = "this is a defect of goat, please report it";

/// Runs `work` on a thread with a known stack and turns a panic into an answer.
pub fn invoke(work: impl FnOnce() -> Answer + Send) -> Answer {
    panics::record();
    let caught = thread::scope(|scope| {
        let builder = thread::Builder::new()
            .name("goat".into())
            .stack_size(STACK_BYTES);
        match builder.spawn_scoped(scope, || catch_unwind(AssertUnwindSafe(work))) {
            Ok(worker) => worker.join().unwrap_or_else(Err),
            Err(cause) => Ok(no_thread(&cause)),
        }
    });
    caught.unwrap_or_else(|payload| panicked(payload.as_ref()))
}

fn no_thread(cause: &std::io::Error) -> Answer {
    let error = Error::new(Code::Internal, "no thread could be started")
        .hint("raise the limit of processes (ulimit -u) or of memory")
        .cause(cause);
    Answer::refuse(GoatStatus::Error, &error)
}

fn panicked(payload: &(dyn Any + Send)) -> Answer {
    let text = panics::text(payload);
    let mut error = Error::new(Code::Internal, format!("goat panicked: {text}")).hint(DEFECT);
    if let Some(place) = panics::take_place(&text) {
        error = error.cause(format_args!("at {place}"));
    }
    Answer::refuse(GoatStatus::Panic, &error)
}

/// The request as a slice, or the answer that refuses it.
///
/// # Safety
///
/// `data` must be NULL or readable for `len` bytes, unchanged, for as long as the
/// result is used.
pub(crate) unsafe fn bytes<'a>(data: *const u8, len: usize) -> Result<&'a [u8], Answer> {
    if len == 0 {
        // A pointer with length zero is not looked at: C may pass any.
        return Ok(&[]);
    }
    let problem = if data.is_null() {
        "the request is NULL, but its length is not 0"
    } else if isize::try_from(len).is_err() {
        "the request is longer than the address space"
    } else {
        // SAFETY: not null, at most isize::MAX, and the caller promises that it is readable.
        return Ok(unsafe { std::slice::from_raw_parts(data, len) });
    };
    Err(Answer::refuse(
        GoatStatus::Argument,
        &Error::new(Code::BadRequest, problem),
    ))
}
