//! The one place where a socket meets the core.
//!
//! A driver owns a connection from its upgrade to its end. It is a task that sleeps in three
//! places at once (the socket, the timer, the directory) and on every wake-up looks at them in
//! this order:
//!
//! 1. Is the connection closing? Then only the goodbye is left.
//! 2. Room in the socket for what waits in the outbox: write before anything adds to it.
//! 3. Bytes to read: frames, messages, decisions, all in this thread's buffer, up to the bound of a
//!    turn. What they send, to this client or another, is written at the end of the batch.
//! 4. An answer of the directory, in the order of the requests.
//! 5. The time: pings, silence, the session's deadlines.

mod directory_queue;
mod goodbye;
mod reading;
mod turn;

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use securecall_core::{Connection as Protocol, Departure, Due, Instant, Step};
use securecall_presence::Host as _;
use securecall_protocol::{CloseCode, Dialect, Opaque, Reply, ServerMessage};
use securecall_websocket::{Decoder, Event, Role};
use tokio::net::TcpStream;
use tokio::time::Sleep;

use self::directory_queue::{DirectoryQueue, Permission, UNAVAILABLE};
use self::goodbye::Goodbye;
use self::reading::Read;
use self::turn::Turn;
use crate::admission::permit::Permit;
use crate::connection::outbox::Outbox;
use crate::connection::{Condition, Connection};
use crate::directory::Replacement;
use crate::presence::{Batch, Cell, begin_batch};
use crate::reload::live::Live;
use crate::server::Server;
use crate::tls::Records;

/// Drives a connection to its end. `first` came right behind the upgrade request.
pub(crate) fn drive(
    server: Arc<Server>,
    live: Arc<Live>,
    stream: TcpStream,
    tls: Option<Box<Records>>,
    permit: Permit,
    first: Vec<u8>,
) -> impl Future<Output = ()> + Send {
    let driver = Driver::new(&server, &live, stream, tls, permit, first);
    let mut driving = Driving { server, live, driver };
    // What begins a connection is not kept for as long as it lasts: the future holds no more than
    // it needs.
    async move {
        let armed = driving.server.clock.timer(driving.driver.armed);
        let mut timer = pin!(tokio::time::sleep_until(armed));
        poll_fn(|task| driving.poll(task, timer.as_mut())).await;
    }
}

/// A driver with its server. Dropping it, for whatever reason, is the one teardown path.
struct Driving {
    server: Arc<Server>,
    /// The settings of the last turn.
    live: Arc<Live>,
    driver: Driver,
}

struct Driver {
    connection: Arc<Connection>,
    /// Whether the connection decrypts what is read.
    encrypted: bool,
    decoder: Decoder,
    /// What was read and is not handled yet, because the turn was over: at most one read.
    unhandled: Vec<u8>,
    protocol: Protocol,
    /// Where the client is registered. None: not yet, or not any more.
    cell: Option<Arc<Cell>>,
    directory: DirectoryQueue,
    /// When the timer fires.
    armed: Instant,
    /// Whether the timer has our waker. It is not asked again before it is due.
    timed: bool,
    /// None: the connection is open.
    goodbye: Option<Goodbye>,
    /// Whether the connection has our waker.
    wakeable: bool,
    table_key: usize,
    permit: Permit,
}

impl Driving {
    fn poll(&mut self, task: &mut TaskContext<'_>, timer: Pin<&mut Sleep>) -> Poll<()> {
        self.server.live.refresh(&mut self.live);
        let mut batch = begin_batch(&self.server, &self.live.config);
        self.driver.poll(&mut batch, task, timer)
    }
}

impl Drop for Driving {
    fn drop(&mut self) {
        let mut batch = begin_batch(&self.server, &self.live.config);
        self.driver.release(&mut batch, Departure::Lost);
        self.driver.connection.set_driver(None);
        self.server.connections.remove(self.driver.table_key);
    }
}

impl Driver {
    fn new(
        server: &Arc<Server>,
        live: &Live,
        stream: TcpStream,
        tls: Option<Box<Records>>,
        permit: Permit,
        unhandled: Vec<u8>,
    ) -> Self {
        let encrypted = tls.is_some();
        let connection = Connection::new(stream, tls, live.outbox_bytes_max);
        let protocol = Protocol::new(server.clock.now());
        Self {
            table_key: server.connections.insert(connection.clone()),
            decoder: Decoder::new(Role::Server, live.message_bytes_max),
            armed: protocol.deadline(&live.config.connection),
            cell: None,
            directory: DirectoryQueue::default(),
            timed: false,
            goodbye: None,
            wakeable: false,
            permit,
            connection,
            encrypted,
            unhandled,
            protocol,
        }
    }

