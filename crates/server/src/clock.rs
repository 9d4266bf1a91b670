//! The only clock of the server.

use std::time::{Instant as StdInstant, SystemTime, UNIX_EPOCH};

use securecall_core::{Instant, UnixTime};

/// Converts between the operating system's time and the core's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    start: StdInstant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { start: StdInstant::now() }
    }

    pub(crate) fn now(self) -> Instant {
        let millis = self.start.elapsed().as_millis();
        Instant::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
    }

    pub(crate) fn unix(self) -> UnixTime {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        UnixTime::from_millis(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
    }

    /// Converts a deadline of the core for a timer.
    pub(crate) fn timer(self, deadline: Instant) -> tokio::time::Instant {
        // A timer further away never fires in practice, and a larger value could overflow.
        const CENTURY_MILLIS: u64 = 100 * 365 * 24 * 3600 * 1000;
        let millis = deadline.as_millis().min(CENTURY_MILLIS);
        (self.start + std::time::Duration::from_millis(millis)).into()
    }
}
