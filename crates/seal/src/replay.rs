//! Which offers were here before.

use std::{collections::BTreeSet, time::Duration};

use crate::{Error, digest::Digest};

/// How far an offer's time and the callee's clock may be apart, either way. The server lets a call
/// ring for one minute; four more are for clocks that are off.
pub const OFFER_AGE_MAX: Duration = Duration::from_secs(5 * 60);

/// How many offers a callee remembers. At 40 bytes each that is 160 KiB, and more than thirteen
/// offers a second for [`OFFER_AGE_MAX`].
pub const OFFERS_REMEMBERED_MAX: usize = 4096;

/// The offers of the last minutes. Only authentic ones come in here.
///
/// What it forgets, it refuses: no offer is accepted that is as old as a forgotten one. So neither
/// a flood of offers nor a clock that is set back opens the door for an old one.
#[derive(Default)]
pub(crate) struct SeenOffers {
    /// By time, the oldest first.
    offers: BTreeSet<(u64, Digest)>,
    /// Offers of this second and before are too old. None: nothing was forgotten yet.
    forgotten_until: Option<u64>,
}

impl SeenOffers {
    /// Remembers an offer, if it is fresh and new. Both times are in seconds since 1970.
    pub(crate) fn admit(&mut self, offer: Digest, created: u64, now: u64) -> Result<(), Error> {
        let forgotten = self.forgotten_until.is_some_and(|second| created <= second);
        if forgotten || created.abs_diff(now) > OFFER_AGE_MAX.as_secs() {
            return Err(Error::Stale);
        }
        if !self.offers.insert((created, offer)) {
            return Err(Error::Replayed);
        }
        self.forget(now);
        Ok(())
    }

    fn forget(&mut self, now: u64) {
        let oldest = now.saturating_sub(OFFER_AGE_MAX.as_secs());
        while self.offers.len() > OFFERS_REMEMBERED_MAX
            || self.offers.first().is_some_and(|(created, _)| *created < oldest)
        {
            let Some((created, _)) = self.offers.pop_first() else { return };
            self.forgotten_until = Some(created);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;
    const AGE: u64 = OFFER_AGE_MAX.as_secs();

    #[test]
    fn an_offer_is_admitted_once() {
        let mut seen = SeenOffers::default();
        assert_eq!(seen.admit([1; 32], NOW, NOW), Ok(()));
        assert_eq!(seen.admit([1; 32], NOW, NOW + AGE), Err(Error::Replayed));
        assert_eq!(seen.admit([2; 32], NOW, NOW), Ok(()));
    }

    #[test]
    fn an_offer_is_fresh_for_five_minutes_either_way() {
        let mut seen = SeenOffers::default();
        assert_eq!(seen.admit([1; 32], NOW - AGE - 1, NOW), Err(Error::Stale));
        assert_eq!(seen.admit([2; 32], NOW + AGE + 1, NOW), Err(Error::Stale));
        assert_eq!(seen.admit([3; 32], NOW - AGE, NOW), Ok(()));
        assert_eq!(seen.admit([4; 32], NOW + AGE, NOW), Ok(()));
    }

    #[test]
    fn a_forgotten_offer_is_refused_even_when_the_clock_is_set_back() {
        let mut seen = SeenOffers::default();
        assert_eq!(seen.admit([1; 32], NOW, NOW), Ok(()));
        assert_eq!(seen.admit([2; 32], NOW + 2 * AGE, NOW + 2 * AGE), Ok(()));
        assert_eq!(seen.offers.len(), 1);
        assert_eq!(seen.admit([1; 32], NOW, NOW), Err(Error::Stale));
    }

    #[test]
    fn a_flood_forgets_the_oldest_and_still_admits_no_offer_twice() {
        let mut seen = SeenOffers::default();
        assert_eq!(seen.admit([255; 32], NOW - 1, NOW), Ok(()));
        for number in 0..OFFERS_REMEMBERED_MAX {
            let mut offer = [0; 32];
            offer[..8].copy_from_slice(&number.to_be_bytes());
            assert_eq!(seen.admit(offer, NOW, NOW), Ok(()));
        }
        assert_eq!(seen.offers.len(), OFFERS_REMEMBERED_MAX);
        assert_eq!(seen.admit([255; 32], NOW - 1, NOW), Err(Error::Stale));
    }
}
