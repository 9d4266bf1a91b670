//! Time-limited TURN credentials (draft-uberti-behave-turn-rest-00, coturn's `use-auth-secret`).
//!
//! The username is `<unix expiry in seconds>:<client id>`, the credential
//! `base64(HMAC-SHA1(secret, username))`. The TURN server knows the secret and checks both without
//! asking anybody.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use securecall_protocol::ClientId;
use sha1::Sha1;
use zeroize::Zeroizing;

use crate::time::UnixTime;

/// Issues relay credentials.
pub struct Turn {
    urls_json: String,
    secrets: Vec<Zeroizing<Vec<u8>>>,
    ttl: Duration,
}

impl Turn {
    /// Issues credentials for these TURN URLs (RFC 7065), valid for `ttl`.
    ///
    /// With two secrets every answer holds a credential for each, so that while a secret is being
    /// replaced it does not matter which one a TURN server knows already.
    pub fn new(
        urls: &[String],
        secret: Zeroizing<Vec<u8>>,
        previous_secret: Option<Zeroizing<Vec<u8>>>,
        ttl: Duration,
    ) -> Self {
        let quoted: Vec<String> = urls.iter().map(|url| quote(url)).collect();
        let secrets = std::iter::once(secret).chain(previous_secret).collect();
        Self { urls_json: format!("[{}]", quoted.join(",")), secrets, ttl }
    }

    /// How long a credential lives.
    pub fn ttl(&self) -> Duration {
        self.ttl
    }

    /// Fresh credentials for a client: the JSON array that `RTCPeerConnection` takes as
    /// `iceServers`.
    pub fn ice_servers(&self, client_id: &ClientId, now: UnixTime) -> String {
        let expiry = now.as_secs().saturating_add(self.ttl.as_secs());
        let username = format!("{expiry}:{}", client_id.as_str());
        let servers: Vec<String> = self
            .secrets
            .iter()
            .map(|secret| {
                let credential = credential(secret, &username);
                let urls = &self.urls_json;
                format!(r#"{{"urls":{urls},"username":"{username}","credential":"{credential}"}}"#)
            })
            .collect();
        format!("[{}]", servers.join(","))
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

    fn turn(previous: Option<&str>) -> Turn {
        Turn::new(
            &["turn:turn.example.org:3478".into(), "turns:turn.example.org?transport=tcp".into()],
            Zeroizing::new("north".into()),
            previous.map(|secret| Zeroizing::new(secret.into())),
            Duration::from_secs(3600),
        )
    }

    /// The expected credential was computed by `openssl dgst -sha1 -hmac north -binary | base64`.
    #[test]
    fn the_credential_is_the_one_that_openssl_computes() {
        assert_eq!(credential(b"north", "1767229200:alice"), OPENSSL_CREDENTIAL);
    }

    const OPENSSL_CREDENTIAL: &str = "NtnEvQtTWyjHZIle0+Ms+zW2Ryc=";

    #[test]
    fn the_username_is_the_expiry_and_the_client() {
        let alice = ClientId::try_from("alice").unwrap();
        let json = turn(None).ice_servers(&alice, UnixTime::from_millis(1_767_225_600_999));
        assert_eq!(
            json,
            format!(
                r#"[{{"urls":["turn:turn.example.org:3478","turns:turn.example.org?transport=tcp"],"username":"1767229200:alice","credential":"{OPENSSL_CREDENTIAL}"}}]"#
            )
        );
    }

    #[test]
    fn two_live_secrets_give_two_credentials() {
        let alice = ClientId::try_from("alice").unwrap();
        let json = turn(Some("south")).ice_servers(&alice, UnixTime::from_millis(0));
        assert_eq!(json.matches("credential").count(), 2);
    }
}
