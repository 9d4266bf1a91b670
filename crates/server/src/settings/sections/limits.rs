//! `[limits]`: limits of a connection, an address and the whole server.

use humantime::Duration;
use securecall_protocol::MessageClass;

use crate::settings::values::within::{HOUR, KIB, MIB, MINUTE, SECOND, within, within_ms};
use crate::settings::{Rate, defaults};

/// Limits of a connection, an address and the whole server.
#[derive(Debug, Clone, PartialEq, clap::Args)]
pub struct Limits {
    /// Largest message accepted from a client; above it the connection closes with 1009
    #[arg(id = "limits.message_bytes_max", long = "message-bytes-max", value_name = "BYTES")]
    #[arg(default_value_t = defaults::MESSAGE_BYTES_MAX, value_parser = within(2 * KIB..=16 * MIB))]
    pub message_bytes_max: usize,

    /// A connection without REGISTER closes after this time, with 4101
    #[arg(id = "limits.register_timeout", long = "register-timeout", value_name = "DURATION")]
    #[arg(default_value_t = defaults::REGISTER_TIMEOUT.into())]
    #[arg(value_parser = within_ms(100..=10 * MINUTE))]
    pub register_timeout: Duration,

    /// Time without a message to a client after which a ping is sent
    #[arg(id = "limits.ping_after", long = "ping-after", value_name = "DURATION")]
    #[arg(default_value_t = defaults::PING_AFTER.into(), value_parser = within_ms(100..=HOUR))]
    pub ping_after: Duration,

    /// A client that sent nothing for this long is disconnected, with 4102
    #[arg(id = "limits.silence_timeout", long = "silence-timeout", value_name = "DURATION")]
    #[arg(default_value_t = defaults::SILENCE_TIMEOUT.into())]
    #[arg(value_parser = within_ms(100..=2 * HOUR))]
    pub silence_timeout: Duration,

    /// Time for a complete HTTP request head
    #[arg(id = "limits.request_timeout", long = "request-timeout", value_name = "DURATION")]
    #[arg(default_value_t = defaults::REQUEST_TIMEOUT.into())]
    #[arg(value_parser = within_ms(100..=60 * SECOND))]
    pub request_timeout: Duration,

    /// Largest HTTP request head, cookies included; above it HTTP 431
    #[arg(id = "limits.request_head_bytes_max", long = "request-head-bytes-max")]
    #[arg(value_name = "BYTES", default_value_t = defaults::REQUEST_HEAD_BYTES_MAX)]
    #[arg(value_parser = within(KIB..=256 * KIB))]
    pub request_head_bytes_max: usize,

    /// Header fields of a request; above it HTTP 431
    #[arg(id = "limits.request_fields_max", long = "request-fields-max", value_name = "COUNT")]
    #[arg(default_value_t = defaults::REQUEST_FIELDS_MAX, value_parser = within(8_usize..=1024))]
    pub request_fields_max: usize,

    /// Connections of the whole server; above it HTTP 503
    #[arg(id = "limits.connections_max", long = "connections-max", value_name = "COUNT")]
    #[arg(default_value_t = defaults::CONNECTIONS_MAX, value_parser = within(1_usize..=10_000_000))]
    pub connections_max: usize,

    /// Connections of one IPv4 address or IPv6 /64; above it HTTP 429
    #[arg(id = "limits.connections_per_address_max", long = "connections-per-address-max")]
    #[arg(value_name = "COUNT", default_value_t = defaults::CONNECTIONS_PER_ADDRESS_MAX)]
    #[arg(value_parser = within(1_u32..=10_000_000))]
    pub connections_per_address_max: u32,

    /// New connections that one address may open at once
    #[arg(id = "limits.connection_burst", long = "connection-burst", value_name = "COUNT")]
    #[arg(default_value_t = defaults::CONNECTION_BURST, value_parser = within(1_u32..=1_000_000))]
    pub connection_burst: u32,

    /// New connections of one address per second after that; above it HTTP 429
    #[arg(id = "limits.connection_rate", long = "connection-rate", value_name = "PER_SECOND")]
    #[arg(default_value_t = defaults::CONNECTION_RATE, value_parser = within(0.001..=1e6))]
    pub connection_rate: f64,

    /// Bytes queued for a slow reader; above it the connection closes with 1013
    #[arg(id = "limits.outbox_bytes_max", long = "outbox-bytes-max", value_name = "BYTES")]
    #[arg(default_value_t = defaults::OUTBOX_BYTES_MAX, value_parser = within(KIB..=64 * MIB))]
    pub outbox_bytes_max: usize,

    /// CALL_INITIATE and CALL_ACCEPT of one connection; above it RATE_LIMITED
    #[arg(id = "limits.calls", long = "calls-rate", value_name = "BURST/PER_SECOND")]
    #[arg(default_value_t = defaults::CALLS_RATE)]
    pub calls: Rate,

    /// CALL_REJECT and CALL_END of one connection, at least as many as of limits.calls; above it RATE_LIMITED. Without it 100/20, or limits.calls where that is more
    // `None`: the default of the class, or `calls` where that is more.
    #[arg(id = "limits.hangups", long = "hangups-rate", value_name = "BURST/PER_SECOND")]
    pub hangups: Option<Rate>,

    /// ICE_CANDIDATE, CALL_SIGNAL and CALL_RINGING of one connection, and as many ACKs; above it RATE_LIMITED
    #[arg(id = "limits.candidates", long = "candidates-rate", value_name = "BURST/PER_SECOND")]
    #[arg(default_value_t = defaults::CANDIDATES_RATE)]
    pub candidates: Rate,

    /// Directory messages of one connection; above it RATE_LIMITED
    #[arg(id = "limits.directory", long = "directory-rate", value_name = "BURST/PER_SECOND")]
    #[arg(default_value_t = defaults::DIRECTORY_RATE)]
    pub directory: Rate,

    /// First keys of ids, from one IPv4 address or IPv6 /64; above it RATE_LIMITED
    #[arg(id = "limits.new_keys", long = "new-keys-rate", value_name = "BURST/PER_SECOND")]
    #[arg(default_value_t = defaults::NEW_KEYS_RATE)]
    pub new_keys: Rate,

    /// All other messages of one connection; above it RATE_LIMITED
    #[arg(id = "limits.other", long = "other-rate", value_name = "BURST/PER_SECOND")]
    #[arg(default_value_t = defaults::OTHER_RATE)]
    pub other: Rate,
}

impl Limits {
    /// Returns the rate of CALL_REJECT and CALL_END: never below that of `calls`, so that a callee
    /// can decline as fast as calls come.
    #[must_use]
    pub fn hangups(&self) -> Rate {
        self.hangups.unwrap_or_else(|| Rate::default_of(MessageClass::Hangups).or_more(self.calls))
    }
}
