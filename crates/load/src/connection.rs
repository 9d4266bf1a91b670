//! One client's connection: a non-blocking socket, what is not yet written, and the decoder.

use std::io;

use securecall_websocket::{Decoder, Nonce, ResponseError, Role, parse_response};

use crate::failure::Failure;
use crate::transport::Transport;

/// The longest message that a client takes. Servers wrap what others sent.
const MESSAGE_BYTES_MAX: u32 = 1024 * 1024;
/// An outbox that grew beyond this is given back once it is empty.
const OUTBOX_BYTES_KEPT: usize = 32 * 1024;

/// A connection, from the first packet to the last.
#[derive(Debug)]
pub(crate) struct Connection {
    transport: Transport,
    /// Bytes to be sent; those before `written` have been.
    outbox: Vec<u8>,
    written: usize,
    decoder: Decoder,
    /// The handshake, while it lasts.
    handshake: Option<Box<Handshake>>,
}

#[derive(Debug)]
struct Handshake {
    nonce: Nonce,
    /// The part of the response that has arrived.
    response: Vec<u8>,
}

/// The state of the handshake after some bytes of the response.
#[derive(Debug)]
pub(crate) enum Opening {
    /// It is not complete.
    Pending,
    /// The connection is open; these first frames came with the response.
    Open(Vec<u8>),
    /// The server refused the connection, or answered nonsense; with its `Retry-After`, if it sent
    /// one.
    Refused { failure: Failure, retry_after_seconds: Option<u64> },
}

impl Connection {
    /// A connection that sends `request` once it can.
    pub(crate) fn new(transport: Transport, request: Vec<u8>, nonce: Nonce) -> Self {
        Self {
            transport,
            outbox: request,
            written: 0,
            decoder: Decoder::new(Role::Client, MESSAGE_BYTES_MAX),
            handshake: Some(Box::new(Handshake { nonce, response: Vec::new() })),
        }
    }

    /// Returns true once the handshake is over.
    pub(crate) fn is_open(&self) -> bool {
        self.handshake.is_none()
    }

    /// Takes a part of the response.
    pub(crate) fn advance_handshake(&mut self, bytes: &[u8]) -> Opening {
        let Some(handshake) = &mut self.handshake else { return Opening::Open(bytes.to_vec()) };
        handshake.response.extend_from_slice(bytes);
        match parse_response(&handshake.response, &handshake.nonce) {
            Ok(None) => Opening::Pending,
            Ok(Some(head_bytes)) => {
                let frames = handshake.response.split_off(head_bytes);
                self.handshake = None;
                // The request was longer than most messages of an idle client.
                self.outbox = Vec::new();
                Opening::Open(frames)
            }
            Err(ResponseError::Refused(status)) => Opening::Refused {
                failure: Failure::Status(status),
                retry_after_seconds: retry_after_seconds(&handshake.response),
            },
            Err(error) => Opening::Refused {
                failure: Failure::Handshake(error.to_string()),
                retry_after_seconds: None,
            },
        }
    }

    /// Reads what has arrived. `Ok(None)`: nothing yet; 0: the server closed.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        loop {
            return match self.transport.read(buffer) {
                Ok(bytes) => Ok(Some(bytes)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
                Err(error) => Err(error),
            };
        }
    }

    /// Returns true if a read of `bytes` bytes emptied the socket.
    pub(crate) fn is_drained(&self, bytes: usize, buffer_bytes: usize) -> bool {
        self.transport.is_drained(bytes, buffer_bytes)
    }

    /// Sends the close_notify of TLS, if it is TLS.
    pub(crate) fn shut_down(&mut self) {
        self.transport.shut_down();
    }

    /// Writes the outbox as far as the socket takes it.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.transport.flush()?;
        while self.written < self.outbox.len() {
            match self.transport.write(&self.outbox[self.written..]) {
                Ok(bytes) => self.written += bytes,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        self.written = 0;
        self.outbox.clear();
        if self.outbox.capacity() > OUTBOX_BYTES_KEPT {
            self.outbox = Vec::new();
        }
        Ok(())
    }

    /// The buffer to which frames are appended.
    #[inline]
    pub(crate) fn outbox(&mut self) -> &mut Vec<u8> {
        &mut self.outbox
    }

    /// The number of bytes that the socket has not taken.
    #[inline]
    pub(crate) fn unwritten(&self) -> usize {
        self.outbox.len() - self.written
    }

    /// Lends the decoder out: what it yields borrows from a read buffer while the connection is
    /// used.
    #[inline]
    pub(crate) fn take_decoder(&mut self) -> Decoder {
        std::mem::replace(&mut self.decoder, Decoder::new(Role::Client, MESSAGE_BYTES_MAX))
    }

    #[inline]
    pub(crate) fn put_decoder(&mut self, decoder: Decoder) {
        self.decoder = decoder;
    }
}

/// `Retry-After` in seconds (RFC 9110 section 10.2.3); a date is not understood.
fn retry_after_seconds(head: &[u8]) -> Option<u64> {
    let head = std::str::from_utf8(head).ok()?;
    head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("retry-after").then(|| value.trim().parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_found_in_any_case() {
        let head = b"HTTP/1.1 429 Too Many Requests\r\nretry-AFTER: 10\r\n\r\n";
        assert_eq!(retry_after_seconds(head), Some(10));
        assert_eq!(retry_after_seconds(b"HTTP/1.1 429 x\r\nRetry-After: Fri, 1\r\n\r\n"), None);
        assert_eq!(retry_after_seconds(b"HTTP/1.1 429 x\r\n\r\n"), None);
    }
}
