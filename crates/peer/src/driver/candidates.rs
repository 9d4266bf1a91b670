//! Descriptions and candidates.

use std::net::SocketAddr;
use std::time::Instant;

use str0m::Candidate;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::{Driver, REMOTE_CANDIDATES_MAX};
use crate::network::{Arrival, HostSockets};
use crate::relays::Relays;
use crate::turn_server::TurnServer;
use crate::{Closed, Config, Error, Event, candidate};

impl Driver {
    /// Opens the sockets of host candidates, and asks for relays.
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

    /// Once, when it is known of each TURN server what it gives.
    pub(super) async fn tell_when_gathered(&mut self) -> Result<(), Closed> {
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
