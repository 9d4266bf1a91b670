//! The health of a directory thread: whether its last batch failed, or does not end.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::directory::Unavailable;

/// How long a failure counts if nothing succeeds after it. A server that is sent no clients while
/// it fails would otherwise never find out that the disk is well again.
const REMEMBERED: Duration = Duration::from_secs(60);
/// How long a batch may take. An import of the largest size takes a few seconds; a disk that does
/// not answer takes for ever.
const BATCH_TIME_MAX: Duration = Duration::from_secs(15);

/// How one thread fares. The thread writes it, anybody reads it.
#[derive(Debug, Default)]
pub(crate) struct Health(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// When the batch under way began.
    began_at: Option<Instant>,
    /// When the last batch failed; `None` if it succeeded.
    failed_at: Option<Instant>,
}

impl Health {
    /// Runs a batch and remembers how it ended.
    pub(crate) fn watch(&self, batch: impl FnOnce() -> Result<(), Unavailable>) {
        self.0.lock().began_at = Some(Instant::now());
        let result = batch();
        let failed_at = result.is_err().then(Instant::now);
        *self.0.lock() = State { began_at: None, failed_at };
    }

    /// Returns `true` if the next request will probably fail, or wait too long.
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
