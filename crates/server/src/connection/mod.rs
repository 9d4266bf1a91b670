//! A WebSocket connection that any thread may write to.
//!
//! Its [driver](crate::driver) owns it: it reads, keeps the timers, and tears down. All
//! others hold a [`Connection`]: mail from a peer is written directly by the peer's thread.

pub(crate) mod flusher;
pub(crate) mod outbox;
pub(crate) mod pending;
pub(crate) mod read_buffer;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context as TaskContext, Poll, Waker, ready};

use parking_lot::Mutex;
use rustix::net::{RecvFlags, Shutdown, recv, shutdown};
use securecall_protocol::CloseCode;
use tokio::io::Interest;
use tokio::net::TcpStream;

use self::outbox::Outbox;
use crate::telemetry::counters::Counters;
use crate::tls::{Incoming, Records};

/// The writing side of a connection.
#[derive(Debug)]
pub(crate) struct Connection {
    socket: TcpStream,
    outbox_bytes_max: usize,
    /// The close frame is appended, or the socket failed. Written under the lock, read without it.
    closed: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    outbox: Outbox,
    /// `None` if the connection is plain.
    tls: Option<Box<Records>>,
    /// The socket failed: nothing can be written any more.
    broken: bool,
    /// The session's deadline is now earlier than the driver knows.
    deadline_moved: bool,
    /// Wakes the driver for what only it can do: wait for room, tear down, set a timer.
    driver: Option<Waker>,
}

/// The state of a connection that its driver has to act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Condition {
    /// Bytes are pending because the socket is full.
    pub(crate) backlog: bool,
    /// The close frame is written or pending.
    pub(crate) closed: bool,
    /// The socket failed.
    pub(crate) broken: bool,
    /// The session has a new, earlier deadline. Reported once.
    pub(crate) deadline_moved: bool,
}

impl Connection {
    pub(crate) fn new(
        socket: TcpStream,
        tls: Option<Box<Records>>,
        outbox_bytes_max: usize,
    ) -> Arc<Self> {
        let state = State { tls, ..State::default() };
        let closed = AtomicBool::new(false);
        Arc::new(Self { socket, outbox_bytes_max, closed, state: Mutex::new(state) })
    }

    /// Sets the driver's waker. It must be removed (`None`) when the driver ends, because waker and
    /// connection refer to each other.
    pub(crate) fn set_driver(&self, driver: Option<Waker>) {
        self.state.lock().driver = driver;
    }

    /// Makes the driver read the session's deadline again.
    pub(crate) fn deadline_moved(&self) {
        let mut state = self.state.lock();
        state.deadline_moved = true;
        state.wake_driver();
    }

    /// Returns true if bytes are pending because the socket is full.
    pub(crate) fn has_backlog(&self) -> bool {
        self.state.lock().backlog_bytes() > 0
    }

    /// Returns true if more than half of the bound is pending: the client does not keep up.
    pub(crate) fn is_behind(&self) -> bool {
        let mut state = self.state.lock();
        if state.backlog_bytes() > self.outbox_bytes_max / 2 {
            self.write_out(&mut state);
        }
        state.backlog_bytes() > self.outbox_bytes_max / 2
    }

    /// Returns true if nothing more can be sent to the client, even if the driver does not know
    /// yet.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Returns the state for the driver, and resets the report of a moved deadline.
    pub(crate) fn condition(&self) -> Condition {
        let mut state = self.state.lock();
        Condition {
            backlog: state.backlog_bytes() > 0,
            closed: state.outbox.is_closed(),
            broken: state.broken,
            deadline_moved: std::mem::take(&mut state.deadline_moved),
        }
    }

    /// Returns the socket, to wait until it is writable.
    pub(crate) fn socket(&self) -> &tokio::net::TcpStream {
        &self.socket
    }

