//! One turn of work.

use std::sync::Arc;

use securecall_core::{Config, Context};
use securecall_protocol::{ClientId, Reply, ServerMessage};

use crate::cell::Cell;
use crate::connection::{Appended, Connection};
use crate::flusher;
use crate::outbox::Outbox;
use crate::server::Server;

/// What one wake-up of a task has to work with: the server and the time. What it sends is written
/// at the end of its worker's turn.
pub(crate) struct Batch<'a> {
    pub(crate) server: &'a Arc<Server>,
    pub(crate) cx: Context<'a>,
    /// Where the last letter went: mostly, the next goes there too.
    pub(crate) last_peer: Option<(ClientId, Arc<Cell>)>,
}

impl<'a> Batch<'a> {
    /// Begins a turn: the time is read here, once.
    pub(crate) fn begin(server: &'a Arc<Server>, config: &'a Config) -> Self {
        Self { server, cx: server.context(config), last_peer: None }
    }

    pub(crate) fn send(&mut self, connection: &Arc<Connection>, reply: &Reply<'_>) {
        if let ServerMessage::Error { code, .. } = reply.message {
            self.server.counters.error(code);
        }
        self.append(connection, |outbox| outbox.push(reply));
    }

    pub(crate) fn send_text(&mut self, connection: &Arc<Connection>, text: &str) {
        self.append(connection, |outbox| outbox.push_text(text));
    }

    pub(crate) fn ping(&mut self, connection: &Arc<Connection>) {
        self.append(connection, Outbox::push_ping);
    }

    pub(crate) fn pong(&mut self, connection: &Arc<Connection>, payload: &[u8]) {
        self.append(connection, |outbox| outbox.push_pong(payload));
    }

    pub(crate) fn echo_close(&mut self, connection: &Arc<Connection>, code: Option<u16>) {
        self.append(connection, |outbox| outbox.echo_close(code));
    }

    fn append(&mut self, connection: &Arc<Connection>, append: impl FnOnce(&mut Outbox)) {
        let appended = connection.append(&self.server.counters, append);
        if appended == Appended::FlushIsMine {
            flusher::flush_later(connection);
        }
    }
}
