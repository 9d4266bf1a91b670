//! URLs of TURN and STUN servers (RFC 7065, RFC 7064), in the forms that all WebRTC stacks accept.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::turn_ports;

/// The URL of a TURN or STUN server, in the form that WebRTC clients accept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnUrl {
    text: String,
    server: TurnServer,
}

/// The server of a URL, with defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TurnServer {
    pub(crate) service: Service,
    /// The host in lower case; an IPv6 address without its brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// The function of a server, and the transport to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    /// Returns the client's address, over UDP.
    Stun,
    /// Relays over UDP.
    Udp,
    /// Relays over TCP.
    Tcp,
    /// Relays over TLS.
    Tls,
    /// Relays over DTLS.
    Dtls,
}

impl TurnUrl {
    /// Returns the URL as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) const fn server(&self) -> &TurnServer {
        &self.server
    }
}

impl FromStr for TurnUrl {
    type Err = InvalidTurnUrl;

    fn from_str(text: &str) -> Result<Self, InvalidTurnUrl> {
        let (scheme, rest) = text.split_once(':').ok_or(InvalidTurnUrl::Scheme)?;
        let (place, query) = rest.split_once('?').map_or((rest, None), |(p, q)| (p, Some(q)));
        let service = service(scheme, query)?;
        let (host, port) = host_and_port(place)?;
        let host = host.to_ascii_lowercase();
        let port = port.unwrap_or(if scheme == "turns" { 5349 } else { 3478 });
        if turn_ports::is_blocked(port) {
            return Err(InvalidTurnUrl::BlockedPort);
        }
        Ok(Self { text: text.to_owned(), server: TurnServer { service, host, port } })
    }
}

fn service(scheme: &str, query: Option<&str>) -> Result<Service, InvalidTurnUrl> {
    match (scheme, query) {
        ("stun", None) => Ok(Service::Stun),
        ("turn", None | Some("transport=udp")) => Ok(Service::Udp),
        ("turn", Some("transport=tcp")) => Ok(Service::Tcp),
        ("turns", None | Some("transport=tcp")) => Ok(Service::Tls),
        ("turns", Some("transport=udp")) => Ok(Service::Dtls),
        ("stuns", _) => Err(InvalidTurnUrl::Stuns),
        ("turn" | "turns" | "stun", Some(_)) => Err(InvalidTurnUrl::Query),
        _ => Err(InvalidTurnUrl::Scheme),
    }
}

/// Splits `HOST` or `HOST:PORT`, where the host may be an IPv6 address in brackets.
fn host_and_port(place: &str) -> Result<(&str, Option<u16>), InvalidTurnUrl> {
    // The rest after the bracket of an IPv6 address, or after the colon of a name.
    let (host, port) = match place.strip_prefix('[') {
        Some(rest) => {
            let (address, after) = rest.split_once(']').ok_or(InvalidTurnUrl::Host)?;
            address.parse::<Ipv6Addr>().map_err(|_| InvalidTurnUrl::Host)?;
            (address, after)
        }
        None => {
            let (host, after) = place.split_at(place.find(':').unwrap_or(place.len()));
            check_host(host)?;
            // A second colon means an IPv6 address without brackets.
            if after.matches(':').count() > 1 {
                return Err(InvalidTurnUrl::Host);
            }
            (host, after)
        }
    };
    match port.strip_prefix(':').map(str::parse) {
        None if port.is_empty() => Ok((host, None)),
        Some(Ok(port @ 1..)) => Ok((host, Some(port))),
        _ => Err(InvalidTurnUrl::Port),
    }
}

/// Refuses anything but a name or an IPv4 address.
fn check_host(host: &str) -> Result<(), InvalidTurnUrl> {
    const NAME_BYTES_MAX: usize = 253;
    const LABEL_BYTES_MAX: usize = 63;
    // The dot at the end of an absolute name.
    let name = host.strip_suffix('.').unwrap_or(host);
    let is_label = |label: &str| {
        (1..=LABEL_BYTES_MAX).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            // Names of containers may have underscores.
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    if name.len() > NAME_BYTES_MAX || !name.split('.').all(is_label) {
        return Err(InvalidTurnUrl::Host);
    }
    // Browsers parse a name that ends in a number as an IPv4 address, and refuse it if it is none.
    let ends_in_a_number =
        name.rsplit('.').next().is_some_and(|label| label.parse::<u64>().is_ok());
    if ends_in_a_number && host.parse::<Ipv4Addr>().is_err() {
        return Err(InvalidTurnUrl::Address);
    }
    Ok(())
}

impl fmt::Display for TurnUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The error of an invalid URL. It does not contain the URL, which might contain a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTurnUrl {
    /// Not a known scheme.
    #[error("each URL must begin with turn:, turns: or stun:")]
    Scheme,
    /// STUN over TLS, which no call needs.
    #[error(
        "with a stuns: URL every call fails in Firefox and with libdatachannel, which refuse the \
         whole list: write stun:, or turns: for a relay over TLS"
    )]
    Stuns,
    /// No host, or an invalid one. These URLs have no `//` and no user name.
    #[error(
        "each URL must have a host right after its scheme, such as turn:relay.example.org:3478"
    )]
    Host,
    /// A name that looks like an address.
    #[error("a host that ends in a number must be an IPv4 address, such as turn:192.0.2.1:3478")]
    Address,
    /// An invalid port.
    #[error("the port in a URL must be from 1 to 65535")]
    Port,
    /// A port that browsers reserve for another protocol.
    #[error(
        "browsers block this port, and with it in a URL every call fails in Firefox: let the TURN \
         server listen on 3478, 443 or 80"
    )]
    BlockedPort,
    /// A query other than the transport of a TURN server.
    #[error("after ? a turn: or turns: URL may have transport=udp or transport=tcp, nothing else")]
    Query,
}
