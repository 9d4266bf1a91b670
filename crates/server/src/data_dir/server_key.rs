//! The server's secret. It encrypts call ids, and hashes the names of clients for TURN servers.
//!
//! It is never printed and never replaced: an invalid key file is an error, because a new key would
//! silently invalidate every call id in use.

use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::path::Path;

use rand::TryRng as _;
use rand::rngs::SysRng;
use zeroize::Zeroizing;

use super::{DataDirError, keep_private, put_in_place, unfinished, write_new};

/// The length of the key in bytes.
pub const SERVER_KEY_BYTES: usize = 32;

/// Random bytes that only this server knows, wiped from memory on drop.
#[derive(Clone)]
pub struct ServerKey(Zeroizing<[u8; SERVER_KEY_BYTES]>);

impl ServerKey {
    /// Returns the secret bytes.
    #[must_use]
    pub fn expose(&self) -> &[u8; SERVER_KEY_BYTES] {
        &self.0
    }

    pub(super) fn load_or_create(path: &Path) -> Result<Self, DataDirError> {
        match File::open(path) {
            Ok(file) => Self::load(path, file),
            Err(error) if error.kind() == ErrorKind::NotFound => Self::create(path),
            Err(source) => Err(not_readable(path, source)),
        }
    }

    /// Checks an existing key file without changing its access rights.
    ///
    /// # Errors
    /// It cannot be opened, or is not a key that a server wrote.
    pub(super) fn inspect(path: &Path) -> Result<(), DataDirError> {
        match File::open(path) {
            Ok(file) => checked(path, &file),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(source) => Err(not_readable(path, source)),
        }
    }

    fn load(path: &Path, mut file: File) -> Result<Self, DataDirError> {
        checked(path, &file)?;
        keep_private(path, "the server key").map_err(|source| not_readable(path, source))?;
        let mut key = Zeroizing::new([0; SERVER_KEY_BYTES]);
        file.read_exact(&mut *key).map_err(|source| not_readable(path, source))?;
        Ok(Self(key))
    }

    fn create(path: &Path) -> Result<Self, DataDirError> {
        let written = |source| DataDirError::KeyNotWritten { path: path.to_owned(), source };
        let mut key = Zeroizing::new([0; SERVER_KEY_BYTES]);
        SysRng.try_fill_bytes(&mut *key).map_err(|error| written(error.into()))?;
        let unfinished = unfinished(path);
        write_new(&unfinished, &*key).map_err(written)?;
        put_in_place(&unfinished, path).map_err(written)?;
        Ok(Self(key))
    }
}

impl fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerKey(..)")
    }
}

/// Refuses anything but a regular file of the right length.
fn checked(path: &Path, file: &File) -> Result<(), DataDirError> {
    let metadata = file.metadata().map_err(|source| not_readable(path, source))?;
    if !metadata.is_file() || metadata.len() != SERVER_KEY_BYTES as u64 {
        return Err(DataDirError::KeyDamaged(path.to_owned()));
    }
    Ok(())
}

fn not_readable(path: &Path, source: io::Error) -> DataDirError {
    DataDirError::KeyNotReadable { path: path.to_owned(), source }
}
