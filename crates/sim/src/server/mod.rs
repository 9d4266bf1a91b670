//! The shell: what the real server does around the core, without sockets and threads.
//!
//! Connections are read by drivers; a driver that has mail under way reads no further, as a task
//! that delivers does not. Between any two steps of one driver, all the others may do anything.

mod connections;
mod post;
mod timers;

use std::collections::BTreeMap;
use std::time::Duration;

use securecall_core::{Connection, Session, UnixTime};
use securecall_protocol::ClientId;

use crate::event::Event;
use crate::letter::Post;
use crate::mutation::Mutation;
use crate::nature::{Nature, call_id_key};
use crate::network::LinkId;

/// One server process after the other.
pub(crate) struct Server {
    pub(crate) nature: Nature,
    started: UnixTime,
    cells: BTreeMap<ClientId, Cell>,
    drivers: BTreeMap<LinkId, Driver>,
    post: Post,
    events: Vec<Event>,
    sessions_ever: u64,
    sent_ever: u64,
    mutation: Mutation,
}

/// One client id's place.
struct Cell {
    session: Session,
    serial: u64,
    attached: Option<LinkId>,
    /// What resumes it. For faults: the shell need not know.
    token: Option<String>,
}

/// What looks after a connection.
struct Driver {
    connection: Connection,
    client: Option<ClientId>,
    /// Letters that it has sent and that are not dealt with.
    under_way: usize,
    closing: bool,
}

impl Server {
    pub(crate) fn start(mut nature: Nature, mutation: Mutation) -> Self {
        mutation.mutate_limits(&mut nature.config.calls);
        let started = nature.unix();
        Self {
            nature,
            started,
            cells: BTreeMap::new(),
            drivers: BTreeMap::new(),
            post: Post::default(),
            events: Vec::new(),
            sessions_ever: 0,
            sent_ever: 0,
            mutation,
        }
    }

    /// kill -9, and a new process a moment later.
    pub(crate) fn restart(&mut self) {
        self.cells.clear();
        self.drivers.clear();
        self.post = Post::default();
        self.nature.pass(Duration::from_millis(1));
        self.started = self.nature.unix();
        self.nature.pass(Duration::from_millis(1));
        if self.mutation == Mutation::LoseTheKey {
            self.nature.config.call_ids = call_id_key(8);
        }
        self.events.push(Event::Restarted { started: self.started });
    }

    /// Somebody sets the wall clock forward, or back.
    pub(crate) fn set_clock(&mut self, millis: i64) {
        self.nature.epoch_millis = self.nature.epoch_millis.saturating_add_signed(millis);
        self.events.push(Event::ClockSet { now: self.nature.unix() });
    }

    /// What happened since it was asked last.
    pub(crate) fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    pub(crate) fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.cells.values().map(|cell| &cell.session)
    }

    /// Whether a client's session has a record of a call.
    pub(crate) fn has_record(&self, client: &str, call: &str) -> bool {
        self.cells.get(client).is_some_and(|cell| cell.session.call_ids().any(|id| id == call))
    }

    /// Whether nothing is under way.
    pub(crate) fn is_quiet(&self) -> bool {
        self.post.is_empty()
    }

    /// Whether the connection's driver would read a frame now.
    pub(crate) fn is_reading(&self, link: LinkId) -> bool {
        self.drivers.get(&link).is_some_and(|driver| driver.under_way == 0 && !driver.closing)
    }

    /// Whether the connection is to be torn down.
    pub(crate) fn is_closing(&self, link: LinkId) -> bool {
        self.drivers.get(&link).is_none_or(|driver| driver.under_way == 0 && driver.closing)
    }
}
