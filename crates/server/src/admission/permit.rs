//! The right to be connected, counted by address until it is dropped.

use std::fmt;
use std::sync::Arc;

use securecall_core::{AddressKey, Refusal};

use crate::server::Server;

/// A place that a connection takes.
pub(crate) struct Permit {
    server: Arc<Server>,
    address: AddressKey,
}

impl Permit {
    /// Takes a place for a client at this address.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn take(server: &Arc<Server>, address: AddressKey) -> Result<Self, Refusal> {
        server.admission.lock().admit(address, server.clock.now())?;
        Ok(Self { server: server.clone(), address })
    }

    /// Whose place it is.
    pub(crate) fn address(&self) -> AddressKey {
        self.address
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.server.admission.lock().release(self.address, self.server.clock.now());
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Permit")
    }
}
