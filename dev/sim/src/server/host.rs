//! The host of the server's presence code: connections are lists of events, keepers run on the
//! simulator's clock.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use securecall_core::{Instant, Outcome, UnixTime};
use securecall_presence::Host;
use securecall_protocol::{CloseCode, Reply};

use super::Cell;
use crate::event::Event;
use crate::mutation::Mutation;
use crate::network::LinkId;

/// A keeper's number; never used twice.
pub(crate) type KeeperId = u64;

/// A connection as presence sees it.
#[derive(Debug)]
pub(crate) struct Connection {
    link: AtomicU64,
    /// The client of this connection, for the trace.
    pub(super) client: String,
    closed: AtomicBool,
    /// The session has a deadline that the driver does not know.
    deadline_moved: AtomicBool,
}

impl Connection {
    pub(super) fn new(link: LinkId, client: &str) -> Arc<Self> {
        Arc::new(Self {
            link: link.into(),
            client: client.to_string(),
            closed: false.into(),
            deadline_moved: false.into(),
        })
    }

    pub(super) fn link(&self) -> LinkId {
        self.link.load(Ordering::Relaxed)
    }

    /// Makes it another connection, without notice. For faults.
    pub(super) fn become_link(&self, link: LinkId) {
        self.link.store(link, Ordering::Relaxed);
    }

    /// Marks it closed. Returns true if it was open.
    pub(super) fn close(&self) -> bool {
        !self.closed.swap(true, Ordering::Relaxed)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    pub(super) fn has_moved_deadline(&self) -> bool {
        self.deadline_moved.load(Ordering::Relaxed)
    }

    pub(super) fn take_moved_deadline(&self) -> bool {
        self.deadline_moved.swap(false, Ordering::Relaxed)
    }
}

/// The keeper of a session without a connection: it handles the deadlines.
#[derive(Clone)]
pub(super) struct Keeper {
    pub(super) cell: Arc<Cell>,
    /// The time of its next check.
    pub(super) deadline: Instant,
}

/// One server process.
pub(crate) struct SimHost {
    started: UnixTime,
    mutation: Mutation,
    world: Mutex<Surroundings>,
}

#[derive(Default)]
struct Surroundings {
    events: Vec<Event>,
    keepers: BTreeMap<KeeperId, Keeper>,
    keepers_ever: KeeperId,
    sent_ever: u64,
    now: Option<UnixTime>,
    calls: i64,
}

impl SimHost {
    pub(super) fn start(started: UnixTime, mutation: Mutation) -> Arc<Self> {
        Arc::new(Self { started, mutation, world: Mutex::default() })
    }

    fn world(&self) -> MutexGuard<'_, Surroundings> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes the wall clock. For faults.
    pub(super) fn note_time(&self, now: UnixTime) {
        self.world().now = Some(now);
    }

    pub(super) fn push(&self, event: Event) {
        self.world().events.push(event);
    }

    pub(super) fn take_events(&self) -> Vec<Event> {
        std::mem::take(&mut self.world().events)
    }

    /// The number of calls in all sessions, as presence counted them.
    pub(super) fn calls(&self) -> i64 {
        self.world().calls
    }

    pub(super) fn keepers(&self) -> Vec<(KeeperId, Keeper)> {
        self.world().keepers.iter().map(|(id, keeper)| (*id, keeper.clone())).collect()
    }

    pub(super) fn keeper(&self, id: KeeperId) -> Option<Keeper> {
        self.world().keepers.get(&id).cloned()
    }

    /// Sets the next deadline of a keeper; `None` ends it.
    pub(super) fn set_keeper(&self, id: KeeperId, next: Option<Instant>) {
        let mut world = self.world();
        match (next, world.keepers.get_mut(&id)) {
            (Some(next), Some(keeper)) => keeper.deadline = next,
            (None, _) => _ = world.keepers.remove(&id),
            (Some(_), None) => {}
        }
    }

    /// Sends a text on a connection, unless that is closed.
    fn send_out(&self, connection: &Connection, text: String) {
        if connection.is_closed() {
            return;
        }
        let mut world = self.world();
        world.sent_ever += 1;
        let nth = world.sent_ever;
        for text in self.mutation.mutate_sent(text, nth) {
            let (link, client) = (connection.link(), connection.client.clone());
            world.events.push(Event::Sent { link, client, text });
        }
    }
}

impl Host for SimHost {
    type Connection = Connection;
    type Keeper = KeeperId;

    fn send(&self, connection: &Arc<Connection>, reply: &Reply<'_>) {
        let mut text = String::new();
        reply.encode(&mut text);
        self.send_out(connection, text);
    }

    fn send_text(&self, connection: &Arc<Connection>, text: &str) {
        self.send_out(connection, text.to_string());
    }

    fn close(&self, connection: &Connection, code: CloseCode) {
        let ignored = code == CloseCode::Superseded && self.mutation == Mutation::ServeSuperseded;
        if !ignored && connection.close() {
            self.push(Event::Closed { link: connection.link(), code: code.code() });
        }
    }

    fn is_closed(&self, connection: &Connection) -> bool {
        connection.is_closed()
    }

    fn is_behind(&self, _: &Connection) -> bool {
        false
    }

    fn deadline_moved(&self, connection: &Connection) {
        connection.deadline_moved.store(true, Ordering::Relaxed);
    }

    fn start_keeper(self: &Arc<Self>, cell: &Arc<Cell>) -> KeeperId {
        let mut world = self.world();
        world.keepers_ever += 1;
        let id = world.keepers_ever;
        // It checks as soon as it runs.
        let keeper = Keeper { cell: cell.clone(), deadline: Instant::from_millis(0) };
        world.keepers.insert(id, keeper);
        id
    }

    fn stop_keeper(&self, keeper: KeeperId) {
        self.world().keepers.remove(&keeper);
    }

    fn is_draining(&self) -> bool {
        false
    }

    fn server_started(&self) -> UnixTime {
        match (self.mutation, self.world().now) {
            (Mutation::ForgetServerStart, Some(now)) => now,
            _ => self.started,
        }
    }

    fn count_calls(&self, before: usize, after: usize) {
        self.world().calls += after as i64 - before as i64;
    }

    fn count_mail(&self, _: Outcome) {}
}