    fn poll(
        &mut self,
        batch: &mut Batch<'_>,
        task: &mut TaskContext<'_>,
        timer: Pin<&mut Sleep>,
    ) -> Poll<()> {
        if !self.wakeable {
            self.connection.set_driver(Some(task.waker().clone()));
            self.wakeable = true;
        }
        let condition = self.connection.condition();
        if condition.broken {
            return Poll::Ready(());
        }
        if condition.closed {
            self.say_goodbye(batch, Departure::Lost);
        }
        if condition.backlog {
            self.poll_backlog(task);
        }
        if let Read::End = self.poll_read(batch, task) {
            return Poll::Ready(());
        }
        self.poll_directory(batch, task);
        self.poll_timer(batch, task, timer, condition)
    }

    /// Writes what waits, and asks to be woken as long as something does.
    fn poll_backlog(&self, task: &mut TaskContext<'_>) {
        while self.connection.has_backlog() {
            match self.connection.socket().poll_write_ready(task) {
                Poll::Ready(_) => self.connection.flush(),
                Poll::Pending => return,
            }
        }
    }

    /// Handles frames until the bytes or the turn are used up. Returns how many bytes are left.
    fn handle_bytes(
        &mut self,
        batch: &mut Batch<'_>,
        mut bytes: &mut [u8],
        turn: &mut Turn,
    ) -> usize {
        while !bytes.is_empty() && !turn.is_over() {
            let before = bytes.len();
            let event = self.decoder.next(&mut bytes);
            turn.spend(before - bytes.len());
            match event {
                Ok(Some(event)) => self.handle_event(batch, event),
                Ok(None) => {}
                Err(error) => self.close(batch, close_code(error.close_code())),
            }
        }
        bytes.len()
    }

    fn handle_event(&mut self, batch: &mut Batch<'_>, event: Event<'_>) {
        self.protocol.heard(batch.cx.now);
        if let Some(goodbye) = &mut self.goodbye {
            if let Event::Close(_) = event {
                goodbye.answered();
            }
            return;
        }
        match event {
            Event::Text(text) => self.handle_text(batch, &text),
            Event::Binary(_) => self.close(batch, CloseCode::Unsupported),
            Event::Ping(payload) => {
                self.protocol.answered(batch.cx.now);
                batch.host.append(&self.connection, |outbox| outbox.push_pong(&payload));
            }
            Event::Pong(_) | Event::Fragment => {}
            Event::Close(reason) => self.handle_close(batch, reason.map(|reason| reason.code)),
        }
    }

    fn handle_text(&mut self, batch: &mut Batch<'_>, text: &str) {
        let step = self.protocol.handle_text(&batch.cx, text);
        batch.host.counters.step(&step);
        let server = batch.host;
        let registry = &server.registry;
        let directory_burst = batch.cx.config.connection.directory.burst() as usize;
        let (full, request_id) = match step {
            Step::Reply(reply) => {
                self.protocol.answered(batch.cx.now);
                return self.reply(batch, reply.message, reply.reply_to);
            }
            Step::Register { registration, request_id } => {
                if let Some(cell) = &self.cell {
                    return cell.reaffirm(batch, &self.connection, request_id);
                }
                let (cell, post) =
                    registry.register(batch, &self.connection, &registration, request_id);
                self.cell = Some(cell);
                registry.run(batch, post);
                self.protocol.registered(registration.client_id, registration.dialect);
                return self.connection.deadline_moved();
            }
            Step::Ack { seq } => {
                let Some(cell) = &self.cell else { return };
                return cell.acknowledge(&self.connection, seq);
            }
            Step::Call { message, request_id } => {
                let Some(cell) = &self.cell else { return };
                let connection = &self.connection;
                let post = registry.handle_message(batch, cell, connection, message, request_id);
                return registry.run(batch, post);
            }
            Step::PkdRegister { client_id, public_key, request_id } => {
                let pushed =
                    self.directory.register(client_id, public_key, request_id, directory_burst);
                (pushed, request_id)
            }
            Step::PkdLookup { client_id, request_id } => {
                (self.directory.lookup(client_id, request_id, directory_burst), request_id)
            }
        };
        if full.is_err() {
            self.reply(batch, UNAVAILABLE, request_id);
        }
    }

