//! A connection to the public port until it is known what becomes of it.

use std::net::IpAddr;
use std::sync::Arc;

use crate::refused::Refused;
use crate::server::Server;

/// A connection that was accepted. What first becomes of it is counted, and only that; whoever is
/// dropped before has made room for others.
pub(crate) struct Arrival {
    pub(crate) server: Arc<Server>,
    pub(crate) peer: IpAddr,
    is_counted: bool,
}

impl Arrival {
    pub(crate) fn new(server: Arc<Server>, peer: IpAddr) -> Self {
        Self { server, peer, is_counted: false }
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
