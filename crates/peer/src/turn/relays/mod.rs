//! All relays of a connection: at most one of each TURN server, over the first of its addresses that
//! gives one.
//!
//! The addresses of a name are tried as in RFC 8305 (happy eyeballs): the next one when the one
//! before has failed in any way, or beside it when that has been silent for a while. The first
//! allocation wins; other allocations on that server are released.

mod server;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use str0m::Candidate;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout_at};

use self::server::Server;
use super::relay::{Relay, RelayEvent, Relayed};
use super::relay_failure::RelayFailure;
use super::resolve::addresses;
use super::turn_server::TurnServer;
use crate::ice::network::Arrival;

/// The time to gather relays from all servers, name look-up included. A later relay is released.
const GATHER_TIMEOUT: Duration = Duration::from_secs(15);
/// The time to release all relays: three requests over UDP, the last one at 1.5 s.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(2);

/// One address of a server that was tried.
struct Attempt {
    server: usize,
    /// `None` while it is being connected to, and once it is over.
    relay: Option<Box<Relay>>,
}

/// The servers, the attempts at their addresses, and the relays.
pub(crate) struct Relays {
    servers: Vec<Server>,
    /// By the number that their bytes arrive with.
    attempts: Vec<Attempt>,
    /// The address of each relay that is there, and the number of its attempt.
    allocated: Vec<(SocketAddr, usize)>,
    /// The time at which silent servers are given up. `None`: they were.
    gather_deadline: Option<Instant>,
    tls: Option<Arc<ClientConfig>>,
    arrivals: mpsc::Sender<Arrival>,
    /// Names that are looked up, and connections that are made.
    tasks: JoinSet<()>,
}

impl Relays {
    /// Asks each of these servers. Their addresses arrive as [`Arrival::TurnServer`], connections
    /// as [`Arrival::Relay`].
    pub(crate) fn ask(
        servers: Vec<TurnServer>,
        tls: Option<Arc<ClientConfig>>,
        arrivals: mpsc::Sender<Arrival>,
    ) -> Self {
        let mut tasks = JoinSet::new();
        for (index, server) in servers.iter().enumerate() {
            let (host, port, arrivals) = (server.host.clone(), server.port, arrivals.clone());
            tasks.spawn(async move {
                let addresses = addresses(&host, port).await;
                let _ = arrivals.send(Arrival::TurnServer(index, addresses)).await;
            });
        }
        Self {
            servers: servers.into_iter().map(Server::new).collect(),
            attempts: Vec::new(),
            allocated: Vec::new(),
            gather_deadline: Some(Instant::now() + GATHER_TIMEOUT),
            tls,
            arrivals,
            tasks,
        }
    }

    /// Returns true once each server has answered or was given up.
    pub(crate) fn are_complete(&self) -> bool {
        self.servers.iter().all(Server::is_over)
    }

    /// Returns true if there is a relay.
    pub(crate) fn is_any(&self) -> bool {
        !self.allocated.is_empty()
    }

    /// Returns the most informative reason why there is no relay. `None`: there is one, or no
    /// server was asked.
    pub(crate) fn failure(&self) -> Option<RelayFailure> {
        if self.is_any() {
            return None;
        }
        // A server that has not answered yet counts as silent.
        let failure = |server: &Server| server.failure().unwrap_or(RelayFailure::Silent);
        self.servers.iter().map(failure).max()
    }

    /// The addresses of a server are known.
    pub(crate) fn resolved(&mut self, server: usize, addresses: Vec<SocketAddr>) {
        if let Some(found) = self.servers.get_mut(server) {
            found.resolved(addresses);
            self.try_next(server);
        }
    }

    /// An address is connected to, or cannot be.
    pub(crate) fn connected(&mut self, index: usize, relay: Result<Box<Relay>, RelayFailure>) {
        let Some(attempt) = self.attempts.get_mut(index) else { return };
        let is_over = self.servers.get(attempt.server).is_none_or(Server::is_over);
        match relay {
            // Another address was faster. Nothing was asked of this one yet.
            Ok(_) if is_over => {}
            Ok(relay) => attempt.relay = Some(relay),
            Err(failure) => self.fail(index, failure),
        }
    }

    /// Takes bytes of a TURN server. Gives what the other end sent, and to which of our addresses.
    pub(crate) fn receive(&mut self, index: usize, bytes: Vec<u8>) -> Vec<(SocketAddr, Relayed)> {
        let Some(attempt) = self.attempts.get_mut(index) else { return Vec::new() };
        let Some(relay) = &mut attempt.relay else { return Vec::new() };
        let relayed = relay.receive(bytes);
        let own = |relayed: &Relayed| {
            let mut allocated = self.allocated.iter();
            // A relay has at most one address of each IP version.
            let own = allocated.find(|(address, relay)| {
                *relay == index && address.is_ipv4() == relayed.from.is_ipv4()
            });
            own.map(|(address, _)| *address)
        };
        relayed.into_iter().filter_map(|relayed| Some((own(&relayed)?, relayed))).collect()
    }

    /// Sends a datagram from the relay of this address, if there is one.
    pub(crate) async fn send(&mut self, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        let index = self.allocated.iter().find(|(address, _)| *address == from);
        let attempt = index.and_then(|(_, index)| self.attempts.get_mut(*index));
        if let Some(relay) = attempt.and_then(|attempt| attempt.relay.as_mut()) {
            relay.send(to, bytes).await;
        }
    }

