//! An operator's reset of a bound id: when it may be asked for, and when it falls due.
//!
//! A reset gives an id away that somebody may still have. So it is pending for a delay, and any link
//! that the owner signs is a veto. **Only time counts in which the owner could have vetoed it**: the
//! directory was running and wrote to its disk. It is measured by a clock that nobody sets, so a
//! jump of the time of day changes nothing; and one step counts as [`COUNTED_MAX`] at most, so a
//! suspended machine does not catch up. A server that was stopped does not count.

use std::time::Duration;

use securecall_identity::{Binding, Head};

/// The interval in which time is counted and stored: what a crash loses.
pub const COUNT_INTERVAL: Duration = Duration::from_secs(60);

/// The most that counts of the time between two countings.
pub const COUNTED_MAX: Duration = Duration::from_secs(120);

/// A pending reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PendingReset {
    /// The time that is still to be counted.
    pub left: Duration,
}

impl PendingReset {
    /// The reset after a step of so much time.
    #[must_use]
    pub fn counted(self, elapsed: Duration) -> Self {
        Self { left: self.left.saturating_sub(elapsed.min(COUNTED_MAX)) }
    }

    /// Returns true if the reset is to be executed.
    #[must_use]
    pub fn is_due(self) -> bool {
        self.left.is_zero()
    }

    /// Returns the time before the next counting.
    #[must_use]
    pub fn next_count(self) -> Duration {
        self.left.min(COUNT_INTERVAL)
    }
}

/// The answer to an operator's request for a reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The id has no chain: its key, if there is one, is removed at once.
    AtOnce,
    /// The reset is pending: from now on, or since an earlier request.
    Pending(PendingReset),
    /// The id certifies itself: only its own keys change it.
    Certified,
    /// The owner has ended the id for good.
    Ended,
}

/// Decides about a reset that an operator requests. A second request does not restart the delay.
#[must_use]
pub fn ask(head: Option<&Head>, pending: Option<PendingReset>, delay: Duration) -> Asked {
    let Some(head) = head else { return Asked::AtOnce };
    match head.binding() {
        Binding::Bound if head.id().is_certified() => Asked::Certified,
        Binding::Bound => Asked::Pending(pending.unwrap_or(PendingReset { left: delay })),
        Binding::Ended => Asked::Ended,
        Binding::Open => Asked::AtOnce,
    }
}

#[cfg(test)]
mod tests {
    use securecall_identity::{Id, IdentityKey, Link, RecoveryKey};
    use zeroize::Zeroizing;

    use super::*;

    const DELAY: Duration = Duration::from_secs(72 * 3600);

    fn key() -> IdentityKey {
        IdentityKey::from_bytes(&Zeroizing::new([1; 32]))
    }

    fn recovery() -> RecoveryKey {
        RecoveryKey::from_entropy(&Zeroizing::new([2; 32]))
    }

    fn plain() -> Head {
        let id = Id::parse("alice").unwrap();
        let link = Link::plain_inception(&id, &key(), recovery().commitment(), 0).unwrap();
        Head::begin(&link).unwrap()
    }

    fn after(head: &Head, link: &Link) -> Head {
        match head.extend(link).unwrap() {
            securecall_identity::Extension::Extended(head) => head,
            securecall_identity::Extension::Already => panic!("it is the same"),
        }
    }

    #[test]
    fn a_bound_id_waits_and_asking_again_does_not_begin_anew() {
        let fresh = PendingReset { left: DELAY };
        assert_eq!(ask(Some(&plain()), None, DELAY), Asked::Pending(fresh));
        let waited = fresh.counted(Duration::from_secs(60));
        assert_eq!(ask(Some(&plain()), Some(waited), DELAY), Asked::Pending(waited));
    }

    #[test]
    fn an_id_without_a_key_does_not_wait_and_some_ids_are_never_reset() {
        let plain = plain();
        assert_eq!(ask(None, None, DELAY), Asked::AtOnce);
        let reset = Head::begin(&Link::reset(&plain, 0).unwrap()).unwrap();
        assert_eq!(ask(Some(&reset), None, DELAY), Asked::AtOnce);
        let ended = after(&plain, &Link::tombstone(&plain, &recovery(), 0).unwrap());
        assert_eq!(ask(Some(&ended), None, DELAY), Asked::Ended);
        let link = Link::certified_inception(&key(), recovery().commitment(), 0).unwrap();
        let certified = Head::begin(&link).unwrap();
        assert_eq!(ask(Some(&certified), None, DELAY), Asked::Certified);
        let ended = after(&certified, &Link::tombstone(&certified, &recovery(), 0).unwrap());
        assert_eq!(ask(Some(&ended), None, DELAY), Asked::Ended);
    }

    #[test]
    fn the_delay_is_counted_down_to_its_end() {
        let mut pending = PendingReset { left: Duration::from_secs(150) };
        for (next, due) in [(60, false), (60, false), (30, false), (0, true)] {
            assert_eq!(pending.next_count(), Duration::from_secs(next));
            assert_eq!(pending.is_due(), due);
            pending = pending.counted(pending.next_count());
        }
    }

    #[test]
    fn a_machine_that_stood_still_for_a_year_has_counted_two_minutes() {
        let pending = PendingReset { left: DELAY }.counted(Duration::from_secs(365 * 86_400));
        assert_eq!(pending.left, DELAY - COUNTED_MAX);
    }
}
