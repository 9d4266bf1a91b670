//! One socket, from its handshake to its end.

use std::collections::HashMap;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;

use securecall_websocket::{
    Decoder, Event, HeadLimits, Role, parse_request, write_close, write_pong,
    write_switching_protocols,
};

use crate::outgoing::Outgoing;

/// The limit of our server, so that both decoders do the same.
const MESSAGE_BYTES_MAX: u32 = 64 * 1024;

/// The index of the connection of each client.
pub(crate) type Indices = HashMap<Box<str>, usize>;

/// A client's connection. An idle one holds no buffer.
pub(crate) struct Connection {
    index: usize,
    stream: TcpStream,
    decoder: Decoder,
    state: State,
    /// While it opens: the request so far. Afterwards: what the socket did not take.
    pending: Vec<u8>,
    /// Whom the last message went to. The next goes there, too, and finds its way without a
    /// lookup by name.
    peer: Peer,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Opening,
    /// The next text is the client's id.
    Nameless,
    Named,
}

#[derive(Default)]
struct Peer {
    id: Box<str>,
    index: usize,
}

impl Connection {
    pub(crate) fn new(stream: TcpStream, index: usize) -> Self {
        let decoder = Decoder::new(Role::Server, MESSAGE_BYTES_MAX);
        let (state, pending, peer) = (State::Opening, Vec::new(), Peer::default());
        Self { index, stream, decoder, state, pending, peer }
    }

    pub(crate) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Reads once, and puts the messages that came into `out`.
    ///
    /// # Errors
    /// The connection is at its end, in whatever way.
    pub(crate) fn read(
        &mut self,
        buffer: &mut [u8],
        indices: &mut Indices,
        out: &mut Outgoing,
    ) -> io::Result<()> {
        let bytes = match (&self.stream).read(buffer) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(length) => &mut buffer[..length],
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        };
        if self.state != State::Opening {
            return self.unframe(bytes, indices, out);
        }
        self.pending.extend_from_slice(bytes);
        match self.upgrade()? {
            Some(mut rest) => self.unframe(&mut rest, indices, out),
            None => Ok(()),
        }
    }

    /// Writes at once what the socket takes, and buffers the rest.
    pub(crate) fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        if self.pending.is_empty() {
            let written = write_some(&self.stream, bytes)?;
            bytes = &bytes[written..];
        }
        self.pending.extend_from_slice(bytes);
        Ok(())
    }

    /// Writes the buffered rest, once the socket has room.
    pub(crate) fn write_pending(&mut self) -> io::Result<()> {
        let written = write_some(&self.stream, &self.pending)?;
        self.pending.drain(..written);
        if self.pending.is_empty() {
            self.pending = Vec::new();
        }
        Ok(())
    }

    /// Returns true if bytes are buffered until the socket has room.
    pub(crate) fn is_backed_up(&self) -> bool {
        self.state != State::Opening && !self.pending.is_empty()
    }

    /// Accepts the upgrade and returns the bytes behind the request. Returns `None` if that is
    /// incomplete.
    fn upgrade(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut response = Vec::new();
        let head_bytes =
            match parse_request(&self.pending, HeadLimits::default()).map_err(io::Error::other)? {
                None => return Ok(None),
                Some((request, head_bytes)) => {
                    let key = request.upgrade().map_err(io::Error::other)?;
                    write_switching_protocols(&mut response, key);
                    head_bytes
                }
            };
        let rest = std::mem::take(&mut self.pending).split_off(head_bytes);
        self.state = State::Nameless;
        self.write(&response)?;
        Ok(Some(rest))
    }

    fn unframe(
        &mut self,
        mut bytes: &mut [u8],
        indices: &mut Indices,
        out: &mut Outgoing,
    ) -> io::Result<()> {
        while let Some(event) = self.decoder.next(&mut bytes).map_err(io::Error::other)? {
            match event {
                Event::Text(text) => self.relay(&text, indices, out),
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
                Event::Binary(_) | Event::Pong(_) | Event::Fragment => {}
            }
        }
        Ok(())
    }

    /// Relays a text to its receiver. A text for an unknown receiver is lost.
    fn relay(&mut self, text: &str, indices: &mut Indices, out: &mut Outgoing) {
        if self.state == State::Nameless {
            indices.insert(text.into(), self.index);
            self.state = State::Named;
            return;
        }
        let Some((to, text)) = text.split_once('\n') else { return };
        if *self.peer.id != *to {
            let Some(index) = indices.get(to) else { return };
            self.peer = Peer { id: to.into(), index: *index };
        }
        out.push(self.peer.index, text);
    }
}

fn write_some(mut stream: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
    match stream.write(bytes) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(0),
        written => written,
    }
}
