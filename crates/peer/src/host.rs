//! Addresses of this machine.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use crate::HostAddresses;

impl HostAddresses {
    /// The addresses to open sockets on.
    pub(crate) fn resolve(&self) -> Vec<IpAddr> {
        let addresses = match self {
            Self::These(addresses) => return addresses.clone(),
            Self::DefaultRoute => of_default_routes(),
        };
        if addresses.is_empty() { vec![Ipv4Addr::LOCALHOST.into()] } else { addresses }
    }
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
