//! What all parts of a running server share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use securecall_core::{Admission, Config, Context, NewRecords, Nonce, UnixTime};
use securecall_websocket::HeadLimits;
use slab::Slab;
use tokio::runtime::Handle;

use crate::client_address::Proxies;
use crate::clock::Clock;
use crate::connection::Connection;
use crate::counters::Counters;
use crate::directory::Directory;
use crate::presence::Registry;
use crate::settings::Settings;
use crate::tls::Tls;

/// A running server.
pub(crate) struct Server {
    pub(crate) clock: Clock,
    pub(crate) config: Config,
    pub(crate) message_bytes_max: u32,
    pub(crate) outbox_bytes_max: usize,
    pub(crate) request_timeout: std::time::Duration,
    pub(crate) head_limits: HeadLimits,
    pub(crate) proxies: Proxies,
    pub(crate) admission: Mutex<Admission>,
    pub(crate) new_records: Mutex<NewRecords>,
    pub(crate) connections: Connections,
    pub(crate) registry: Registry,
    /// Calls born before this can have been forgotten.
    pub(crate) started: UnixTime,
    pub(crate) directory: Arc<dyn Directory>,
    pub(crate) counters: Counters,
    /// None: connections are plain.
    pub(crate) tls: Option<Tls>,
    draining: AtomicBool,
    /// Where keepers run.
    pub(crate) runtime: Handle,
}

impl Server {
    pub(crate) fn new(
        settings: &Settings,
        config: Config,
        directory: Arc<dyn Directory>,
        tls: Option<Tls>,
        runtime: Handle,
    ) -> Self {
        let clock = Clock::start();
        Self {
            clock,
            config,
            message_bytes_max: settings.limits.message_bytes_max as u32,
            outbox_bytes_max: settings.limits.outbox_bytes_max,
            request_timeout: *settings.limits.request_timeout,
            head_limits: settings.head_limits(),
            proxies: Proxies::new(&settings.proxy),
            admission: Mutex::new(Admission::new(settings.admission_limits())),
            new_records: Mutex::new(NewRecords::new(settings.limits.new_keys.into())),
            connections: Connections::default(),
            registry: Registry::default(),
            started: clock.unix(),
            directory,
            counters: Counters::new(settings.workers.count()),
            tls,
            draining: AtomicBool::new(false),
            runtime,
        }
    }

    /// The world as a decision made now sees it.
    pub(crate) fn context(&self) -> Context<'_> {
        Context {
            now: self.clock.now(),
            unix: self.clock.unix(),
            config: &self.config,
            nonce: &fresh_nonce,
        }
    }

    /// Lets nobody in from here on.
    pub(crate) fn begin_draining(&self) {
        self.draining.store(true, Ordering::Release);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }
}

fn fresh_nonce() -> Nonce {
    rand::random()
}

/// All open connections, to close them when the server drains.
#[derive(Debug, Default)]
pub(crate) struct Connections(Mutex<Slab<Arc<Connection>>>);

impl Connections {
    pub(crate) fn insert(&self, connection: Arc<Connection>) -> usize {
        self.0.lock().insert(connection)
    }

    pub(crate) fn remove(&self, key: usize) {
        self.0.lock().try_remove(key);
    }

    pub(crate) fn count(&self) -> usize {
        self.0.lock().len()
    }

    /// They do not keep a connection's socket open.
    pub(crate) fn all(&self) -> Vec<Weak<Connection>> {
        self.0.lock().iter().map(|(_, connection)| Arc::downgrade(connection)).collect()
    }
}
