//! The hash of a recovery key, which is published instead of the key.

use crate::{PublicKey, labels, notation::digest};

/// A commitment to a recovery key. Until the key is used, even its public half is secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Commitment([u8; 32]);

impl Commitment {
    /// The commitment to a key.
    pub fn to(key: &PublicKey) -> Self {
        Self(digest(labels::RECOVERY_COMMITMENT, &[key.as_bytes()]))
    }

    pub(crate) const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes that stand in a link.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}
