//! One wake-up of a task.

use std::sync::Arc;

use securecall_core::Context;
use securecall_protocol::ClientId;

use crate::cell::Cell;
use crate::host::Host;

/// The world and the time for all inputs of one wake-up of a task, and the receiver of its last
/// letter.
pub struct Batch<'a, H: Host> {
    /// The world around presence.
    pub host: &'a Arc<H>,
    /// The time, and the other inputs of decisions.
    pub cx: Context<'a>,
    /// The receiver of the last letter, to which the next mostly goes too.
    pub last_peer: LastPeer<H>,
}

/// The cell that the last letter of a batch went to. A cache: it may be over.
pub struct LastPeer<H: Host>(Option<(ClientId, Arc<Cell<H>>)>);

impl<'a, H: Host> Batch<'a, H> {
    /// Begins a batch at the time that `cx` holds.
    pub fn begin(host: &'a Arc<H>, cx: Context<'a>) -> Self {
        Self { host, cx, last_peer: LastPeer::default() }
    }
}

impl<H: Host> LastPeer<H> {
    /// Takes out the cell if the letter was to the same client.
    pub(crate) fn take(&mut self, to: &ClientId) -> Option<Arc<Cell<H>>> {
        let (client_id, cell) = self.0.take()?;
        client_id.is_clone_of(to).then_some(cell)
    }

    pub(crate) fn set(&mut self, to: ClientId, cell: Arc<Cell<H>>) {
        self.0 = Some((to, cell));
    }
}

impl<H: Host> Default for LastPeer<H> {
    fn default() -> Self {
        Self(None)
    }
}
