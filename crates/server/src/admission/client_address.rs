//! Which address a client has, when proxies may stand in between.
//!
//! A header is believed only when a trusted proxy is the peer, and then from the right: each proxy
//! appends the address it saw, so the rightmost one that is no trusted proxy is the last that
//! somebody trustworthy saw. What stands left of it, the client may have written itself.
//!
//! With the PROXY protocol it is the proxy's header that says who the peer is. A peer that it names and
//! that is a trusted proxy itself is believed in the same way.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Instant;

use ipnet::IpNet;
use securecall_websocket::Request;

use crate::settings::{self, ProxyProtocol};
use crate::telemetry::log_limit::LogLimit;

/// Where a connection comes from, as far as that is known before its request. `Debug` prints no
/// address.
#[derive(Clone, Copy)]
pub(crate) struct Source {
    address: IpAddr,
    /// Whether a header of its request can be the word of a trusted proxy.
    may_be_proxy: bool,
}

impl Source {
    /// The peer of the socket, or of the proxy that named it.
    pub(crate) fn peer(address: IpAddr) -> Self {
        Self { address: address.to_canonical(), may_be_proxy: true }
    }

    /// A proxy that did not name its peer: what comes through it may be anybody's.
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

/// The proxies in front of the server.
#[derive(Debug)]
pub(crate) struct Proxies {
    trusted: Vec<IpNet>,
    header: String,
    /// Whether each connection begins with a header of the PROXY protocol.
    protocol: ProxyProtocol,
    /// Connections of private addresses, while no proxy is trusted.
    unknown_proxy: Suspicion,
    /// Connections of trusted proxies without the header.
    silent_proxy: Suspicion,
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
            unknown_proxy: Suspicion::default(),
            silent_proxy: Suspicion::default(),
            proxy_headers: LogLimit::default(),
            missing_headers: LogLimit::default(),
            untrusted_peers: LogLimit::default(),
        }
    }

    /// The client's address.
    pub(crate) fn client_address(&self, source: Source, request: &Request<'_>) -> IpAddr {
        let peer = source.address;
        if self.trusted.is_empty() {
            self.suspect_unknown_proxy(peer);
        }
        if !source.may_be_proxy || !self.is_trusted(peer) {
            return peer;
        }
        let values: Vec<&[u8]> = request.header_values(&self.header).collect();
        self.suspect_silent_proxy(values.is_empty());
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

    /// Whether each connection begins with a header of the PROXY protocol.
    pub(crate) fn speak_proxy_protocol(&self) -> bool {
        self.protocol == ProxyProtocol::On
    }

    /// Tells whether a peer is worth reading from. Where the PROXY protocol is spoken, only proxies are,
    /// and this machine, whose health check names nobody.
    pub(crate) fn may_come(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        let may_come = !self.speak_proxy_protocol() || self.is_trusted(peer) || peer.is_loopback();
        if !may_come
            && is_private(peer)
            && let Some(left_out) = self.untrusted_peers.take(Instant::now())
        {
            tracing::warn!(
                left_out,
                "a connection of a private address that is no trusted proxy was refused: with \
                 --proxy-protocol on only those of --trusted-proxies may connect"
            );
        }
        may_come
    }

    /// Says at the start what trusting a proxy takes.
    pub(crate) fn announce(&self) {
        if self.trusted.is_empty() {
            return;
        }
        let trusted: Vec<_> = self.trusted.iter().map(ToString::to_string).collect();
        if self.speak_proxy_protocol() {
            return tracing::info!(
                "client addresses are read in PROXY protocol headers from {}; nobody else may connect",
                trusted.join(", ")
            );
        }
        tracing::info!(
            "client addresses are read in {} from {}: each proxy there has to set that header \
             itself. One that passes TCP on as it is (stunnel, hitch, mode tcp) does not, and its \
             clients could write any address",
            self.header,
            trusted.join(", ")
        );
    }

    /// A connection began with a PROXY protocol header. Said only of those that may be proxies:
    /// anybody could send one.
    pub(crate) fn note_proxy_header(&self, peer: IpAddr) {
        let peer = peer.to_canonical();
        if (is_private(peer) || self.is_trusted(peer))
            && let Some(left_out) = self.proxy_headers.take(Instant::now())
        {
            tracing::warn!(
                left_out,
                "a proxy sends the PROXY protocol, which is not read here: its clients get 400. \
                 Switch it off there (send-proxy, proxy_protocol, write-proxy), or read it with \
                 --proxy-protocol on"
            );
        }
    }

    /// A connection of a proxy began without the PROXY protocol header that it should begin with.
    pub(crate) fn note_missing_proxy_header(&self, peer: IpAddr) {
        if self.is_trusted(peer)
            && let Some(left_out) = self.missing_headers.take(Instant::now())
        {
            tracing::warn!(
                left_out,
                "a trusted proxy sends no PROXY protocol header that can be read: its clients get 400. \
                 Switch it on there (send-proxy-v2, proxy_protocol, write-proxy-v2), or take \
                 --proxy-protocol on away here"
            );
        }
    }

    /// Everybody seems to come from private addresses: then a proxy is in front, and nobody said so.
    fn suspect_unknown_proxy(&self, peer: IpAddr) {
        if let Some(in_a_row) = self.unknown_proxy.note(is_private(peer)) {
            tracing::warn!(
                "{in_a_row} connections in a row came from private addresses, and no proxy is \
                 trusted: if a proxy or load balancer is in front, all clients share its limits. If \
                 it sets {}, set --trusted-proxies to its network; if it only passes TCP on, raise \
                 those limits",
                self.header
            );
        }
    }

    /// A proxy that never writes the header leaves it to its clients.
    fn suspect_silent_proxy(&self, is_silent: bool) {
        if let Some(in_a_row) = self.silent_proxy.note(is_silent) {
            let header = &self.header;
            tracing::warn!(
                "{in_a_row} connections in a row came from trusted proxies without {header}: all \
                 clients share one address, unless they write the header themselves, which is then \
                 believed. Have the proxy set {header}, or take it out of --trusted-proxies"
            );
        }
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

/// Something that happens again and again, and is then said once.
#[derive(Debug, Default)]
struct Suspicion {
    in_a_row: AtomicU32,
    said: AtomicBool,
}

/// So many connections alike, and no others, are no coincidence.
const SUSPICIOUS: u32 = 64;

impl Suspicion {
    /// Notes one more connection. Returns how many were alike in a row, once that is to be said.
    fn note(&self, is_alike: bool) -> Option<u32> {
        if !is_alike {
            self.in_a_row.store(0, Ordering::Relaxed);
            return None;
        }
        let in_a_row = self.in_a_row.fetch_add(1, Ordering::Relaxed) + 1;
        let is_news = in_a_row >= SUSPICIOUS && !self.said.swap(true, Ordering::Relaxed);
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
    fn through_a_proxy_that_names_nobody_the_header_is_its_clients() {
        let proxies = proxies("10.0.0.0/8");
        assert_eq!(address_from(Source::unnamed, &proxies, "10.0.0.1", &["192.0.2.1"]), "10.0.0.1");
    }

    #[test]
    fn with_the_proxy_protocol_only_proxies_and_this_machine_may_come() {
        let flags = ["--trusted-proxies=10.0.0.0/8", "--proxy-protocol=on"];
        let proxies = Proxies::new(&Settings::from_flags(flags).unwrap().proxy);
        let may_come = |peer: &str| proxies.may_come(peer.parse().unwrap());
        assert!(may_come("10.0.0.1") && may_come("::ffff:10.0.0.1"));
        assert!(may_come("127.0.0.1") && may_come("::1"));
        assert!(!may_come("192.0.2.1") && !may_come("192.168.0.1"));
        assert!(self::proxies("10.0.0.0/8").may_come("192.0.2.1".parse().unwrap()));
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
    fn so_many_alike_in_a_row_are_suspicious_once() {
        let suspicion = Suspicion::default();
        let note = |count, is_alike| (0..count).filter_map(|_| suspicion.note(is_alike)).next();
        assert_eq!(note(SUSPICIOUS - 1, true), None);
        assert_eq!(note(1, false), None);
        assert_eq!(note(SUSPICIOUS - 1, true), None, "they begin anew");
        assert_eq!(note(1, true), Some(SUSPICIOUS));
        assert_eq!(note(SUSPICIOUS, true), None, "it was said");
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
