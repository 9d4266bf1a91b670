//! Descriptions and candidates.

use std::net::SocketAddr;
use std::time::Instant;

use str0m::Candidate;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::{Driver, REMOTE_CANDIDATES_MAX};
use crate::network::{Arrival, HostSockets};
use crate::reflexive::{Reflexive, Request};
use crate::relays::Relays;
use crate::stun_server::StunServer;
use crate::turn_server::TurnServer;
use crate::{Closed, Config, Error, Event, candidate};

impl Driver {
    /// Opens the sockets of host candidates, asks what they look like from outside, and for relays.
    pub(super) async fn gather(
        &mut self,
        config: &Config,
        turn_servers: Vec<TurnServer>,
        arrivals: &mpsc::Sender<Arrival>,
        tasks: &mut JoinSet<()>,
    ) -> Result<(), Closed> {
        self.relays = Some(Relays::ask(turn_servers, config.tls.as_ref(), arrivals, tasks));
        if self.relay_only {
            return Ok(());
        }
        let hosts = HostSockets::open(config.host_addresses.resolve(), arrivals, tasks).await;
        let addresses: Vec<SocketAddr> = hosts.addresses().collect();
        self.hosts = Some(hosts);
        let stun_servers = StunServer::all(&config.ice_servers);
        let sockets = addresses.iter().copied();
        self.reflexive = Some(Reflexive::ask(stun_servers, sockets, arrivals, tasks));
        for address in addresses {
            if let Ok(candidate) = Candidate::host(address, "udp") {
                self.drain_rtc().await?;
                self.offer_candidate(candidate).await;
            }
        }
        Ok(())
    }

    pub(super) async fn offer_candidate(&mut self, candidate: Candidate) {
        let json = self.rtc.add_local_candidate(candidate).and_then(candidate::to_json);
        if let Some(json) = json {
            self.tell(Event::Candidate(json)).await;
        }
    }

    /// A STUN server is at one of these addresses.
    pub(super) async fn ask_stun_server(&mut self, addresses: &[SocketAddr]) {
        let Some(reflexive) = &mut self.reflexive else { return };
        let requests = reflexive.resolved(addresses);
        self.send_all(requests).await;
    }

    /// Returns whether it is an answer of a STUN server, which may bring a candidate.
    pub(super) async fn is_of_stun_server(
        &mut self,
        local: SocketAddr,
        from: SocketAddr,
        bytes: &[u8],
    ) -> bool {
        let Some(reflexive) = &mut self.reflexive else { return false };
        let Some(candidate) = reflexive.receive(local, from, bytes) else { return false };
        if let Some(candidate) = candidate {
            self.offer_candidate(candidate).await;
        }
        true
    }

    /// Repeats what is not answered. Gives when to come again.
    pub(super) async fn poll_reflexive(&mut self) -> Option<Instant> {
        let (requests, deadline) = self.reflexive.as_mut()?.poll();
        self.send_all(requests).await;
        deadline
    }

    async fn send_all(&self, requests: Vec<Request>) {
        let Some(hosts) = &self.hosts else { return };
        for (from, to, bytes) in requests {
            hosts.send(from, to, &bytes).await;
        }
    }

    /// Once, when it is known of each server what it gives.
    pub(super) async fn tell_when_gathered(&mut self) -> Result<(), Closed> {
        if self.reflexive.as_ref().is_some_and(|reflexive| !reflexive.is_complete()) {
            return Ok(());
        }
        let Some(relays) = self.relays.as_ref().filter(|relays| relays.are_complete()) else {
            return Ok(());
        };
        if self.relay_only && !relays.is_any() {
            return Err(Closed::NoRelay);
        }
        if !std::mem::replace(&mut self.gathered, true) {
            self.tell(Event::GatheringFinished).await;
        }
        Ok(())
    }

    pub(super) fn accept_answer(&mut self, answer: str0m::change::SdpAnswer) -> Result<(), Error> {
        let offered = self.offered.take().ok_or(Error::NothingOffered)?;
        self.timers.described(Instant::now());
        let accepted = self.rtc.sdp_api().accept_answer(offered.pending, answer);
        accepted.map_err(|error| Error::Answer(error.to_string()))
    }

    pub(super) fn add_candidate(&mut self, candidate: Candidate) {
        let address = candidate.addr();
        let known = self.remote_candidates.contains(&address);
        if !known && self.remote_candidates.len() < REMOTE_CANDIDATES_MAX {
            self.remote_candidates.push(address);
            self.rtc.add_remote_candidate(candidate);
        }
    }
}
