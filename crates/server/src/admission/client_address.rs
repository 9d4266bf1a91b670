//! The address of a client, which may be behind proxies.
//!
//! A header is used only if the peer is a trusted proxy, and it is read from the right: each proxy
//! appends the address that it saw, so the rightmost address that is no trusted proxy is the last
//! one that a trusted proxy has seen. Anything left of it may be forged by the client.
//!
//! With the PROXY protocol, the peer is the one in the proxy's header. If that peer is a trusted
//! proxy itself, its headers are used in the same way.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Instant;

use ipnet::IpNet;
use securecall_websocket::Request;

use crate::settings::{self, ProxyProtocol};
use crate::telemetry::log_limit::LogLimit;

/// The origin of a connection, as far as it is known before the request. `Debug` prints no address.
#[derive(Clone, Copy)]
pub(crate) struct Source {
    address: IpAddr,
    /// True if a header of its request can come from a trusted proxy.
    may_be_proxy: bool,
}

impl Source {
    /// Returns the source for the peer of the socket, or for the peer in a PROXY protocol header.
    pub(crate) fn peer(address: IpAddr) -> Self {
        Self { address: address.to_canonical(), may_be_proxy: true }
    }

    /// Returns the source for a proxy that sent no client address: any client may be behind it.
    pub(crate) fn unnamed(proxy: IpAddr) -> Self {
        Self { address: proxy.to_canonical(), may_be_proxy: false }
    }

    pub(crate) fn address(self) -> IpAddr {
        self.address
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Source(…)")
    }
}

/// The configured proxies in front of the server.
#[derive(Debug)]
pub(crate) struct Proxies {
    trusted: Vec<IpNet>,
    header: String,
    /// Whether connections must begin with a PROXY protocol header.
    protocol: ProxyProtocol,
    /// Detects a proxy that is not configured: all peers have private addresses.
    unknown_proxy: Streak,
    /// Detects trusted proxies that send no PROXY protocol header.
    silent_proxy: Streak,
    proxy_headers: LogLimit,
    missing_headers: LogLimit,
    untrusted_peers: LogLimit,
}

impl Proxies {
    pub(crate) fn new(settings: &settings::Proxy) -> Self {
        Self {
            trusted: settings.trusted.iter().map(|network| network.net()).collect(),
            header: settings.header.as_str().to_owned(),
            protocol: settings.protocol,
            unknown_proxy: Streak::default(),
            silent_proxy: Streak::default(),
            proxy_headers: LogLimit::default(),
            missing_headers: LogLimit::default(),
            untrusted_peers: LogLimit::default(),
        }
    }

    /// Returns the client's address.
    pub(crate) fn client_address(&self, source: Source, request: &Request<'_>) -> IpAddr {
        let peer = source.address;
        if self.trusted.is_empty() {
            self.observe_unknown_proxy(peer);
        }
        if !source.may_be_proxy || !self.is_trusted(peer) {
            return peer;
        }
        let values: Vec<&[u8]> = request.header_values(&self.header).collect();
        self.observe_silent_proxy(values.is_empty());
        let hops = values.iter().rev().flat_map(|value| value.rsplit(|byte| *byte == b','));
        let mut nearest = peer;
        for hop in hops {
            // An invalid hop makes everything left of it untrustworthy.
            let Some(address) = parse_hop(hop) else { return nearest };
            nearest = address;
            if !self.is_trusted(address) {
                return address;
            }
        }
        nearest
    }

    /// Returns true if connections must begin with a PROXY protocol header.
    pub(crate) fn speak_proxy_protocol(&self) -> bool {
        self.protocol == ProxyProtocol::On
    }

    /// Returns true if the connection of this peer may be read. With the PROXY protocol only
    /// trusted proxies may connect, and this machine, whose health check has no client address.
    pub(crate) fn may_come(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        let may_connect =
            !self.speak_proxy_protocol() || self.is_trusted(peer) || peer.is_loopback();
        if !may_connect
            && is_private(peer)
            && let Some(left_out) = self.untrusted_peers.take(Instant::now())
        {
            tracing::warn!(
                left_out,
                "a connection of a private address that is no trusted proxy was refused: with \
                 --proxy-protocol on only those of --trusted-proxies may connect"
            );
        }
        may_connect
    }

