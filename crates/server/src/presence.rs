//! Presence in this server: its connections, keepers and counters as the [`Host`] of
//! [`securecall_presence`].

use std::sync::Arc;

use securecall_core::{Config, Instant, Outcome, UnixTime};
use securecall_presence::Host;
use securecall_protocol::{CloseCode, Reply, ServerMessage};
use tokio::task::AbortHandle;

use crate::connection::flusher;
use crate::connection::outbox::Outbox;
use crate::connection::{Appended, Connection};
use crate::server::Server;

/// One client id's place.
pub(crate) type Cell = securecall_presence::Cell<Server>;

/// All cells of this server.
pub(crate) type Registry = securecall_presence::Registry<Server>;

/// One wake-up of a task. What it sends is written at the end of its worker's turn.
pub(crate) type Batch<'a> = securecall_presence::Batch<'a, Server>;

/// Begins a batch under this configuration: the time is read here, once.
pub(crate) fn begin_batch<'a>(server: &'a Arc<Server>, config: &'a Config) -> Batch<'a> {
    Batch::begin(server, server.context(config))
}

impl Host for Server {
    type Connection = Connection;
    type Keeper = AbortHandle;

    fn send(&self, connection: &Arc<Connection>, reply: &Reply<'_>) {
        if let ServerMessage::Error { code, .. } = reply.message {
            self.counters.error(code);
        }
        self.append(connection, |outbox| outbox.push(reply));
    }

    fn send_text(&self, connection: &Arc<Connection>, text: &str) {
        self.append(connection, |outbox| outbox.push_text(text));
    }

    fn close(&self, connection: &Connection, code: CloseCode) {
        connection.close(&self.counters, code);
    }

    fn is_closed(&self, connection: &Connection) -> bool {
        connection.is_closed()
    }

    fn is_behind(&self, connection: &Connection) -> bool {
        connection.is_behind()
    }

    fn deadline_moved(&self, connection: &Connection) {
        connection.deadline_moved();
    }

    fn start_keeper(self: &Arc<Self>, cell: &Arc<Cell>) -> AbortHandle {
        self.runtime.spawn(keep(self.clone(), cell.clone())).abort_handle()
    }

    fn stop_keeper(&self, keeper: AbortHandle) {
        keeper.abort();
    }

    fn is_draining(&self) -> bool {
        Server::is_draining(self)
    }

    fn server_started(&self) -> UnixTime {
        self.started
    }

    fn count_calls(&self, before: usize, after: usize) {
        self.counters.calls_changed(before, after);
    }

    fn count_mail(&self, outcome: Outcome) {
        self.counters.mail(outcome);
    }
}

/// A keeper: minds the deadlines of a session without a connection until it is over.
async fn keep(server: Arc<Server>, cell: Arc<Cell>) {
    while let Some(deadline) = keep_until(&server, &cell) {
        tokio::time::sleep_until(server.clock.timer(deadline)).await;
    }
}

fn keep_until(server: &Arc<Server>, cell: &Arc<Cell>) -> Option<Instant> {
    let live = server.live.latest();
    let mut batch = begin_batch(server, &live.config);
    let (next, post) = server.registry.handle_absence(&batch, cell);
    server.registry.run(&mut batch, post);
    next
}

impl Server {
    /// Appends to what a connection has to write, and has it written at the end of the turn.
    pub(crate) fn append(&self, connection: &Arc<Connection>, append: impl FnOnce(&mut Outbox)) {
        if connection.append(&self.counters, append) == Appended::FlushIsMine {
            flusher::flush_later(connection);
        }
    }
}
