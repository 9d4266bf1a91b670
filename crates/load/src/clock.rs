//! Time as the generator counts it.

use std::time::{Duration, Instant};

/// Nanoseconds since the worker's start.
pub(crate) type Nanos = u64;

/// A worker's clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { start: Instant::now() }
    }

    #[inline]
    pub(crate) fn now(&self) -> Nanos {
        nanos(self.start.elapsed())
    }
}

/// A duration in nanoseconds. 584 years are as much as any.
#[inline]
pub(crate) fn nanos(duration: Duration) -> Nanos {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
