//! Names for clients at the TURN server.
//!
//! A TURN user name crosses the network in clear and stands in the logs of the TURN server, which
//! may be somebody else's. So a client is named there by a keyed hash of its id:
//!
//! ```text
//! key  = HMAC-SHA256(server key, "securecall TURN user names v1")
//! name = base64url( HMAC-SHA256(key, day[8] ‖ client id)[..12] )
//! ```
//!
//! `day` counts the days from 1970 to the expiry, in UTC. All credentials of a client that expire
//! on one day have one name, so that a quota by user name holds; over the days they cannot be
//! linked. The secret that is shared with the TURN server is no part of it: whoever runs that
//! server cannot try ids until one fits.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use securecall_protocol::ClientId;
use sha2::Sha256;
use zeroize::Zeroizing;

const LABEL: &[u8] = b"securecall TURN user names v1";
/// 96 bits: no two of a billion clients share a name, and a quota.
const NAME_BYTES: usize = 12;
const DAY_SECONDS: u64 = 24 * 60 * 60;

/// The key under which client ids become names.
pub struct NameKey(Hmac<Sha256>);

impl NameKey {
    /// Derives the key from that of the server, which all nodes share.
    pub fn new(server_key: &[u8; 32]) -> Self {
        let key = Zeroizing::new(hash(with_key(server_key), &[LABEL]));
        Self(with_key(&key))
    }

    /// The name of a client in credentials with this expiry, in seconds of Unix time.
    pub(super) fn name(&self, client_id: &ClientId, expiry: u64) -> String {
        let day = (expiry / DAY_SECONDS).to_be_bytes();
        let hash = hash(self.0.clone(), &[&day, client_id.as_str().as_bytes()]);
        URL_SAFE_NO_PAD.encode(&hash[..NAME_BYTES])
    }
}

fn with_key(key: &[u8; 32]) -> Hmac<Sha256> {
    // A shorter key is filled up with zeros by definition (RFC 2104); this way nothing can fail.
    let mut block = Zeroizing::new([0; 64]);
    block[..key.len()].copy_from_slice(key);
    Hmac::new((&*block).into())
}

fn hash(mut mac: Hmac<Sha256>, parts: &[&[u8]]) -> [u8; 32] {
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: u64 = 1_767_268_800;

    fn name(client_id: &str, expiry: u64) -> String {
        NameKey::new(&[7; 32]).name(&ClientId::try_from(client_id).unwrap(), expiry)
    }

    /// The expected name was computed by `openssl`, as docs/decisions/0025 shows.
    #[test]
    fn the_name_is_the_one_that_openssl_computes() {
        assert_eq!(name("alice", NOON), "1_M3qR6iXNdGP1B_");
    }

    #[test]
    fn a_name_lasts_for_the_day_on_which_its_credentials_expire() {
        let midnight = NOON + DAY_SECONDS / 2;
        assert_eq!(name("alice", NOON), name("alice", midnight - 1));
        assert_ne!(name("alice", NOON), name("alice", midnight));
    }

    #[test]
    fn a_name_needs_no_escape_in_json_or_in_a_url() {
        for number in 0..1_000 {
            let name = name(&format!("client-{number}"), NOON);
            assert_eq!(name.len(), 16);
            assert!(name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_'));
        }
    }
}
