//! Randomness that a test wrote down.

use std::{collections::VecDeque, convert::Infallible};

use rand_core::{TryCryptoRng, TryRng};

/// Hands out the given bytes, in order; there must be enough.
pub(crate) struct Tape(VecDeque<u8>);

impl Tape {
    pub(crate) fn new(parts: &[&[u8]]) -> Self {
        Self(parts.concat().into())
    }

    pub(crate) fn is_used_up(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryRng for Tape {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("keys are made of bytes")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!("keys are made of bytes")
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for byte in bytes {
            *byte = self.0.pop_front().expect("more randomness was asked for than written down");
        }
        Ok(())
    }
}

impl TryCryptoRng for Tape {}

pub(crate) fn hex(digits: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).expect("a hex digit") as u8;
    digits.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

pub(crate) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
