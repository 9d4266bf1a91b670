//! Permits to be connected, counted by address.

use std::fmt;
use std::sync::Arc;

use securecall_core::{AddressKey, Refusal};

use crate::server::Server;

/// A permit for one connection, returned on drop.
pub(crate) struct Permit {
    server: Arc<Server>,
    address: AddressKey,
}

impl Permit {
    /// Takes a permit for a client at this address.
    ///
    /// # Errors
    /// The server or this address is full, or the address connects too fast.
    pub(crate) fn take(server: &Arc<Server>, address: AddressKey) -> Result<Self, Refusal> {
        server.admission.lock().admit(address, server.clock.now())?;
        Ok(Self { server: server.clone(), address })
    }

    /// Returns the address that the permit is counted for.
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
