//! `[drain]`: how the server stops.

use humantime::Duration;

use crate::settings::defaults;
use crate::settings::values::within::{HOUR, MINUTE, within_ms};

/// How the server stops on SIGTERM and SIGINT.
#[derive(Debug, Clone, PartialEq, clap::Args)]
pub struct Drain {
    /// Connections close spread over this time, so that clients do not return at once (0s: they do)
    #[arg(id = "drain.period", long = "drain-period", value_name = "DURATION")]
    #[arg(default_value_t = defaults::DRAIN_PERIOD.into(), value_parser = within_ms(0..=10 * MINUTE))]
    pub period: Duration,

    /// The process ends at the latest after this time
    #[arg(id = "drain.timeout", long = "drain-timeout", value_name = "DURATION")]
    #[arg(default_value_t = defaults::DRAIN_TIMEOUT.into(), value_parser = within_ms(100..=HOUR))]
    pub timeout: Duration,
}
