//! The C ABI of goat: JSON in and JSON out, and the helper's short way.
//!
//! The contract is written for C callers at the head of `include/goat.h`, which
//! `tests/header.rs` renders from this file. All unsafe code of the workspace is
//! in this crate; the logic is in `goat-core`, `goat-diag` and `goat-contract`, which know
//! no C.

pub mod boundary;
pub mod buffer;
mod helper;
#[cfg(target_os = "linux")]
mod measured;
mod panics;
mod watch;

use std::ffi::{c_char, c_int};

pub use boundary::GoatStatus;
pub use buffer::GoatBuffer;

/// Number of this binary interface, also in the name of `goat_abi_v1`.
pub const GOAT_ABI_VERSION: u32 = 1;

const VERSION: &[u8] = concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes();

/// The ABI number of the library, to compare with `GOAT_ABI_VERSION`.
#[unsafe(no_mangle)]
pub extern "C" fn goat_abi_version() -> u32 {
    GOAT_ABI_VERSION
}

/// Runs one request and writes its answer to `out`.
///
/// `request` is JSON in UTF-8, `request_len` its length in bytes; `out` must not be
/// NULL. Whatever `out` held is overwritten, never freed; free the answer with
/// `goat_buffer_free`. Returns `GOAT_STATUS_OK` with `{"result":...}` in `out`, or
/// another status with `{"error":...}`.
///
/// # Safety
///
/// `request` must be readable for `request_len` bytes and unchanged during the call;
/// `out` must be NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn goat_run(
    request: *const u8,
    request_len: usize,
    out: *mut GoatBuffer,
) -> GoatStatus {
    if out.is_null() {
        return GoatStatus::Argument;
    }
    // SAFETY: not null, and the caller promises that it is writable.
    unsafe { out.write(GoatBuffer::empty()) };
    // SAFETY: the caller promises `request_len` readable bytes at `request`.
    let answer = match unsafe { boundary::bytes(request, request_len) } {
        Ok(request) => boundary::invoke(|| watch::run(request)),
        Err(refusal) => refusal,
    };
    // SAFETY: as above; the empty buffer in it owns nothing.
    unsafe { out.write(GoatBuffer::from(answer.json)) };
    answer.status
}

/// Frees what `goat_run` wrote, exactly once. Freeing a zero buffer does nothing.
///
/// # Safety
///
/// `buffer` must come from `goat_run` and must not have been freed before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn goat_buffer_free(buffer: GoatBuffer) {
    // SAFETY: the caller promises that it is ours and still whole.
    drop(unsafe { buffer.into_bytes() });
}

/// The version of the library, a static string that ends with NUL.
#[unsafe(no_mangle)]
pub extern "C" fn goat_version() -> *const c_char {
    VERSION.as_ptr().cast()
}

/// Does nothing. A caller that refers to it cannot be linked with a library of
/// another ABI number: the linker names the missing symbol.
#[unsafe(no_mangle)]
pub extern "C" fn goat_abi_v1() {}

/// The first thing that the helper (`goat toolexec`) may do in its process: executes
/// the tool where the command line says that it needs nothing of goat, and then does
/// not return. With `--timings` it runs the tool, notes what it took, and exits as it
/// did. Returns in all other cases, and for every other program, having done nothing.
///
/// `count` and `words` are the arguments of `main`. To be called before the process has started
/// threads, or opened what its successor must not inherit. It allocates, and it reads
/// `TOOLEXEC_IMPORTPATH`, `GOAT_TOOLEXEC_LOG`, `GOAT_TIMINGS` and the plan directory.
///
/// # Safety
///
/// `words` must hold `count` texts that end with NUL, then NULL, and nobody may write to
/// them or to the environment meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn goat_toolexec(count: c_int, words: *const *const c_char) {
    // SAFETY: the caller promises the same.
    unsafe { helper::exec_plain(count, words) };
}
