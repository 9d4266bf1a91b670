//! An accepted connection that is not upgraded yet.

use std::net::IpAddr;
use std::sync::Arc;

use super::client_address::Source;
use super::refused::Refused;
use super::requests::Place;
use crate::reload::live::Live;
use crate::server::Server;

/// An accepted connection. Its first outcome is counted, and only that one; if it is dropped
/// without one, it was closed to make room for others.
pub(crate) struct Arrival {
    pub(crate) server: Arc<Server>,
    /// The settings at the time of `accept`.
    pub(crate) live: Arc<Live>,
    pub(crate) source: Source,
    place: Place,
    is_counted: bool,
}

impl Arrival {
    pub(crate) fn new(server: Arc<Server>, live: Arc<Live>, peer: IpAddr, place: Place) -> Self {
        Self { server, live, source: Source::peer(peer), place, is_counted: false }
    }

    /// Applies the client address of a PROXY protocol header, or the absence of one. The limits
    /// then apply to the named client as to a direct peer.
    ///
    /// # Errors
    /// The peer is not trusted, or the client is over a limit.
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

    /// Counts the connection as refused, for this reason.
    pub(crate) fn refused(&mut self, why: Refused) {
        if !std::mem::replace(&mut self.is_counted, true) {
            self.server.counters.refused(why);
        }
    }

    /// Counts the connection as answered: it asked for something other than an upgrade.
    pub(crate) fn answered(&mut self) {
        self.is_counted = true;
    }

    /// Counts the connection as upgraded.
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
