//! `[directory]`: the public keys.

use crate::settings::defaults;
use crate::settings::values::within::{KIB, within};

/// The directory of public keys.
#[derive(Debug, Clone, PartialEq, clap::Args)]
pub struct Directory {
    /// Clients that may replace a key: only its owner (others get KEY_PINNED), or any client
    /// registered with the id
    #[arg(id = "directory.replace", long = "directory-replace", value_name = "WHO")]
    #[arg(value_enum, default_value_t = Replace::Owner)]
    pub replace: Replace,

    /// Largest public key
    #[arg(id = "directory.key_bytes_max", long = "key-bytes-max", value_name = "BYTES")]
    #[arg(default_value_t = defaults::KEY_BYTES_MAX, value_parser = within(32..=64 * KIB))]
    pub key_bytes_max: usize,

    /// Public keys and chains in the directory; above it an id without one gets UNAVAILABLE, and at four fifths there is a warning
    #[arg(id = "directory.records_max", long = "directory-records-max", value_name = "COUNT")]
    #[arg(default_value_t = defaults::RECORDS_MAX, value_parser = within(1_u64..=1_000_000_000))]
    pub records_max: u64,
}

/// The clients that may replace the key of a client id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Replace {
    /// The connection that registered it, or the owner of the identity with a proof. Others get
    /// `KEY_PINNED`.
    Owner,
    /// Any client that is registered with the id.
    Registered,
}
