//! The settings that can change while the server runs.

use std::time::Duration;

use securecall_core::Config;
use securecall_websocket::HeadLimits;

use crate::admission::client_address::Proxies;
use crate::data_dir::ServerKey;
use crate::settings::{self, Settings};

/// The settings that SIGHUP exchanges, all at once. A request keeps those that it began with; a
/// connection uses the latest, except for the sizes of its buffers.
pub(crate) struct Live {
    pub(crate) config: Config,
    pub(crate) message_bytes_max: u32,
    pub(crate) outbox_bytes_max: usize,
    pub(crate) request_timeout: Duration,
    pub(crate) head_limits: HeadLimits,
    pub(crate) proxies: Proxies,
    pub(crate) drain: settings::Drain,
}

impl Live {
    pub(crate) fn new(settings: &Settings, server_key: &ServerKey) -> Self {
        Self {
            config: settings.core_config(server_key.expose()),
            message_bytes_max: settings.limits.message_bytes_max as u32,
            outbox_bytes_max: settings.limits.outbox_bytes_max,
            request_timeout: *settings.limits.request_timeout,
            head_limits: settings.head_limits(),
            proxies: Proxies::new(&settings.proxy),
            drain: settings.drain.clone(),
        }
    }
}
