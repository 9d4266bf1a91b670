//! Rates: token buckets.
//!
//! A bucket is one number, the time at which it will be full again (the generic cell rate
//! algorithm, ITU-T I.371). It costs eight bytes and no upkeep, and checking it costs the same
//! however many clients there are. Its time is given in microseconds since any moment that the
//! caller has chosen: a server counts with it, and a client paces itself.

use std::time::Duration;

use crate::{DefaultRate, MessageClass};

/// The longest interval that counts.
const YEAR_MICROS: u64 = 365 * 24 * 3600 * 1_000_000;

/// A number at once, and a number per second in the long run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    burst: u32,
    interval_micros: u64,
}

impl Rate {
    /// `burst` at once, and one more every 1/`per_second`.
    ///
    /// A burst of 0 is taken as 1. A rate below one in a year is taken as one in a year.
    pub fn new(burst: u32, per_second: f64) -> Self {
        // `as` saturates, and the bounds leave nothing to saturate.
        let interval_micros = (1e6 / per_second).clamp(1.0, YEAR_MICROS as f64) as u64;
        Self { burst: burst.max(1), interval_micros }
    }

    /// `burst` at once, and one more every `interval`, of a microsecond at least and a year at most.
    ///
    /// A burst of 0 is taken as 1.
    pub fn every(interval: Duration, burst: u32) -> Self {
        let micros = u64::try_from(interval.as_micros()).unwrap_or(YEAR_MICROS);
        Self { burst: burst.max(1), interval_micros: micros.clamp(1, YEAR_MICROS) }
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

    /// The time in which one comes back.
    pub fn interval(self) -> Duration {
        Duration::from_micros(self.interval_micros)
    }

    /// The time in which a full burst comes back.
    pub fn refill_time(self) -> Duration {
        Duration::from_micros(self.interval_micros.saturating_mul(u64::from(self.burst)))
    }

    #[inline]
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
    #[inline]
    pub fn take(&mut self, rate: Rate, now_micros: u64) -> Result<(), Duration> {
        let full_at = self.full_at_micros.max(now_micros);
        let owed = full_at - now_micros;
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
    pub fn is_full(self, now_micros: u64) -> bool {
        self.full_at_micros <= now_micros
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u64 = 1_000_000_000;

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
        let taken = (0..100u64).filter(|tenth| bucket.take(rate, START + tenth * 100_000).is_ok());
        assert_eq!(taken.count(), 2 + 9, "the burst, then one in each second that passed");
    }

    #[test]
    fn an_idle_bucket_is_full_again_after_the_refill_time() {
        let rate = Rate::new(5, 10.0);
        let mut bucket = Bucket::default();
        while bucket.take(rate, START).is_ok() {}
        assert!(!bucket.is_full(START));
        assert!(bucket.is_full(START + rate.refill_time().as_micros() as u64));
    }

    #[test]
    fn a_rate_without_tokens_or_time_still_lets_one_pass_now_and_then() {
        let year = Duration::from_micros(YEAR_MICROS);
        assert_eq!(Rate::every(Duration::MAX, 0), Rate::every(year, 1));
        assert_eq!(Rate::every(Duration::ZERO, 5).interval(), Duration::from_micros(1));
        for per_second in [0.0, -1.0, f64::MIN_POSITIVE] {
            assert!(Rate::new(1, per_second).interval() <= year, "{per_second}");
        }
        assert_eq!(Rate::new(2, 4.0), Rate::every(Duration::from_millis(250), 2));
    }
}
