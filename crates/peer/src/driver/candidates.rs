//! Descriptions and candidates.

use std::net::SocketAddr;
use std::time::Instant;

use str0m::Candidate;
use str0m::change::SdpAnswer;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::Driver;
use crate::ice::candidate;
use crate::ice::network::{Arrival, HostSockets};
use crate::ice::reflexive::{Reflexive, Request};
use crate::ice::sdp::REMOTE_CANDIDATES_MAX;
use crate::turn::relays::Relays;
use crate::turn::stun_server::StunServer;
use crate::turn::turn_server::TurnServer;
use crate::{Closed, Config, Error, Event, RelayFailure};

impl Driver {
    /// Opens the sockets of host candidates, asks what they look like from outside, and for relays.
    pub(super) async fn gather(
        &mut self,
        config: &Config,
        turn_servers: Vec<TurnServer>,
        arrivals: &mpsc::Sender<Arrival>,
        tasks: &mut JoinSet<()>,
    ) -> Result<(), Closed> {
        self.relays = Some(Relays::ask(turn_servers, config.tls.clone(), arrivals.clone()));
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
                self.offer_candidate(candidate);
            }
        }
        Ok(())
    }

    pub(super) fn offer_candidate(&mut self, candidate: Candidate) {
        let Some(candidate) = self.rtc.add_local_candidate(candidate) else { return };
        self.here.add(candidate.kind());
        if let Some(json) = candidate::to_json(candidate, &self.mid) {
            self.emit(Event::Candidate(json));
        }
    }

    /// A STUN server is at one of these addresses.
    pub(super) async fn ask_stun_server(&mut self, addresses: &[SocketAddr]) {
        let Some(reflexive) = &mut self.reflexive else { return };
        let requests = reflexive.resolved(addresses);
        self.send_all(requests).await;
    }

    /// Returns whether it is an answer of a STUN server, which may bring a candidate.
    pub(super) fn is_of_stun_server(
        &mut self,
        local: SocketAddr,
        from: SocketAddr,
        bytes: &[u8],
    ) -> bool {
        let Some(reflexive) = &mut self.reflexive else { return false };
        let Some(candidate) = reflexive.receive(local, from, bytes) else { return false };
        if let Some(candidate) = candidate {
            self.offer_candidate(candidate);
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
    pub(super) fn emit_when_gathered(&mut self) -> Result<(), Closed> {
        if self.reflexive.as_ref().is_some_and(|reflexive| !reflexive.is_complete()) {
            return Ok(());
        }
        let Some(relays) = self.relays.as_ref().filter(|relays| relays.are_complete()) else {
            return Ok(());
        };
        if self.relay_only && !relays.is_any() {
            return Err(Closed::NoRelay(relays.failure().unwrap_or(RelayFailure::Silent)));
        }
        if !std::mem::replace(&mut self.gathered, true) {
            self.emit(Event::GatheringFinished);
        }
        Ok(())
    }

    pub(super) fn accept_answer(
        &mut self,
        answer: SdpAnswer,
        candidates: Vec<Candidate>,
    ) -> Result<(), Error> {
        let offered = self.offered.take().ok_or(Error::NothingOffered)?;
        self.timers.described(Instant::now());
        let accepted = self.rtc.sdp_api().accept_answer(offered.pending, answer);
        accepted.map_err(|error| Error::Answer(error.to_string()))?;
        candidates.into_iter().for_each(|candidate| self.add_candidate(candidate));
        Ok(())
    }

    pub(super) fn add_candidate(&mut self, candidate: Candidate) {
        let address = candidate.addr();
        let known = self.remote_candidates.contains(&address);
        if !known && self.remote_candidates.len() < REMOTE_CANDIDATES_MAX {
            self.remote_candidates.push(address);
            self.there.add(candidate.kind());
            self.rtc.add_remote_candidate(candidate);
        }
    }
}
