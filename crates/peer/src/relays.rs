//! All relays of a connection.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use rustls::ClientConfig;
use str0m::Candidate;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::network::Arrival;
use crate::relay::{Relay, RelayEvent, Relayed};
use crate::turn_server::TurnServer;

/// Relays by number. Those that failed leave their place empty.
pub(crate) struct Relays {
    places: Vec<Option<Box<Relay>>>,
    /// TURN servers of which it is not known yet whether they give a relay.
    pending: usize,
    /// The address of each relay that is there, and its number.
    allocated: Vec<(SocketAddr, usize)>,
}

impl Relays {
    /// Asks each of these servers. Connections arrive as [`Arrival::Relay`].
    pub(crate) fn ask(
        servers: Vec<TurnServer>,
        tls: Option<&Arc<ClientConfig>>,
        arrivals: &mpsc::Sender<Arrival>,
        tasks: &mut JoinSet<()>,
    ) -> Self {
        let pending = servers.len();
        for (index, server) in servers.into_iter().enumerate() {
            let (arrivals, tls) = (arrivals.clone(), tls.cloned());
            tasks.spawn(async move {
                let relay = Relay::connect(&server, tls, index, arrivals.clone()).await;
                let _ = arrivals.send(Arrival::Relay(index, relay.ok().map(Box::new))).await;
            });
        }
        Self { places: (0..pending).map(|_| None).collect(), pending, allocated: Vec::new() }
    }

    /// Whether each server has answered, or never will.
    pub(crate) const fn are_complete(&self) -> bool {
        self.pending == 0
    }

    /// Whether there is one.
    pub(crate) fn is_any(&self) -> bool {
        !self.allocated.is_empty()
    }

    /// A server is connected to. `None`: it cannot be reached.
    pub(crate) fn connected(&mut self, index: usize, relay: Option<Box<Relay>>) {
        match (relay, self.places.get_mut(index)) {
            (Some(relay), Some(place)) => *place = Some(relay),
            _ => self.pending = self.pending.saturating_sub(1),
        }
    }

    /// Takes bytes of a TURN server. Gives what the other end sent to which of our addresses.
    pub(crate) fn receive(
        &mut self,
        index: usize,
        bytes: Vec<u8>,
    ) -> (Option<SocketAddr>, Vec<Relayed>) {
        let address = self.allocated.iter().find(|(_, relay)| *relay == index);
        let address = address.map(|(address, _)| *address);
        let relay = self.places.get_mut(index).and_then(Option::as_mut);
        (address, relay.map(|relay| relay.receive(bytes)).unwrap_or_default())
    }

    /// Sends a datagram from the relay of this address, if there is one.
    pub(crate) async fn send(&mut self, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        let index = self.allocated.iter().find(|(address, _)| *address == from);
        let index = index.map_or(usize::MAX, |(_, index)| *index);
        if let Some(Some(relay)) = self.places.get_mut(index) {
            relay.send(to, bytes).await;
        }
    }

    /// Does what is due. Gives the candidates that are new, and when to come again.
    pub(crate) async fn poll(&mut self) -> (Vec<Candidate>, Option<Instant>) {
        let mut first: Option<Instant> = None;
        let mut candidates = Vec::new();
        for index in 0..self.places.len() {
            let Some(Some(relay)) = self.places.get_mut(index) else { continue };
            let (events, deadline) = relay.poll().await;
            let local = relay.local_address();
            first = [first, deadline].into_iter().flatten().min();
            for event in events {
                match event {
                    RelayEvent::Allocated(address) => {
                        candidates.extend(self.allocated(index, address, local));
                    }
                    RelayEvent::Failed => self.lose(index),
                }
            }
        }
        (candidates, first)
    }

    /// Gives all of them back.
    pub(crate) async fn release(self) {
        for relay in self.places.into_iter().flatten() {
            relay.release().await;
        }
    }

    fn allocated(
        &mut self,
        index: usize,
        address: SocketAddr,
        local: SocketAddr,
    ) -> Option<Candidate> {
        self.allocated.push((address, index));
        self.pending = self.pending.saturating_sub(1);
        // The way to the TURN server may be of the other IP version than the relay.
        let local = if local.is_ipv4() == address.is_ipv4() { local } else { address };
        Candidate::relayed(address, local, "udp").ok()
    }

    /// A relay that was there is lost without a word: ICE finds another path, or the connection is
    /// lost.
    fn lose(&mut self, index: usize) {
        let was_there = self.places.get_mut(index).and_then(Option::take).is_some();
        if was_there && !self.allocated.iter().any(|(_, relay)| *relay == index) {
            self.pending = self.pending.saturating_sub(1);
        }
    }
}
