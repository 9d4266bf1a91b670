//! The event loop of commands that talk to a server.

use tokio::runtime::{Builder, Runtime};

use crate::failure::Failure;

/// Creates an event loop on this thread, which is enough for a few connections.
pub(crate) fn runtime() -> Result<Runtime, Failure> {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::Conversation(format!("no runtime: {error}")))
}
