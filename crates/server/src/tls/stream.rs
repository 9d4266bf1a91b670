//! A socket with TLS, until the upgrade.

use std::io::{self, ErrorKind};
use std::sync::Arc;

use rustls::{Error, InvalidMessage, ServerConfig};
use tokio::net::TcpStream;

use super::acme::CHALLENGE_PROTOCOL;
use super::records::{Incoming, PARTIAL_BYTES_MAX, Records};
use crate::connection::read_buffer;
use crate::http::stream::Stream;

/// The number of bytes that are examined if a client does not speak TLS.
const FIRST_BYTES_MAX: usize = 16;
/// The size of a read: a client's part of a handshake fits, and little of what follows, which would
/// have to be stored.
const READ_BYTES: usize = 16 * 1024;

/// A socket whose client speaks TLS.
pub(crate) struct TlsStream {
    socket: TcpStream,
    records: Box<Records>,
    /// Plaintext that arrived together with the handshake.
    received: Vec<u8>,
    incoming: Incoming,
}

/// The reason why there is no TLS.
#[derive(Debug)]
pub(crate) enum HandshakeError {
    /// The client does not speak TLS, but most likely plain HTTP. It has got no answer. Contains
    /// its first bytes.
    NotTls(TcpStream, Vec<u8>),
    /// The two share no parameters, or the client broke the protocol. It got an alert.
    Tls,
    /// The client has disconnected.
    Io,
}

impl From<io::Error> for HandshakeError {
    fn from(error: io::Error) -> Self {
        if error.kind() == ErrorKind::InvalidData { Self::Tls } else { Self::Io }
    }
}

impl TlsStream {
    /// Performs the handshake. It has no time limit of its own.
    ///
    /// # Errors
    /// The handshake failed.
    pub(crate) async fn accept(
        socket: TcpStream,
        config: Arc<ServerConfig>,
    ) -> Result<Self, HandshakeError> {
        let Ok(records) = Records::new(config) else { return Err(HandshakeError::Tls) };
        let (received, incoming) = (Vec::new(), Incoming::Open);
        let mut stream = Self { socket, records: Box::new(records), received, incoming };
        while stream.records.is_handshaking() {
            let heard = stream.receive().await;
            if heard.as_ref().is_err_and(|error| cause(error).is_some_and(is_no_tls)) {
                return Err(HandshakeError::NotTls(stream.socket, stream.received));
            }
            // The last message of a TLS 1.3 handshake, a ticket, can be sent with the response.
            if heard.is_err() || !stream.records.may_wait() {
                stream.flush().await?;
            }
            if heard? == 0 {
                return Err(HandshakeError::Io);
            }
        }
        Ok(stream)
    }

    /// Returns true if the handshake resumed an earlier session.
    pub(crate) fn is_resumed(&self) -> bool {
        self.records.is_resumed()
    }

    /// Returns true for a challenge of a certificate authority, which needs only the handshake.
    pub(crate) fn is_challenge(&self) -> bool {
        self.records.alpn_protocol() == Some(CHALLENGE_PROTOCOL)
    }

    /// Waits for bytes and decrypts them. Returns their number, which is 0 at the end.
    async fn receive(&mut self) -> io::Result<usize> {
        loop {
            self.socket.readable().await?;
            let received: io::Result<usize> = read_buffer::with(|buffer| {
                let end = PARTIAL_BYTES_MAX + READ_BYTES;
                let bytes = self.socket.try_read(&mut buffer[PARTIAL_BYTES_MAX..end])?;
                if bytes == 0 {
                    self.incoming = Incoming::Closed;
                    return Ok(0);
                }
                let buffer = &mut buffer[..PARTIAL_BYTES_MAX + bytes];
                let incoming = self.records.receive(buffer, &mut self.received);
                if incoming.as_ref().is_err_and(is_no_tls) {
                    let first = &buffer[PARTIAL_BYTES_MAX..];
                    self.received.extend_from_slice(&first[..bytes.min(FIRST_BYTES_MAX)]);
                }
                self.incoming =
                    incoming.map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
                Ok(bytes)
            });
            match received {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                done => return done,
            }
        }
    }

    async fn flush(&mut self) -> io::Result<()> {
        while !self.records.unsent().is_empty() {
            match self.socket.try_write(self.records.unsent()) {
                Ok(bytes) => self.records.advance(bytes),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.socket.writable().await?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Returns the TLS error, if reading failed because of one.
fn cause(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}

/// Returns true if even the type of the first record was invalid.
fn is_no_tls(error: &Error) -> bool {
    *error == Error::InvalidMessage(InvalidMessage::InvalidContentType)
}

impl Stream for TlsStream {
    async fn read(&mut self, into: &mut Vec<u8>) -> io::Result<usize> {
        while self.received.is_empty() && self.incoming == Incoming::Open {
            self.receive().await?;
        }
        let bytes = self.received.len();
        into.append(&mut self.received);
        Ok(bytes)
    }

    async fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.records.seal(bytes).map_err(io::Error::other)?;
        self.flush().await
    }

    async fn shutdown(&mut self) -> io::Result<()> {
        self.records.close_notify().map_err(io::Error::other)?;
        self.flush().await?;
        self.socket.shutdown().await
    }

    fn into_parts(self) -> (TcpStream, Option<Box<Records>>) {
        (self.socket, Some(self.records))
    }
}
