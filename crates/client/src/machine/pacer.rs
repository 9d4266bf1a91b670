//! The pace of sending, so that the server never has to refuse.

use std::time::{Duration, Instant};

use securecall_protocol::MessageType;

/// A class of messages that the server counts together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Calls,
    Hangups,
    Candidates,
    Directory,
    Other,
}

/// By default the server takes 20 and 1/s, 400 and 50/s, 20 and 2/s, 30 and 5/s: a quarter
/// less, because its clock and the network have their own pace. A full ICE gather (some tens of
/// candidates, rarely over a hundred) passes at once.
///
/// Calls are declined and ended as fast as anybody can ring, which is 20 and 1/s, or a flood of
/// calls would make a queue. What the server refuses of that is sent again.
const RATES: [Rate; 5] = [
    Rate { burst: 15, interval: Duration::from_millis(1_250) },
    Rate { burst: 20, interval: Duration::from_millis(1_000) },
    Rate { burst: 300, interval: Duration::from_millis(25) },
    Rate { burst: 15, interval: Duration::from_millis(625) },
    Rate { burst: 20, interval: Duration::from_millis(250) },
];

/// So many at once, then one each interval.
#[derive(Debug, Clone, Copy)]
struct Rate {
    burst: u32,
    interval: Duration,
}

/// One bucket for each class. Begins anew with each connection, as the server's do.
#[derive(Debug, Default)]
pub(super) struct Pacer {
    buckets: [Bucket; 5],
}

/// A token bucket as one moment (GCRA): when it is full again.
#[derive(Debug, Default)]
struct Bucket {
    full_at: Option<Instant>,
    paused_until: Option<Instant>,
}

impl Class {
    pub(super) const fn of(message_type: MessageType) -> Self {
        match message_type {
            MessageType::CallInitiate | MessageType::CallRinging | MessageType::CallAccept => {
                Self::Calls
            }
            MessageType::CallReject | MessageType::CallEnd => Self::Hangups,
            MessageType::IceCandidate | MessageType::CallSignal => Self::Candidates,
            MessageType::PkdRegister | MessageType::PkdLookup => Self::Directory,
            _ => Self::Other,
        }
    }
}

impl Pacer {
    /// Takes a place for one message. `Err`: the time at which there will be one.
    pub(super) fn take(&mut self, class: Class, now: Instant) -> Result<(), Instant> {
        let Rate { burst, interval } = RATES[class as usize];
        let bucket = &mut self.buckets[class as usize];
        let paused = bucket.paused_until.filter(|until| *until > now);
        let full_at = bucket.full_at.map_or(now, |at| at.max(now));
        let free_at = full_at.checked_sub(interval * (burst - 1)).filter(|at| *at > now);
        match paused.max(free_at) {
            Some(later) => Err(later),
            None => {
                bucket.full_at = Some(full_at + interval);
                Ok(())
            }
        }
    }

    /// Returns whether half a burst is left, for messages that may as well not be sent.
    pub(super) fn has_spare(&self, class: Class, now: Instant) -> bool {
        let Rate { burst, interval } = RATES[class as usize];
        let bucket = &self.buckets[class as usize];
        let paused = bucket.paused_until.is_some_and(|until| until > now);
        let used = bucket.full_at.map_or(Duration::ZERO, |at| at.saturating_duration_since(now));
        !paused && used <= interval * (burst / 2)
    }

    /// The server has refused: nothing of this class until then.
    pub(super) fn pause(&mut self, class: Class, until: Instant) {
        self.buckets[class as usize].paused_until = Some(until);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_gather_passes_at_once() {
        let (mut pacer, now) = (Pacer::default(), Instant::now());
        for _ in 0..300 {
            assert_eq!(pacer.take(Class::Candidates, now), Ok(()));
        }
        let later = pacer.take(Class::Candidates, now).unwrap_err();
        assert_eq!(later - now, Duration::from_millis(25));
        assert_eq!(pacer.take(Class::Candidates, later), Ok(()));
        assert!(pacer.take(Class::Candidates, later).is_err());
    }

    #[test]
    fn a_pause_holds_one_class_alone() {
        let (mut pacer, now) = (Pacer::default(), Instant::now());
        let until = now + Duration::from_secs(2);
        pacer.pause(Class::Calls, until);
        assert_eq!(pacer.take(Class::Calls, now), Err(until));
        assert_eq!(pacer.take(Class::Directory, now), Ok(()));
        assert_eq!(pacer.take(Class::Calls, until), Ok(()));
    }
}
