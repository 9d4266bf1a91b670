//! The rules of a directory for chains: which link it takes, and which chain an operator may bring.
//!
//! Whether a link is *valid* is a rule of [`securecall_identity`], the same for everybody and for
//! ever. Here is what a directory demands beside that: nobody resets an id but its operator, a new
//! record needs a place, rotations have a rate, and a link that is there already is fine. This
//! module stores nothing and reads no clock.
//!
//! A link carries its own authority, so the rules do not ask who brings it, with one exception: the
//! caller has an inception taken only from a connection that has proved itself by that inception.

use std::time::Duration;

use securecall_identity::{Chain, Extension, Head, Kind, Link, Position, Refusal, Rotations};

use crate::directory::Creation;

/// What a directory has of an id that has a chain.
#[derive(Clone, Copy, Debug)]
pub struct Existing<'a> {
    /// The newest link.
    pub head: &'a Head,
    /// How often the id was rotated lately.
    pub rotations: Rotations,
    /// The hash of the link that has the offered link's place, in this epoch; `None` if it is free.
    pub in_place: Option<[u8; 32]>,
    /// Whether an operator's reset of the id waits for its time.
    pub reset_pending: bool,
}

/// A link that is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "it is taken apart at once, and kept nowhere")]
pub enum Extended {
    /// The chain has the link already: write nothing, and answer as if it had been written.
    Kept,
    /// The link follows: write it with the head and the rotations that hold from then on, and
    /// drop the bundle of the head before and the reset that waits.
    Added {
        /// The new head.
        head: Head,
        /// The rotations so far.
        rotations: Rotations,
    },
}

/// Why a link is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It breaks a rule of chains.
    #[error(transparent)]
    Rule(#[from] Refusal),
    /// The id is rotated too often: this is how long to wait.
    #[error("the id was rotated too often lately")]
    TooSoon(Duration),
    /// The id has no chain, and no record may be made.
    #[error("no new record may be made from there now")]
    NotCreated,
}

/// Decides what becomes of a link, at `now` in seconds since 1970.
///
/// A backend has to call this and write the result as one step, as with
/// [`directory::decide`](crate::directory::decide).
///
/// # Errors
/// The link is not taken, and nothing changes.
pub fn extend(
    existing: Option<Existing<'_>>,
    link: &Link,
    creation: Creation,
    now: u64,
) -> Result<Extended, Refused> {
    let Some(existing) = existing else { return begin(link, creation) };
    // Also an older one: an answer that was lost must not look like a fork to a client that asks
    // again after another device has gone on.
    let is_of_epoch = link.position().epoch == existing.head.position().epoch;
    if is_of_epoch && existing.in_place == Some(link.position().hash) {
        return Ok(Extended::Kept);
    }
    match existing.head.extend(link)? {
        Extension::Already => Ok(Extended::Kept),
        Extension::Extended(head) => {
            Ok(Extended::Added { head, rotations: existing.rotations_after(link, now)? })
        }
    }
}

fn begin(link: &Link, creation: Creation) -> Result<Extended, Refused> {
    // A reset begins a chain, too; but nobody signs it, so nobody may bring one.
    if link.kind() != Kind::Inception {
        return Err(Refusal::NotAFirstLink.into());
    }
    let head = Head::begin(link)?;
    match creation {
        Creation::Allowed => Ok(Extended::Added { head, rotations: Rotations::default() }),
        Creation::Refused => Err(Refused::NotCreated),
    }
}

impl Existing<'_> {
    fn rotations_after(&self, link: &Link, now: u64) -> Result<Rotations, Refused> {
        match link.kind() {
            // The owner must be able to object, however often somebody has rotated.
            Kind::Rotate if self.reset_pending => Ok(self.rotations.rotate_at_once(now)),
            Kind::Rotate => self.rotations.rotate(now).map_err(Refused::TooSoon),
            _ => Ok(self.rotations),
        }
    }
}

/// What an operator's chain is to a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Brought {
    /// The id had no chain.
    New,
    /// It is the chain that is there.
    Same,
    /// It begins with the chain that is there, and goes on.
    Longer,
    /// It is older than the chain that is there, or another one. A reset is a chain of another epoch:
    /// it is made where it holds, with its delay, and never brought along.
    Contradicts,
}

/// Compares a chain that an operator brings with the head that is there.
///
/// Each link names the one before by its hash: where the links at one place agree, so do all before.
#[must_use]
pub fn compare(existing: Option<Position>, brought: &Chain) -> Brought {
    let Some(existing) = existing else { return Brought::New };
    let head = brought.head().position();
    let in_place = brought.link(existing.sequence).map(Link::position);
    if in_place != Some(existing) {
        Brought::Contradicts
    } else if head == existing {
        Brought::Same
    } else {
        Brought::Longer
    }
}

#[cfg(test)]
mod tests {
    use securecall_identity::{Id, IdentityKey, ROTATION_INTERVAL, RecoveryKey};
    use zeroize::Zeroizing;

    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn key(number: u8) -> IdentityKey {
        IdentityKey::from_bytes(&Zeroizing::new([number; 32]))
    }

    fn recovery(number: u8) -> RecoveryKey {
        RecoveryKey::from_entropy(&Zeroizing::new([number; 32]))
    }