    /// Does what is due. Gives the candidates that are new, and when to come again.
    pub(crate) async fn poll(&mut self) -> (Vec<Candidate>, Option<Instant>) {
        self.start_due_attempts();
        let mut first = None;
        let mut candidates = Vec::new();
        for index in 0..self.attempts.len() {
            let Some(Attempt { relay: Some(relay), .. }) = self.attempts.get_mut(index) else {
                continue;
            };
            let (events, deadline) = relay.poll().await;
            let local = relay.local_address();
            first = earlier(first, deadline);
            for event in events {
                match event {
                    RelayEvent::Allocated(address) => {
                        candidates.extend(self.allocated(index, address, local));
                    }
                    RelayEvent::Failed(failure) => self.fail(index, failure),
                }
            }
        }
        for server in &self.servers {
            first = earlier(first, server.next_attempt());
        }
        (candidates, earlier(first, self.gather_deadline))
    }

    /// Gives all of them back, so that they do not count against a quota until they expire.
    pub(crate) async fn release(mut self, arrivals: &mut mpsc::Receiver<Arrival>) {
        let deadline = (Instant::now() + RELEASE_TIMEOUT).into();
        self.tasks.shutdown().await;
        self.give_up();
        // Whatever is left when the time is over expires by itself.
        let _ = timeout_at(deadline, self.until_released(arrivals)).await;
        for relay in self.attempts.into_iter().filter_map(|attempt| attempt.relay) {
            relay.finish().await;
        }
    }

    async fn until_released(&mut self, arrivals: &mut mpsc::Receiver<Arrival>) {
        loop {
            let (_, deadline) = self.poll().await;
            if self.attempts.iter().all(|attempt| attempt.relay.is_none()) {
                return;
            }
            let due = deadline.unwrap_or_else(|| Instant::now() + RELEASE_TIMEOUT);
            tokio::select! {
                arrival = arrivals.recv() => {
                    if let Some(Arrival::FromTurn { relay, bytes }) = arrival {
                        self.receive(relay, bytes);
                    }
                }
                () = sleep_until(due.into()) => {}
            }
        }
    }

    /// No server is tried any more, and what comes is given back.
    fn give_up(&mut self) {
        self.gather_deadline = None;
        self.servers.iter_mut().for_each(Server::give_up);
        for relay in self.attempts.iter_mut().filter_map(|attempt| attempt.relay.as_mut()) {
            relay.leave();
        }
    }

    fn start_due_attempts(&mut self) {
        let now = Instant::now();
        if self.gather_deadline.is_some_and(|deadline| deadline <= now) {
            self.stop_gathering();
        }
        for index in 0..self.servers.len() {
            let Some(server) = self.servers.get_mut(index) else { continue };
            let due = server.next_attempt().is_some_and(|at| at <= now);
            if due && self.server_has_answered(index) {
                self.servers.get_mut(index).map(Server::wait_for_outcome);
            } else if due {
                self.try_next(index);
            }
        }
    }

    /// Servers that have given nothing are given up; relays stay.
    fn stop_gathering(&mut self) {
        self.gather_deadline = None;
        for server in self.servers.iter_mut().filter(|server| !server.is_over()) {
            server.give_up();
        }
        let allocated: Vec<usize> = self.allocated.iter().map(|(_, index)| *index).collect();
        for (index, attempt) in self.attempts.iter_mut().enumerate() {
            if let Some(relay) = attempt.relay.as_mut().filter(|_| !allocated.contains(&index)) {
                relay.leave();
            }
        }
    }

    fn server_has_answered(&self, server: usize) -> bool {
        let mut attempts = self.attempts.iter().filter(|attempt| attempt.server == server);
        attempts.any(|attempt| attempt.relay.as_ref().is_some_and(|relay| relay.has_answered()))
    }

    /// Tries the next address of a server, if there is one.
    fn try_next(&mut self, server: usize) {
        let Some((turn, address)) = self.servers.get_mut(server).and_then(Server::begin_attempt)
        else {
            return;
        };
        let index = self.attempts.len();
        self.attempts.push(Attempt { server, relay: None });
        let (arrivals, tls) = (self.arrivals.clone(), self.tls.clone());
        self.tasks.spawn(async move {
            let relay = Relay::connect(&turn, address, tls, index, arrivals.clone()).await;
            let _ = arrivals.send(Arrival::Relay(index, relay.map(Box::new))).await;
        });
    }

    fn allocated(
        &mut self,
        index: usize,
        address: SocketAddr,
        local: SocketAddr,
    ) -> Option<Candidate> {
        let server = self.attempts.get(index)?.server;
        if !self.servers.get_mut(server)?.wins(index) {
            self.attempts.get_mut(index)?.relay.as_mut()?.leave();
            return None;
        }
        self.allocated.push((address, index));
        let others = self.attempts.iter_mut().enumerate();
        for (_, other) in others.filter(|(n, other)| *n != index && other.server == server) {
            other.relay.iter_mut().for_each(|relay| relay.leave());
        }
        // The way to the TURN server may be of the other IP version than the relay.
        let local = if local.is_ipv4() == address.is_ipv4() { local } else { address };
        Candidate::relayed(address, local, "udp").ok()
    }

    /// A relay that was there is lost without a word: ICE finds another path, or the connection is
    /// lost.
    fn fail(&mut self, index: usize, failure: RelayFailure) {
        let Some(attempt) = self.attempts.get_mut(index) else { return };
        let server = attempt.server;
        attempt.relay = None;
        if let Some(found) = self.servers.get_mut(server) {
            found.attempt_failed(failure);
            self.try_next(server);
        }
    }
}

fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    [one, other].into_iter().flatten().min()
}
