//! Where a command that talks to a server runs.

use tokio::runtime::{Builder, Runtime};

use crate::failure::Failure;

/// An event loop on this thread: it is enough for a few connections.
pub(crate) fn runtime() -> Result<Runtime, Failure> {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::Talk(format!("no runtime: {error}")))
}
