//! The health of a directory thread: whether its last batch failed, or hangs.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::directory::Unavailable;

/// The time after which a failure no longer counts. Otherwise a server that gets no clients while
/// it reports failure would never find out that the disk works again.
const REMEMBERED: Duration = Duration::from_secs(60);
/// The longest time of a batch. The largest import takes a few seconds; a broken disk may never
/// answer.
const BATCH_TIME_MAX: Duration = Duration::from_secs(15);

/// The health of one thread, written by that thread and read by others.
#[derive(Debug, Default)]
pub(crate) struct Health(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The start of the current batch.
    began_at: Option<Instant>,
    /// The time of the last failure, or `None` if the last batch succeeded.
    failed_at: Option<Instant>,
}

impl Health {
    /// Runs a batch and records its result.
    pub(crate) fn watch(&self, batch: impl FnOnce() -> Result<(), Unavailable>) {
        self.0.lock().began_at = Some(Instant::now());
        let result = batch();
        let failed_at = result.is_err().then(Instant::now);
        *self.0.lock() = State { began_at: None, failed_at };
    }

    /// Returns true if the next request will probably fail, or wait too long.
    pub(crate) fn is_failing(&self, now: Instant) -> bool {
        let state = self.0.lock();
        let is_stuck = state.began_at.is_some_and(|at| now >= at + BATCH_TIME_MAX);
        is_stuck || state.failed_at.is_some_and(|at| now < at + REMEMBERED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_counts_until_something_succeeds() {
        let health = Health::default();
        assert!(!health.is_failing(Instant::now()));
        health.watch(|| Err(Unavailable));
        assert!(health.is_failing(Instant::now()));
        health.watch(|| Ok(()));
        assert!(!health.is_failing(Instant::now()));
    }

    #[test]
    fn a_failure_that_nothing_follows_is_forgotten() {
        let health = Health::default();
        health.watch(|| Err(Unavailable));
        assert!(health.is_failing(Instant::now() + REMEMBERED / 2));
        assert!(!health.is_failing(Instant::now() + REMEMBERED));
    }

    #[test]
    fn a_batch_that_does_not_end_is_a_failure() {
        let health = Health::default();
        health.watch(|| {
            assert!(!health.is_failing(Instant::now()));
            assert!(health.is_failing(Instant::now() + BATCH_TIME_MAX));
            Ok(())
        });
        assert!(!health.is_failing(Instant::now() + BATCH_TIME_MAX));
    }
}
