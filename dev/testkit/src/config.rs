//! Configurations of the core for tests.

use std::time::Duration;

use securecall_core::directory::ReplacePolicy;
use securecall_core::{CallIdKey, CallLimits, Config, ConnectionLimits, Rate};

/// Deadlines that do not come, and limits that nobody meets. A test sets those that it is about.
#[must_use]
pub fn unlimited_config() -> Config {
    let never = Duration::from_secs(1_000_000);
    let unlimited = Rate::new(1_000_000, 1e6);
    Config {
        calls: CallLimits {
            ring_timeout: never,
            grace: never,
            per_session_max: 16,
            unanswered_max: 8,
            waiting_bytes_max: 256 * 1024,
            waiting_count_max: 1_000,
            waiting_age_max: never,
        },
        connection: ConnectionLimits {
            message_bytes_max: 64 * 1024,
            register_timeout: never,
            ping_after: never,
            silence_timeout: never,
            calls: unlimited,
            hangups: unlimited,
            candidates: unlimited,
            directory: unlimited,
            other: unlimited,
        },
        call_ids: CallIdKey::new(&[7; 32]),
        turn: None,
        replace_key: ReplacePolicy::Owner,
        key_bytes_max: 4096,
    }
}
