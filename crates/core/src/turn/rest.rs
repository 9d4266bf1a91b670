//! The TURN REST scheme (draft-uberti-behave-turn-rest-00, coturn's `use-auth-secret`).
//!
//! The user name is `<unix expiry in seconds>:<name>`, the credential
//! `base64(HMAC-SHA1(secret, user name))`. The TURN server knows the secret and checks both without
//! asking anybody.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use zeroize::Zeroizing;

use crate::time::UnixTime;

/// The last expiry that fits in 31 bits, on 2038-01-19. coturn 4.6 refuses any later one.
const EXPIRY_31_BITS_MAX: u64 = (1 << 31) - 1;

/// TURN servers, and the secret that they share with us.
pub struct TurnRest {
    urls_json: String,
    secret: Zeroizing<Vec<u8>>,
    ttl: Duration,
}

impl TurnRest {
    /// Credentials for these URLs (RFC 7065, RFC 7064) are valid for `ttl`.
    pub fn new(urls: &[String], secret: Zeroizing<Vec<u8>>, ttl: Duration) -> Self {
        let quoted: Vec<String> = urls.iter().map(|url| quote(url)).collect();
        Self { urls_json: format!("[{}]", quoted.join(",")), secret, ttl }
    }

    /// The expiry of a credential that is issued now, in seconds of Unix time.
    ///
    /// The lifetime is cut where it would cross the end of 31 bits. Once that moment has passed,
    /// a server that cannot count further is of no use in any case.
    pub fn expiry(&self, now: UnixTime) -> u64 {
        let expiry = now.as_secs().saturating_add(self.ttl.as_secs());
        if now.as_secs() < EXPIRY_31_BITS_MAX { expiry.min(EXPIRY_31_BITS_MAX) } else { expiry }
    }

    /// The JSON array that `RTCPeerConnection` takes as `iceServers`: one entry, with a credential
    /// for `name`.
    ///
    /// One entry always. With a second credential for the same URLs, most WebRTC stacks never try
    /// it, and browsers wait for it in vain.
    pub fn ice_servers(&self, name: &str, expiry: u64) -> String {
        let username = format!("{expiry}:{name}");
        let credential = credential(&self.secret, &username);
        let urls = &self.urls_json;
        format!(r#"[{{"urls":{urls},"username":"{username}","credential":"{credential}"}}]"#)
    }
}

fn credential(secret: &[u8], username: &str) -> String {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(secret) else {
        return String::new();
    };
    mac.update(username.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// A TURN URL in quotes. Its characters need no escape in JSON, except the two that a URL may not
/// have.
fn quote(url: &str) -> String {
    format!("\"{}\"", url.replace(['"', '\\'], ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rest(ttl_seconds: u64) -> TurnRest {
        TurnRest::new(
            &["turn:turn.example.org:3478".into(), "turns:turn.example.org?transport=tcp".into()],
            Zeroizing::new("north".into()),
            Duration::from_secs(ttl_seconds),
        )
    }

    /// The expected credential was computed by `openssl dgst -sha1 -hmac north -binary | base64`.
    #[test]
    fn the_credential_is_the_one_that_openssl_computes() {
        assert_eq!(
            rest(3_600).ice_servers("alice", 1_767_229_200),
            r#"[{"urls":["turn:turn.example.org:3478","turns:turn.example.org?transport=tcp"],"username":"1767229200:alice","credential":"NtnEvQtTWyjHZIle0+Ms+zW2Ryc="}]"#
        );
    }

    #[test]
    fn a_credential_expires_its_ttl_from_now() {
        let now = UnixTime::from_millis(1_767_225_600_999);
        assert_eq!(rest(3_600).expiry(now), 1_767_229_200);
    }

    #[test]
    fn an_expiry_does_not_cross_the_end_of_31_bits() {
        let expiry = |now: u64| rest(86_400).expiry(UnixTime::from_millis(now * 1_000));
        assert_eq!(expiry(EXPIRY_31_BITS_MAX - 86_401), EXPIRY_31_BITS_MAX - 1);
        assert_eq!(expiry(EXPIRY_31_BITS_MAX - 1), EXPIRY_31_BITS_MAX);
        assert_eq!(expiry(EXPIRY_31_BITS_MAX), EXPIRY_31_BITS_MAX + 86_400);
    }
}
