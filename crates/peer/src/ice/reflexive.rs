//! Server-reflexive candidates (RFC 8445 section 5.1.1.2): our sockets' addresses as seen from
//! outside. They make a way through a NAT.
//!
//! The protocol is `stun-proto`; the sockets, which are those of the host candidates, are the
//! driver's.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use str0m::Candidate;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use turn_client_proto::stun::Instant as StunInstant;
use turn_client_proto::stun::agent::{StunAgent, StunAgentPollRet};
use turn_client_proto::stun::types::TransportType;
use turn_client_proto::stun::types::attribute::XorMappedAddress;
use turn_client_proto::stun::types::message::{BINDING, Message, MessageWriteVec};
use turn_client_proto::stun::types::prelude::*;

use super::network::Arrival;
use crate::turn::resolve::addresses;
use crate::turn::stun_server::StunServer;

/// A request is sent at 0, 0.5, 1.5 and 3.5 seconds, and given up at 5.5: people wait no longer for
/// a call.
const REQUESTS_MAX: u32 = 4;
/// Addresses of one IP version that a server is asked at.
const SERVER_ADDRESSES_MAX: usize = 2;
/// Candidates that come of it: a NAT that shows each server another address could make more.
const CANDIDATES_MAX: usize = 32;

/// A request to send: from where, to whom, and its bytes.
pub(crate) type Request = (SocketAddr, SocketAddr, Vec<u8>);

/// Pending requests to STUN servers.
pub(crate) struct Reflexive {
    /// For each socket what it has asked.
    sockets: Vec<(SocketAddr, StunAgent)>,
    /// Servers whose name is not resolved yet.
    unresolved: usize,
    unanswered: usize,
    candidates: usize,
    /// Zero of the agents' clocks.
    started: Instant,
}

impl Reflexive {
    /// Asks each server from each of these sockets. Their addresses arrive as
    /// [`Arrival::StunServer`].
    pub(crate) fn ask(
        servers: Vec<StunServer>,
        sockets: impl Iterator<Item = SocketAddr>,
        arrivals: &mpsc::Sender<Arrival>,
        tasks: &mut JoinSet<()>,
    ) -> Self {
        let unresolved = servers.len();
        for StunServer { host, port } in servers {
            let arrivals = arrivals.clone();
            tasks.spawn(async move {
                let found = addresses(&host, port).await;
                let _ = arrivals.send(Arrival::StunServer(found)).await;
            });
        }
        let agent = |socket| (socket, StunAgent::builder(TransportType::Udp, socket).build());
        let sockets = sockets.map(agent).collect();
        Self { sockets, unresolved, unanswered: 0, candidates: 0, started: Instant::now() }
    }

    /// Returns true once each server has answered or was given up.
    pub(crate) const fn is_complete(&self) -> bool {
        self.unresolved == 0 && self.unanswered == 0
    }

    /// A server is at one of these addresses: each is asked, because the first may swallow what it
    /// is sent. Gives what to send.
    pub(crate) fn resolved(&mut self, addresses: &[SocketAddr]) -> Vec<Request> {
        self.unresolved = self.unresolved.saturating_sub(1);
        let now = self.now();
        let mut requests = Vec::new();
        for (socket, agent) in &mut self.sockets {
            let same_version = |server: &&SocketAddr| server.is_ipv4() == socket.is_ipv4();
            for server in addresses.iter().filter(same_version).take(SERVER_ADDRESSES_MAX) {
                let Some(request) = request(agent, *server, now) else { continue };
                requests.push((*socket, *server, request));
                self.unanswered += 1;
            }
        }
        requests
    }

    /// Takes a datagram. Returns `None` if it answers none of our requests.
    pub(crate) fn receive(
        &mut self,
        socket: SocketAddr,
        from: SocketAddr,
        bytes: &[u8],
    ) -> Option<Option<Candidate>> {
        if self.unanswered == 0 {
            return None;
        }
        let now = self.now();
        let message = Message::from_bytes(bytes).ok().filter(Message::is_response)?;
        let (_, agent) = self.sockets.iter_mut().find(|(local, _)| *local == socket)?;
        if !agent.handle_stun_message_with_time(&message, from, now) {
            return None;
        }
        self.unanswered -= 1;
        let mapped = message.attribute::<XorMappedAddress>().ok();
        let mapped = mapped.map(|mapped| mapped.addr(message.transaction_id()));
        // Without a NAT it is the host candidate itself.
        let mapped = mapped.filter(|mapped| *mapped != socket && self.candidates < CANDIDATES_MAX);
        let candidate = mapped.and_then(|it| Candidate::server_reflexive(it, socket, "udp").ok());
        self.candidates += usize::from(candidate.is_some());
        Some(candidate)
    }

    /// Gives what to send again, and when to come again.
    pub(crate) fn poll(&mut self) -> (Vec<Request>, Option<Instant>) {
        let now = self.now();
        let mut requests = Vec::new();
        let mut first: Option<Instant> = None;
        for (socket, agent) in &mut self.sockets {
            let deadline = loop {
                match agent.poll(now) {
                    StunAgentPollRet::WaitUntil(at) => break at.duration_since(StunInstant::ZERO),
                    _ => self.unanswered = self.unanswered.saturating_sub(1),
                }
            };
            while let Some(transmit) = agent.poll_transmit(now) {
                requests.push((*socket, transmit.to, transmit.data.to_vec()));
            }
            first = [first, Some(self.started + deadline)].into_iter().flatten().min();
        }
        (requests, first.filter(|_| self.unanswered > 0))
    }

    fn now(&self) -> StunInstant {
        StunInstant::from_std(self.started)
    }
}

/// Begins a request, and gives its bytes.
fn request(agent: &mut StunAgent, server: SocketAddr, now: StunInstant) -> Option<Vec<u8>> {
    let request = Message::builder_request(BINDING, MessageWriteVec::new()).finish();
    let id = Message::from_bytes(&request).ok()?.transaction_id();
    let bytes = agent.send_request(request, server, now).ok()?.data.to_vec();
    if let Some(mut state) = agent.mut_request_transaction(id) {
        let [first, last] = [500, 2000].map(Duration::from_millis);
        state.configure_timeout(first, REQUESTS_MAX, last);
    }
    Some(bytes)
}
