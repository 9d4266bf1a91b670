//! Why an identity file cannot be used.

use std::io;
use std::path::{Path, PathBuf};

/// Why an identity is not read from its file, or not written to it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityFileError {
    /// There is no file with that path.
    #[error("there is no identity in {}", .path.display())]
    Missing {
        /// The path.
        path: PathBuf,
    },
    /// A file is there already. It stays as it is: whoever loses a seed loses the id.
    #[error("{} is there already and stays as it is", .path.display())]
    Exists {
        /// The path.
        path: PathBuf,
    },
    /// The file belongs to another user, who is that client too.
    #[error("{} belongs to another user, who is that client too", .path.display())]
    NotOurs {
        /// The path.
        path: PathBuf,
    },
    /// Others can use the file in some way: whoever has read the seed is that client.
    #[error("{} can be used by others (mode {mode:03o}): chmod 600 it", .path.display())]
    Exposed {
        /// The path.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The file holds something else, or only a part.
    #[error("{} is no identity", .path.display())]
    Malformed {
        /// The path.
        path: PathBuf,
    },
    /// The file holds the identity of another client than the one asked for.
    #[error("{} is the identity of another client", .path.display())]
    OtherClient {
        /// The path.
        path: PathBuf,
    },
    /// The text is no client id.
    #[error(transparent)]
    Seal(#[from] securecall_seal::Error),
    /// The system refuses.
    #[error("{}: {cause}", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
}

impl IdentityFileError {
    pub(super) fn io(path: &Path, cause: io::Error) -> Self {
        Self::Io { path: path.to_owned(), cause }
    }
}
