//! The machine in the world: one task that owns the socket.

mod address;
mod authorities;
mod cause;
mod dial;
mod first_byte;
mod socket;
mod task;
mod unsupported;
mod wire;

use securecall_protocol::ClientId;
use tokio::sync::mpsc;

use crate::command::Command;
use crate::machine::Machine;
use crate::{Event, Settings};

pub(crate) use address::Address;
pub use authorities::system_authorities;
use socket::Connector;
use task::Task;
pub use wire::Wire;

/// Why a client cannot even begin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The address.
    #[error("the server's address is ws://host[:port]/path or wss://host[:port]/path")]
    Address,
    /// The known keys were opened for another server.
    #[error("the known keys are those of another server")]
    OtherServer,
    /// The identity's id is not a client id of the protocol.
    #[error("the identity has no client id")]
    ClientId,
    /// TLS cannot be set up.
    #[error("TLS: {0}")]
    Tls(rustls::Error),
    /// There are no authorities, or `SSL_CERT_FILE` names a file of no use: in words.
    #[error("{0}")]
    Authorities(String),
    /// There is no tokio runtime where [`Client::connect`](crate::Client::connect) was called.
    #[error("not inside a tokio runtime")]
    NoRuntime,
}

pub(crate) fn start(
    settings: Settings,
    address: Address,
    client_id: ClientId,
    commands: mpsc::Receiver<Command>,
    events: mpsc::Sender<Event>,
) -> Result<(), ConnectError> {
    let runtime = tokio::runtime::Handle::try_current().map_err(|_| ConnectError::NoRuntime)?;
    if !settings.known_keys.are_of(&address) {
        return Err(ConnectError::OtherServer);
    }
    let connector = Connector::new(address, settings.tls)?;
    let machine = Machine::new(client_id, settings.identity, settings.known_keys);
    let machine = machine.unlisted(settings.unlisted);
    runtime.spawn(Task::new(machine, connector, commands, events).run());
    Ok(())
}
