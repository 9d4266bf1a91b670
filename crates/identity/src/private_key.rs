//! The private keys: one that a device has, and one that only 24 words have.

use ed25519_dalek::{Signer as _, SigningKey};
use zeroize::Zeroizing;

use crate::{Commitment, PublicKey, labels, notation::digest, public_key::SIGNATURE_BYTES};

/// The private key of an identity, as a device stores it. It is wiped when dropped.
#[derive(Clone)]
pub struct IdentityKey(SigningKey);

impl IdentityKey {
    /// Takes the private key of RFC 8032: 32 random bytes, or what was derived from a seed.
    pub fn from_bytes(bytes: &Zeroizing<[u8; 32]>) -> Self {
        Self(SigningKey::from_bytes(bytes))
    }

    /// The public half.
    pub fn public_key(&self) -> PublicKey {
        PublicKey::of(&self.0.verifying_key())
    }

    pub(crate) fn sign(&self, label: &[u8], message: &[u8]) -> [u8; SIGNATURE_BYTES] {
        self.0.sign(&[label, message].concat()).to_bytes()
    }
}

/// The recovery key: it follows from 24 words, is on no disk, and is used once. It is wiped when
/// dropped.
#[derive(Clone)]
pub struct RecoveryKey(SigningKey);

impl RecoveryKey {
    /// The key that follows from the 256 bits of 24 words (BIP-39, its entropy as it is).
    pub fn from_entropy(entropy: &Zeroizing<[u8; 32]>) -> Self {
        // A label of its own: the same 24 words taken for a device's seed give other keys.
        let key = Zeroizing::new(digest(labels::RECOVERY_ED25519, &[&**entropy]));
        Self(SigningKey::from_bytes(&key))
    }

    /// The public half, which the link that uses the key reveals.
    pub fn public_key(&self) -> PublicKey {
        PublicKey::of(&self.0.verifying_key())
    }

    /// The commitment that stands in the chain until the key is used.
    pub fn commitment(&self) -> Commitment {
        Commitment::to(&self.public_key())
    }

    pub(crate) fn sign(&self, label: &[u8], message: &[u8]) -> [u8; SIGNATURE_BYTES] {
        self.0.sign(&[label, message].concat()).to_bytes()
    }
}

#[cfg(test)]
mod tests {
    use zeroize::ZeroizeOnDrop;

    use super::*;

    #[test]
    fn both_private_keys_are_wiped_when_dropped() {
        const fn assert_wiped<T: ZeroizeOnDrop>(_: fn(T)) {}
        assert_wiped(|key| drop(IdentityKey(key)));
        assert_wiped(|key| drop(RecoveryKey(key)));
    }
}
