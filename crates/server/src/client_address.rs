//! Which address a client has, when proxies may stand in between.
//!
//! A header is believed only when a trusted proxy is the peer, and then from the right: each proxy
//! appends the address it saw, so the rightmost one that is no trusted proxy is the last that
//! somebody trustworthy saw. What stands left of it, the client may have written itself.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use ipnet::IpNet;
use securecall_websocket::Request;

use crate::settings;

/// The proxies in front of the server.
#[derive(Debug)]
pub(crate) struct Proxies {
    trusted: Vec<IpNet>,
    header: String,
    suspicion: Suspicion,
}

impl Proxies {
    pub(crate) fn new(settings: &settings::Proxy) -> Self {
        Self {
            trusted: settings.trusted.iter().map(|network| network.net()).collect(),
            header: settings.header.as_str().to_owned(),
            suspicion: Suspicion::default(),
        }
    }

    /// The client's address.
    pub(crate) fn client_address(&self, peer: IpAddr, request: &Request<'_>) -> IpAddr {
        let peer = peer.to_canonical();
        if self.trusted.is_empty() {
            self.suspicion.note(peer);
        }
        if !self.is_trusted(peer) {
            return peer;
        }
        let values: Vec<&[u8]> = request.header_values(&self.header).collect();
        let hops = values.iter().rev().flat_map(|value| value.rsplit(|byte| *byte == b','));
        let mut nearest = peer;
        for hop in hops {
            // A hop that is no address ends what can be believed.
            let Some(address) = parse_hop(hop) else { return nearest };
            nearest = address;
            if !self.is_trusted(address) {
                return address;
            }
        }
        nearest
    }

    /// Whether it is a proxy's.
    pub(crate) fn is_trusted(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.trusted.iter().any(|network| network.contains(&address))
    }
}

/// `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1` or `[2001:db8::1]:4711`.
fn parse_hop(hop: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(hop).ok()?.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse::<IpAddr>().ok();
    let address = address.or_else(|| text.parse::<SocketAddr>().ok().map(|hop| hop.ip()));
    address.map(|address| address.to_canonical())
}

/// Everybody seems to come from one private address: then a proxy is in front, and nobody said so.
#[derive(Debug, Default)]
struct Suspicion {
    in_a_row: AtomicU32,
    said: AtomicBool,
}

/// So many connections of private addresses, and of no others, are no coincidence.
const SUSPICIOUS: u32 = 64;

impl Suspicion {
    fn note(&self, peer: IpAddr) {
        if !is_private(peer) {
            return self.in_a_row.store(0, Ordering::Relaxed);
        }
        let in_a_row = self.in_a_row.fetch_add(1, Ordering::Relaxed) + 1;
        if in_a_row >= SUSPICIOUS && !self.said.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "{in_a_row} connections in a row came from private addresses, and no proxy is \
                 trusted: if a proxy or load balancer is in front, all clients share its limits. \
                 Set --trusted-proxies to its network"
            );
        }
    }
}

fn is_private(address: IpAddr) -> bool {
    match address {
        // 100.64.0.0/10 is shared by carriers and clouds (RFC 6598).
        IpAddr::V4(v4) => {
            let shared = v4.octets()[0] == 100 && v4.octets()[1] & 0xC0 == 64;
            v4.is_private() || v4.is_loopback() || v4.is_link_local() || shared
        }
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    fn proxies(trusted: &str) -> Proxies {
        let settings = Settings::from_flags([format!("--trusted-proxies={trusted}")]).unwrap();
        Proxies::new(&settings.proxy)
    }

    fn address_of(proxies: &Proxies, peer: &str, forwarded: &[&str]) -> String {
        let mut head = "GET /signal HTTP/1.1\r\nHost: x\r\n".to_owned();
        for value in forwarded {
            head += &format!("X-Forwarded-For: {value}\r\n");
        }
        head += "\r\n";
        let (request, _) = securecall_websocket::parse_request(head.as_bytes()).unwrap().unwrap();
        proxies.client_address(peer.parse().unwrap(), &request).to_string()
    }

    #[test]
    fn without_trusted_proxies_the_header_is_ignored() {
        assert_eq!(address_of(&proxies(""), "10.0.0.1", &["192.0.2.1"]), "10.0.0.1");
    }

    #[test]
    fn a_stranger_cannot_say_where_it_comes_from() {
        let proxies = proxies("10.0.0.0/8");
        assert_eq!(address_of(&proxies, "198.51.100.7", &["192.0.2.1"]), "198.51.100.7");
    }

    #[test]
    fn the_rightmost_address_that_is_no_proxy_counts() {
        let proxies = proxies("10.0.0.0/8");
        for (forwarded, client) in [
            (&["203.0.113.9, 192.0.2.1"][..], "192.0.2.1"),
            (&["203.0.113.9, 192.0.2.1, 10.1.2.3"], "192.0.2.1"),
            (&["203.0.113.9", "192.0.2.1"], "192.0.2.1"),
            (&["192.0.2.1:4711"], "192.0.2.1"),
            (&["[2001:db8::1]:4711"], "2001:db8::1"),
            (&["::ffff:192.0.2.1"], "192.0.2.1"),
            (&["192.0.2.1, unknown"], "10.0.0.1"),
            (&["10.1.1.1"], "10.1.1.1"),
            (&[], "10.0.0.1"),
        ] {
            assert_eq!(address_of(&proxies, "10.0.0.1", forwarded), client, "{forwarded:?}");
        }
    }

    #[test]
    fn many_clients_at_one_private_address_are_suspicious_once() {
        let suspicion = Suspicion::default();
        for _ in 0..SUSPICIOUS - 1 {
            suspicion.note("10.0.0.1".parse().unwrap());
        }
        assert!(!suspicion.said.load(Ordering::Relaxed));
        suspicion.note("100.64.0.1".parse().unwrap());
        assert!(suspicion.said.load(Ordering::Relaxed));
    }
}
