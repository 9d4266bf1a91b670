//! Datagrams: from the network to the connection, and back.

use std::net::SocketAddr;
use std::time::Instant;

use str0m::Input;
use str0m::net::{Protocol, Receive, Transmit};

use super::Driver;
use crate::Closed;
use crate::ice::network::Arrival;

impl Driver {
    pub(super) async fn arrive(&mut self, arrival: Arrival) -> Result<(), Closed> {
        match arrival {
            Arrival::Datagram { local, from, bytes } => self.receive(local, from, &bytes).await,
            Arrival::FromTurn { relay, bytes } => self.receive_relayed(relay, bytes).await,
            Arrival::TurnServer(server, addresses) => {
                if let Some(relays) = &mut self.relays {
                    relays.resolved(server, addresses);
                }
                Ok(())
            }
            Arrival::Relay(index, relay) => {
                if let Some(relays) = &mut self.relays {
                    relays.connected(index, relay);
                }
                Ok(())
            }
            Arrival::StunServer(addresses) => {
                self.ask_stun_server(&addresses).await;
                Ok(())
            }
        }
    }

    async fn receive(
        &mut self,
        local: SocketAddr,
        from: SocketAddr,
        bytes: &[u8],
    ) -> Result<(), Closed> {
        if self.backlog.holds_back(bytes) {
            self.backlog.hold((local, from, bytes.to_vec()));
            return Ok(());
        }
        if self.is_of_stun_server(local, from, bytes) || !self.receive_known(local, from, bytes)? {
            return Ok(());
        }
        self.drain_rtc().await?;
        // This datagram may have opened the path that early ones belong to.
        for (local, from, bytes) in self.early.take() {
            self.receive_known(local, from, &bytes)?;
            self.drain_rtc().await?;
        }
        Ok(())
    }

    /// Returns whether it belongs to this connection, as far as is known.
    pub(super) fn receive_known(
        &mut self,
        local: SocketAddr,
        from: SocketAddr,
        bytes: &[u8],
    ) -> Result<bool, Closed> {
        // What is neither STUN nor DTLS is noise.
        let Ok(contents) = bytes.try_into() else { return Ok(false) };
        let receive = Receive { proto: Protocol::Udp, source: from, destination: local, contents };
        let input = Input::Receive(Instant::now(), receive);
        let accepts = self.rtc.accepts(&input);
        if accepts {
            self.input(input)?;
        } else if !self.open {
            self.early.keep(local, from, bytes);
        }
        Ok(accepts)
    }

    async fn receive_relayed(&mut self, index: usize, bytes: Vec<u8>) -> Result<(), Closed> {
        let Some(relays) = &mut self.relays else { return Ok(()) };
        for (address, datagram) in relays.receive(index, bytes) {
            self.receive(address, datagram.from, &datagram.bytes).await?;
        }
        Ok(())
    }

    pub(super) async fn transmit(&mut self, transmit: Transmit) {
        let (from, to) = (transmit.source, transmit.destination);
        if let Some(hosts) = &self.hosts
            && hosts.send(from, to, &transmit.contents).await
        {
            return;
        }
        if let Some(relays) = &mut self.relays {
            relays.send(from, to, &transmit.contents).await;
        }
    }
}
