//! Schedules: the times at which messages are due.

use crate::clock::Nanos;

/// An open-loop schedule: the n-th event is due at its own time, even if earlier ones are late.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    start: Nanos,
    per_second: f64,
    count: u64,
}

impl Schedule {
    pub(crate) fn new(start: Nanos, per_second: f64) -> Self {
        Self { start, per_second, count: 0 }
    }

    /// When the next event is due.
    pub(crate) fn due(&self) -> Nanos {
        // From the count and not from the event before, so that no error adds up. 2^53 ns are
        // 104 days.
        self.start + (self.count as f64 * 1e9 / self.per_second) as Nanos
    }

    /// Takes the next event if it is due: its number, and its time.
    pub(crate) fn take(&mut self, now: Nanos) -> Option<(u64, Nanos)> {
        let due = self.due();
        (due <= now).then(|| {
            let number = self.count;
            self.count += 1;
            (number, due)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_event_is_still_due_at_its_own_time() {
        let mut schedule = Schedule::new(1_000, 1e6);
        assert_eq!(schedule.take(999), None);
        assert_eq!(schedule.take(10_000), Some((0, 1_000)));
        assert_eq!(schedule.take(10_000), Some((1, 2_000)));
        assert_eq!(schedule.due(), 3_000);
        assert_eq!(schedule.take(2_999), None);
    }
}
