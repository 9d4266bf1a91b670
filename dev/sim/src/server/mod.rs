//! One server process after the other: the server's own presence code, without sockets and threads.
//!
//! Connections are read by drivers; a driver that has mail under way reads no further, as a task
//! that delivers does not. A [`Post`](securecall_presence::Post) is dealt with one step at a time,
//! and between any two steps of one, all other posts, drivers and keepers may do anything: these are
//! the interleavings of threads, since a thread holds no lock between two steps.

mod connections;
mod host;
mod post;
mod timers;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use securecall_core::{Connection as Protocol, Context, Departure, Instant, Session, UnixTime};
use securecall_presence::{OwnedPost, Registry};
use securecall_protocol::ClientId;

pub(crate) use self::host::SimHost;
use self::host::{Connection, KeeperId};
use self::post::UnderWay;
use crate::environment::{Environment, call_id_key};
use crate::event::Event;
use crate::mutation::Mutation;
use crate::network::LinkId;

type Cell = securecall_presence::Cell<SimHost>;
type Batch<'a> = securecall_presence::Batch<'a, SimHost>;

/// One server process after the other.
pub(crate) struct Server {
    pub(crate) environment: Environment,
    started: UnixTime,
    host: Arc<SimHost>,
    registry: Registry<SimHost>,
    drivers: BTreeMap<LinkId, Driver>,
    posts: Vec<UnderWay>,
    posts_ever: u64,
    /// The connection of each client, and the cells, as presence should have them.
    attached: BTreeMap<ClientId, LinkId>,
    cells: BTreeMap<ClientId, Arc<Cell>>,
    /// The resume token of each client. For faults: the server itself keeps it in the session.
    tokens: BTreeMap<String, String>,
    mutation: Mutation,
}

/// The driver of a connection.
struct Driver {
    connection: Arc<Connection>,
    protocol: Protocol,
    cell: Option<Arc<Cell>>,
    /// The time at which its timer fires.
    armed: Instant,
}

/// The thread that delivers a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Thread {
    Driver(LinkId),
    Keeper(KeeperId),
    /// A driver that has ended.
    Ended,
}

impl Server {
    pub(crate) fn start(mut environment: Environment, mutation: Mutation) -> Self {
        mutation.mutate_limits(&mut environment.config.calls);
        let started = environment.unix();
        Self {
            environment,
            started,
            host: SimHost::start(started, mutation),
            registry: Registry::default(),
            drivers: BTreeMap::new(),
            posts: Vec::new(),
            posts_ever: 0,
            attached: BTreeMap::new(),
            cells: BTreeMap::new(),
            tokens: BTreeMap::new(),
            mutation,
        }
    }

    /// kill -9, and a new process a moment later.
    pub(crate) fn restart(&mut self) {
        let events = self.host.take_events();
        self.environment.pass(Duration::from_millis(1));
        self.started = self.environment.unix();
        self.environment.pass(Duration::from_millis(1));
        if self.mutation == Mutation::LoseTheKey {
            self.environment.config.call_ids = call_id_key(8);
        }
        self.registry = Registry::default();
        self.host = SimHost::start(self.started, self.mutation);
        self.drivers.clear();
        self.posts.clear();
        self.attached.clear();
        self.cells.clear();
        events.into_iter().for_each(|event| self.host.push(event));
        self.host.push(Event::Restarted { started: self.started });
    }

    /// Sets the wall clock forward, or back.
    pub(crate) fn set_clock(&mut self, millis: i64) {
        self.environment.epoch_millis = self.environment.epoch_millis.saturating_add_signed(millis);
        self.host.push(Event::ClockSet { now: self.environment.unix() });
    }

    /// Takes the events since the last call.
    pub(crate) fn take_events(&mut self) -> Vec<Event> {
        self.host.take_events()
    }

    /// Looks at each session.
    pub(crate) fn for_each_session(&self, mut look: impl FnMut(&Session)) {
        self.registry.cells().iter().for_each(|cell| cell.inspect(&mut look));
    }

    /// The number of sessions.
    pub(crate) fn sessions(&self) -> usize {
        self.registry.sessions()
    }

    /// The number of calls in all sessions, as presence counted them.
    pub(crate) fn counted_calls(&self) -> i64 {
        self.host.calls()
    }

    /// Returns true if a client's session has a record of a call.
    pub(crate) fn has_record(&self, client: &str, call: &str) -> bool {
        let cell = ClientId::try_from(client).ok().and_then(|id| self.registry.find(&id));
        let knows = |session: &Session| session.call_ids().any(|id| id == call);
        cell.is_some_and(|cell| cell.inspect(knows))
    }

    /// Returns true if no mail is in flight.
    pub(crate) fn is_quiet(&self) -> bool {
        self.posts.is_empty()
    }

    /// Returns true if the connection's driver would read a frame now. The driver of a superseded
    /// connection may not know that yet, and reads earlier frames.
    pub(crate) fn is_reading(&self, link: LinkId) -> bool {
        let Some(driver) = self.drivers.get(&link) else { return false };
        let superseded = || driver.cell.as_ref().is_some_and(|cell| !self.is_attached(link, cell));
        let reads = !driver.connection.is_closed() || superseded();
        reads && !self.is_busy(Thread::Driver(link))
    }

    /// Returns true if the connection is to be torn down.
    pub(crate) fn is_closing(&self, link: LinkId) -> bool {
        self.drivers.get(&link).is_none_or(|driver| {
            driver.connection.is_closed() && !self.is_busy(Thread::Driver(link))
        })
    }

    fn is_busy(&self, thread: Thread) -> bool {
        self.posts.iter().any(|post| post.thread == thread)
    }

    /// Gives presence one input, with the clock ahead by `hurried`, and notes the changes.
    fn input(
        &mut self,
        thread: Thread,
        hurried: Duration,
        input: impl FnOnce(&Registry<SimHost>, &mut Batch<'_>) -> OwnedPost<SimHost>,
    ) {
        let (registry, host) = (&self.registry, &self.host);
        host.note_time(self.environment.unix());
        let post = self.environment.with(|cx| {
            let cx = Context { now: cx.now + hurried, ..*cx };
            input(registry, &mut Batch::begin(host, cx))
        });
        self.put_under_way(thread, post);
        self.note_cells();
    }

    /// Notes changes of the cells and of their connections as events.
    fn note_cells(&mut self) {
        let mut changed = self.registry.sessions() != self.cells.len();
        for (client, cell) in &self.cells {
            let name = || client.as_str().to_string();
            if cell.connection().is_none()
                && let Some(link) = self.attached.remove(client)
            {
                let departure = Departure::Lost;
                self.host.push(Event::Detached { link, client: name(), departure });
            }
            if !self.registry.find(client).is_some_and(|now| Arc::ptr_eq(&now, cell)) {
                self.host.push(Event::Forgotten { client: name() });
                changed = true;
            }
        }
        if changed {
            let cells = self.registry.cells().into_iter();
            self.cells = cells.map(|cell| (cell.client_id().clone(), cell)).collect();
        }
    }
}
