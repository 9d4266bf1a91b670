//! Ed25519 keys and signatures, with one meaning of "valid" in every implementation.
//!
//! Implementations of Ed25519 disagree about keys and signatures at the edges of the format. So the
//! rules are checked here, and a library decides only what all of them agree on:
//!
//! - a key is canonical, of no small order, a point of the curve, and in the group of prime order;
//! - R is canonical and of no small order, and S is below the order of the group;
//! - `S·B = R + k·A`, without the cofactor.

use curve25519_dalek::edwards::CompressedEdwardsY;
use ed25519_dalek::{Signature, VerifyingKey};

use crate::{Refusal, field};

/// The length of a signature, in bytes.
pub(crate) const SIGNATURE_BYTES: usize = 64;

/// An Ed25519 public key that was found valid. It is checked once, here.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Takes a key that came from outside.
    ///
    /// # Errors
    /// [`Refusal::KeyNotCanonical`], [`Refusal::KeySmallOrder`], [`Refusal::KeyNotAPoint`],
    /// [`Refusal::KeyNotTorsionFree`]; in this order.
    pub fn parse(bytes: [u8; 32]) -> Result<Self, Refusal> {
        if !field::is_edwards_canonical(&bytes) {
            return Err(Refusal::KeyNotCanonical);
        }
        if field::is_edwards_small_order(&bytes) {
            return Err(Refusal::KeySmallOrder);
        }
        let point = CompressedEdwardsY(bytes).decompress().ok_or(Refusal::KeyNotAPoint)?;
        if !point.is_torsion_free() {
            return Err(Refusal::KeyNotTorsionFree);
        }
        Ok(Self(bytes))
    }

    /// Takes the public half of a private key, which is valid.
    pub(crate) fn of(key: &VerifyingKey) -> Self {
        Self(key.to_bytes())
    }

    /// The 32 bytes of RFC 8032.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Verifies a signature over `label │ message`.
    pub(crate) fn verify(
        &self,
        label: &[u8],
        message: &[u8],
        signature: &[u8; SIGNATURE_BYTES],
    ) -> Result<(), Refusal> {
        self.verify_bytes(&[label, message].concat(), signature)
    }

    /// Verifies a signature over bytes as they are. What this crate signs begins with a label, and
    /// so does what sealing signs, with labels of its own.
    ///
    /// # Errors
    /// [`Refusal::SignatureRNotCanonical`], [`Refusal::SignatureRSmallOrder`],
    /// [`Refusal::SignatureSNotReduced`], [`Refusal::SignatureWrong`]; in this order.
    pub fn verify_bytes(
        &self,
        message: &[u8],
        signature: &[u8; SIGNATURE_BYTES],
    ) -> Result<(), Refusal> {
        check_signature(signature)?;
        // It was a point when it was parsed.
        let key = VerifyingKey::from_bytes(&self.0).map_err(|_| Refusal::KeyNotAPoint)?;
        key.verify_strict(message, &Signature::from_bytes(signature))
            .map_err(|_| Refusal::SignatureWrong)
    }
}

fn check_signature(signature: &[u8; SIGNATURE_BYTES]) -> Result<(), Refusal> {
    let (r, s) = signature.split_at(32);
    let (Ok(r), Ok(s)) = (r.try_into(), s.try_into()) else { return Err(Refusal::SignatureWrong) };
    if !field::is_edwards_canonical(r) {
        return Err(Refusal::SignatureRNotCanonical);
    }
    if field::is_edwards_small_order(r) {
        return Err(Refusal::SignatureRSmallOrder);
    }
    if !field::is_scalar_reduced(s) {
        return Err(Refusal::SignatureSNotReduced);
    }
    Ok(())
}