    /// Logs the consequences of the proxy settings at the start.
    pub(crate) fn announce(&self) {
        if self.trusted.is_empty() {
            return;
        }
        let trusted: Vec<_> = self.trusted.iter().map(ToString::to_string).collect();
        if self.speak_proxy_protocol() {
            return tracing::info!(
                "client addresses are read from PROXY protocol headers of {}; no others may \
                 connect",
                trusted.join(", ")
            );
        }
        tracing::info!(
            "client addresses are read from {} of {}: each proxy there has to set that header \
             itself. One that only forwards TCP (stunnel, hitch, mode tcp) does not, and its \
             clients could forge any address",
            self.header,
            trusted.join(", ")
        );
    }

    /// Warns about a PROXY protocol header that is not expected. Only possible proxies are
    /// reported, because any client can send one.
    pub(crate) fn note_proxy_header(&self, peer: IpAddr) {
        let peer = peer.to_canonical();
        if (is_private(peer) || self.is_trusted(peer))
            && let Some(left_out) = self.proxy_headers.take(Instant::now())
        {
            tracing::warn!(
                left_out,
                "a proxy sends the PROXY protocol, which is off here: its clients get 400. Switch \
                 it off there (send-proxy, proxy_protocol, write-proxy), or set --proxy-protocol on"
            );
        }
    }

    /// Warns about a proxy that sent no PROXY protocol header although it should.
    pub(crate) fn note_missing_proxy_header(&self, peer: IpAddr) {
        if self.is_trusted(peer)
            && let Some(left_out) = self.missing_headers.take(Instant::now())
        {
            tracing::warn!(
                left_out,
                "a trusted proxy sends no valid PROXY protocol header: its clients get 400. \
                 Switch it on there (send-proxy-v2, proxy_protocol, write-proxy-v2), or remove \
                 --proxy-protocol on here"
            );
        }
    }

    /// Warns if all clients seem to come from private addresses: then a proxy is in front that is
    /// not configured.
    fn observe_unknown_proxy(&self, peer: IpAddr) {
        if let Some(in_a_row) = self.unknown_proxy.note(is_private(peer)) {
            tracing::warn!(
                "{in_a_row} connections in a row came from private addresses, and no proxy is \
                 trusted: if a proxy or load balancer is in front, all clients share its limits. \
                 If it sets {}, set --trusted-proxies to its network; if it only forwards TCP, \
                 raise those limits",
                self.header
            );
        }
    }

    /// Warns if a trusted proxy never sends the header: then its clients could send one.
    fn observe_silent_proxy(&self, is_silent: bool) {
        if let Some(in_a_row) = self.silent_proxy.note(is_silent) {
            let header = &self.header;
            tracing::warn!(
                "{in_a_row} connections in a row came from trusted proxies without {header}: all \
                 clients share one address, unless they send the header themselves, which is then \
                 trusted. Let the proxy set {header}, or remove it from --trusted-proxies"
            );
        }
    }

    /// Returns true if the address belongs to a trusted proxy.
    pub(crate) fn is_trusted(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.trusted.iter().any(|network| network.contains(&address))
    }
}

/// Parses `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1` or `[2001:db8::1]:4711`.
fn parse_hop(hop: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(hop).ok()?.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse::<IpAddr>().ok();
    let address = address.or_else(|| text.parse::<SocketAddr>().ok().map(|hop| hop.ip()));
    address.map(|address| address.to_canonical())
}

/// A counter for a repeated observation that is logged once.
#[derive(Debug, Default)]
struct Streak {
    in_a_row: AtomicU32,
    said: AtomicBool,
}

/// The number of equal observations in a row that is no coincidence.
const STREAK_REPORTED: u32 = 64;

