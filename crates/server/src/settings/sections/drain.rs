//! `[drain]`: the end of the server.

use humantime::Duration;

use crate::settings::defaults;
use crate::settings::values::within::{HOUR, MINUTE, within_ms};

/// The drain on SIGTERM and SIGINT.
#[derive(Debug, Clone, PartialEq, clap::Args)]
pub struct Drain {
    /// Connections close spread over this time, so that clients do not all reconnect at once (0s:
    /// close all at once)
    #[arg(id = "drain.period", long = "drain-period", value_name = "DURATION")]
    #[arg(default_value_t = defaults::DRAIN_PERIOD.into(), value_parser = within_ms(0..=10 * MINUTE))]
    pub period: Duration,

    /// Time after which the process ends at the latest
    #[arg(id = "drain.timeout", long = "drain-timeout", value_name = "DURATION")]
    #[arg(default_value_t = defaults::DRAIN_TIMEOUT.into(), value_parser = within_ms(100..=HOUR))]
    pub timeout: Duration,
}
