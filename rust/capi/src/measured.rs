//! A tool of a build that is measured: run as a child, waited for, and noted.

use std::ffi::OsStr;
use std::io::{self, PipeReader, Read};
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use goat_core::helper::Passed;
use goat_core::helper::record::{self, Ran};

/// The most that is read of a report; what a tool has written before it ended is in the
/// pipe, which holds no more.
const LONGEST: u64 = 64 << 10;

/// Runs the tool and appends its line to the log; the code to exit with, `None` where it
/// could not be started. `args` are those behind the tool.
pub fn run(passed: &Passed<'_>, word: &OsStr, args: &[&OsStr], import_path: &OsStr) -> Option<i32> {
    let mut command = Command::new(&*passed.program);
    command.arg0(word);
    let report = record::wants_report(passed.name, args)
        .then(|| io::pipe().ok())
        .flatten();
    let inherited = report.as_ref().map(|(_, into)| into.as_raw_fd());
    if let Some(descriptor) = inherited {
        command.arg(format!("-bench=/dev/fd/{descriptor}"));
    }
    command.args(args);
    // SAFETY: both calls may be made between fork and exec. The kernel ends the tool when
    // the helper is killed: go would clear away the object directory while it still writes.
    unsafe {
        command.pre_exec(move || {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            if let Some(descriptor) = inherited {
                libc::fcntl(descriptor, libc::F_SETFD, 0);
            }
            Ok(())
        });
    }
    let (start, clock) = (SystemTime::now(), Instant::now());
    let pid = command.spawn().ok()?.id();
    let (status, usage) = wait(pid)?;
    let mut ran = Ran {
        pid,
        start: start
            .duration_since(UNIX_EPOCH)
            .map_or(0, |past| past.as_nanos()),
        wall: clock.elapsed().as_nanos(),
        user: micros(usage.ru_utime),
        sys: micros(usage.ru_stime),
        rss: usage.ru_maxrss << 10,
        exit: if libc::WIFEXITED(status) {
            libc::WEXITSTATUS(status)
        } else {
            -1
        },
        ..Ran::default()
    };
    if let Some((from, into)) = report {
        drop(into);
        ran.report = drained(from);
    }
    ran.own = own();
    record::append(passed, args, import_path, &ran);
    Some(if ran.exit < 0 { 1 } else { ran.exit })
}

fn wait(pid: u32) -> Option<(libc::c_int, libc::rusage)> {
    let pid = libc::pid_t::try_from(pid).ok()?;
    let (mut status, mut usage) = (0, MaybeUninit::zeroed());
    loop {
        // SAFETY: both are ours and writable; all zeros is a usage.
        let (got, usage) = unsafe {
            let got = libc::wait4(pid, &raw mut status, 0, usage.as_mut_ptr());
            (got, usage.assume_init())
        };
        if got == pid {
            return Some((status, usage));
        }
        if io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            return None;
        }
    }
}

/// What this process has used.
fn own() -> [i64; 2] {
    let mut usage = MaybeUninit::zeroed();
    // SAFETY: it is ours and writable; all zeros is a usage.
    let usage: libc::rusage = unsafe {
        libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr());
        usage.assume_init()
    };
    [micros(usage.ru_utime), micros(usage.ru_stime)]
}

fn micros(time: libc::timeval) -> i64 {
    time.tv_sec * 1_000_000 + time.tv_usec
}

/// What is in the pipe. Nobody is waited for who has kept the other end.
fn drained(from: PipeReader) -> Vec<u8> {
    // SAFETY: the descriptor is open, for `from` owns it.
    unsafe { libc::fcntl(from.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) };
    let mut text = Vec::new();
    // At an empty pipe with another end still open it gives what it has read.
    let _ = from.take(LONGEST).read_to_end(&mut text);
    text
}