impl Streak {
    /// Counts one more connection. Returns the length of the row when it is to be logged.
    fn note(&self, is_alike: bool) -> Option<u32> {
        if !is_alike {
            self.in_a_row.store(0, Ordering::Relaxed);
            return None;
        }
        let in_a_row = self.in_a_row.fetch_add(1, Ordering::Relaxed) + 1;
        let is_news = in_a_row >= STREAK_REPORTED && !self.said.swap(true, Ordering::Relaxed);
        is_news.then_some(in_a_row)
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
    use securecall_websocket::{HeadLimits, parse_request};

    use super::*;
    use crate::settings::Settings;

    fn proxies(trusted: &str) -> Proxies {
        let settings = Settings::from_flags([format!("--trusted-proxies={trusted}")]).unwrap();
        Proxies::new(&settings.proxy)
    }

    fn address_from(
        source: fn(IpAddr) -> Source,
        proxies: &Proxies,
        peer: &str,
        forwarded: &[&str],
    ) -> String {
        let mut head = "GET /signal HTTP/1.1\r\nHost: x\r\n".to_owned();
        for value in forwarded {
            head += &format!("X-Forwarded-For: {value}\r\n");
        }
        head += "\r\n";
        let (request, _) = parse_request(head.as_bytes(), HeadLimits::default()).unwrap().unwrap();
        proxies.client_address(source(peer.parse().unwrap()), &request).to_string()
    }

    fn address_of(proxies: &Proxies, peer: &str, forwarded: &[&str]) -> String {
        address_from(Source::peer, proxies, peer, forwarded)
    }

    #[test]
    fn a_proxy_without_a_client_address_passes_headers_of_its_clients() {
        let proxies = proxies("10.0.0.0/8");
        assert_eq!(address_from(Source::unnamed, &proxies, "10.0.0.1", &["192.0.2.1"]), "10.0.0.1");
    }

    #[test]
    fn with_the_proxy_protocol_only_proxies_and_this_machine_may_come() {
        let flags = ["--trusted-proxies=10.0.0.0/8", "--proxy-protocol=on"];
        let proxies = Proxies::new(&Settings::from_flags(flags).unwrap().proxy);
        let may_connect = |peer: &str| proxies.may_come(peer.parse().unwrap());
        assert!(may_connect("10.0.0.1") && may_connect("::ffff:10.0.0.1"));
        assert!(may_connect("127.0.0.1") && may_connect("::1"));
        assert!(!may_connect("192.0.2.1") && !may_connect("192.168.0.1"));
        assert!(self::proxies("10.0.0.0/8").may_come("192.0.2.1".parse().unwrap()));
    }

    #[test]
    fn without_trusted_proxies_the_header_is_ignored() {
        assert_eq!(address_of(&proxies(""), "10.0.0.1", &["192.0.2.1"]), "10.0.0.1");
    }

    #[test]
    fn an_untrusted_peer_cannot_choose_its_address() {
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
    fn a_streak_is_reported_once() {
        let suspicion = Streak::default();
        let note = |count, is_alike| (0..count).filter_map(|_| suspicion.note(is_alike)).next();
        assert_eq!(note(STREAK_REPORTED - 1, true), None);
        assert_eq!(note(1, false), None);
        assert_eq!(note(STREAK_REPORTED - 1, true), None, "they begin anew");
        assert_eq!(note(1, true), Some(STREAK_REPORTED));
        assert_eq!(note(STREAK_REPORTED, true), None, "it was said");
    }

    #[test]
    fn private_addresses_are_those_of_proxies_in_front() {
        for private in ["10.0.0.1", "127.0.0.1", "100.64.0.1", "169.254.0.1", "::1", "fd00::1"] {
            assert!(is_private(private.parse().unwrap()), "{private}");
        }
        for public in ["192.0.2.1", "100.63.0.1", "100.128.0.1", "2001:db8::1"] {
            assert!(!is_private(public.parse().unwrap()), "{public}");
        }
    }
}
