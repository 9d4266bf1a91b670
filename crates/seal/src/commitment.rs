//! The caller commits to a random value in the offer and opens it after the answer.
//!
//! Without it, whoever answers last could try answers until the short authentication string comes
//! out as wanted: seven digits are ten million tries, a few seconds. With it, the string depends
//! on a value that the callee's end does not know before its answer is fixed, and that the
//! caller's end cannot change after its offer.

use rand_core::CryptoRng;
use securecall_identity::notation::{Digest, digest};
use zeroize::Zeroizing;

use crate::{Error, labels};

pub(crate) const OPENING_BYTES: usize = 32;

/// The random value.
#[derive(Clone)]
pub(crate) struct Opening(Zeroizing<[u8; OPENING_BYTES]>);

/// The hash of an opening, which reveals nothing of it and fits no other.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Commitment(pub(crate) Digest);

impl Opening {
    pub(crate) fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut opening = Zeroizing::new([0; OPENING_BYTES]);
        rng.fill_bytes(&mut *opening);
        Self(opening)
    }

    pub(crate) fn from_bytes(bytes: [u8; OPENING_BYTES]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub(crate) fn as_bytes(&self) -> &[u8; OPENING_BYTES] {
        &self.0
    }

    pub(crate) fn commitment(&self) -> Commitment {
        Commitment(digest(labels::COMMITMENT, &[self.as_bytes()]))
    }
}

impl Commitment {
    pub(crate) fn check(self, opening: &Opening) -> Result<(), Error> {
        (opening.commitment() == self).then_some(()).ok_or(Error::BrokenCommitment)
    }
}