    fn poll_directory(&mut self, batch: &mut Batch<'_>, task: &mut TaskContext<'_>) {
        let directory = &*batch.host.directory;
        loop {
            let replacement = match self.goodbye {
                None => self.protocol.replacement(&batch.cx),
                // Superseded, say: whoever came after it may have set a key of its own.
                Some(_) => Replacement::Refused,
            };
            let (address, new_records) = (self.permit.address(), &batch.host.new_records);
            let permit = || Permission {
                replacement,
                place: new_records.lock().take(address, batch.cx.now),
            };
            let Poll::Ready(answered) = self.directory.poll_next(directory, permit, task) else {
                return;
            };
            if answered.unused_place {
                new_records.lock().give_back(address);
            }
            if answered.took_key {
                self.protocol.key_registered();
            }
            let (message, reply_to) = answered.reply();
            self.reply(batch, message, reply_to);
        }
    }

    /// Answers a request, in the client's dialect once that is known.
    fn reply(
        &self,
        batch: &mut Batch<'_>,
        message: ServerMessage<'_>,
        reply_to: Option<Opaque<'_>>,
    ) {
        match (&self.cell, self.protocol.dialect()) {
            (Some(cell), Dialect::Two) => cell.reply(batch, &self.connection, message, reply_to),
            _ => batch.host.send(&self.connection, &Reply { reply_to, ..message.into() }),
        }
    }

    fn poll_timer(
        &mut self,
        batch: &mut Batch<'_>,
        task: &mut TaskContext<'_>,
        mut timer: Pin<&mut Sleep>,
        condition: Condition,
    ) -> Poll<()> {
        let mut look = condition.deadline_moved;
        loop {
            if let Some(goodbye) = &mut self.goodbye {
                let deaf = self.decoder.is_finished();
                if goodbye.is_over(batch.cx.now, &self.connection, deaf) {
                    return Poll::Ready(());
                }
            }
            let fired = self.poll_armed(batch, task, timer.as_mut());
            if !fired && !look {
                return Poll::Pending;
            }
            look = false;
            let next = self.handle_timeout(batch);
            if fired || next < self.armed {
                self.armed = next;
                self.timed = false;
                timer.as_mut().reset(batch.host.clock.timer(next));
            }
        }
    }

    /// Whether the timer has fired. Most wake-ups are for a message, long before it is due.
    fn poll_armed(
        &mut self,
        batch: &Batch<'_>,
        task: &mut TaskContext<'_>,
        timer: Pin<&mut Sleep>,
    ) -> bool {
        if self.timed && batch.cx.now < self.armed {
            return false;
        }
        let fired = timer.poll(task).is_ready();
        self.timed = !fired;
        fired
    }

    /// Does what the time demands; returns when to look again.
    fn handle_timeout(&mut self, batch: &mut Batch<'_>) -> Instant {
        if let Some(goodbye) = &self.goodbye {
            return goodbye.until();
        }
        match self.protocol.handle_timeout(&batch.cx) {
            Due::Nothing => {}
            Due::Ping => batch.host.append(&self.connection, Outbox::push_ping),
            Due::Close(code) => {
                self.close(batch, code);
                return self.goodbye.as_ref().map_or(batch.cx.now, Goodbye::until);
            }
        }
        let latest = self.protocol.deadline(&batch.cx.config.connection);
        let Some(cell) = &self.cell else { return latest };
        let registry = &batch.host.registry;
        let (next, post) = registry.handle_timeout(batch, cell, &self.connection, latest);
        registry.run(batch, post);
        next
    }

    /// The client closes. 1000 means that it does not come back.
    fn handle_close(&mut self, batch: &mut Batch<'_>, code: Option<u16>) {
        let normal = code == Some(CloseCode::Normal.code());
        self.say_goodbye(batch, if normal { Departure::Left } else { Departure::Lost });
        batch.host.append(&self.connection, |outbox| outbox.echo_close(code));
        batch.host.counters.closed(CloseCode::Normal, true);
        if let Some(goodbye) = &mut self.goodbye {
            goodbye.answered();
        }
    }

    fn close(&mut self, batch: &mut Batch<'_>, code: CloseCode) {
        self.connection.close(&batch.host.counters, code);
        self.say_goodbye(batch, Departure::Lost);
    }

    /// From here on the connection has no client, and ends as [`Goodbye`] says.
    fn say_goodbye(&mut self, batch: &mut Batch<'_>, departure: Departure) {
        if self.goodbye.is_none() {
            self.goodbye = Some(Goodbye::begin(batch.cx.now));
            self.release(batch, departure);
            self.connection.deadline_moved();
        }
    }

    fn release(&mut self, batch: &mut Batch<'_>, departure: Departure) {
        if let Some(cell) = self.cell.take() {
            let registry = &batch.host.registry;
            let post = registry.release(batch, &cell, &self.connection, departure);
            registry.run(batch, post);
        }
    }
}

/// The codec's close codes as ours.
fn close_code(code: u16) -> CloseCode {
    CloseCode::ALL.into_iter().find(|known| known.code() == code).unwrap_or(CloseCode::Protocol)
}
