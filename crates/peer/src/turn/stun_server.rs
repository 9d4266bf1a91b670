//! STUN servers that can be asked (RFC 7064).

use super::turn_server::{Transport, TurnServer, host_and_port};
use crate::IceServer;

/// The bound of servers that are asked: the first ones of the configuration.
const SERVERS_MAX: usize = 4;

/// The address of a STUN server, over UDP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StunServer {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl StunServer {
    /// Each of them once, in their order. A TURN server over UDP is a STUN server, too (RFC 8656
    /// section 3).
    pub(crate) fn all(ice_servers: &[IceServer]) -> Vec<Self> {
        let mut servers = Vec::new();
        for url in ice_servers.iter().flat_map(|server| &server.urls) {
            match Self::parse(url) {
                Some(server) if servers.len() < SERVERS_MAX && !servers.contains(&server) => {
                    servers.push(server);
                }
                _ => {}
            }
        }
        servers
    }

    fn parse(url: &str) -> Option<Self> {
        if let Some(place) = url.strip_prefix("stun:") {
            let (host, port) = host_and_port(place, 3478)?;
            return Some(Self { host: host.to_owned(), port });
        }
        let turn = TurnServer::parse(url, &IceServer::default())?;
        let TurnServer { host, port, transport, .. } = turn;
        (transport == Transport::Udp).then_some(Self { host, port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stun_urls_and_turn_servers_over_udp_are_asked_once_each() {
        let urls = [
            "stun:a",
            "stun:a:3478",
            "turn:a?transport=udp",
            "turn:a?transport=tcp",
            "turns:b",
            "turn:[::1]:5000",
            "stuns:c",
            "stun:",
        ];
        let server = IceServer { urls: urls.map(str::to_owned).to_vec(), ..IceServer::default() };
        let found = StunServer::all(&[server]);
        let places: Vec<_> = found.iter().map(|found| (found.host.as_str(), found.port)).collect();
        assert_eq!(places, [("a", 3478), ("::1", 5000)]);
    }
}
