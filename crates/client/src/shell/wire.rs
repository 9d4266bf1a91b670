//! A connection without the machine.

use std::sync::Arc;

use rustls::ClientConfig;
use tokio_tungstenite::tungstenite::protocol::Message;

use super::socket::{Connector, Heard, Socket};
use super::{Address, ConnectError};
use crate::Disconnect;

/// A bare connection, for tools that look at a server itself: nothing is registered, sealed,
/// repeated or kept alive.
pub struct Wire(Box<Socket>);

impl Wire {
    /// Connects, with the system's authorities unless `tls` names others.
    ///
    /// # Errors
    /// The address is no URL of a server, or TLS cannot be set up; and then, why there is no
    /// connection.
    pub async fn open(
        url: &str,
        tls: Option<Arc<ClientConfig>>,
    ) -> Result<Result<Self, Disconnect>, ConnectError> {
        let connector = Connector::new(Address::parse(url)?, tls)?;
        Ok(connector.connect().await.map(Self).map_err(|failure| failure.cause))
    }

    /// Sends a text as it is.
    ///
    /// # Errors
    /// The connection is gone, which [`Wire::receive`] may know more of.
    pub async fn send(&mut self, text: &str) -> Result<(), Disconnect> {
        self.0.send(&mut vec![Message::text(text)]).await.map_err(|failure| failure.cause)
    }

    /// Sends a WebSocket ping (RFC 6455 section 5.5.2).
    ///
    /// # Errors
    /// As [`Wire::send`].
    pub async fn ping(&mut self) -> Result<(), Disconnect> {
        let ping = Message::Ping(Vec::new().into());
        self.0.send(&mut vec![ping]).await.map_err(|failure| failure.cause)
    }

    /// The next text. `None`: a pong, or a ping, which is answered already. Cancel safe.
    ///
    /// # Errors
    /// The connection is closed or lost.
    pub async fn receive(&mut self) -> Result<Option<String>, Disconnect> {
        match self.0.next().await {
            Ok(Heard::Text(text)) => Ok(Some(text)),
            Ok(Heard::Other) => Ok(None),
            Err(failure) => Err(failure.cause),
        }
    }

    /// Closes with 1000.
    pub async fn close(self) {
        self.0.close(1000).await;
    }
}
