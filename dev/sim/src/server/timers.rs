//! Deadlines: those that drivers watch, of a connection and its session, and those that keepers
//! watch.

use std::sync::Arc;
use std::time::Duration;

use securecall_core::{Departure, Due, Instant, Session};

use super::host::{Keeper, KeeperId};
use super::{Cell, Driver, Server, Thread};
use crate::event::Event;
use crate::mutation::Mutation;
use crate::network::LinkId;

/// The lead of [`Mutation::HurryDeadlines`].
const HURRY: Duration = Duration::from_secs(1);

/// A timer that has fired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Timer {
    Keeper(KeeperId),
    Driver(LinkId),
}

impl Server {
    /// The timers that have fired.
    pub(crate) fn due(&self) -> Vec<Timer> {
        let keepers = self.host.keepers().into_iter().filter(|(id, keeper)| {
            self.is_watched(keeper)
                && (keeper.deadline <= self.environment.now || self.is_due(&keeper.cell))
                && !self.is_busy(Thread::Keeper(*id))
        });
        let drivers = self.drivers.iter().filter(|(link, driver)| {
            self.is_driver_due(driver) && !self.is_busy(Thread::Driver(**link))
        });
        let keepers = keepers.map(|(id, _)| Timer::Keeper(id));
        keepers.chain(drivers.map(|(link, _)| Timer::Driver(*link))).collect()
    }

    /// The next deadline.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let keepers = self.host.keepers().into_iter().map(|(_, keeper)| keeper);
        let keepers =
            keepers.filter(|keeper| self.is_watched(keeper)).map(|keeper| keeper.deadline);
        let open = self.drivers.values().filter(|driver| !driver.connection.is_closed());
        keepers.chain(open.map(|driver| driver.armed)).min()
    }

    /// Handles a timer. Returns a connection that is to be pinged.
    pub(crate) fn fire(&mut self, timer: Timer) -> Option<LinkId> {
        match timer {
            Timer::Keeper(id) => {
                self.fire_keeper(id);
                None
            }
            Timer::Driver(link) => self.fire_driver(link),
        }
    }

    fn fire_keeper(&mut self, id: KeeperId) {
        let Some(Keeper { cell, .. }) = self.host.keeper(id) else { return };
        self.note_due(&cell);
        let mut next = None;
        self.input(Thread::Keeper(id), self.hurry(), |registry, batch| {
            let (until, post) = registry.handle_absence(batch, &cell);
            next = until;
            post.into_owned()
        });
        self.host.set_keeper(id, next);
    }

    fn fire_driver(&mut self, link: LinkId) -> Option<LinkId> {
        let driver = self.drivers.get_mut(&link)?;
        if driver.connection.is_closed() {
            self.release(link, Departure::Lost);
            return None;
        }
        driver.connection.take_moved_deadline();
        let pinged = match self.environment.with(|cx| driver.protocol.handle_timeout(cx)) {
            Due::Nothing => None,
            Due::Ping => Some(link),
            Due::Close(code) => {
                self.close(link, code);
                return None;
            }
        };
        let latest = driver.protocol.deadline(&self.environment.config.connection);
        let (cell, connection) = (driver.cell.clone(), driver.connection.clone());
        let mut next = latest;
        if let Some(cell) = cell.filter(|_| self.mutation != Mutation::SkipDeadlines) {
            self.note_due(&cell);
            self.input(Thread::Driver(link), self.hurry(), |registry, batch| {
                let (until, post) = registry.handle_timeout(batch, &cell, &connection, latest);
                next = until;
                post.into_owned()
            });
        }
        if let Some(driver) = self.drivers.get_mut(&link) {
            driver.armed = next;
        }
        pinged
    }

    fn is_driver_due(&self, driver: &Driver) -> bool {
        let Driver { connection, cell, armed, .. } = driver;
        if connection.is_closed() {
            // The close has woken the driver.
            return cell.is_some();
        }
        let session_is_due = || cell.as_ref().is_some_and(|cell| self.is_due(cell));
        connection.has_moved_deadline()
            || *armed <= self.environment.now
            || (self.mutation == Mutation::HurryDeadlines && session_is_due())
    }

    /// Reports to the model that a session handles its deadlines.
    fn note_due(&self, cell: &Arc<Cell>) {
        if self.is_due(cell) {
            let client = cell.client_id().as_str().to_string();
            self.host.push(Event::TimedOut { client });
        }
    }

    fn is_due(&self, cell: &Arc<Cell>) -> bool {
        let now = self.environment.now + self.hurry();
        cell.inspect(Session::deadline).is_some_and(|deadline| deadline <= now)
    }

    fn hurry(&self) -> Duration {
        let hurries = self.mutation == Mutation::HurryDeadlines;
        if hurries { HURRY } else { Duration::ZERO }
    }

    /// Returns true if the keeper runs.
    fn is_watched(&self, keeper: &Keeper) -> bool {
        self.mutation != Mutation::LeakSessions || keeper.cell.inspect(Session::calls) > 0
    }
}
