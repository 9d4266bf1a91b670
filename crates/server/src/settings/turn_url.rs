//! URLs of TURN and STUN servers (RFC 7065, RFC 7064).

use std::fmt;
use std::str::FromStr;

/// The URL of a TURN or STUN server, in the form that WebRTC clients take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnUrl(String);

impl TurnUrl {
    /// The URL as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this server wants a credential; STUN servers want none.
    #[must_use]
    pub fn is_turn(&self) -> bool {
        self.0.starts_with("turn")
    }
}

impl FromStr for TurnUrl {
    type Err = InvalidTurnUrl;

    fn from_str(text: &str) -> Result<Self, InvalidTurnUrl> {
        let (scheme, rest) = text.split_once(':').ok_or(InvalidTurnUrl::Scheme)?;
        let (place, query) = rest.split_once('?').map_or((rest, None), |(p, q)| (p, Some(q)));
        match (scheme, query) {
            ("turn" | "turns" | "stun" | "stuns", None) => {}
            ("turn" | "turns", Some("transport=udp" | "transport=tcp")) => {}
            ("turn" | "turns" | "stun" | "stuns", Some(_)) => return Err(InvalidTurnUrl::Query),
            _ => return Err(InvalidTurnUrl::Scheme),
        }
        check_place(place)?;
        Ok(Self(text.to_owned()))
    }
}

/// `HOST` or `HOST:PORT`, where the host may be an IPv6 address in brackets.
fn check_place(place: &str) -> Result<(), InvalidTurnUrl> {
    // What follows the bracket of an IPv6 address, or the colon of a name.
    let (host, port) = match place.strip_prefix('[') {
        Some(rest) => {
            let (address, after) = rest.split_once(']').ok_or(InvalidTurnUrl::Host)?;
            address.parse::<std::net::Ipv6Addr>().map_err(|_| InvalidTurnUrl::Host)?;
            (address, after)
        }
        None => place.split_at(place.find(':').unwrap_or(place.len())),
    };
    let is_host_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte);
    if host.is_empty() || !host.bytes().all(is_host_byte) {
        return Err(InvalidTurnUrl::Host);
    }
    match port.strip_prefix(':').map(str::parse::<u16>) {
        None if port.is_empty() => Ok(()),
        Some(Ok(1..)) => Ok(()),
        _ => Err(InvalidTurnUrl::Port),
    }
}

impl fmt::Display for TurnUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is wrong with a URL. The URL itself is not repeated: somebody may have written a
/// password into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTurnUrl {
    /// Not one of the schemes.
    #[error("each URL must begin with turn:, turns:, stun: or stuns:")]
    Scheme,
    /// No host, or one that is none. There is no `//` and no user name in these URLs.
    #[error(
        "each URL must have a host right after its scheme, such as turn:relay.example.org:3478"
    )]
    Host,
    /// Not a port.
    #[error("the port in a URL must be from 1 to 65535")]
    Port,
    /// Another query than the transport of a TURN server.
    #[error("after ? a turn: or turns: URL may have transport=udp or transport=tcp, nothing else")]
    Query,
}