    /// The chain of a plain id, rotated so many times.
    fn chain(rotations: u8) -> Chain {
        let id = Id::parse("alice").unwrap();
        let first = Link::plain_inception(&id, &key(1), recovery(1).commitment(), NOW).unwrap();
        let mut chain = Chain::begin(first).unwrap();
        for number in 1..=rotations {
            chain.extend(rotation(&chain, number)).unwrap();
        }
        chain
    }

    fn rotation(chain: &Chain, number: u8) -> Link {
        Link::rotate(chain.head(), &key(number), &key(number + 1), NOW).unwrap()
    }

    fn existing(chain: &Chain) -> Existing<'_> {
        let head = chain.head();
        Existing { head, rotations: Rotations::default(), in_place: None, reset_pending: false }
    }

    fn put(existing: Existing<'_>, link: &Link) -> Result<Extended, Refused> {
        extend(Some(existing), link, Creation::Refused, NOW)
    }

    #[test]
    fn a_first_link_needs_a_place_and_a_further_one_does_not() {
        let chain = chain(1);
        let [first, second] = [0, 1].map(|sequence| chain.link(sequence).unwrap());
        assert_eq!(extend(None, first, Creation::Refused, NOW), Err(Refused::NotCreated));
        let added = extend(None, first, Creation::Allowed, NOW);
        let Ok(Extended::Added { head, .. }) = added else { panic!("{added:?}") };
        assert!(matches!(
            extend(
                Some(Existing { head: &head, ..existing(&chain) }),
                second,
                Creation::Refused,
                NOW
            ),
            Ok(Extended::Added { .. })
        ));
    }

    #[test]
    fn nobody_brings_a_reset() {
        let chain = chain(0);
        let reset = Link::reset(chain.head(), NOW).unwrap();
        let refused = extend(None, &reset, Creation::Allowed, NOW);
        assert_eq!(refused, Err(Refused::Rule(Refusal::NotAFirstLink)));
        let refused = put(existing(&chain), &reset);
        assert_eq!(refused, Err(Refused::Rule(Refusal::OtherEpoch)));
    }

    #[test]
    fn a_link_that_is_there_is_kept_and_another_in_its_place_is_refused() {
        let chain = chain(2);
        let [first, second] = [1, 2].map(|sequence| chain.link(sequence).unwrap());
        assert_eq!(put(existing(&chain), second), Ok(Extended::Kept));
        let in_place = Some(first.position().hash);
        assert_eq!(put(Existing { in_place, ..existing(&chain) }, first), Ok(Extended::Kept));

        let before = self::chain(0);
        let other = Link::rotate(before.head(), &key(1), &key(9), NOW).unwrap();
        let refused = put(Existing { in_place, ..existing(&chain) }, &other);
        assert_eq!(refused, Err(Refused::Rule(Refusal::SequenceTaken)));
    }

    #[test]
    fn a_link_of_an_earlier_epoch_is_not_kept() {
        let old = chain(0);
        let link = old.link(0).unwrap();
        let reset = Chain::begin(Link::reset(old.head(), NOW).unwrap()).unwrap();
        let in_place = Some(link.position().hash);
        let refused = put(Existing { in_place, ..existing(&reset) }, link);
        assert_eq!(refused, Err(Refused::Rule(Refusal::OtherEpoch)));
    }

    #[test]
    fn rotations_have_a_rate_and_recoveries_have_none() {
        let chain = chain(0);
        let mut rotations = Rotations::default();
        while let Ok(more) = rotations.rotate(NOW) {
            rotations = more;
        }
        let spent = Existing { rotations, ..existing(&chain) };
        let link = rotation(&chain, 1);
        assert_eq!(put(spent, &link), Err(Refused::TooSoon(ROTATION_INTERVAL)));
        let later = NOW + ROTATION_INTERVAL.as_secs();
        assert!(extend(Some(spent), &link, Creation::Refused, later).is_ok());

        let next = recovery(2).commitment();
        let recover = Link::recover(chain.head(), &recovery(1), &key(2), next, NOW).unwrap();
        assert!(put(spent, &recover).is_ok());
    }

    #[test]
    fn a_rotation_that_objects_to_a_reset_does_not_wait_and_counts() {
        let chain = chain(0);
        let mut rotations = Rotations::default();
        while let Ok(more) = rotations.rotate(NOW) {
            rotations = more;
        }
        let spent = Existing { rotations, reset_pending: true, ..existing(&chain) };
        let Ok(Extended::Added { rotations: after, .. }) = put(spent, &rotation(&chain, 1)) else {
            panic!("it is not taken")
        };
        assert!(after.paid_at() > rotations.paid_at());
    }

    #[test]
    fn an_operators_chain_goes_on_or_contradicts() {
        let chain = chain(2);
        let position = |chain: &Chain| Some(chain.head().position());
        assert_eq!(compare(None, &chain), Brought::New);
        assert_eq!(compare(position(&chain), &chain), Brought::Same);
        assert_eq!(compare(position(&self::chain(1)), &chain), Brought::Longer);
        assert_eq!(compare(position(&chain), &self::chain(1)), Brought::Contradicts);

        let mut fork = self::chain(1);
        fork.extend(Link::rotate(fork.head(), &key(2), &key(9), NOW).unwrap()).unwrap();
        assert_eq!(compare(position(&chain), &fork), Brought::Contradicts);
        let reset = Chain::begin(Link::reset(chain.head(), NOW).unwrap()).unwrap();
        assert_eq!(compare(position(&chain), &reset), Brought::Contradicts);
        assert_eq!(compare(position(&reset), &chain), Brought::Contradicts);
    }
}
