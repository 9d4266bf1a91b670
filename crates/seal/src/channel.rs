//! Candidates and signals: one key and one sequence of numbers for each direction.
//!
//! ```text
//! message = header (4) │ sequence u64 │ AES-256-GCM( body )
//! nonce   = the direction's nonce (12) XOR the sequence number at its end   (as in TLS 1.3)
//! aad     = label │ header (4) │ sequence u64 │ transcript (32)
//! ```
//!
//! The relay preserves the order of messages and may lose some, when a connection breaks or a limit
//! is met. So numbers may be left out, and never go back.

use aes_gcm::{
    Aes256Gcm,
    aead::{Aead as _, Payload},
};
use securecall_identity::notation::{Cursor, Digest};
use zeroize::Zeroizing;

use crate::{
    Error,
    header::{Header, HeaderBytes},
    labels,
};

/// The bound of messages in one direction of a call: 2²⁴, which is four days at the busiest rate
/// that the server allows, and few enough for AES-GCM (RFC 8446 section 5.5).
pub const MESSAGES_MAX: u64 = 1 << 24;

pub(crate) struct DirectionKey {
    pub(crate) cipher: Aes256Gcm,
    pub(crate) nonce: Zeroizing<[u8; 12]>,
    pub(crate) transcript: Digest,
}

impl DirectionKey {
    fn nonce(&self, sequence: u64) -> [u8; 12] {
        let mut nonce = *self.nonce;
        for (byte, number) in nonce[4..].iter_mut().zip(sequence.to_be_bytes()) {
            *byte ^= number;
        }
        nonce
    }

    fn bound(&self, header: HeaderBytes, sequence: u64) -> Vec<u8> {
        [labels::MESSAGE, &header, &sequence.to_be_bytes(), &self.transcript].concat()
    }
}

/// The end that seals.
pub(crate) struct Sending {
    key: DirectionKey,
    next: u64,
}

impl Sending {
    pub(crate) const fn new(key: DirectionKey) -> Self {
        Self { key, next: 0 }
    }

    pub(crate) fn seal(&mut self, header: Header, body: &[u8]) -> Result<Vec<u8>, Error> {
        let sequence = self.next;
        if sequence >= MESSAGES_MAX {
            return Err(Error::Exhausted);
        }
        // Before anything can fail: a number is never used twice.
        self.next += 1;
        let header = header.to_bytes();
        let payload = Payload { msg: body, aad: &self.key.bound(header, sequence) };
        let ciphertext = self
            .key
            .cipher
            .encrypt(&self.key.nonce(sequence).into(), payload)
            .map_err(|_| Error::TextTooLong(body.len()))?;
        Ok([&header[..], &sequence.to_be_bytes(), &ciphertext].concat())
    }
}

/// The end that opens.
pub(crate) struct Receiving {
    key: DirectionKey,
    next: u64,
    missing: u64,
}

impl Receiving {
    pub(crate) const fn new(key: DirectionKey) -> Self {
        Self { key, next: 0, missing: 0 }
    }

    /// The number of messages left out so far.
    pub(crate) const fn missing(&self) -> u64 {
        self.missing
    }

    pub(crate) fn open(
        &mut self,
        expected: Header,
        message: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut cursor = Cursor::new(message);
        let header = cursor.array().ok_or(Error::Malformed)?;
        expected.check(header)?;
        let sequence = cursor.u64().ok_or(Error::Malformed)?;
        if sequence < self.next {
            return Err(Error::Replayed);
        }
        if sequence >= MESSAGES_MAX {
            return Err(Error::Malformed);
        }
        let payload = Payload { msg: cursor.rest(), aad: &self.key.bound(header, sequence) };
        let body = self
            .key
            .cipher
            .decrypt(&self.key.nonce(sequence).into(), payload)
            .map_err(|_| Error::NotAuthentic)?;
        // Only what is authentic moves the numbers on.
        self.missing += sequence - self.next;
        self.next = sequence + 1;
        Ok(Zeroizing::new(body))
    }
}
