//! How a caller follows and stops a long operation.

use std::fmt;
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

    /// `Err(cancelled)` once somebody has called [`Control::cancel`].
    pub fn check(&self) -> Result<()> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(Error::new(Code::Cancelled, "cancelled"));
        }
        Ok(())
    }

    /// Says that `done` of `total` steps of `stage` are finished.
    pub fn tick(&self, stage: &str, done: u64, total: u64) {
        if let Some(report) = &self.report {
            report(stage, done, total);
        }
    }
}
