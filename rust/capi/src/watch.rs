//! The two descriptors of a request: end of file on `controlFd` cancels, and
//! `progressFd` receives one JSON line per step. Both stay the caller's: they are
//! used during the call only and never closed here.

use std::io::{self, PipeReader, PipeWriter};
use std::os::fd::{AsRawFd, RawFd};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use goat_core::Control;
use goat_core::error::{Code, Error, Result};
use serde_json::json;

use crate::boundary::{Answer, GoatStatus};

/// Runs a request with its descriptors watched: of what a process left behind, of two
/// versions of an interface, or of the core, which also says of what is none of these.
pub fn run(request: &[u8]) -> Answer {
    match watched(request) {
        Ok(json) => Answer::from_core(json),
        Err(error) => Answer::refuse(GoatStatus::Error, &error),
    }
}

fn watched(request: &[u8]) -> Result<Vec<u8>> {
    if let Err(cause) = std::str::from_utf8(request) {
        return Err(Error::new(Code::BadRequest, "the request is not UTF-8").cause(cause));
    }
    let descriptors = goat_core::descriptors(request);
    let control_fd = open_descriptor("controlFd", descriptors.control)?;
    let progress_fd = open_descriptor("progressFd", descriptors.progress)?;
    thread::scope(|scope| {
        let mut control = Control::new();
        let reporter = progress_fd.map(|fd| {
            let (sender, receiver) = channel();
            control = control.clone().with_report(throttled(sender.clone()));
            start(scope, move || write_lines(fd, &receiver)).map(|()| Finish(sender))
        });
        let watcher = control_fd.map(|fd| {
            let (reader, writer) = io::pipe().map_err(|cause| no_watch(&cause))?;
            let cancel = control.clone();
            start(scope, move || watch(fd, &reader, &cancel)).map(|()| Wake(writer))
        });
        // Both end their threads when they are dropped, also by a panic.
        let _reporter = reporter.transpose()?;
        let _watcher = watcher.transpose()?;
        let stop = || control.check().is_err();
        Ok(goat_diag::run(request, &stop)
            .or_else(|| goat_contract::run(request, &stop))
            .unwrap_or_else(|| goat_core::run(request, &control)))
    })
}

fn start<'scope>(
    scope: &'scope thread::Scope<'scope, '_>,
    work: impl FnOnce() + Send + 'scope,
) -> Result<()> {
    let builder = thread::Builder::new()
        .name("goat-watch".into())
        .stack_size(128 << 10);
    builder
        .spawn_scoped(scope, work)
        .map(|_| ())
        .map_err(|cause| no_watch(&cause))
}

fn no_watch(cause: &io::Error) -> Error {
    Error::new(
        Code::Internal,
        "the request's descriptors cannot be watched",
    )
    .hint("raise the limits of processes and open files (ulimit -u, ulimit -n)")
    .cause(cause)
}

/// Tells the watching thread to end: the other end of its pipe is closed.
struct Wake(#[expect(dead_code, reason = "held to be closed by drop")] PipeWriter);

/// Tells the writing thread to end. The work may keep clones of the channel, so its
/// end is a message of its own.
struct Finish(Sender<Option<String>>);

impl Drop for Finish {
    fn drop(&mut self) {
        // The thread is gone already if its reader is.
        let _ = self.0.send(None);
    }
}

/// `None` for a descriptor that was not given; an error for one that is not open.
fn open_descriptor(name: &str, fd: RawFd) -> Result<Option<RawFd>> {
    if fd < 0 {
        return Ok(None);
    }
    // SAFETY: F_GETFD only reads a flag and fails for a number that is not open.
    if unsafe { libc::fcntl(fd, libc::F_GETFD) } < 0 {
        let message = format!("{name} {fd} is not an open descriptor");
        return Err(Error::new(Code::BadRequest, message).cause(io::Error::last_os_error()));
    }
    Ok(Some(fd))
}

/// Waits until one of the descriptors is ready or the time is over; -1 waits for ever.
/// Gives what poll saw at each.
fn poll<const N: usize>(fds: [(RawFd, i16); N], millis: i32) -> io::Result<[i16; N]> {
    let mut entries = fds.map(|(fd, events)| libc::pollfd {
        fd,
        events,
        revents: 0,
    });
    loop {
        // SAFETY: the pointer and the length are those of the array above.
        let ready = unsafe { libc::poll(entries.as_mut_ptr(), N as libc::nfds_t, millis) };
        if ready >= 0 {
            return Ok(entries.map(|entry| entry.revents));
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

/// Cancels at the end of file on `fd`; ends when the other end of `wake` is closed.
fn watch(fd: RawFd, wake: &PipeReader, control: &Control) {
    let wake = (wake.as_raw_fd(), libc::POLLIN);
    while let Ok([ours, woken]) = poll([(fd, libc::POLLIN), wake], -1) {
        if woken != 0 {
            return;
        }
        if ours != 0 {
            match read_some(fd) {
                Ok(0) => return control.cancel(),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    }
}

fn read_some(fd: RawFd) -> io::Result<usize> {
    let mut ignored = [0_u8; 64];
    // SAFETY: the pointer and the length are those of the array above.
    let count = unsafe { libc::read(fd, ignored.as_mut_ptr().cast(), ignored.len()) };
    usize::try_from(count).map_err(|_| io::Error::last_os_error())
}

/// At most one line in this time, except where a stage begins or ends.
const LINE_EVERY: Duration = Duration::from_millis(25);

/// Turns steps into lines, few enough that following costs nothing.
fn throttled(sender: Sender<Option<String>>) -> impl Fn(&str, u64, u64) + Send + Sync + 'static {
    let last: Mutex<Option<(String, Instant)>> = Mutex::new(None);
    move |stage, done, total| {
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = match &*last {
            Some((before, at)) => before != stage || done == total || at.elapsed() >= LINE_EVERY,
            None => true,
        };
        if fresh {
            *last = Some((stage.to_string(), Instant::now()));
            let line = json!({ "done": done, "total": total, "stage": stage });
            // The receiver is gone once the caller has closed the reading end.
            let _ = sender.send(Some(format!("{line}\n")));
        }
    }
}

/// How long a caller that does not read may hold a line back.
const PATIENCE_MILLIS: i32 = 1000;

/// Writes the lines until the end of the work or of the reader.
fn write_lines(fd: RawFd, lines: &Receiver<Option<String>>) {
    if !block_sigpipe() {
        return;
    }
    while let Ok(Some(line)) = lines.recv() {
        // A pipe that poll calls writable takes a short line without blocking.
        let writable = poll([(fd, libc::POLLOUT)], PATIENCE_MILLIS);
        if !matches!(writable, Ok([events]) if events & libc::POLLOUT != 0) {
            return;
        }
        // SAFETY: the pointer and the length are those of the line.
        let written = unsafe { libc::write(fd, line.as_ptr().cast(), line.len()) };
        if written < 0 {
            return;
        }
    }
}

/// Keeps a write to a closed pipe from killing the caller's process: the signal is
/// for this thread alone, which blocks it and ends with it.
fn block_sigpipe() -> bool {
    // SAFETY: a zeroed sigset_t is valid memory for sigemptyset, which initialises it;
    // the other calls get that set and a null pointer, which POSIX allows for the old set.
    unsafe {
        let mut signals: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut signals) == 0
            && libc::sigaddset(&raw mut signals, libc::SIGPIPE) == 0
            && libc::pthread_sigmask(libc::SIG_BLOCK, &raw const signals, std::ptr::null_mut()) == 0
    }
}
