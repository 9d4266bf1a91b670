//! Time, configuration and randomness, as the server meets them.

use std::cell::Cell;
use std::time::Duration;

use securecall_core::directory::ReplacePolicy;
use securecall_core::{
    CallIdKey, CallLimits, Config, ConnectionLimits, Context, Instant, Nonce, Rate, UnixTime,
};

/// 2026-01-01, when every run begins.
const EPOCH_MILLIS: u64 = 1_767_225_600_000;

/// The world around every decision.
pub(crate) struct Nature {
    pub(crate) now: Instant,
    pub(crate) config: Config,
    nonces: Cell<u64>,
}

impl Nature {
    pub(crate) fn new(calls: CallLimits) -> Self {
        let config = Config {
            calls,
            connection: connection_limits(),
            call_ids: call_id_key(7),
            turn: None,
            replace_key: ReplacePolicy::Owner,
            key_bytes_max: 4_096,
        };
        Self { now: Instant::from_millis(1_000), config, nonces: Cell::new(0) }
    }

    pub(crate) fn unix(&self) -> UnixTime {
        UnixTime::from_millis(EPOCH_MILLIS + self.now.as_millis())
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        self.now = self.now + time;
    }

    /// Lets the core decide something, now.
    pub(crate) fn with<R>(&self, decide: impl FnOnce(&Context<'_>) -> R) -> R {
        let nonce = || self.draw_nonce();
        let cx = Context { now: self.now, unix: self.unix(), config: &self.config, nonce: &nonce };
        decide(&cx)
    }

    fn draw_nonce(&self) -> Nonce {
        self.nonces.set(self.nonces.get() + 1);
        let mut nonce = Nonce::default();
        nonce[..8].copy_from_slice(&self.nonces.get().to_be_bytes());
        nonce
    }
}

pub(crate) fn call_id_key(byte: u8) -> CallIdKey {
    CallIdKey::new(&[byte; 32])
}

/// The defaults of the server, but for the rates: a client of the simulator lives fast.
fn connection_limits() -> ConnectionLimits {
    let generous = Rate::new(50, 20.0);
    ConnectionLimits {
        register_timeout: Duration::from_secs(60),
        ping_after: Duration::from_secs(25),
        silence_timeout: Duration::from_secs(60),
        calls: generous,
        candidates: generous,
        directory: generous,
        other: generous,
    }
}
