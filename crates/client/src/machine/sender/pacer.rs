//! The pace of sending, so that the server never has to refuse.

use std::time::{Duration, Instant};

use securecall_protocol::{Bucket, MessageClass, MessageRates, Rate};

/// One bucket for each class of messages. Begins anew with each connection, as the server's do.
#[derive(Debug, Default)]
pub(super) struct Pacer {
    /// The start of the connection, from which the buckets count their time. `None` before the
    /// first connection.
    since: Option<Instant>,
    rates: MessageRates,
    buckets: [Bucket; MessageClass::ALL.len()],
    paused_until: [Option<Instant>; MessageClass::ALL.len()],
}

impl Pacer {
    /// Full buckets, at a quarter less than the server accepts: its clock and the network have
    /// their own pace, and what it refuses has to be sent again.
    pub(super) fn new(accepted: &MessageRates, now: Instant) -> Self {
        let rates = MessageRates::from_fn(|class| with_margin(accepted.of(class)));
        Self { since: Some(now), rates, ..Self::default() }
    }

    /// Takes a place for one message. `Err`: the time at which there will be one.
    pub(super) fn take(&mut self, class: MessageClass, now: Instant) -> Result<(), Instant> {
        if let Some(until) = self.paused_until[class as usize].filter(|until| *until > now) {
            return Err(until);
        }
        let now_micros = self.micros(now);
        let taken = self.buckets[class as usize].take(self.rates.of(class), now_micros);
        taken.map_err(|wait| now + wait)
    }

    /// Returns whether half a burst is left, for messages that may as well not be sent.
    pub(super) fn has_spare(&self, class: MessageClass, now: Instant) -> bool {
        let paused = self.paused_until[class as usize].is_some_and(|until| until > now);
        let rate = self.rates.of(class);
        let half = rate.interval().saturating_mul(rate.burst() / 2);
        !paused
            && self.buckets[class as usize].is_full(self.micros(now).saturating_add(micros(half)))
    }

    /// Lets nothing of this class pass until then: the server has refused a message.
    pub(super) fn pause(&mut self, class: MessageClass, until: Instant) {
        self.paused_until[class as usize] = Some(until);
    }

    fn micros(&self, now: Instant) -> u64 {
        self.since.map_or(0, |since| micros(now.saturating_duration_since(since)))
    }
}

fn with_margin(accepted: Rate) -> Rate {
    let burst = accepted.burst() - accepted.burst() / 4;
    Rate::every(accepted.interval() * 5 / 4, burst)
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_defaults() -> (Pacer, Instant) {
        let now = Instant::now();
        (Pacer::new(&MessageRates::default(), now), now)
    }

    #[test]
    fn a_full_gather_passes_at_once() {
        let (mut pacer, now) = of_defaults();
        for _ in 0..300 {
            assert_eq!(pacer.take(MessageClass::Candidates, now), Ok(()));
        }
        let later = pacer.take(MessageClass::Candidates, now).unwrap_err();
        assert_eq!(later - now, Duration::from_millis(25));
        assert_eq!(pacer.take(MessageClass::Candidates, later), Ok(()));
        assert!(pacer.take(MessageClass::Candidates, later).is_err());
    }

    #[test]
    fn a_pause_holds_one_class_alone() {
        let (mut pacer, now) = of_defaults();
        let until = now + Duration::from_secs(2);
        pacer.pause(MessageClass::Calls, until);
        assert_eq!(pacer.take(MessageClass::Calls, now), Err(until));
        assert_eq!(pacer.take(MessageClass::Directory, now), Ok(()));
        assert_eq!(pacer.take(MessageClass::Calls, until), Ok(()));
    }

    /// At the slowest and the fastest rates that there are, a client that keeps its pace is never
    /// refused, and never stops.
    #[test]
    fn what_keeps_the_pace_passes_the_servers_bucket() {
        for (burst, interval_millis) in [(1, 1), (1, 1_000_000), (3, 250), (1_000_000, 1_000_000)] {
            let accepted = Rate::every(Duration::from_millis(interval_millis), burst);
            let start = Instant::now();
            let mut pacer = Pacer::new(&MessageRates::from_fn(|_| accepted), start);
            let (mut server, mut now) = (Bucket::default(), start);
            for _ in 0..50 {
                while let Err(later) = pacer.take(MessageClass::Other, now) {
                    assert!(later > now && later - now <= accepted.interval() * 5 / 4);
                    now = later;
                }
                assert_eq!(server.take(accepted, micros(now - start)), Ok(()));
            }
        }
    }

    #[test]
    fn half_a_burst_is_spare() {
        let (mut pacer, now) = of_defaults();
        let mut taken = 0;
        while pacer.has_spare(MessageClass::Calls, now) {
            pacer.take(MessageClass::Calls, now).unwrap();
            taken += 1;
        }
        assert_eq!(taken, 8, "of 15");
    }
}
