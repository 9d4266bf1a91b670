//! Fingerprints, which people compare to be sure of an identity.

use std::fmt;

use ed25519_dalek::VerifyingKey;
use securecall_identity::notation::{Digest, digest, write_digits};

use crate::labels;

/// The fingerprint of an identity: eight groups of five digits, as good as 132 bits.
///
/// It belongs to the Ed25519 key alone, which signs all the others. It is the same for every id
/// and every directory key of the identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(Digest);

impl Fingerprint {
    pub(crate) fn of(identity: &VerifyingKey) -> Self {
        Self(digest(labels::FINGERPRINT, &[identity.as_bytes()]))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_digits(&self.0, f)
    }
}
