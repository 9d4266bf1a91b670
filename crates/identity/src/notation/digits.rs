//! A digest as people compare it.

use std::fmt;

use super::Digest;

/// Writes a digest as eight groups of five digits: each four bytes, big-endian, modulo 100,000.
///
/// # Errors
/// The formatter's own.
pub fn write_digits(digest: &Digest, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (index, bytes) in digest.chunks_exact(4).enumerate() {
        let space = if index == 0 { "" } else { " " };
        let number = bytes.iter().fold(0_u64, |number, &byte| number << 8 | u64::from(byte));
        write!(f, "{space}{:05}", number % 100_000)?;
    }
    Ok(())
}
