//! The event loop.

use std::io::{self, ErrorKind};
use std::net::{TcpListener, TcpStream};

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::fd::OwnedFd;

use crate::connection::Connection;

/// As much as our server reads at once.
const READ_BUFFER_BYTES: usize = 128 * 1024;
const EVENTS_PER_WAIT: usize = 1024;
/// The listener's number; no connection gets that far.
const LISTENER: u64 = u64::MAX;

/// All connections, by their number. Numbers are not used again: a relay serves one run.
pub(crate) struct Relay {
    epoll: OwnedFd,
    listener: TcpListener,
    connections: Vec<Option<Connection>>,
    read_buffer: Box<[u8]>,
    /// The frames of one read, on their way to the peer.
    frames: Vec<u8>,
}

impl Relay {
    pub(crate) fn new(listener: TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
        let read_buffer = vec![0; READ_BUFFER_BYTES].into();
        Ok(Self { epoll, listener, connections: Vec::new(), read_buffer, frames: Vec::new() })
    }

    /// Relays until the process is ended.
    pub(crate) fn run(mut self) -> io::Result<()> {
        let mut events: Vec<Event> = Vec::with_capacity(EVENTS_PER_WAIT);
        loop {
            match epoll::wait(&self.epoll, spare_capacity(&mut events), None) {
                Err(rustix::io::Errno::INTR) => continue,
                waited => waited?,
            };
            for event in events.drain(..) {
                self.handle(event.data.u64(), event.flags)?;
            }
        }
    }

    fn handle(&mut self, number: u64, flags: EventFlags) -> io::Result<()> {
        if number == LISTENER {
            return self.accept();
        }
        let index = number as usize;
        let mut alive = Ok(());
        if flags.contains(EventFlags::OUT) {
            alive = self.write_pending(index);
        }
        if alive.is_ok() && flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR) {
            alive = self.relay(index);
        }
        if alive.is_err() {
            self.connections[index] = None;
        }
        Ok(())
    }

    fn accept(&mut self) -> io::Result<()> {
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => self.add(stream)?,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    fn add(&mut self, stream: TcpStream) -> io::Result<()> {
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        let number = EventData::new_u64(self.connections.len() as u64);
        epoll::add(&self.epoll, &stream, number, EventFlags::IN)?;
        self.connections.push(Some(Connection::new(stream)));
        Ok(())
    }

    /// Reads from one connection and writes to its peer. What comes before the peer is there, or
    /// after it is gone, is lost.
    fn relay(&mut self, index: usize) -> io::Result<()> {
        let Some(connection) = &mut self.connections[index] else { return Ok(()) };
        self.frames.clear();
        connection.read(&mut self.read_buffer, &mut self.frames)?;
        if connection.is_backed_up() {
            self.await_room(index, true)?;
        }
        if !self.frames.is_empty() && self.write_to_peer(index ^ 1).is_err() {
            // Its own event will say so, too.
            self.connections[index ^ 1] = None;
        }
        Ok(())
    }

    fn write_to_peer(&mut self, index: usize) -> io::Result<()> {
        let Some(Some(peer)) = self.connections.get_mut(index) else { return Ok(()) };
        peer.write(&self.frames)?;
        if peer.is_backed_up() {
            self.await_room(index, true)?;
        }
        Ok(())
    }

    fn write_pending(&mut self, index: usize) -> io::Result<()> {
        let Some(connection) = &mut self.connections[index] else { return Ok(()) };
        connection.write_pending()?;
        if !connection.is_backed_up() {
            self.await_room(index, false)?;
        }
        Ok(())
    }

    fn await_room(&self, index: usize, wanted: bool) -> io::Result<()> {
        let Some(Some(connection)) = self.connections.get(index) else { return Ok(()) };
        let room = if wanted { EventFlags::OUT } else { EventFlags::empty() };
        let number = EventData::new_u64(index as u64);
        epoll::modify(&self.epoll, connection.stream(), number, EventFlags::IN | room)?;
        Ok(())
    }
}
