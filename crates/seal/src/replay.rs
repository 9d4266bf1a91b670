//! Which offers were here before.
//!
//! Each caller has a window of its own, by its identity key. A caller that makes more offers than
//! its window holds, or dates them ahead, gets only its own next offers refused.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use securecall_identity::notation::Digest;

use crate::{ClockOffset, Error, Standing};

/// The bound of the difference between an offer's time and the callee's clock, either way. The
/// server lets a call ring for one minute; four more are for clocks that are off.
pub const OFFER_AGE_MAX: Duration = Duration::from_secs(5 * 60);

/// The bound of remembered offers of one caller: one every ten seconds, while the last ones may be
/// dated [`OFFER_AGE_MAX`] ahead.
pub const OFFERS_PER_CALLER_MAX: usize = 64;

/// The bound of remembered offers of callers that the program knows, and of those of strangers. At
/// about 100 bytes each that is 800 KiB, and 64 callers of each kind that do their worst.
pub const OFFERS_REMEMBERED_MAX: usize = 4096;

const AGE_MAX: u64 = OFFER_AGE_MAX.as_secs();

/// An identity key.
type Identity = [u8; 32];

/// The maker and the time of an offer: by its own claim, in seconds since 1970.
#[derive(Clone, Copy)]
pub(crate) struct Made {
    pub(crate) by: Identity,
    pub(crate) at: u64,
}

/// The offers of the last minutes. Only authentic ones come in here.
///
/// An offer as old as a forgotten one is refused. So neither a flood of offers nor a clock that is
/// set back opens the door for an old one.
#[derive(Default)]
pub(crate) struct SeenOffers {
    known: Windows,
    strangers: Windows,
    /// Offers of this second and before have expired by our own clock. `None` before the first.
    expired_until: Option<u64>,
}

/// The windows of callers of one standing.
#[derive(Default)]
struct Windows {
    windows: BTreeMap<Identity, Window>,
    offers: usize,
}

/// The last offers of one caller.
#[derive(Default)]
struct Window {
    /// By time, the oldest first.
    offers: BTreeSet<(u64, Digest)>,
    /// Offers of this second and before made room for later ones. `None` if there was always room.
    forgotten_until: Option<u64>,
}

impl SeenOffers {
    /// Remembers an offer, if it is fresh and new. `now` is in seconds since 1970.
    pub(crate) fn admit(
        &mut self,
        offer: Digest,
        made: Made,
        standing: Standing,
        now: u64,
    ) -> Result<(), Error> {
        if made.at.abs_diff(now) > AGE_MAX {
            return Err(Error::Stale(ClockOffset::of(made.at, now)));
        }
        if self.expired_until.is_some_and(|second| made.at <= second) {
            return Err(Error::Forgotten);
        }
        // A caller may have become a known one since its last offer.
        for windows in [&self.known, &self.strangers] {
            windows.check(&offer, made)?;
        }
        let windows = match standing {
            Standing::Known => &mut self.known,
            Standing::Stranger => &mut self.strangers,
        };
        let oldest = now.saturating_sub(AGE_MAX);
        let expired = windows.make_room(oldest);
        self.expired_until = self.expired_until.max(expired);
        windows.remember(offer, made)
    }
}

impl Windows {
    fn check(&self, offer: &Digest, made: Made) -> Result<(), Error> {
        let Some(window) = self.windows.get(&made.by) else { return Ok(()) };
        if window.offers.contains(&(made.at, *offer)) {
            return Err(Error::Replayed);
        }
        let forgotten = window.forgotten_until.is_some_and(|second| made.at <= second);
        if forgotten { Err(Error::Forgotten) } else { Ok(()) }
    }

    fn remember(&mut self, offer: Digest, made: Made) -> Result<(), Error> {
        let has_own_room = self
            .windows
            .get(&made.by)
            .is_some_and(|window| window.offers.len() >= OFFERS_PER_CALLER_MAX);
        if self.offers >= OFFERS_REMEMBERED_MAX && !has_own_room {
            return Err(Error::TooManyCallers);
        }
        let window = self.windows.entry(made.by).or_default();
        let before = window.offers.len();
        window.remember(offer, made.at);
        self.offers = self.offers - before + window.offers.len();
        Ok(())
    }

    /// Forgets offers from before `oldest`, which are refused by their age anyway, if there is no
    /// room otherwise. Returns the time of the latest of them.
    fn make_room(&mut self, oldest: u64) -> Option<u64> {
        if self.offers < OFFERS_REMEMBERED_MAX {
            return None;
        }
        let expired = self.windows.values_mut().filter_map(|window| window.expire(oldest)).max();
        self.windows.retain(|_, window| !window.is_over(oldest));
        self.offers = self.windows.values().map(|window| window.offers.len()).sum();
        expired
    }
}

impl Window {
    fn remember(&mut self, offer: Digest, at: u64) {
        self.offers.insert((at, offer));
        if self.offers.len() > OFFERS_PER_CALLER_MAX
            && let Some((forgotten, _)) = self.offers.pop_first()
        {
            self.forgotten_until = self.forgotten_until.max(Some(forgotten));
        }
    }

