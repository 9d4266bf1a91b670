//! Relays as the signaling server names them.

use std::fmt;

use serde::{Deserialize, Deserializer};

/// An entry of `iceServers`: what `RTCPeerConnection` takes, and what our TURN credentials are.
///
/// Used are `turn:` URLs, over UDP and TCP, `turns:` over TCP, and `stun:`. `stuns:` is passed over.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
pub struct IceServer {
    /// RFC 7065 and RFC 7064. In JSON one may be a string of its own.
    #[serde(deserialize_with = "one_or_many")]
    pub urls: Vec<String>,
    /// For TURN.
    #[serde(default)]
    pub username: String,
    /// For TURN.
    #[serde(default)]
    pub credential: String,
}

fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Urls {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Urls::deserialize(deserializer)? {
        Urls::One(url) => vec![url],
        Urls::Many(urls) => urls,
    })
}

/// Neither name nor password.
impl fmt::Debug for IceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IceServer").field("urls", &self.urls).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signaling_servers_json_is_read() {
        let json =
            r#"[{"urls":["turn:a:443?transport=tcp"],"username":"1:alice","credential":"c"}]"#;
        let servers: Vec<IceServer> = serde_json::from_str(json).unwrap();
        assert_eq!(servers[0].urls, ["turn:a:443?transport=tcp"]);
        assert_eq!(servers[0].username, "1:alice");
    }

    #[test]
    fn one_url_without_a_list_and_without_a_credential_is_read() {
        let server: IceServer = serde_json::from_str(r#"{"urls":"stun:a"}"#).unwrap();
        assert_eq!(server.urls, ["stun:a"]);
    }

    #[test]
    fn no_credential_is_printed() {
        let server: IceServer =
            serde_json::from_str(r#"{"urls":"turn:a","username":"u","credential":"hush"}"#)
                .unwrap();
        assert!(!format!("{server:?}").contains("hush"));
    }
}
