//! Times as the document gives them.

/// Nanoseconds as milliseconds with three decimals.
#[expect(clippy::cast_precision_loss, reason = "no build takes 2^53 ns")]
pub fn ms(ns: u64) -> f64 {
    ((ns + 500) / 1000) as f64 / 1000.0
}