    fn expire(&mut self, oldest: u64) -> Option<u64> {
        let fresh = self.offers.split_off(&(oldest, [0; 32]));
        let expired = std::mem::replace(&mut self.offers, fresh);
        expired.last().map(|(at, _)| *at)
    }

    /// Returns true if it holds no offer that still counts.
    fn is_over(&self, oldest: u64) -> bool {
        self.offers.is_empty() && self.forgotten_until.is_none_or(|until| until < oldest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Standing::{Known, Stranger};

    const NOW: u64 = 1_800_000_000;
    const ALICE: Identity = [0xaa; 32];
    const MALLORY: Identity = [0xee; 32];

    fn offer(number: usize) -> Digest {
        let mut offer = [0; 32];
        offer[..8].copy_from_slice(&number.to_be_bytes());
        offer
    }

    fn identity(number: usize) -> Identity {
        offer(number)
    }

    impl SeenOffers {
        fn take(&mut self, number: usize, by: Identity, at: u64, now: u64) -> Result<(), Error> {
            self.admit(offer(number), Made { by, at }, Stranger, now)
        }
    }

    fn stale(seconds: i64) -> Result<(), Error> {
        Err(Error::Stale(ClockOffset::from_seconds(seconds)))
    }

    #[test]
    fn an_offer_is_admitted_once() {
        let mut seen = SeenOffers::default();
        assert_eq!(seen.take(1, ALICE, NOW, NOW), Ok(()));
        assert_eq!(seen.take(1, ALICE, NOW, NOW + AGE_MAX), Err(Error::Replayed));
        assert_eq!(seen.take(2, ALICE, NOW, NOW), Ok(()));
    }

    #[test]
    fn an_offer_of_a_caller_who_became_known_is_admitted_once_too() {
        let mut seen = SeenOffers::default();
        let made = Made { by: ALICE, at: NOW };
        assert_eq!(seen.admit(offer(1), made, Stranger, NOW), Ok(()));
        assert_eq!(seen.admit(offer(1), made, Known, NOW), Err(Error::Replayed));
    }

    #[test]
    fn an_offer_is_fresh_for_five_minutes_either_way() {
        let mut seen = SeenOffers::default();
        assert_eq!(seen.take(1, ALICE, NOW - AGE_MAX - 1, NOW), stale(-301));
        assert_eq!(seen.take(2, ALICE, NOW + AGE_MAX + 1, NOW), stale(301));
        assert_eq!(seen.take(3, ALICE, NOW - AGE_MAX, NOW), Ok(()));
        assert_eq!(seen.take(4, ALICE, NOW + AGE_MAX, NOW), Ok(()));
    }

    #[test]
    fn offers_dated_ahead_harm_their_maker_alone() {
        let mut seen = SeenOffers::default();
        for number in 0..2 * OFFERS_REMEMBERED_MAX {
            let _ = seen.take(number, MALLORY, NOW + AGE_MAX - 1, NOW);
        }
        assert_eq!(seen.take(0, MALLORY, NOW, NOW), Err(Error::Forgotten));
        assert_eq!(seen.take(0, ALICE, NOW, NOW), Ok(()));
        assert_eq!(seen.strangers.offers, OFFERS_PER_CALLER_MAX + 1);
    }

    #[test]
    fn strangers_in_any_number_do_not_keep_out_who_is_known() {
        let mut seen = SeenOffers::default();
        for number in 0..OFFERS_REMEMBERED_MAX {
            assert_eq!(seen.take(number, identity(number), NOW + AGE_MAX, NOW), Ok(()));
        }
        assert_eq!(seen.take(0, ALICE, NOW, NOW), Err(Error::TooManyCallers));
        assert_eq!(seen.strangers.offers, OFFERS_REMEMBERED_MAX);
        let made = Made { by: ALICE, at: NOW };
        assert_eq!(seen.admit(offer(0), made, Known, NOW), Ok(()));
        // Ten minutes later there is room for strangers, too.
        let later = NOW + 2 * AGE_MAX + 1;
        assert_eq!(seen.take(0, ALICE, later, later), Ok(()));
        assert_eq!(seen.strangers.offers, 1);
    }

    #[test]
    fn an_expired_offer_is_refused_even_when_the_clock_is_set_back() {
        let mut seen = SeenOffers::default();
        for number in 0..OFFERS_REMEMBERED_MAX {
            assert_eq!(seen.take(number, identity(number), NOW, NOW), Ok(()));
        }
        let later = NOW + 2 * AGE_MAX;
        assert_eq!(seen.take(1, ALICE, later, later), Ok(()));
        assert_eq!(seen.strangers.offers, 1);
        assert_eq!(seen.take(0, identity(0), NOW, NOW), Err(Error::Forgotten));
    }

    #[test]
    fn a_flood_of_one_caller_admits_no_offer_twice() {
        let mut seen = SeenOffers::default();
        assert_eq!(seen.take(9999, ALICE, NOW - 1, NOW), Ok(()));
        for number in 0..OFFERS_PER_CALLER_MAX {
            assert_eq!(seen.take(number, ALICE, NOW, NOW), Ok(()));
        }
        assert_eq!(seen.take(9999, ALICE, NOW - 1, NOW), Err(Error::Forgotten));
    }
}
