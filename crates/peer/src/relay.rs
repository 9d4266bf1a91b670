//! One allocation on a TURN server (RFC 8656): the protocol is `turn-client-proto`, the sockets
//! are here.

use std::collections::HashSet;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use tokio::net::lookup_host;
use tokio::sync::mpsc;
use turn_client_proto::api::{Transmit, TurnConfig, TurnEvent, TurnPollRet, TurnRecvRet};
use turn_client_proto::prelude::TurnClientApi as _;
use turn_client_proto::stun::Instant as TurnInstant;
use turn_client_proto::tcp::TurnClientTcp;
use turn_client_proto::types::{AddressFamily, TransportType, TurnCredentials};
use turn_client_proto::udp::TurnClientUdp;

use crate::network::Arrival;
use crate::turn_server::{Transport, TurnServer};
use crate::wire::Wire;

/// A request is sent so often: at 0, 0.5, 1.5, 3.5 and 5.5 seconds, and given up at 7.5. RFC 8489
/// has 39.5, which is longer than anybody waits for a call.
const REQUESTS_MAX: u32 = 5;

/// Addresses of the other end that are sent to over one relay; more are left unanswered.
const PEERS_MAX: usize = 256;

turn_client_proto::impl_client!(pub(crate) TurnClient, (Udp, TurnClientUdp), (Tcp, TurnClientTcp));

/// A relay, or one that is to become one.
pub(crate) struct Relay {
    client: TurnClient,
    wire: Wire,
    /// Zero of the client's clock.
    started: Instant,
    /// Addresses of the other end to which the way was opened.
    peers: HashSet<SocketAddr>,
}

/// What became of an allocation.
pub(crate) enum RelayEvent {
    /// It is there: datagrams to this address come here.
    Allocated(SocketAddr),
    /// The server refused, or is gone.
    Failed,
}

/// A datagram of the other end that came over a relay.
pub(crate) struct Relayed {
    pub(crate) from: SocketAddr,
    pub(crate) bytes: Vec<u8>,
}

impl Relay {
    /// Connects to a TURN server; the allocation follows with [`Relay::poll`]. Its bytes arrive as
    /// those of relay number `index`.
    pub(crate) async fn connect(
        server: &TurnServer,
        tls: Option<Arc<ClientConfig>>,
        index: usize,
        arrivals: mpsc::Sender<Arrival>,
    ) -> io::Result<Self> {
        let remote = lookup_host((server.host.as_str(), server.port)).await?.next();
        let remote = remote.ok_or(io::ErrorKind::NotFound)?;
        let (wire, local) = match server.transport {
            Transport::Udp => Wire::udp(remote, index, arrivals).await?,
            Transport::Tcp => Wire::tcp(remote, index, arrivals).await?,
            Transport::Tls => Wire::tls(remote, &server.host, tls, index, arrivals).await?,
        };
        let credentials = TurnCredentials::new(&server.username, &server.credential);
        let mut config = TurnConfig::new(credentials);
        let [first, longest, last] = [500, 2000, 2000].map(Duration::from_millis);
        config.set_request_retransmits(first, longest, REQUESTS_MAX, last);
        if remote.is_ipv6() {
            config.add_address_family(AddressFamily::IPV6);
        }
        let client = match server.transport {
            Transport::Udp => TurnClientUdp::allocate(local, remote, config).into(),
            Transport::Tcp | Transport::Tls => {
                TurnClientTcp::allocate(local, remote, config).into()
            }
        };
        let started = Instant::now();
        Ok(Self { client, wire, started, peers: HashSet::new() })
    }

    /// Takes bytes of the TURN server; gives what the other end sent.
    pub(crate) fn receive(&mut self, bytes: Vec<u8>) -> Vec<Relayed> {
        let now = self.now();
        let (from, to) = (self.client.remote_addr(), self.client.local_addr());
        let transmit = Transmit::new(bytes, self.client.transport(), from, to);
        let mut relayed = Vec::new();
        if let TurnRecvRet::PeerData(data) = self.client.recv(transmit, now) {
            relayed.push(Relayed { from: data.peer, bytes: data.data().to_vec() });
        }
        while let Some(data) = self.client.poll_recv(now) {
            relayed.push(Relayed { from: data.peer, bytes: data.data().to_vec() });
        }
        relayed
    }

    /// Sends a datagram to the other end. The first ones to an address are lost: they open the way,
    /// and ICE repeats them.
    pub(crate) async fn send(&mut self, to: SocketAddr, bytes: &[u8]) {
        let now = self.now();
        if self.peers.len() < PEERS_MAX && self.peers.insert(to) {
            self.open_way(to, now);
        }
        if let Ok(Some(transmit)) = self.client.send_to(TransportType::Udp, to, bytes, now) {
            self.wire.send_datagram(transmit.build().data).await;
        }
    }

    /// Over TCP a channel's messages must be padded to four bytes (RFC 8656 section 12.5), which
    /// `turn-client-proto` 0.7 does not do: STUN would pass, DTLS would not. So there data goes in
    /// indications, 32 bytes longer. An error: there is no allocation any more.
    fn open_way(&mut self, to: SocketAddr, now: TurnInstant) {
        let _ = if self.wire.is_stream() {
            self.client.create_permission(TransportType::Udp, to.ip(), now).is_ok()
        } else {
            self.client.bind_channel(TransportType::Udp, to, now).is_ok()
        };
    }

    /// Does what is due; gives news, and when to come again.
    pub(crate) async fn poll(&mut self) -> (Vec<RelayEvent>, Option<Instant>) {
        let now = self.now();
        let mut events = Vec::new();
        // TCP allocations (RFC 6062) are not asked for, so there are only these two answers.
        let deadline = match self.client.poll(now) {
            TurnPollRet::WaitUntil(at) => Some(self.started + at.duration_since(TurnInstant::ZERO)),
            TurnPollRet::Closed => {
                events.push(RelayEvent::Failed);
                None
            }
            _ => None,
        };
        while let Some(transmit) = self.client.poll_transmit(now) {
            self.wire.send_control(transmit.data.to_vec()).await;
        }
        while let Some(event) = self.client.poll_event() {
            match event {
                TurnEvent::AllocationCreated(_, address) => {
                    events.push(RelayEvent::Allocated(address));
                }
                TurnEvent::AllocationCreateFailed(_) => events.push(RelayEvent::Failed),
                TurnEvent::ChannelCreateFailed(_, address) => {
                    self.peers.remove(&address);
                }
                TurnEvent::PermissionCreateFailed(_, ip) => {
                    self.peers.retain(|peer| peer.ip() != ip);
                }
                _ => {}
            }
        }
        (events, deadline)
    }

    /// Gives the allocation back, so that it does not count against a quota until it expires.
    /// What was sent before goes out.
    pub(crate) async fn release(mut self) {
        if self.client.delete(self.now()).is_ok() {
            self.poll().await;
        }
        self.wire.finish().await;
    }

    /// This end of the way to the TURN server.
    pub(crate) fn local_address(&self) -> SocketAddr {
        self.client.local_addr()
    }

    fn now(&self) -> TurnInstant {
        TurnInstant::from_std(self.started)
    }
}
