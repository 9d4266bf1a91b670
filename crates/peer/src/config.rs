//! The configuration of a connection.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::ClientConfig;

use crate::IceServer;

/// The configuration of a connection.
#[derive(Debug, Clone)]
pub struct Config {
    /// The relays, as the signaling server gives them. Empty: direct connections alone.
    pub ice_servers: Vec<IceServer>,
    /// Which paths may be used.
    pub policy: Policy,
    /// The addresses of this machine that are disclosed to the other end. Without effect if the
    /// policy is [`Policy::Relay`].
    pub host_addresses: HostAddresses,
    /// The folder and the bounds for received files. `None`: every file is refused.
    pub receive: Option<Receive>,
    /// The TLS configuration for `turns:` servers. `None`: the system's authorities are trusted.
    pub tls: Option<Arc<ClientConfig>>,
    /// The time to reach the other end, once both descriptions are known.
    pub connect_timeout: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            ice_servers: Vec::new(),
            policy: Policy::All,
            host_addresses: HostAddresses::All,
            receive: None,
            tls: None,
            connect_timeout: Duration::from_secs(30),
        }
    }
}

/// Which paths to the other end may be used, as `iceTransportPolicy` of a browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Policy {
    /// Direct ones, and relays.
    #[default]
    All,
    /// Relays alone: the other end does not learn our addresses. Sockets to TURN servers are the
    /// only ones that are opened.
    Relay,
}

/// The addresses of this machine that are disclosed to the other end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostAddresses {
    /// Those of all networks that this machine is in (mode 1 of RFC 8828), at most 8, those of
    /// default routes first. Loopback, and IPv6 addresses that hold on their link alone, only if
    /// there is nothing else.
    All,
    /// The one that each default route uses, IPv4 and IPv6 (mode 2 of RFC 8828), or loopback if
    /// there is no route at all. Machines on one cable, or beside a VPN, may not find each other.
    DefaultRoute,
    /// These, at most 8.
    These(Vec<IpAddr>),
}

/// The folder for files that the other end sends, and the bounds of them.
///
/// The bounds are those of the receiver, not of a connection: connections that are made with clones
/// of one value share them. Otherwise a peer that is at a bound would only have to connect again.
#[derive(Debug, Clone)]
pub struct Receive {
    /// The folder. Nothing outside of it is written, and nothing in it overwritten.
    pub folder: PathBuf,
    /// Larger files are refused, in bytes.
    pub file_bytes_max: u64,
    /// The bound of bytes of all stored files; a file that would exceed it is refused.
    pub total_bytes_max: u64,
    /// The bound of stored files: many empty ones fill a disk, too.
    pub files_max: u64,
    /// The bytes that must stay free on the disk.
    pub free_bytes_min: u64,
    /// The files stored so far.
    pub kept: KeptFiles,
}

impl Receive {
    /// Into this folder, with the default bounds: files of at most 1 GiB, 1,000 of them, 4 GiB
    /// together, and 64 MiB of the disk left free.
    pub fn into_folder(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            file_bytes_max: 1 << 30,
            total_bytes_max: 4 << 30,
            files_max: 1000,
            free_bytes_min: 64 << 20,
            kept: KeptFiles::default(),
        }
    }
}

/// The count of stored files and of their bytes. Clones share the count.
#[derive(Debug, Clone, Default)]
pub struct KeptFiles(Arc<Mutex<Kept>>);

/// The number of stored files, and their bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
}

impl KeptFiles {
    pub(crate) fn add(&self, bytes: u64) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.files = kept.files.saturating_add(1);
        kept.bytes = kept.bytes.saturating_add(bytes);
    }

    pub(crate) fn total(&self) -> Kept {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
