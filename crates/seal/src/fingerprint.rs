//! What people compare to be sure of an identity.

use std::fmt;

use ed25519_dalek::VerifyingKey;

use crate::{
    digest::{Digest, digest},
    labels,
};

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
        for (index, bytes) in self.0.chunks_exact(4).enumerate() {
            let space = if index == 0 { "" } else { " " };
            let number = bytes.iter().fold(0_u64, |number, &byte| number << 8 | u64::from(byte));
            write!(f, "{space}{:05}", number % 100_000)?;
        }
        Ok(())
    }
}
