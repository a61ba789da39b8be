//! How a caller follows and stops a long operation.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Code, Error, Result};

/// Receives `(stage, done, total)`; `total` is 0 while it is not known.
pub type Report = dyn Fn(&str, u64, u64) + Send + Sync;

/// A handle that every stage carries: it asks whether to go on and says how far it is.
#[derive(Clone, Default)]
pub struct Control {
    cancelled: Arc<AtomicBool>,
    report: Option<Arc<Report>>,
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control")
            .field("cancelled", &self.cancelled)
            .field("report", &self.report.is_some())
            .finish()
    }
}

impl Control {
    /// A handle that nobody cancels and that reports to nobody.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same handle, with progress going to `report`.
    #[must_use]
    pub fn with_report(mut self, report: impl Fn(&str, u64, u64) + Send + Sync + 'static) -> Self {
        self.report = Some(Arc::new(report));
        self
    }

    /// Asks the operation to stop; it returns `cancelled` soon after.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// `Err(cancelled)` once somebody has called [`Control::cancel`].
    pub fn check(&self) -> Result<()> {
        if self.is_cancelled() {
            return Err(cancelled());
        }
        Ok(())
    }

    /// Does work that calls [`step`] as it goes, and leaves it once somebody has called
    /// [`Control::cancel`]. What it had made by then is dropped: it must leave nothing half
    /// done outside itself between two steps.
    pub fn guard<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let before = CURRENT.replace(Some(self.clone()));
        let done = catch_unwind(AssertUnwindSafe(work));
        CURRENT.set(before);
        done.unwrap_or_else(|why| match why.downcast::<Left>() {
            Ok(_) => self.check().and_then(|()| Err(cancelled())),
            Err(why) => resume_unwind(why),
        })
    }

    /// Lets [`step`] ask this handle on the thread that calls, to the thread's end.
    pub fn attend(&self) {
        CURRENT.set(Some(self.clone()));
    }

    /// Says that `done` of `total` steps of `stage` are finished.
    pub fn tick(&self, stage: &str, done: u64, total: u64) {
        if let Some(report) = &self.report {
            report(stage, done, total);
        }
    }
}

fn cancelled() -> Error {
    Error::new(Code::Cancelled, "cancelled")
}

/// What work is left with.
struct Left;

thread_local! {
    /// Who may stop the work of this thread.
    static CURRENT: RefCell<Option<Control>> = const { RefCell::new(None) };
    static STEPS: Cell<u8> = const { Cell::new(0) };
}

/// One small step of work on one file, which may be huge and nested without end: a token, a
/// node, a point. Does not return once the work of [`Control::guard`] around it is to stop,
/// so nothing that must be put right stands between two steps, and no C code calls it.
#[inline]
pub fn step() {
    let steps = STEPS.with(|steps| {
        steps.set(steps.get().wrapping_add(1));
        steps.get()
    });
    if steps == 0 && is_stopped() {
        // Runs no panic hook: nothing is printed.
        resume_unwind(Box::new(Left));
    }
}

/// Whether the work of [`Control::guard`] around this is to stop; for where [`step`] must
/// not be called.
#[must_use]
pub fn is_stopped() -> bool {
    CURRENT.with_borrow(|current| current.as_ref().is_some_and(Control::is_cancelled))
}
