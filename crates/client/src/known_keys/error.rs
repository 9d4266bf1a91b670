//! Why the known keys are not to be had or not kept.

use std::io;
use std::path::{Path, PathBuf};

use super::change::REMEMBERED_MAX;
use super::file::FILE_BYTES_MAX;

/// Why the known keys are not to be had or not kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KnownKeysError {
    /// The address is no URL of a server, whose clients' keys these would be.
    #[error("the server's address is ws://host[:port]/path or wss://host[:port]/path")]
    Address,
    /// The file, its lock or its folder.
    #[error("{}: {error}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// A line that is not a server, a client id and a fingerprint. Correct it, or delete it and
    /// compare fingerprints anew.
    #[error("{} line {line}: not HOST:PORT, a client id and its fingerprint", path.display())]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
    },
    /// Others could put keys of their own in. `chmod 600` it after looking into it.
    #[error("{} can be written by others: chmod 600", path.display())]
    Exposed {
        /// Which file.
        path: PathBuf,
    },
    /// It is, or would become, larger than any list of known keys should be.
    #[error("{} has more than {} MiB", path.display(), FILE_BYTES_MAX >> 20)]
    TooLarge {
        /// Which file.
        path: PathBuf,
    },
    /// As many keys of this server's clients are remembered as can be. Forget some first.
    #[error(
        "{REMEMBERED_MAX} keys are known of this server, and no more can be: forget some first"
    )]
    Full,
    /// Other programs wrote to it all the time. Nothing was written.
    #[error("{} is being written by another program", path.display())]
    Busy {
        /// Which file.
        path: PathBuf,
    },
}

impl KnownKeysError {
    pub(super) fn io(path: &Path, error: io::Error) -> Self {
        Self::Io { path: path.to_owned(), error }
    }
}
