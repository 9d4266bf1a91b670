//! Public keys of the KEMs that a bundle lists, checked before anything is sealed to one.
//!
//! Libraries differ in how they treat a key of small order, or a number that is not reduced. A key
//! that is refused here never reaches a library.

use crate::{Refusal, field};

/// The suite that every client knows: DHKEM(X25519, HKDF-SHA256).
pub const SUITE_X25519: u8 = 1;
/// X-Wing: ML-KEM-768 with X25519.
pub const SUITE_X_WING: u8 = 2;

const X25519_BYTES: usize = 32;
const X_WING_BYTES: usize = ML_KEM_BYTES + X25519_BYTES;

/// An encapsulation key of ML-KEM-768: 768 numbers of 12 bits, and a seed (FIPS 203).
const ML_KEM_BYTES: usize = ML_KEM_VECTOR_BYTES + 32;
const ML_KEM_VECTOR_BYTES: usize = 768 * 12 / 8;
const ML_KEM_MODULUS: u16 = 3329;

/// Checks a KEM key of a suite. Returns `false` for a suite that is not known, of which nothing was checked.
///
/// # Errors
/// [`Refusal::KemKeyLength`], [`Refusal::KemKeyNotCanonical`], [`Refusal::KemKeySmallOrder`]; in
/// this order.
pub fn check_kem_key(suite: u8, key: &[u8]) -> Result<bool, Refusal> {
    match suite {
        SUITE_X25519 => check_x25519(key)?,
        SUITE_X_WING => check_x_wing(key)?,
        _ => return Ok(false),
    }
    Ok(true)
}

fn check_x25519(key: &[u8]) -> Result<(), Refusal> {
    let u: &[u8; X25519_BYTES] = key.try_into().map_err(|_| Refusal::KemKeyLength)?;
    if !field::is_montgomery_canonical(u) {
        return Err(Refusal::KemKeyNotCanonical);
    }
    if field::is_montgomery_small_order(u) {
        return Err(Refusal::KemKeySmallOrder);
    }
    Ok(())
}

/// X-Wing: the ML-KEM key comes first. Its numbers are checked as in FIPS 203 section 7.2.
fn check_x_wing(key: &[u8]) -> Result<(), Refusal> {
    if key.len() != X_WING_BYTES {
        return Err(Refusal::KemKeyLength);
    }
    let (vector, rest) = key.split_at(ML_KEM_VECTOR_BYTES);
    if !vector.chunks_exact(3).all(holds_two_reduced_numbers) {
        return Err(Refusal::KemKeyNotCanonical);
    }
    check_x25519(&rest[ML_KEM_BYTES - ML_KEM_VECTOR_BYTES..])
}

/// ByteDecode of FIPS 203: two numbers of 12 bits in three bytes, the lower bits first.
fn holds_two_reduced_numbers(bytes: &[u8]) -> bool {
    let &[low, middle, high] = bytes else { return false };
    let first = u16::from(low) | u16::from(middle & 0x0f) << 8;
    let second = u16::from(middle >> 4) | u16::from(high) << 4;
    first < ML_KEM_MODULUS && second < ML_KEM_MODULUS
}
