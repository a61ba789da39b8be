//! The helper's short way (`goat_core::helper`) at the C boundary: the words of `main`
//! in, another program in this process's place out.

use std::ffi::{CStr, CString, OsStr, c_char, c_int};
use std::os::unix::ffi::OsStrExt;
use std::panic::{self, catch_unwind};
use std::{env, slice};

use goat_core::helper;

#[cfg(target_os = "linux")]
use crate::measured::run as measured;

/// Elsewhere the helper proper measures.
#[cfg(not(target_os = "linux"))]
fn measured(_: &helper::Passed<'_>, _: &OsStr, _: &[&OsStr], _: &OsStr) -> Option<i32> {
    None
}

/// Runs the tool where it needs nothing of goat but to be measured; returns otherwise,
/// having done nothing.
///
/// # Safety
///
/// As for `goat_toolexec`.
pub unsafe fn exec_plain(count: c_int, words: *const *const c_char) {
    // A panic has nothing to say here: the helper proper takes over.
    let _ = catch_unwind(|| {
        let count = usize::try_from(count).ok().filter(|_| !words.is_null())?;
        // SAFETY: the caller promises as many pointers, each to a text that ends with NUL.
        let words = unsafe { slice::from_raw_parts(words, count) };
        let args: Vec<&OsStr> = words
            .iter()
            // SAFETY: as above.
            .map(|word| OsStr::from_bytes(unsafe { CStr::from_ptr(*word) }.to_bytes()))
            .collect();
        let [_, verb, args @ ..] = args.as_slice() else {
            return None;
        };
        if *verb != "toolexec" {
            return None;
        }
        // go keeps what a tool prints, and would repeat it.
        panic::set_hook(Box::new(|_| {}));
        let import_path = env::var_os("TOOLEXEC_IMPORTPATH");
        let search = env::var_os("PATH").unwrap_or_default();
        let passed = helper::passes(args, import_path.as_deref(), &search)?;
        let (rest, import_path) = (&args[passed.tool + 1..], import_path.unwrap_or_default());
        if passed.timings.is_none()
            && env::var_os("GOAT_TIMINGS").is_some_and(|dir| !dir.is_empty())
        {
            return None; // the helper proper names the log
        }
        if let Some(file) = env::var_os("GOAT_TOOLEXEC_LOG").filter(|file| !file.is_empty()) {
            helper::log(&file, passed.name, rest, &import_path);
        }
        if passed.timings.is_some() {
            let code = measured(&passed, args[passed.tool], rest, &import_path)?;
            // SAFETY: nothing of this process's is left to be written or cleaned up.
            unsafe { libc::_exit(code) };
        }
        let program = CString::new(passed.program.as_os_str().as_bytes()).ok()?;
        let tool = &words[2 + passed.tool..];
        // SAFETY: `tool` is the end of the words, so NULL follows it; execv reads it only.
        unsafe { libc::execv(program.as_ptr(), tool.as_ptr()) };
        Some(())
    });
    drop(panic::take_hook());
}
