//! `[directory]`: the public keys.

use super::defaults;
use super::within::{KIB, within};

/// The directory of public keys.
#[derive(Debug, Clone, PartialEq, clap::Args)]
pub struct Directory {
    /// Who may replace a key: its owner (others: KEY_PINNED), or whoever is registered with the id
    #[arg(id = "directory.replace", long = "directory-replace", value_name = "WHO")]
    #[arg(value_enum, default_value_t = Replace::Owner)]
    pub replace: Replace,

    /// Largest public key
    #[arg(id = "directory.key_bytes_max", long = "key-bytes-max", value_name = "BYTES")]
    #[arg(default_value_t = defaults::KEY_BYTES_MAX, value_parser = within(32..=64 * KIB))]
    pub key_bytes_max: usize,
}

/// Who may replace the key of a client id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Replace {
    /// The connection that set it, or the owner of the identity by proof. Others get `KEY_PINNED`.
    Owner,
    /// Whoever is registered with the id.
    Registered,
}
