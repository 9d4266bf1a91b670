//! The two clocks of the directory's writer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

/// The clocks of a directory.
pub(crate) struct Clock {
    /// The time of day, in seconds since 1970. Anybody may set it.
    pub(crate) unix: Box<dyn Fn() -> u64 + Send>,
    /// How long the directory has been open, by a clock that nobody sets.
    pub(crate) open_for: Box<dyn Fn() -> Duration + Send>,
    /// Whether clients are served.
    pub(crate) is_serving: Arc<AtomicBool>,
}

impl Clock {
    /// The clocks of this machine.
    pub(crate) fn of_system() -> Self {
        let opened_at = Instant::now();
        let unix = || {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            now.unwrap_or_default().as_secs()
        };
        Self {
            unix: Box::new(unix),
            open_for: Box::new(move || opened_at.elapsed()),
            is_serving: Arc::default(),
        }
    }

    /// The part of `elapsed` in which owners of ids could object to a reset.
    pub(crate) fn that_counts(&self, elapsed: Duration) -> Duration {
        if self.is_serving.load(Ordering::Relaxed) { elapsed } else { Duration::ZERO }
    }
}
