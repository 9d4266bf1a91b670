//! SIGHUP: the settings are read again, and those that can change while the server runs take effect
//! at once.
//!
//! All or nothing: a configuration that a start would refuse changes nothing. Connections stay
//! open.

pub(crate) mod current;
pub(crate) mod live;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::signal::unix::Signal;
use tokio::task::spawn_blocking;

use self::live::Live;
use crate::data_dir::ServerKey;
use crate::directory::Embedded;
use crate::server::Server;
use crate::settings::{Loaded, SettingsError, is_live};

/// Reads the settings again, from the same sources as at the start.
pub(crate) type Load = Arc<dyn Fn() -> Result<Loaded, SettingsError> + Send + Sync>;

/// The parts of a running server that new settings are applied to.
pub(crate) struct Reach {
    pub(crate) server: Arc<Server>,
    pub(crate) server_key: ServerKey,
    pub(crate) directory: Arc<Embedded>,
    /// The bound of keys in imports.
    pub(crate) key_bytes_max: Arc<AtomicUsize>,
}

/// The settings of a running server, and the function that reads them again.
pub(crate) struct Reload {
    load: Load,
    /// The settings at the start.
    started: Loaded,
    /// The settings that were read last.
    latest: Loaded,
    reach: Reach,
}

impl Reload {
    /// Takes the settings that the server starts with, which `load` has read.
    pub(crate) fn new(load: Load, started: Loaded, reach: Reach) -> Self {
        Self { load, latest: started.clone(), started, reach }
    }

    /// Reads the settings again at each SIGHUP, forever.
    pub(crate) async fn run(mut self, mut hangup: Signal) {
        while hangup.recv().await.is_some() {
            let load = self.load.clone();
            // Reading blocks on the disk.
            match spawn_blocking(move || load()).await {
                Ok(Ok(loaded)) => self.take(loaded),
                Ok(Err(error)) => {
                    tracing::error!("SIGHUP: the settings were not changed: {error}");
                }
                Err(_) => tracing::error!("SIGHUP: the settings were not changed"),
            }
        }
    }

    fn take(&mut self, loaded: Loaded) {
        let changed: Vec<_> =
            loaded.differences(&self.latest).into_iter().filter(|key| is_live(key)).collect();
        self.reach.apply(&loaded);
        for warning in &loaded.warnings {
            tracing::warn!("{warning}");
        }
        if changed.is_empty() {
            tracing::info!("SIGHUP: the settings were read again, nothing has changed");
        } else {
            tracing::info!("SIGHUP: changed: {}", changed.join(", "));
        }
        if changed.iter().any(|key| key.starts_with("proxy.")) {
            self.reach.server.live.latest().proxies.announce();
        }
        let settled: Vec<_> =
            loaded.differences(&self.started).into_iter().filter(|key| !is_live(key)).collect();
        if !settled.is_empty() {
            tracing::warn!("SIGHUP: changed only by a restart: {}", settled.join(", "));
        }
        self.latest = loaded;
    }
}

impl Reach {
    fn apply(&self, loaded: &Loaded) {
        let settings = &loaded.settings;
        self.key_bytes_max.store(settings.directory.key_bytes_max, Ordering::Relaxed);
        self.directory.set_records_max(settings.directory.records_max);
        self.directory.set_reset_delay(*settings.identity.reset_delay);
        self.server.reload(settings, Live::new(settings, &self.server_key));
    }
}
