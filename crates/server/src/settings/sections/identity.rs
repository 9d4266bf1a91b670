//! `[identity]`: ids that are bound to a key.

use humantime::Duration;

use crate::settings::defaults;
use crate::settings::values::within::{HOUR, SECOND, within_ms};

/// Ids that are bound to a key.
#[derive(Debug, Clone, PartialEq, clap::Args)]
pub struct Identity {
    /// How long an operator's reset of a bound id waits for an objection of the owner; only time during which the server runs counts
    #[arg(id = "identity.reset_delay", long = "identity-reset-delay", value_name = "DURATION")]
    #[arg(default_value_t = defaults::RESET_DELAY.into())]
    #[arg(value_parser = within_ms(SECOND..=90 * 24 * HOUR))]
    pub reset_delay: Duration,
}
