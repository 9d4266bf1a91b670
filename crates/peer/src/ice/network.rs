//! The sockets, and what comes in from them.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::turn::relay::Relay;
use crate::turn::relay_failure::RelayFailure;

/// The largest datagram that is read. WebRTC stays within the MTU.
pub(crate) const DATAGRAM_BYTES_MAX: usize = 2048;

/// Something from the network.
pub(crate) enum Arrival {
    /// A datagram of the other end, or of anyone who sends to this port.
    Datagram { local: SocketAddr, from: SocketAddr, bytes: Vec<u8> },
    /// Bytes of a TURN server.
    FromTurn { relay: usize, bytes: Vec<u8> },
    /// The TURN server of this number has these addresses.
    TurnServer(usize, Vec<SocketAddr>),
    /// The attempt of this number has connected to a TURN server, or failed.
    Relay(usize, Result<Box<Relay>, RelayFailure>),
    /// A STUN server is at one of these addresses.
    StunServer(Vec<SocketAddr>),
}

/// A socket on each local address that is offered.
pub(crate) struct HostSockets(Vec<HostSocket>);

/// A socket, and its address as the other end gets it: without the scope of its link.
struct HostSocket {
    address: SocketAddr,
    link: Option<u32>,
    socket: Arc<UdpSocket>,
}

impl HostSockets {
    /// Opens sockets, and leaves out addresses on which that fails.
    pub(crate) async fn open(
        addresses: Vec<SocketAddr>,
        arrivals: &mpsc::Sender<Arrival>,
        readers: &mut JoinSet<()>,
    ) -> Self {
        let mut sockets = Vec::new();
        for address in addresses {
            let Ok(socket) = HostSocket::open(address).await else { continue };
            readers.spawn(read(socket.address, socket.socket.clone(), arrivals.clone()));
            sockets.push(socket);
        }
        Self(sockets)
    }

    pub(crate) fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.0.iter().map(|socket| socket.address)
    }

    /// Sends a datagram from one of the sockets. False: there is no such socket. What the network
    /// does not take is lost, as datagrams are.
    pub(crate) async fn send(&self, from: SocketAddr, to: SocketAddr, bytes: &[u8]) -> bool {
        let Some(socket) = self.0.iter().find(|socket| socket.address == from) else {
            return false;
        };
        let _ = socket.socket.send_to(bytes, socket.on_link(to)).await;
        true
    }
}

impl HostSocket {
    async fn open(address: SocketAddr) -> io::Result<Self> {
        let socket = UdpSocket::bind(address).await?;
        let local = socket.local_addr()?;
        let link = match local {
            SocketAddr::V6(local) if local.scope_id() != 0 => Some(local.scope_id()),
            _ => None,
        };
        Ok(Self { address: without_link(local), link, socket: Arc::new(socket) })
    }

    /// Addresses that hold on a link alone are those of this socket's link.
    const fn on_link(&self, mut to: SocketAddr) -> SocketAddr {
        if let (SocketAddr::V6(to), Some(link)) = (&mut to, self.link) {
            to.set_scope_id(link);
        }
        to
    }
}

/// Candidates know no links (RFC 8839), so what is compared with them must not either.
const fn without_link(mut address: SocketAddr) -> SocketAddr {
    if let SocketAddr::V6(address) = &mut address {
        address.set_scope_id(0);
    }
    address
}

async fn read(local: SocketAddr, socket: Arc<UdpSocket>, arrivals: mpsc::Sender<Arrival>) {
    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
    loop {
        // An error is an ICMP message about an earlier datagram: ICE finds out by itself.
        let Ok((length, from)) = socket.recv_from(&mut buffer).await else { continue };
        let (from, bytes) = (without_link(from), buffer.get(..length).unwrap_or_default().to_vec());
        if arrivals.send(Arrival::Datagram { local, from, bytes }).await.is_err() {
            return;
        }
    }
}
