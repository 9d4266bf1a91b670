//! TCP, TLS and WebSocket.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::error::{Error as WebSocketError, ProtocolError};
use tokio_tungstenite::tungstenite::http::{Response, header::RETRY_AFTER};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message, WebSocketConfig};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::authorities::system_authorities;
use super::dial::dial;
use super::first_byte::FirstByte;
use super::unsupported::{is_set, location, unused_proxy};
use super::{Address, ConnectError};
use crate::Disconnect;

/// The largest message taken: the server's are a little over 64 KiB at most.
const MESSAGE_BYTES_MAX: usize = 256 * 1024;
/// A batch of messages that is not written within this time goes to nobody.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// Time for the closing handshake.
const GOODBYE_TIMEOUT: Duration = Duration::from_secs(2);

/// Makes connections to one server.
#[derive(Clone)]
pub(super) struct Connector {
    address: Address,
    tls: Option<TlsConnector>,
}

/// Why there is no connection, and after what time the server wants to be asked again.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) cause: Disconnect,
    pub(super) retry_after: Option<Duration>,
}

/// An open WebSocket.
pub(super) struct Socket(WebSocketStream<Box<dyn Stream>>);

/// TCP, with or without TLS.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A frame that came.
pub(super) enum Heard {
    Text(String),
    /// A pong, a ping (answered already), or the like.
    Other,
}

impl Connector {
    pub(super) fn new(
        address: Address,
        tls: Option<Arc<ClientConfig>>,
    ) -> Result<Self, ConnectError> {
        let tls = match (address.tls, tls) {
            (false, _) => None,
            (true, Some(config)) => Some(config),
            (true, None) => Some(Arc::new(system_authorities()?)),
        };
        Ok(Self { address, tls: tls.map(TlsConnector::from) })
    }

    pub(super) async fn connect(self) -> Result<Box<Socket>, Failure> {
        let host = self.address.host.as_str();
        let tcp =
            dial(host, self.address.port).await.map_err(|error| Failure::dial(host, &error))?;
        // Each message matters by itself.
        tcp.set_nodelay(true).map_err(Failure::network)?;
        let (first_byte, has_tls) = (FirstByte::default(), self.tls.is_some());
        let stream: Box<dyn Stream> = match self.tls {
            None => Box::new(first_byte.of(tcp)),
            Some(tls) => {
                let name = ServerName::try_from(self.address.host).map_err(Failure::network)?;
                Box::new(tls.connect(name, tcp).await.map_err(|error| Disconnect::beneath(&error))?)
            }
        };
        let is_signal = self.address.uri.path().ends_with("/signal");
        let request = self.address.uri.into_client_request().map_err(Failure::network)?;
        let config = WebSocketConfig::default()
            .max_message_size(Some(MESSAGE_BYTES_MAX))
            .max_frame_size(Some(MESSAGE_BYTES_MAX));
        let upgraded = client_async_with_config(request, stream, Some(config)).await;
        upgraded.map(|(socket, _)| Box::new(Socket(socket))).map_err(|error| match error {
            _ if first_byte.is_tls() => Disconnect::TlsPort.into(),
            error if !has_tls && is_unanswered(&error) => Failure::network(UNANSWERED),
            WebSocketError::Http(response) if response.status().is_success() && !is_signal => {
                Disconnect::NotSignal(response.status().as_u16()).into()
            }
            error => Failure::of(error),
        })
    }
}

impl Socket {
    /// Waits for a frame. Cancel safe, as the stream below is.
    pub(super) async fn next(&mut self) -> Result<Heard, Failure> {
        match self.0.next().await {
            Some(Ok(Message::Text(text))) => Ok(Heard::Text(text.as_str().to_owned())),
            Some(Ok(Message::Close(frame))) => {
                let code = frame.map_or(1005, |frame| frame.code.into());
                // The answer to the close frame is written by this.
                let _ = tokio::time::timeout(GOODBYE_TIMEOUT, self.0.flush()).await;
                Err(Failure { cause: Disconnect::Closed(code), retry_after: None })
            }
            Some(Ok(_)) => Ok(Heard::Other),
            Some(Err(error)) => Err(Failure::of(error)),
            None => Err(Failure::network("the connection is closed")),
        }
    }

    pub(super) async fn send(&mut self, texts: &mut Vec<Message>) -> Result<(), Failure> {
        let write = async {
            for text in texts.drain(..) {
                self.0.feed(text).await?;
            }
            self.0.flush().await
        };
        match tokio::time::timeout(WRITE_TIMEOUT, write).await {
            Ok(written) => written.map_err(Failure::of),
            Err(_) => Err(Failure { cause: Disconnect::Silent, retry_after: None }),
        }
    }

    /// Sends a close frame, and waits a moment for the answer, so that what was sent before is
    /// read.
    pub(super) async fn close(mut self, code: u16) {
        let frame = CloseFrame { code: code.into(), reason: "".into() };
        let goodbye = async {
            if self.0.close(Some(frame)).await.is_ok() {
                while let Some(Ok(_)) = self.0.next().await {}
            }
        };
        let _ = tokio::time::timeout(GOODBYE_TIMEOUT, goodbye).await;
    }
}

impl Failure {
    fn network(error: impl ToString) -> Self {
        Self { cause: Disconnect::Network(error.to_string()), retry_after: None }
    }

    fn dial(host: &str, error: &std::io::Error) -> Self {
        match unused_proxy(host, is_set) {
            Some(proxy) => Self::network(format!("{error}; {proxy}")),
            None => Self::network(error),
        }
    }

    fn of(error: WebSocketError) -> Self {
        match error {
            WebSocketError::Http(response) => {
                Self { cause: refusal(&response), retry_after: retry_after(&response) }
            }
            error => Self::network(error),
        }
    }
}

impl From<Disconnect> for Failure {
    fn from(cause: Disconnect) -> Self {
        Self { cause, retry_after: None }
    }
}

fn refusal(response: &Response<Option<Vec<u8>>>) -> Disconnect {
    if let Some(cause) = response.body().as_deref().and_then(Disconnect::from_answer) {
        return cause;
    }
    let status = response.status();
    match location(response.headers()) {
        Some(to) if status.is_redirection() => Disconnect::Redirected { to },
        _ => Disconnect::Http(status.as_u16()),
    }
}

/// HAProxy and stunnel close a port with TLS so, if the request comes without it.
const UNANSWERED: &str =
    "the connection was closed without an answer: if this port speaks TLS, the address is wss://";

fn is_unanswered(error: &WebSocketError) -> bool {
    match error {
        WebSocketError::Io(error) => error.kind() == ErrorKind::ConnectionReset,
        error => matches!(error, WebSocketError::Protocol(ProtocolError::HandshakeIncomplete)),
    }
}

/// `Retry-After` in seconds (RFC 9110 section 10.2.3). `None`: it is not there, or a date.
fn retry_after<B>(response: &Response<B>) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}
