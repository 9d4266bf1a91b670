//! `[calls]`: timeouts and limits of calls.

use humantime::Duration;

use crate::settings::defaults;
use crate::settings::values::within::{HOUR, KIB, MIB, MINUTE, within, within_ms};

/// Timeouts and limits of calls.
#[derive(Debug, Clone, PartialEq, clap::Args)]
pub struct Calls {
    /// Time after which an unanswered call ends
    #[arg(id = "calls.ring_timeout", long = "ring-timeout", value_name = "DURATION")]
    #[arg(default_value_t = defaults::RING_TIMEOUT.into())]
    #[arg(value_parser = within_ms(100..=10 * MINUTE))]
    pub ring_timeout: Duration,

    /// Time for a client with a lost connection to come back before its calls end
    #[arg(id = "calls.grace", long = "grace", value_name = "DURATION")]
    #[arg(default_value_t = defaults::GRACE.into(), value_parser = within_ms(100..=HOUR))]
    pub grace: Duration,

    /// Calls of one client, without those that ring at it; above it the caller gets busy
    #[arg(id = "calls.per_session_max", long = "calls-per-session-max", value_name = "COUNT")]
    #[arg(default_value_t = defaults::CALLS_PER_SESSION_MAX, value_parser = within(1_usize..=1000))]
    pub per_session_max: usize,

    /// Calls that ring at one client at once, at most 2 of one caller; above it the caller gets
    /// busy
    #[arg(id = "calls.unanswered_max", long = "calls-unanswered-max", value_name = "COUNT")]
    #[arg(default_value_t = defaults::UNANSWERED_MAX, value_parser = within(1_usize..=1000))]
    pub unanswered_max: usize,

    /// Bytes held for a client during its grace, or until it acknowledges them
    #[arg(id = "calls.waiting_bytes_max", long = "waiting-bytes-max", value_name = "BYTES")]
    #[arg(default_value_t = defaults::WAITING_BYTES_MAX, value_parser = within(KIB..=64 * MIB))]
    pub waiting_bytes_max: usize,

    /// Messages held for a client during its grace, or until it acknowledges them
    #[arg(id = "calls.waiting_count_max", long = "waiting-count-max", value_name = "COUNT")]
    #[arg(default_value_t = defaults::WAITING_COUNT_MAX, value_parser = within(1_usize..=1_000_000))]
    pub waiting_count_max: usize,

    /// A connected client can resume without loss for this long after a message that it never acknowledged
    #[arg(id = "calls.waiting_age_max", long = "waiting-age-max", value_name = "DURATION")]
    #[arg(default_value_t = defaults::WAITING_AGE_MAX.into(), value_parser = within_ms(100..=HOUR))]
    pub waiting_age_max: Duration,
}
