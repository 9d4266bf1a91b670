//! Deadlines of sessions and of connections.

use std::time::Duration;

use securecall_core::{Due, Instant};
use securecall_protocol::ClientId;

use super::{Cell, Server};
use crate::event::Event;
use crate::mutation::Mutation;
use crate::network::LinkId;

/// How much too early [`Mutation::HurryDeadlines`] is.
const HURRY: Duration = Duration::from_secs(1);

/// A deadline that has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Timer {
    Session(ClientId),
    Connection(LinkId),
}

impl Server {
    /// The deadlines that have come.
    pub(crate) fn due(&self) -> Vec<Timer> {
        let now = self.nature.now;
        let sessions = self.cells.iter().filter(|(_, cell)| self.is_due(cell, now));
        let limits = &self.nature.config.connection;
        let drivers = self.drivers.iter().filter(|(_, driver)| {
            !driver.closing && driver.under_way == 0 && driver.connection.deadline(limits) <= now
        });
        let sessions = sessions.map(|(client, _)| Timer::Session(client.clone()));
        sessions.chain(drivers.map(|(link, _)| Timer::Connection(*link))).collect()
    }

    /// The next deadline.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let cells = self.cells.values().filter(|cell| self.is_watched(cell));
        let sessions = cells.filter_map(|cell| cell.session.deadline());
        let limits = &self.nature.config.connection;
        let open = self.drivers.values().filter(|driver| !driver.closing);
        sessions.chain(open.map(|driver| driver.connection.deadline(limits))).min()
    }

    /// A deadline that has come is dealt with. Returns a connection that is to be pinged.
    pub(crate) fn fire(&mut self, timer: Timer) -> Option<LinkId> {
        match timer {
            Timer::Session(client) => {
                self.fire_session(&client);
                None
            }
            Timer::Connection(link) => self.fire_connection(link),
        }
    }

    fn fire_session(&mut self, client: &ClientId) {
        let Some(cell) = self.cells.get_mut(client) else { return };
        self.events.push(Event::TimedOut { client: client.as_str().to_string() });
        let now = self.nature.now;
        if self.mutation == Mutation::HurryDeadlines {
            self.nature.pass(HURRY);
        }
        let outputs = self.nature.with(|cx| cell.session.handle_timeout(cx));
        self.nature.now = now;
        self.carry_out(client, None, outputs);
        self.drop_if_over(client);
    }

    fn fire_connection(&mut self, link: LinkId) -> Option<LinkId> {
        let driver = self.drivers.get_mut(&link)?;
        match self.nature.with(|cx| driver.connection.handle_timeout(cx)) {
            Due::Nothing => None,
            Due::Ping => Some(link),
            Due::Close(code) => {
                self.close(link, code);
                None
            }
        }
    }

    fn is_due(&self, cell: &Cell, now: Instant) -> bool {
        let hurries = self.mutation == Mutation::HurryDeadlines;
        let now = if hurries { now + HURRY } else { now };
        self.is_watched(cell) && cell.session.deadline().is_some_and(|deadline| deadline <= now)
    }

    /// Whether anybody looks at its deadlines.
    fn is_watched(&self, cell: &Cell) -> bool {
        match self.mutation {
            Mutation::ForgetDeadlines => cell.attached.is_none(),
            Mutation::KeepSessions => !cell.session.is_over(),
            _ => true,
        }
    }
}
