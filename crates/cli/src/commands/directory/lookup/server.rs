//! A connection that only looks up keys.

use std::time::Duration;

use securecall_client::{ClientId, Disconnect, Wire};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::failure::Failure;
use crate::terminal::explanation::explain;
use crate::throwaway_id::throwaway_id;

/// The pause after `RATE_LIMITED`: a server with default limits accepts another lookup by then.
const RATE_PAUSE: Duration = Duration::from_secs(1);

pub(super) struct Connection(Wire);

impl Connection {
    /// Connects, and registers a random id: registering a real one would end that client's
    /// connection.
    pub(super) async fn open(url: &str) -> Result<Self, Failure> {
        let opened = Wire::open(url, None).await;
        let wire = opened.map_err(|error| Failure::Server(error.to_string()))?;
        let mut connection = Self(wire.map_err(|cause| unreachable(&cause))?);
        connection.send("REGISTER", &throwaway_id("lookup")).await?;
        loop {
            match connection.next().await? {
                (kind, _) if kind == "REGISTERED" => return Ok(connection),
                (kind, payload) if kind == "ERROR" => return Err(refused(&payload)),
                _ => {}
            }
        }
    }

    /// Returns the string that the directory stores for an id. It need not be a SecureCall key.
    pub(super) async fn look_up(
        &mut self,
        client_id: &ClientId,
    ) -> Result<Option<String>, Failure> {
        self.send("PKD_LOOKUP", client_id.as_str()).await?;
        loop {
            let (kind, payload) = self.next().await?;
            match kind.as_str() {
                "PKD_RESULT" if payload["clientId"] == client_id.as_str() => {
                    return Ok(payload["publicKey"].as_str().map(str::to_owned));
                }
                "ERROR" if payload["code"] == "RATE_LIMITED" => {
                    sleep(RATE_PAUSE).await;
                    self.send("PKD_LOOKUP", client_id.as_str()).await?;
                }
                "ERROR" => return Err(refused(&payload)),
                _ => {}
            }
        }
    }

    pub(super) async fn close(self) {
        self.0.close().await;
    }

    async fn send(&mut self, kind: &str, client_id: &str) -> Result<(), Failure> {
        let message = json!({"type": kind, "payload": {"clientId": client_id}});
        self.0.send(&message.to_string()).await.map_err(|cause| unreachable(&cause))
    }

    /// Returns the type and the payload of the next message.
    async fn next(&mut self) -> Result<(String, Value), Failure> {
        loop {
            let Some(text) = self.0.receive().await.map_err(|cause| unreachable(&cause))? else {
                continue;
            };
            let mut message: Value = serde_json::from_str(&text).unwrap_or_default();
            let payload = message["payload"].take();
            match message["type"].as_str() {
                Some(kind) => return Ok((kind.to_owned(), payload)),
                None => {
                    return Err(Failure::Server(
                        "the answer is not a message of the signaling \
                                                    protocol"
                            .to_owned(),
                    ));
                }
            }
        }
    }
}

fn unreachable(cause: &Disconnect) -> Failure {
    Failure::Server(explain(cause))
}

/// Shows the code only if it looks like an error code: the text comes from the server.
fn refused(payload: &Value) -> Failure {
    let code = payload["code"].as_str().unwrap_or_default();
    let is_code =
        code.len() <= 32 && code.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    let code = if is_code && !code.is_empty() { code } else { "an error without a code" };
    Failure::Server(format!("it refused: {code}"))
}
