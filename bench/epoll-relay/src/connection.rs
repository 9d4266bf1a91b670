//! One socket, from its handshake to its end.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;

use securecall_websocket::{
    Decoder, Event, Role, parse_request, write_close, write_pong, write_switching_protocols,
    write_text,
};

/// What our server takes, so that both decoders do the same.
const MESSAGE_BYTES_MAX: u32 = 64 * 1024;

/// A client's connection. An idle one holds no buffer.
pub(crate) struct Connection {
    stream: TcpStream,
    decoder: Decoder,
    /// While it opens: the request so far. Afterwards: what the socket did not take.
    pending: Vec<u8>,
    open: bool,
}

impl Connection {
    pub(crate) fn new(stream: TcpStream) -> Self {
        let decoder = Decoder::new(Role::Server, MESSAGE_BYTES_MAX);
        Self { stream, decoder, pending: Vec::new(), open: false }
    }

    pub(crate) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Reads once, and appends to `to_peer` the frames of the messages that came.
    ///
    /// # Errors
    /// The connection is at its end, in whatever way.
    pub(crate) fn read(&mut self, buffer: &mut [u8], to_peer: &mut Vec<u8>) -> io::Result<()> {
        let bytes = match (&self.stream).read(buffer) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(length) => &mut buffer[..length],
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        };
        if self.open {
            self.unframe(bytes, to_peer)
        } else {
            self.pending.extend_from_slice(bytes);
            self.upgrade(to_peer)
        }
    }

    /// Writes at once what the socket takes, and keeps the rest.
    pub(crate) fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        if self.pending.is_empty() {
            let written = write_some(&self.stream, bytes)?;
            bytes = &bytes[written..];
        }
        self.pending.extend_from_slice(bytes);
        Ok(())
    }

    /// The socket has room: writes what waits.
    pub(crate) fn write_pending(&mut self) -> io::Result<()> {
        let written = write_some(&self.stream, &self.pending)?;
        self.pending.drain(..written);
        if self.pending.is_empty() {
            self.pending = Vec::new();
        }
        Ok(())
    }

    /// Whether something waits for room in the socket.
    pub(crate) fn is_backed_up(&self) -> bool {
        self.open && !self.pending.is_empty()
    }

    fn upgrade(&mut self, to_peer: &mut Vec<u8>) -> io::Result<()> {
        let mut head = std::mem::take(&mut self.pending);
        let mut response = Vec::new();
        let head_bytes = match parse_request(&head).map_err(io::Error::other)? {
            None => {
                self.pending = head;
                return Ok(());
            }
            Some((request, head_bytes)) => {
                let key = request.upgrade().map_err(io::Error::other)?;
                write_switching_protocols(&mut response, key);
                head_bytes
            }
        };
        self.open = true;
        self.write(&response)?;
        self.unframe(&mut head[head_bytes..], to_peer)
    }

    fn unframe(&mut self, mut bytes: &mut [u8], to_peer: &mut Vec<u8>) -> io::Result<()> {
        while let Some(event) = self.decoder.next(&mut bytes).map_err(io::Error::other)? {
            match event {
                Event::Text(text) => write_text(to_peer, &text),
                Event::Ping(payload) => {
                    let mut pong = Vec::new();
                    write_pong(&mut pong, &payload);
                    self.write(&pong)?;
                }
                Event::Close(reason) => {
                    let mut close = Vec::new();
                    write_close(&mut close, reason.as_ref());
                    self.write(&close)?;
                    return Err(ErrorKind::UnexpectedEof.into());
                }
                Event::Binary(_) | Event::Pong(_) => {}
            }
        }
        Ok(())
    }
}

fn write_some(mut stream: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
    match stream.write(bytes) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(0),
        written => written,
    }
}
