//! The wait before the next attempt to connect.

use std::time::Duration;

use rand_core::Rng;

/// The first attempt is within one second of the loss.
const FIRST_MAX: Duration = Duration::from_secs(1);
/// However long it fails, an attempt is made within 30 seconds.
const MAX: Duration = Duration::from_secs(30);
/// A server that wants to be left alone for longer than this is asked all the same.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(10 * 60);

/// Full jitter: a random time between nothing and a limit that doubles, so that the clients of a
/// server that restarts come back evenly.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The wait that is due now. `retry_after` is what the server asked for, if it did: it is
    /// waited for, and the random time after it.
    pub(crate) fn next(&mut self, rng: &mut impl Rng, retry_after: Option<Duration>) -> Duration {
        let limit = MAX.min(FIRST_MAX * 2_u32.pow(self.failures.min(10)));
        self.failures += 1;
        let fraction = f64::from(rng.next_u32()) / f64::from(u32::MAX);
        retry_after.unwrap_or_default().min(RETRY_AFTER_MAX) + limit.mul_f64(fraction)
    }

    /// A connection has held.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}
