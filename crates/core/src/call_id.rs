//! The call id: a capability.
//!
//! A call id names its caller, its callee and its time of birth, sealed under a key of the server
//! (XChaCha20-Poly1305, draft-irtf-cfrg-xchacha-03). Nobody can make one up, nobody but the server
//! can read it, and a client that presents one proves that it was sent it. So a session that
//! knows nothing of a call (a restart, another node) can take it up again without anything having
//! been stored.
//!
//! ```text
//! base64url( nonce[24] ‖ seal( version[1] ‖ born[8] ‖ caller length[1] ‖ caller ‖ callee ) )
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use securecall_protocol::ClientId;

use crate::time::UnixTime;

/// Randomness for one call id. Used twice, it would break the seal.
pub type Nonce = [u8; NONCE_BYTES];

const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;
const VERSION: u8 = 1;
/// Version, time of birth, length of the caller's id.
const HEADER_BYTES: usize = 1 + 8 + 1;
/// The longest id that we ever made: longer texts are not even decoded.
pub(crate) const TEXT_BYTES_MAX: usize =
    (NONCE_BYTES + HEADER_BYTES + 2 * ClientId::LENGTH_MAX + TAG_BYTES).div_ceil(3) * 4;

/// A nonce as text: a token that cannot be guessed.
pub(crate) fn token(nonce: Nonce) -> Box<str> {
    URL_SAFE_NO_PAD.encode(nonce).into()
}

/// The clients in a call, and its time of birth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parties {
    /// The client that called.
    pub caller: ClientId,
    /// The client that was called.
    pub callee: ClientId,
    /// The time of the call.
    pub born: UnixTime,
}

/// The server's key for call ids. It must outlive the process, or no call does.
pub struct CallIdKey(XChaCha20Poly1305);

impl CallIdKey {
    /// The key made of 32 secret, uniformly random bytes.
    pub fn new(key: &[u8; 32]) -> Self {
        Self(XChaCha20Poly1305::new(key.into()))
    }

    /// Makes the id of a new call.
    pub fn seal(&self, nonce: Nonce, parties: &Parties) -> Box<str> {
        let (caller, callee) = (parties.caller.as_str(), parties.callee.as_str());
        let mut plain = Vec::with_capacity(HEADER_BYTES + caller.len() + callee.len());
        plain.push(VERSION);
        plain.extend(parties.born.as_millis().to_be_bytes());
        // A client id has at most 64 bytes.
        plain.push(caller.len() as u8);
        plain.extend(caller.bytes());
        plain.extend(callee.bytes());

        let mut sealed = nonce.to_vec();
        // Sealing fails for texts of many gigabytes only; an empty seal would open for nobody.
        sealed.extend(self.0.encrypt(&XNonce::from(nonce), plain.as_slice()).unwrap_or_default());
        URL_SAFE_NO_PAD.encode(sealed).into()
    }

    /// Returns true if a text could be an id, of this server or another: it is of base64url's
    /// alphabet, and not too long.
    pub fn is_well_formed(text: &str) -> bool {
        let in_alphabet = |c: u8| c.is_ascii_alphanumeric() || c == b'-' || c == b'_';
        (1..=TEXT_BYTES_MAX).contains(&text.len()) && text.bytes().all(in_alphabet)
    }

    /// Reads an id. Returns `None` if this server's key did not seal it.
    pub fn open(&self, text: &str) -> Option<Parties> {
        if text.len() > TEXT_BYTES_MAX {
            return None;
        }
        let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let plain = self.0.decrypt(&XNonce::from(*nonce), sealed).ok()?;
        parse(&plain)
    }
}

fn parse(plain: &[u8]) -> Option<Parties> {
    let (&[version], rest) = plain.split_first_chunk()?;
    let (born, rest) = rest.split_first_chunk()?;
    let (&[caller_length], rest) = rest.split_first_chunk()?;
    let (caller, callee) = rest.split_at_checked(usize::from(caller_length))?;
    let client_id = |bytes| ClientId::try_from(std::str::from_utf8(bytes).ok()?).ok();
    (version == VERSION).then_some(Parties {
        caller: client_id(caller)?,
        callee: client_id(callee)?,
        born: UnixTime::from_millis(u64::from_be_bytes(*born)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parties(caller: &str, callee: &str) -> Parties {
        Parties {
            caller: ClientId::try_from(caller).unwrap(),
            callee: ClientId::try_from(callee).unwrap(),
            born: UnixTime::from_millis(1_767_225_600_000),
        }
    }

    #[test]
    fn what_was_sealed_opens_with_the_same_key() {
        let longest = "x".repeat(ClientId::LENGTH_MAX);
        for parties in [parties("alice", "bob"), parties("a", "b"), parties(&longest, &longest)] {
            let text = CallIdKey::new(&[7; 32]).seal([1; 24], &parties);
            assert_eq!(CallIdKey::new(&[7; 32]).open(&text), Some(parties));
        }
    }

    #[test]
    fn another_key_opens_nothing() {
        let text = CallIdKey::new(&[7; 32]).seal([1; 24], &parties("alice", "bob"));
        assert_eq!(CallIdKey::new(&[8; 32]).open(&text), None);
    }

    #[test]
    fn an_id_with_any_character_changed_is_no_id() {
        let key = CallIdKey::new(&[7; 32]);
        let text = key.seal([1; 24], &parties("alice", "bob")).into_string();
        for at in 0..text.len() {
            let replacement = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
            let mut forged = text.clone();
            forged.replace_range(at..=at, replacement);
            assert_eq!(key.open(&forged), None, "character {at}");
        }
    }

    #[test]
    fn garbage_of_any_length_is_no_id() {
        let key = CallIdKey::new(&[7; 32]);
        for length in 0..2 * TEXT_BYTES_MAX {
            assert_eq!(key.open(&"A".repeat(length)), None);
        }
    }
}
