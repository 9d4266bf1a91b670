//! The environment of the server: time, configuration and randomness.

use std::cell::Cell;
use std::time::Duration;

use securecall_core::directory::ReplacePolicy;
use securecall_core::{
    CallIdKey, CallLimits, Config, ConnectionLimits, Context, Instant, Nonce, Rate, UnixTime,
};

use crate::random::Random;

/// 2026-01-01, when every run begins.
const EPOCH_MILLIS: u64 = 1_767_225_600_000;

/// The clocks, the configuration and the source of nonces.
pub(crate) struct Environment {
    pub(crate) now: Instant,
    /// The wall clock at 0 of the other clock, in milliseconds. It may be set.
    pub(crate) epoch_millis: u64,
    pub(crate) config: Config,
    nonces: Cell<u64>,
}

impl Environment {
    pub(crate) fn new(calls: CallLimits) -> Self {
        let config = Config {
            calls,
            connection: connection_limits(),
            call_ids: call_id_key(7),
            turn: None,
            replace_key: ReplacePolicy::Owner,
            key_bytes_max: 4_096,
        };
        let (now, nonces) = (Instant::from_millis(1_000), Cell::new(0));
        Self { now, epoch_millis: EPOCH_MILLIS, config, nonces }
    }

    pub(crate) fn unix(&self) -> UnixTime {
        UnixTime::from_millis(self.epoch_millis + self.now.as_millis())
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        self.now = self.now + time;
    }

    /// Makes a decision of the core with the present time.
    pub(crate) fn with<R>(&self, decide: impl FnOnce(&Context<'_>) -> R) -> R {
        let nonce = || self.draw_nonce();
        let cx = Context { now: self.now, unix: self.unix(), config: &self.config, nonce: &nonce };
        decide(&cx)
    }

    fn draw_nonce(&self) -> Nonce {
        self.nonces.set(self.nonces.get() + 1);
        let mut nonce = Nonce::default();
        // Spread, so that the order of two ids is as random as with real nonces.
        let spread = Random::new(self.nonces.get()).next();
        nonce[..8].copy_from_slice(&spread.to_be_bytes());
        nonce[8..16].copy_from_slice(&self.nonces.get().to_be_bytes());
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
        message_bytes_max: 65_536,
        register_timeout: Duration::from_secs(60),
        ping_after: Duration::from_secs(25),
        silence_timeout: Duration::from_secs(60),
        calls: generous,
        hangups: generous,
        candidates: generous,
        directory: generous,
        other: generous,
    }
}
