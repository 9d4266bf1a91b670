//! Fingerprints, which people compare to be sure of an identity.

use std::fmt;

use crate::notation::write_digits;

/// The fingerprint of an identity: the digest of its inception, for people in eight groups of five
/// digits, as good as 132 bits. It survives rotation and recovery.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Takes a whole digest, from a link or a QR code.
    pub const fn from_digest(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// The whole digest.
    pub const fn as_digest(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_digits(&self.0, f)
    }
}
