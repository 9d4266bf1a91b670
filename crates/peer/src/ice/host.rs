//! Addresses of this machine.

use std::cmp::Reverse;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, UdpSocket};

use if_addrs::{Interface, get_if_addrs};

use crate::HostAddresses;

/// Addresses that sockets are opened on. With each come up to four addresses as STUN servers see it,
/// and with all of them up to eight relays: 48 candidates, which any other end takes.
const ADDRESSES_MAX: usize = 8;

/// An address of an interface that is up.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Address {
    ip: IpAddr,
    /// Its interface.
    index: u32,
    kind: Kind,
}

/// The kind of network that an interface leads to, the best last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// This machine alone.
    Loopback,
    /// Containers and virtual machines on this machine.
    Bridge,
    Network,
}

impl HostAddresses {
    /// The addresses to open sockets on.
    pub(crate) fn resolve(&self) -> Vec<SocketAddr> {
        let mut addresses = match self {
            Self::These(addresses) => addresses.iter().map(|ip| (*ip, 0).into()).collect(),
            Self::DefaultRoute => {
                of_default_routes().into_iter().map(|ip| (ip, 0).into()).collect()
            }
            // Without the list there are still the routes.
            Self::All => usable(&of_interfaces(), &of_default_routes()),
        };
        if addresses.is_empty() {
            addresses.push((Ipv4Addr::LOCALHOST, 0).into());
        }
        addresses.truncate(ADDRESSES_MAX);
        addresses
    }
}

/// Addresses that another machine may reach, the best first: those of default routes, so that the
/// bound never cuts them off, then those of other networks. IPv6 addresses that are valid on their
/// link alone are left out (RFC 8445 section 5.1.1.1) unless there is nothing else, as between two
/// machines on a cable. Those of IPv4 (169.254.0.0/16) are always left out: `str0m` 0.25 refuses
/// them as candidates.
fn usable(addresses: &[Address], default_routes: &[IpAddr]) -> Vec<SocketAddr> {
    let mut reachable: Vec<&Address> =
        addresses.iter().filter(|address| address.kind != Kind::Loopback).collect();
    // A stable sort leaves equals in the system's order.
    reachable.sort_by_key(|address| {
        let is_default = default_routes.contains(&address.ip);
        Reverse((is_default, address.kind))
    });
    let mut chosen: Vec<&Address> = Vec::new();
    for address in reachable.iter().filter(|address| !is_link_local(address.ip)) {
        if !chosen.iter().any(|other| is_of_same_network(other, address)) {
            chosen.push(address);
        }
    }
    if chosen.is_empty() {
        reachable.retain(|address| address.ip.is_ipv6());
        chosen = reachable;
    }
    chosen.into_iter().map(Address::socket_address).collect()
}

/// Returns true for a second IPv6 address in one network: the system has a lasting one and
/// temporary ones (RFC 8981). The one of the default route, or the first, is enough; the others
/// would only disclose more.
fn is_of_same_network(one: &Address, other: &Address) -> bool {
    const NETWORK_BYTES: usize = 8;
    match (one.ip, other.ip) {
        (IpAddr::V6(a), IpAddr::V6(b)) => {
            one.index == other.index && a.octets()[..NETWORK_BYTES] == b.octets()[..NETWORK_BYTES]
        }
        _ => false,
    }
}

impl Address {
    fn new(interface: &Interface) -> Option<Self> {
        let ip = interface.ip();
        let is_usable = interface.is_oper_up() && !ip.is_unspecified() && !ip.is_multicast();
        let kind = Kind::of(&interface.name, interface.is_loopback());
        is_usable.then(|| Self { ip, index: interface.index.unwrap_or_default(), kind })
    }

    /// An address that holds on its link alone needs the link.
    fn socket_address(&self) -> SocketAddr {
        match self.ip {
            IpAddr::V6(ip) if ip.is_unicast_link_local() => {
                SocketAddrV6::new(ip, 0, 0, self.index).into()
            }
            ip => (ip, 0).into(),
        }
    }
}

impl Kind {
    /// Only the name distinguishes a bridge of containers from a network; it decides the order
    /// alone.
    fn of(name: &str, is_loopback: bool) -> Self {
        const BRIDGES: [&str; 9] =
            ["docker", "br-", "veth", "virbr", "lxc", "lxd", "podman", "cni", "vmnet"];
        match is_loopback {
            true => Self::Loopback,
            false if BRIDGES.iter().any(|bridge| name.starts_with(bridge)) => Self::Bridge,
            false => Self::Network,
        }
    }
}

const fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

