//! All connections of one event loop, by the number of their client.

use std::io;
use std::net::IpAddr;

use mio::{Registry, Token};
use securecall_websocket::{
    CloseReason, Nonce, code, write_masked_close, write_masked_text, write_request,
};

use crate::clock::{Clock, Nanos};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::frame::{MASK, StampedFrame};
use crate::recording::Recording;
use crate::target::Target;
use crate::transport::Dialer;

/// The bound of bytes buffered for a server that does not read. Beyond it messages are counted and
/// not sent.
const OUTBOX_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The connections, and what a scenario does with them.
#[derive(Debug)]
pub(crate) struct Clients {
    registry: Registry,
    target: Target,
    dialer: Dialer,
    sources: Vec<IpAddr>,
    /// The number of the first client, among those of all workers.
    first: usize,
    slots: Vec<Option<Connection>>,
    /// Clients with something to be written.
    dirty: Vec<usize>,
    /// Losses found while writing, to be passed to the scenario.
    lost: Vec<(usize, Failure)>,
    clock: Clock,
    /// When the last read returned.
    read_at: Nanos,
    pub(crate) recording: Recording,
}

impl Clients {
    pub(crate) fn new(
        registry: Registry,
        target: Target,
        sources: Vec<IpAddr>,
        first: usize,
        count: usize,
        recording: Recording,
    ) -> io::Result<Self> {
        Ok(Self {
            registry,
            dialer: Dialer::new(&target)?,
            target,
            sources,
            first,
            slots: (0..count).map(|_| None).collect(),
            dirty: Vec::new(),
            lost: Vec::new(),
            clock: Clock::start(),
            read_at: 0,
            recording,
        })
    }

    /// The number of clients, connected or not.
    pub(crate) fn count(&self) -> usize {
        self.slots.len()
    }

    /// The target's path and query.
    pub(crate) fn path(&self) -> &str {
        self.target.path()
    }

    /// The number of a client among those of all workers.
    pub(crate) fn number(&self, client: usize) -> usize {
        self.first + client
    }

    /// Begins to connect a client with this request path; a connection that it has is dropped.
    pub(crate) fn open(&mut self, client: usize, path: &str) -> Result<(), Failure> {
        self.slots[client] = None;
        let number = self.number(client);
        let nonce: Nonce = (number as u128).to_be_bytes();
        let mut request = Vec::new();
        write_request(&mut request, self.target.host(), path, &nonce, &[])
            .map_err(|error| Failure::Handshake(error.to_string()))?;
        let source = (!self.sources.is_empty()).then(|| self.sources[number % self.sources.len()]);
        let transport = self.dialer.connect(&self.registry, Token(client), source);
        let transport = transport.map_err(|error| Failure::connect(&error))?;
        self.slots[client] = Some(Connection::new(transport, request, nonce));
        Ok(())
    }

    /// Sends a text.
    pub(crate) fn send(&mut self, client: usize, text: &str) {
        self.write(client, |out| write_masked_text(out, text, MASK));
    }

    /// Sends a message, stamped with `time`.
    #[inline]
    pub(crate) fn send_stamped(&mut self, client: usize, frame: &StampedFrame, time: Nanos) {
        self.write(client, |out| frame.write(out, time));
    }

    /// Appends frames to a client's outbox.
    #[inline]
    pub(crate) fn write(&mut self, client: usize, frames: impl FnOnce(&mut Vec<u8>)) {
        let Some(connection) = self.slots[client].as_mut().filter(|slot| slot.is_open()) else {
            return;
        };
        if connection.unwritten() > OUTBOX_BYTES_MAX {
            return self.recording.note_failure(Failure::NotSent);
        }
        if connection.unwritten() == 0 {
            self.dirty.push(client);
        }
        frames(connection.outbox());
    }

    /// Writes what was appended, one write for each connection.
    #[inline]
    pub(crate) fn flush(&mut self) {
        while let Some(client) = self.dirty.pop() {
            self.flush_one(client);
        }
    }

    /// Writes what one client's socket takes.
    pub(crate) fn flush_one(&mut self, client: usize) {
        let Some(connection) = &mut self.slots[client] else { return };
        if let Err(error) = connection.flush() {
            let failure =
                if connection.is_open() { Failure::Lost } else { Failure::connect(&error) };
            self.lost.push((client, failure));
        }
    }

    /// A loss that was found out while writing.
    pub(crate) fn take_lost(&mut self) -> Option<(usize, Failure)> {
        self.lost.pop()
    }

    pub(crate) fn connection(&mut self, client: usize) -> Option<&mut Connection> {
        self.slots.get_mut(client)?.as_mut()
    }

    /// Drops a connection, as a network that fails would.
    pub(crate) fn drop_connection(&mut self, client: usize) {
        self.slots[client] = None;
    }

    /// Sends a close frame (RFC 6455), without waiting for the answer.
    pub(crate) fn close(&mut self, client: usize) {
        let normal = CloseReason::new(code::NORMAL, "");
        self.write(client, |out| write_masked_close(out, Some(&normal), MASK));
        self.flush_one(client);
        if let Some(mut connection) = self.slots[client].take() {
            connection.shut_down();
        }
    }

    /// Closes all of them.
    pub(crate) fn close_all(&mut self) {
        for client in 0..self.slots.len() {
            self.close(client);
        }
        self.dirty.clear();
    }

    /// Notes that a read returned: its messages arrived now.
    #[inline]
    pub(crate) fn note_read(&mut self) {
        self.read_at = self.clock.now();
    }

    /// The arrival of the messages being received. The clock is read once for all messages of a
    /// read.
    #[inline]
    pub(crate) fn read_at(&self) -> Nanos {
        self.read_at
    }

    pub(crate) fn now(&self) -> Nanos {
        self.clock.now()
    }
}
