//! One allocation on a TURN server (RFC 8656): the protocol is `turn-client-proto`, the sockets
//! are here.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use tokio::sync::mpsc;
use turn_client_proto::api::{Transmit, TurnConfig, TurnEvent, TurnPollRet, TurnRecvRet};
use turn_client_proto::prelude::TurnClientApi as _;
use turn_client_proto::stun::Instant as TurnInstant;
use turn_client_proto::tcp::TurnClientTcp;
use turn_client_proto::types::{AddressFamily, TransportType, TurnCredentials};
use turn_client_proto::udp::TurnClientUdp;

use super::relay_failure::{AllocateErrors, RelayFailure};
use super::turn_server::{Transport, TurnServer};
use super::wire::Wire;
use crate::ice::network::Arrival;

/// A request is sent at 0, 0.5, 1.5, 3.5 and 5.5 seconds, and given up at 7.5. RFC 8489 gives up at
/// 39.5, which is longer than people wait for a call.
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
    errors: AllocateErrors,
    /// True once the server has answered anything.
    has_answered: bool,
    has_allocated: bool,
    /// The allocation is given back as soon as it is there.
    is_leaving: bool,
}

/// A result of an allocation, or the data of a relay.
pub(crate) enum RelayEvent {
    /// It is there: datagrams to this address come here.
    Allocated(SocketAddr),
    /// The server refused, is gone, or has the allocation back.
    Failed(RelayFailure),
}

/// A datagram of the other end that came over a relay.
pub(crate) struct Relayed {
    pub(crate) from: SocketAddr,
    pub(crate) bytes: Vec<u8>,
}

impl Relay {
    /// Connects to one address of a TURN server; the allocation follows with [`Relay::poll`]. Its
    /// bytes arrive as those of relay number `index`.
    pub(crate) async fn connect(
        server: &TurnServer,
        remote: SocketAddr,
        tls: Option<Arc<ClientConfig>>,
        index: usize,
        arrivals: mpsc::Sender<Arrival>,
    ) -> Result<Self, RelayFailure> {
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
        Ok(Self {
            client,
            wire,
            started: Instant::now(),
            peers: HashSet::new(),
            errors: AllocateErrors::default(),
            has_answered: false,
            has_allocated: false,
            is_leaving: false,
        })
    }

    /// Takes bytes of the TURN server; gives what the other end sent.
    pub(crate) fn receive(&mut self, bytes: Vec<u8>) -> Vec<Relayed> {
        self.has_answered = true;
        if !self.has_allocated {
            self.errors.observe(&bytes);
        }
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
        let mut events = self.poll_events();
        if self.is_leaving && self.has_allocated {
            // Once: without an allocation there is nothing to delete.
            self.has_allocated = false;
            let _ = self.client.delete(now);
        }
        // TCP allocations (RFC 6062) are not asked for, so there are only these two answers.
        let deadline = match self.client.poll(now) {
            TurnPollRet::WaitUntil(at) => Some(self.started + at.duration_since(TurnInstant::ZERO)),
            TurnPollRet::Closed => {
                events.push(RelayEvent::Failed(self.failure()));
                None
            }
            _ => None,
        };
        while let Some(transmit) = self.client.poll_transmit(now) {
            self.wire.send_control(transmit.data.to_vec()).await;
        }
        (events, deadline)
    }

    /// One IP version of a relay may be granted and the other refused. A refusal of both shows when
    /// the client closes.
    fn poll_events(&mut self) -> Vec<RelayEvent> {
        let mut events = Vec::new();
        while let Some(event) = self.client.poll_event() {
            match event {
                TurnEvent::AllocationCreated(_, address) => {
                    self.has_allocated = true;
                    events.push(RelayEvent::Allocated(address));
                }
                TurnEvent::ChannelCreateFailed(_, address) => {
                    self.peers.remove(&address);
                }
                TurnEvent::PermissionCreateFailed(_, ip) => {
                    self.peers.retain(|peer| peer.ip() != ip);
                }
                _ => {}
            }
        }
        events
    }

    fn failure(&self) -> RelayFailure {
        self.errors.failure().unwrap_or(RelayFailure::Silent)
    }

    /// From now on the allocation is given back, so that it does not count against a quota until it
    /// expires. It takes an answer of the server, or two: the request is repeated if its nonce was
    /// stale. The end is a [`RelayEvent::Failed`].
    pub(crate) const fn leave(&mut self) {
        self.is_leaving = true;
    }

    /// Returns true once the server has answered anything.
    pub(crate) const fn has_answered(&self) -> bool {
        self.has_answered
    }

    /// Ends the way to the server once what was sent before is out.
    pub(crate) async fn finish(mut self) {
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