fn of_interfaces() -> Vec<Address> {
    get_if_addrs().unwrap_or_default().iter().filter_map(Address::new).collect()
}

/// Connecting a UDP socket sends nothing: it looks up the route. The destinations are those of
/// documentation (RFC 5737, RFC 3849).
fn of_default_routes() -> Vec<IpAddr> {
    let routes: [(IpAddr, IpAddr); 2] = [
        (Ipv4Addr::UNSPECIFIED.into(), Ipv4Addr::new(192, 0, 2, 1).into()),
        (Ipv6Addr::UNSPECIFIED.into(), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into()),
    ];
    routes.into_iter().filter_map(|(any, destination)| source_of_route(any, destination)).collect()
}

fn source_of_route(any: IpAddr, destination: IpAddr) -> Option<IpAddr> {
    const ANY_PORT: u16 = 9;
    let socket = UdpSocket::bind(SocketAddr::new(any, 0)).ok()?;
    socket.connect(SocketAddr::new(destination, ANY_PORT)).ok()?;
    let source = socket.local_addr().ok()?.ip();
    (!source.is_unspecified()).then_some(source)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(name: &str, ip: &str) -> Address {
        let ip: IpAddr = ip.parse().unwrap();
        let index = name.bytes().map(u32::from).sum();
        Address { ip, index, kind: Kind::of(name, ip.is_loopback()) }
    }

    #[track_caller]
    fn assert_usable(addresses: &[(&str, &str)], default_routes: &[&str], expected: &[&str]) {
        let addresses: Vec<_> = addresses.iter().map(|(name, ip)| address(name, ip)).collect();
        let routes: Vec<IpAddr> = default_routes.iter().map(|ip| ip.parse().unwrap()).collect();
        let usable: Vec<_> = usable(&addresses, &routes).iter().map(SocketAddr::ip).collect();
        let expected: Vec<IpAddr> = expected.iter().map(|ip| ip.parse().unwrap()).collect();
        assert_eq!(usable, expected);
    }

    #[test]
    fn every_network_counts_and_loopback_does_not() {
        let lan = ("eth0", "192.168.1.2");
        assert_usable(&[("lo", "127.0.0.1"), lan], &[], &["192.168.1.2"]);
        let vpn = ("tun0", "10.8.0.2");
        assert_usable(&[lan, vpn], &["10.8.0.2"], &["10.8.0.2", "192.168.1.2"]);
    }

    #[test]
    fn default_routes_come_first_and_bridges_last() {
        assert_usable(
            &[
                ("br-7d1f", "172.18.0.1"),
                ("docker0", "172.17.0.1"),
                ("eth1", "169.254.3.4"),
                ("eth0", "192.168.1.2"),
                ("wlan0", "10.0.0.2"),
            ],
            &["10.0.0.2"],
            &["10.0.0.2", "192.168.1.2", "172.18.0.1", "172.17.0.1"],
        );
    }

    #[test]
    fn of_a_lasting_and_a_temporary_address_one_is_disclosed() {
        let (lasting, temporary) = ("2001:db8::211:22ff:fe33:4455", "2001:db8::8c1e:b0d7:3f2a:9");
        let addresses = [("eth0", lasting), ("eth0", temporary), ("eth0", "fd00::1")];
        assert_usable(&addresses, &[temporary], &[temporary, "fd00::1"]);
        let others = [("eth0", "2001:db8::1"), ("eth1", "2001:db8::2")];
        assert_usable(&others, &[], &["2001:db8::1", "2001:db8::2"]);
    }

    #[test]
    fn addresses_of_a_link_are_used_where_there_are_no_others_and_know_their_link() {
        let cable = ("eth0", "fe80::1");
        assert_usable(&[cable, ("eth1", "192.168.1.2")], &[], &["192.168.1.2"]);
        assert_usable(&[("lo", "::1"), ("eth0", "169.254.3.4"), cable], &[], &["fe80::1"]);
        let link = address("eth0", "fe80::1");
        let expected = SocketAddrV6::new("fe80::1".parse().unwrap(), 0, 0, link.index);
        assert_eq!(link.socket_address(), expected.into());
    }

    #[test]
    fn there_is_always_an_address_and_never_too_many() {
        assert_usable(&[], &[], &[]);
        assert!(!HostAddresses::All.resolve().is_empty());
        assert_eq!(HostAddresses::These(Vec::new()).resolve(), [([127, 0, 0, 1], 0).into()]);
        let many = HostAddresses::These(vec![Ipv4Addr::LOCALHOST.into(); 20]);
        assert_eq!(many.resolve().len(), ADDRESSES_MAX);
    }
}
