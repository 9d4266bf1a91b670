//! The sockets, and what comes in from them.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::relay::Relay;

/// The largest datagram that is read. WebRTC keeps to the MTU.
pub(crate) const DATAGRAM_BYTES_MAX: usize = 2048;

/// Something from the network.
pub(crate) enum Arrival {
    /// A datagram of the other end, or of somebody who pretends to be.
    Datagram { local: SocketAddr, from: SocketAddr, bytes: Vec<u8> },
    /// Bytes of a TURN server.
    FromTurn { relay: usize, bytes: Vec<u8> },
    /// The TURN server of this number is connected to; `None`: it cannot be reached.
    Relay(usize, Option<Box<Relay>>),
    /// A STUN server is at one of these addresses.
    StunServer(Vec<SocketAddr>),
}

/// A socket on each local address that is offered.
pub(crate) struct HostSockets(Vec<(SocketAddr, Arc<UdpSocket>)>);

impl HostSockets {
    /// Opens sockets. Addresses on which none can be opened are left out.
    pub(crate) async fn open(
        addresses: Vec<IpAddr>,
        arrivals: &mpsc::Sender<Arrival>,
        readers: &mut JoinSet<()>,
    ) -> Self {
        let mut sockets = Vec::new();
        for address in addresses {
            let Ok((local, socket)) = open(address).await else { continue };
            readers.spawn(read(local, socket.clone(), arrivals.clone()));
            sockets.push((local, socket));
        }
        Self(sockets)
    }

    pub(crate) fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.0.iter().map(|(address, _)| *address)
    }

    /// Sends a datagram from one of the sockets. False: there is no such socket. What the network
    /// does not take is lost, as datagrams are.
    pub(crate) async fn send(&self, from: SocketAddr, to: SocketAddr, bytes: &[u8]) -> bool {
        let Some((_, socket)) = self.0.iter().find(|(address, _)| *address == from) else {
            return false;
        };
        let _ = socket.send_to(bytes, to).await;
        true
    }
}

async fn open(address: IpAddr) -> io::Result<(SocketAddr, Arc<UdpSocket>)> {
    let socket = UdpSocket::bind((address, 0)).await?;
    Ok((socket.local_addr()?, Arc::new(socket)))
}

async fn read(local: SocketAddr, socket: Arc<UdpSocket>, arrivals: mpsc::Sender<Arrival>) {
    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
    loop {
        // An error is an ICMP message about an earlier datagram: ICE finds out by itself.
        let Ok((length, from)) = socket.recv_from(&mut buffer).await else { continue };
        let bytes = buffer.get(..length).unwrap_or_default().to_vec();
        if arrivals.send(Arrival::Datagram { local, from, bytes }).await.is_err() {
            return;
        }
    }
}
