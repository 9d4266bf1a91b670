//! A limit for log lines about lasting problems.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// The time between two lines about the same problem.
const EVERY: Duration = Duration::from_secs(60);

/// Passes the first of many equal log lines, and then one a minute. Each place that logs frequent
/// events has its own.
#[derive(Debug, Default)]
pub(crate) struct LogLimit(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    logged_at: Option<Instant>,
    left_out: u64,
}

impl LogLimit {
    /// Returns the number of lines that were suppressed since the last one, if it is time for
    /// another.
    pub(crate) fn take(&self, now: Instant) -> Option<u64> {
        let mut state = self.0.lock();
        if state.logged_at.is_some_and(|at| now < at + EVERY) {
            state.left_out += 1;
            return None;
        }
        state.logged_at = Some(now);
        Some(std::mem::take(&mut state.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_passes_and_then_one_a_minute_with_the_number_suppressed() {
        let limit = LogLimit::default();
        let start = Instant::now();
        let passed: Vec<_> = (0..1500)
            .filter_map(|tenth| limit.take(start + Duration::from_millis(100 * tenth)))
            .collect();
        assert_eq!(passed, [0, 599, 599]);
    }
}