    /// Reads into the buffer. Returns the number of bytes, which is 0 when the client has closed.
    ///
    /// A read that does not fill the buffer has emptied the socket, so no second read is needed
    /// (epoll reports the next bytes: epoll(7), questions 9 and 10).
    pub(crate) fn poll_read(
        &self,
        task: &mut TaskContext<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.socket.poll_read_ready(task))?;
            let mut read = 0;
            let emptied = self.socket.try_io(Interest::READABLE, || {
                let (bytes, _) = recv(&self.socket, &mut *buffer, RecvFlags::empty())?;
                read = bytes;
                let filled = bytes == 0 || bytes == buffer.len();
                if filled { Ok(()) } else { Err(ErrorKind::WouldBlock.into()) }
            });
            match emptied {
                Ok(()) => return Poll::Ready(Ok(read)),
                Err(error) if error.kind() != ErrorKind::WouldBlock => {
                    return Poll::Ready(Err(error));
                }
                Err(_) if read > 0 => return Poll::Ready(Ok(read)),
                Err(_) => {}
            }
        }
    }

    /// Writes what is pending, as much as the socket accepts.
    pub(crate) fn flush(&self) {
        let mut state = self.state.lock();
        state.outbox.flush_is_due = false;
        self.write_out(&mut state);
    }

    /// Begins to close. Messages sent before are still written. A second call does nothing.
    pub(crate) fn close(&self, counters: &Counters, code: CloseCode) {
        let mut state = self.state.lock();
        let closed = state.outbox.push_close(code);
        counters.closed(code, closed);
        if closed {
            self.note_closed(&state);
            self.write_out(&mut state);
            state.wake_driver();
        }
    }

    /// Shuts down the sending half of the TCP connection. Reading goes on.
    pub(crate) fn half_close(&self) {
        // An error means that the client is gone already.
        let _ = shutdown(&self.socket, Shutdown::Write);
    }

    fn note_closed(&self, state: &State) {
        if state.broken || state.outbox.is_closed() {
            self.closed.store(true, Ordering::Relaxed);
        }
    }

    /// Appends to the outbox. This writes only if the outbox exceeds its bound.
    pub(crate) fn append(&self, counters: &Counters, append: impl FnOnce(&mut Outbox)) -> Appended {
        let mut state = self.state.lock();
        append(&mut state.outbox);
        if state.backlog_bytes() > self.outbox_bytes_max {
            self.write_out(&mut state);
            if state.backlog_bytes() > self.outbox_bytes_max {
                // A reader this slow is disconnected, because it could not know which messages it
                // misses.
                counters
                    .closed(CloseCode::Overloaded, state.outbox.push_close(CloseCode::Overloaded));
                state.wake_driver();
            }
        }
        self.note_closed(&state);
        let first = !state.outbox.flush_is_due && !state.outbox.unwritten().is_empty();
        state.outbox.flush_is_due |= first;
        if first { Appended::FlushIsMine } else { Appended::FlushIsDue }
    }

    /// Returns the number of bytes that complete the TLS record in flight.
    pub(crate) fn missing_ciphertext_bytes(&self) -> usize {
        self.state.lock().tls.as_ref().map_or(0, |tls| tls.missing_bytes())
    }

    /// Decrypts bytes that were read from the socket, as [`Records::receive`] does, and writes the
    /// answers of TLS itself.
    pub(crate) fn decrypt(&self, buffer: &mut [u8], plaintext: &mut Vec<u8>) -> Incoming {
        let mut state = self.state.lock();
        let Some(tls) = &mut state.tls else { return Incoming::Closed };
        match tls.receive(buffer, plaintext) {
            Ok(incoming) => {
                if !tls.unsent().is_empty() {
                    self.write_out(&mut state);
                }
                incoming
            }
            Err(_) => {
                // The alert is among the unsent bytes. It is sent if the socket accepts it now.
                let _ = self.socket.try_write(tls.unsent());
                state.give_up();
                Incoming::Closed
            }
        }
    }

    fn write_out(&self, state: &mut State) {
        while !state.broken {
            let written = match state.next_to_write() {
                Ok([]) => return,
                Ok(bytes) => self.socket.try_write(bytes),
                Err(error) => Err(error),
            };
            match written {
                Ok(bytes) => state.advance(bytes),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    state.wake_driver();
                    return;
                }
                Err(_) => {
                    state.give_up();
                    self.note_closed(state);
                }
            }
        }
    }
}

impl State {
    /// Returns the bytes to be written next.
    fn next_to_write(&mut self) -> io::Result<&[u8]> {
        match &mut self.tls {
            None => Ok(self.outbox.unwritten()),
            Some(tls) => {
                tls.seal_from(&mut self.outbox).map_err(io::Error::other)?;
                Ok(tls.unsent())
            }
        }
    }

    /// Removes the bytes that the socket has accepted.
    fn advance(&mut self, bytes: usize) {
        match &mut self.tls {
            None => self.outbox.advance(bytes),
            Some(tls) => tls.advance(bytes),
        }
    }

    fn backlog_bytes(&self) -> usize {
        let encrypted = self.tls.as_ref().map_or(0, |tls| tls.unsent().len());
        self.outbox.unwritten().len() + encrypted
    }

    fn give_up(&mut self) {
        self.broken = true;
        self.outbox.clear();
        if let Some(tls) = &mut self.tls {
            tls.clear();
        }
        self.wake_driver();
    }

    fn wake_driver(&self) {
        if let Some(driver) = &self.driver {
            driver.wake_by_ref();
        }
    }
}

/// The one who has to flush after an append.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Appended {
    /// The caller.
    FlushIsMine,
    /// An earlier caller, or nobody because nothing is pending.
    FlushIsDue,
}
