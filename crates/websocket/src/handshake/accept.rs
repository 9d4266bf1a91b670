//! The key of a handshake and the answer to it (RFC 6455, sections 1.3 and 4.2.2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

/// The suffix that a server appends to the key, which proves that it speaks WebSocket.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The random bytes behind a client's key.
pub type Nonce = [u8; 16];

/// A `Sec-WebSocket-Key` that is the base64 of 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpgradeKey<'b>(&'b str);

impl<'b> UpgradeKey<'b> {
    pub(super) fn new(key: &'b str) -> Option<Self> {
        let nonce = STANDARD.decode(key).ok()?;
        (nonce.len() == size_of::<Nonce>()).then_some(Self(key))
    }

    /// The key as the client wrote it.
    pub fn as_str(self) -> &'b str {
        self.0
    }
}

/// The `Sec-WebSocket-Accept` value for a `Sec-WebSocket-Key` value.
pub fn accept_key(key: &str) -> String {
    STANDARD.encode(Sha1::new().chain_update(key).chain_update(GUID).finalize())
}

/// The `Sec-WebSocket-Key` value for a nonce.
pub(super) fn key_of(nonce: &Nonce) -> String {
    STANDARD.encode(nonce)
}
