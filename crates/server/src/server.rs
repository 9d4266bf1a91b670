//! The state that all parts of a running server share.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use securecall_core::{Admission, Config, Context, NewRecords, Nonce, UnixTime};
use slab::Slab;
use tokio::runtime::Handle;

use crate::admission::refused::Refused;
use crate::clock::Clock;
use crate::connection::Connection;
use crate::directory::Directory;
use crate::presence::Registry;
use crate::reload::current::Current;
use crate::reload::live::Live;
use crate::settings::Settings;
use crate::telemetry::counters::Counters;
use crate::tls::Tls;

/// A running server.
pub(crate) struct Server {
    pub(crate) clock: Clock,
    pub(crate) live: Current<Live>,
    pub(crate) admission: Mutex<Admission>,
    pub(crate) new_records: Mutex<NewRecords>,
    pub(crate) connections: Connections,
    pub(crate) registry: Registry,
    /// Calls that began before this may be unknown to their sessions.
    pub(crate) started: UnixTime,
    pub(crate) directory: Arc<dyn Directory>,
    pub(crate) counters: Counters,
    /// `None` if connections are plain.
    pub(crate) tls: Option<Tls>,
    draining: AtomicBool,
    /// The event loop on which keepers run.
    pub(crate) runtime: Handle,
}

impl Server {
    pub(crate) fn new(
        settings: &Settings,
        live: Live,
        directory: Arc<dyn Directory>,
        tls: Option<Tls>,
        runtime: Handle,
    ) -> Self {
        let clock = Clock::start();
        Self {
            clock,
            live: Current::new(live),
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

    /// Returns the context for a decision now, under this configuration.
    pub(crate) fn context<'a>(&self, config: &'a Config) -> Context<'a> {
        Context { now: self.clock.now(), unix: self.clock.unix(), config, nonce: &fresh_nonce }
    }

    /// Admits a client to its TLS handshake. Without TLS there is nothing to check.
    ///
    /// # Errors
    /// The address starts handshakes too fast.
    pub(crate) fn admit_handshake(&self, client: IpAddr) -> Result<(), Refused> {
        if self.tls.is_none() {
            return Ok(());
        }
        let admitted = self.admission.lock().admit_handshake(client.into(), self.clock.now());
        admitted.map_err(|_| Refused::HandshakesTooFast)
    }

    /// Applies new settings. Connections stay open, even beyond a bound that is lower now.
    pub(crate) fn reload(&self, settings: &Settings, live: Live) {
        self.admission.lock().set_limits(settings.admission_limits());
        self.new_records.lock().set_rate(settings.limits.new_keys.into());
        self.live.replace(live);
    }

    /// Refuses all new clients from now on.
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

/// All open connections, to be closed when the server drains.
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

    /// Returns weak references, which do not keep sockets open.
    pub(crate) fn all(&self) -> Vec<Weak<Connection>> {
        self.0.lock().iter().map(|(_, connection)| Arc::downgrade(connection)).collect()
    }
}
