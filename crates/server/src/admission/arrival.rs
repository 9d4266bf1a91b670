//! A connection to the public port until it is known what becomes of it.

use std::net::IpAddr;
use std::sync::Arc;

use super::client_address::Source;
use super::refused::Refused;
use super::requests::Place;
use crate::reload::live::Live;
use crate::server::Server;

/// A connection that was accepted. What first becomes of it is counted, and only that; whoever is
/// dropped before has made room for others.
pub(crate) struct Arrival {
    pub(crate) server: Arc<Server>,
    /// The settings that it began with.
    pub(crate) live: Arc<Live>,
    pub(crate) source: Source,
    place: Place,
    is_counted: bool,
}

impl Arrival {
    pub(crate) fn new(server: Arc<Server>, live: Arc<Live>, peer: IpAddr, place: Place) -> Self {
        Self { server, live, source: Source::peer(peer), place, is_counted: false }
    }

    /// Takes a proxy's word, or its silence, about whose connection it is. The client that it names is
    /// counted as one that came by itself.
    ///
    /// # Errors
    /// The peer is not to be believed, or its client may not come.
    pub(crate) fn named(&mut self, client: Option<IpAddr>) -> Result<(), Refused> {
        let peer = self.source.address();
        let Some(client) = client else {
            self.source = Source::unnamed(peer);
            return Ok(());
        };
        if !self.live.proxies.is_trusted(peer) {
            return Err(Refused::UntrustedPeer);
        }
        self.source = Source::peer(client);
        if self.live.proxies.is_trusted(client) {
            return Ok(());
        }
        self.place.move_to(client).map_err(|_| Refused::RequestsFull)?;
        self.server.admit_handshake(client)
    }

    /// It ends before the upgrade.
    pub(crate) fn refused(&mut self, why: Refused) {
        if !std::mem::replace(&mut self.is_counted, true) {
            self.server.counters.refused(why);
        }
    }

    /// It got what it asked for, which was no upgrade.
    pub(crate) fn answered(&mut self) {
        self.is_counted = true;
    }

    /// It is a WebSocket now.
    pub(crate) fn upgraded(&mut self) {
        if !std::mem::replace(&mut self.is_counted, true) {
            self.server.counters.accepted();
        }
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        self.refused(Refused::MadeRoom);
    }
}
