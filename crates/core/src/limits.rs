//! Rates: token buckets.
//!
//! A bucket is one number, the time at which it will be full again (the generic cell rate
//! algorithm, ITU-T I.371). It costs eight bytes and no upkeep, and checking it costs the same
//! however many clients there are.

use std::time::Duration;

use securecall_protocol::{DefaultRate, MessageClass};

use crate::time::Instant;

/// A number at once, and a number per second in the long run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    burst: u32,
    interval_micros: u64,
}

impl Rate {
    /// `burst` at once, and one more every 1/`per_second`.
    ///
    /// A burst of 0 is taken as 1. A rate below one in a year is taken as one in a year.
    pub fn new(burst: u32, per_second: f64) -> Self {
        const YEAR_MICROS: f64 = 365.0 * 24.0 * 3600.0 * 1e6;
        // `as` saturates, and the bounds leave nothing to saturate.
        let interval_micros = (1e6 / per_second).clamp(1.0, YEAR_MICROS) as u64;
        Self { burst: burst.max(1), interval_micros }
    }

    /// The rate of a class of messages unless the operator has decided otherwise.
    pub fn default_of(class: MessageClass) -> Self {
        let DefaultRate { burst, per_second } = class.default_rate();
        Self::new(burst, per_second)
    }

    /// The number at once.
    pub fn burst(self) -> u32 {
        self.burst
    }

    /// The time in which a full burst comes back.
    pub fn refill_time(self) -> Duration {
        Duration::from_micros(self.interval_micros.saturating_mul(u64::from(self.burst)))
    }

    fn slack_micros(self) -> u64 {
        self.interval_micros.saturating_mul(u64::from(self.burst - 1))
    }
}

/// A token bucket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bucket {
    full_at_micros: u64,
}

impl Bucket {
    /// Takes one token.
    ///
    /// # Errors
    /// No token is left; the time until the next.
    pub fn take(&mut self, rate: Rate, now: Instant) -> Result<(), Duration> {
        let now = now.as_millis().saturating_mul(1000);
        let full_at = self.full_at_micros.max(now);
        let owed = full_at - now;
        if owed > rate.slack_micros() {
            return Err(Duration::from_micros(owed - rate.slack_micros()));
        }
        self.full_at_micros = full_at.saturating_add(rate.interval_micros);
        Ok(())
    }

    /// Gives one token back that was taken for nothing.
    pub fn give_back(&mut self, rate: Rate) {
        self.full_at_micros = self.full_at_micros.saturating_sub(rate.interval_micros);
    }

    /// Returns true if nothing is missing from it: it may be forgotten.
    pub fn is_full(self, now: Instant) -> bool {
        self.full_at_micros <= now.as_millis().saturating_mul(1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Instant = Instant::from_millis(1_000_000);

    #[test]
    fn a_burst_passes_and_one_more_is_refused() {
        let rate = Rate::new(3, 2.0);
        let mut bucket = Bucket::default();
        for _ in 0..3 {
            assert_eq!(bucket.take(rate, START), Ok(()));
        }
        assert_eq!(bucket.take(rate, START), Err(Duration::from_millis(500)));
    }

    #[test]
    fn tokens_come_back_at_the_rate() {
        let rate = Rate::new(2, 1.0);
        let mut bucket = Bucket::default();
        let taken = (0..100u64).filter(|tenth| {
            let now = START + Duration::from_millis(tenth * 100);
            bucket.take(rate, now).is_ok()
        });
        assert_eq!(taken.count(), 2 + 9, "the burst, then one in each second that passed");
    }

    #[test]
    fn an_idle_bucket_is_full_again_after_the_refill_time() {
        let rate = Rate::new(5, 10.0);
        let mut bucket = Bucket::default();
        while bucket.take(rate, START).is_ok() {}
        assert!(!bucket.is_full(START));
        assert!(bucket.is_full(START + rate.refill_time()));
    }
}
