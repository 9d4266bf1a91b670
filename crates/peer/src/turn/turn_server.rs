//! A TURN server that can be connected to (RFC 7065).

use crate::IceServer;

/// The bound of relays that are allocated: on the first servers of the configuration.
const RELAYS_MAX: usize = 8;

/// A TURN server, and how to get at it.
#[derive(Clone)]
pub(crate) struct TurnServer {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) transport: Transport,
    pub(crate) username: String,
    pub(crate) credential: String,
}

/// The transport to the TURN server; the server talks UDP to the other end in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Udp,
    Tcp,
    Tls,
}

impl TurnServer {
    /// The usable ones among these, in their order.
    pub(crate) fn all(ice_servers: &[IceServer]) -> Vec<Self> {
        let each = |server: &IceServer| {
            let urls = server.urls.clone();
            let server = server.clone();
            urls.into_iter().filter_map(move |url| Self::parse(&url, &server))
        };
        ice_servers.iter().flat_map(each).take(RELAYS_MAX).collect()
    }

    pub(crate) fn parse(url: &str, server: &IceServer) -> Option<Self> {
        let (scheme, rest) = url.split_once(':')?;
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (transport, port_default) = match (scheme, query) {
            ("turn", "" | "transport=udp") => (Transport::Udp, 3478),
            ("turn", "transport=tcp") => (Transport::Tcp, 3478),
            ("turns", "" | "transport=tcp") => (Transport::Tls, 5349),
            // STUN servers give no relays, and DTLS to a TURN server is hardly ever offered.
            _ => return None,
        };
        let (host, port) = host_and_port(place, port_default)?;
        Some(Self {
            host: host.to_owned(),
            port,
            transport,
            username: server.username.clone(),
            credential: server.credential.clone(),
        })
    }
}

/// Takes `host:port` apart; the host may be an IPv6 address in brackets.
pub(crate) fn host_and_port(place: &str, port_default: u16) -> Option<(&str, u16)> {
    let (host, port) = match place.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => place.split_at(place.find(':').unwrap_or(place.len())),
    };
    let port = match port.strip_prefix(':') {
        Some(port) => port.parse().ok()?,
        None => port_default,
    };
    (!host.is_empty()).then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_parsed(url: &str, expected: Option<(&str, u16, Transport)>) {
        let server =
            IceServer { urls: vec![url.to_owned()], username: "u".into(), credential: "c".into() };
        let servers = TurnServer::all(&[server]);
        let found = servers.first().map(|turn| (turn.host.as_str(), turn.port, turn.transport));
        assert_eq!(found, expected);
    }

    #[test]
    fn turn_urls_are_taken_apart() {
        assert_parsed("turn:relay.example", Some(("relay.example", 3478, Transport::Udp)));
        assert_parsed("turn:a:443?transport=tcp", Some(("a", 443, Transport::Tcp)));
        assert_parsed("turns:a", Some(("a", 5349, Transport::Tls)));
        assert_parsed("turns:a:443?transport=tcp", Some(("a", 443, Transport::Tls)));
        assert_parsed("turn:[::1]:5000?transport=udp", Some(("::1", 5000, Transport::Udp)));
    }

    #[test]
    fn other_urls_are_passed_over() {
        for url in
            ["stun:a", "turns:a?transport=udp", "turn:", "turn:a:x", "turn:a?transport=sctp", ""]
        {
            assert_parsed(url, None);
        }
    }
}
