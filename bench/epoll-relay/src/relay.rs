//! The event loop.

use std::io::{self, ErrorKind};
use std::net::{TcpListener, TcpStream};

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::fd::OwnedFd;

use crate::connection::{Connection, Indices};
use crate::outgoing::Outgoing;

/// As much as our server reads at once.
const READ_BUFFER_BYTES: usize = 128 * 1024;
const EVENTS_PER_WAIT: usize = 1024;
/// In the place of an index; no connection gets that far.
const LISTENER: u64 = u64::MAX;

/// All connections, by their index. An index is not used again: a relay serves one run.
pub(crate) struct Relay {
    epoll: OwnedFd,
    listener: TcpListener,
    connections: Vec<Option<Connection>>,
    indices: Indices,
    read_buffer: Box<[u8]>,
    outgoing: Outgoing,
}

impl Relay {
    pub(crate) fn new(listener: TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
        Ok(Self {
            epoll,
            listener,
            connections: Vec::new(),
            indices: Indices::new(),
            read_buffer: vec![0; READ_BUFFER_BYTES].into(),
            outgoing: Outgoing::default(),
        })
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

    fn handle(&mut self, token: u64, flags: EventFlags) -> io::Result<()> {
        if token == LISTENER {
            return self.accept();
        }
        let index = token as usize;
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
        let index = self.connections.len();
        epoll::add(&self.epoll, &stream, EventData::new_u64(index as u64), EventFlags::IN)?;
        self.connections.push(Some(Connection::new(stream, index)));
        Ok(())
    }

    /// Reads from one connection, and writes to whom its messages go.
    fn relay(&mut self, index: usize) -> io::Result<()> {
        let Some(connection) = &mut self.connections[index] else { return Ok(()) };
        self.outgoing.clear();
        connection.read(&mut self.read_buffer, &mut self.indices, &mut self.outgoing)?;
        if connection.is_backed_up() {
            await_room(&self.epoll, index, connection, true)?;
        }
        for (to, frames) in self.outgoing.runs() {
            let Some(peer) = &mut self.connections[to] else { continue };
            if write(&self.epoll, to, peer, frames).is_err() {
                self.connections[to] = None;
            }
        }
        Ok(())
    }

    fn write_pending(&mut self, index: usize) -> io::Result<()> {
        let Some(connection) = &mut self.connections[index] else { return Ok(()) };
        connection.write_pending()?;
        if !connection.is_backed_up() {
            await_room(&self.epoll, index, connection, false)?;
        }
        Ok(())
    }
}

fn write(epoll: &OwnedFd, to: usize, peer: &mut Connection, frames: &[u8]) -> io::Result<()> {
    peer.write(frames)?;
    if peer.is_backed_up() {
        await_room(epoll, to, peer, true)?;
    }
    Ok(())
}

fn await_room(
    epoll: &OwnedFd,
    index: usize,
    connection: &Connection,
    wanted: bool,
) -> io::Result<()> {
    let room = if wanted { EventFlags::OUT } else { EventFlags::empty() };
    let token = EventData::new_u64(index as u64);
    epoll::modify(epoll, connection.stream(), token, EventFlags::IN | room)?;
    Ok(())
}
