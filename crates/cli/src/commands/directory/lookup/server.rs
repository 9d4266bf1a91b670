//! A connection that only looks up keys.

use std::time::Duration;

use securecall_client::{ClientId, Disconnect, ErrorCode, Wire};
use securecall_protocol::client::{Incoming, Outgoing, decode};
use tokio::time::sleep;

use crate::failure::Failure;
use crate::terminal::explanation::explain;
use crate::throwaway_id::throwaway_id;

/// The pause after `RATE_LIMITED`: a server with default limits accepts another lookup by then. In
/// dialect 1 it does not say when.
const RATE_PAUSE: Duration = Duration::from_secs(1);

pub(super) struct Connection(Wire);

impl Connection {
    /// Connects, and registers a random id: registering a real one would end that client's
    /// connection.
    pub(super) async fn open(url: &str) -> Result<Self, Failure> {
        let opened = Wire::open(url, None).await;
        let wire = opened.map_err(|error| Failure::Server(error.to_string()))?;
        let mut connection = Self(wire.map_err(|cause| unreachable(&cause))?);
        connection.send(&register()?).await?;
        loop {
            match connection.next().await? {
                Incoming::Registered { .. } => return Ok(connection),
                Incoming::Error { code, .. } => return Err(refused(code)),
                _ => {}
            }
        }
    }

    /// Returns the string that the directory stores for an id. It need not be a SecureCall key.
    pub(super) async fn look_up(
        &mut self,
        client_id: &ClientId,
    ) -> Result<Option<String>, Failure> {
        let lookup = Outgoing::PkdLookup { client_id: client_id.clone() };
        self.send(&lookup).await?;
        loop {
            match self.next().await? {
                Incoming::PkdResult { client_id: of, public_key } if of == *client_id => {
                    return Ok(public_key);
                }
                Incoming::Error { code: Some(ErrorCode::RateLimited), .. } => {
                    sleep(RATE_PAUSE).await;
                    self.send(&lookup).await?;
                }
                Incoming::Error { code, .. } => return Err(refused(code)),
                _ => {}
            }
        }
    }

    pub(super) async fn close(self) {
        self.0.close().await;
    }

    async fn send(&mut self, message: &Outgoing) -> Result<(), Failure> {
        self.0.send(&message.encode(None)).await.map_err(|cause| unreachable(&cause))
    }

    async fn next(&mut self) -> Result<Incoming, Failure> {
        loop {
            let Some(text) = self.0.receive().await.map_err(|cause| unreachable(&cause))? else {
                continue;
            };
            let received = decode(&text).ok_or_else(|| {
                let what = "the answer is not a message of the signaling protocol";
                Failure::Server(what.to_owned())
            })?;
            return Ok(received.message);
        }
    }
}

/// REGISTER in dialect 1, in which there is nothing to acknowledge.
fn register() -> Result<Outgoing, Failure> {
    let client_id = ClientId::try_from(throwaway_id("lookup").as_str())
        .map_err(|error| Failure::Server(error.to_string()))?;
    let (resume_token, calls) = (None, Vec::new());
    Ok(Outgoing::Register { client_id, protocol: 1, resume_token, last_seq: 0, calls })
}

fn unreachable(cause: &Disconnect) -> Failure {
    Failure::Server(explain(cause))
}

fn refused(code: Option<ErrorCode>) -> Failure {
    let code = code.map_or("an error that this program does not know", ErrorCode::as_str);
    Failure::Server(format!("it refused: {code}"))
}
