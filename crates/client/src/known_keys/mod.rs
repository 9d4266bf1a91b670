//! Whose keys this client has seen.

mod file;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use securecall_protocol::ClientId;
use securecall_seal::DirectoryKey;

pub use file::KnownKeysError;

/// How many keys are remembered. Only people that were called, or whose call was accepted, are.
const REMEMBERED_MAX: usize = 10_000;

/// The fingerprint of everybody with whom there was a call: in memory, or in a file.
///
/// A key that is another one next time is never taken silently: see
/// [`Error::KeyChanged`](crate::Error::KeyChanged) and
/// [`Event::KeyChanged`](crate::Event::KeyChanged).
///
/// The file has a line for each: the client id, and the fingerprint as people compare it. It is
/// readable by its owner only, because it says whom one calls, and is replaced in one step.
#[derive(Debug, Clone, Default)]
pub struct KnownKeys {
    fingerprints: BTreeMap<Box<str>, String>,
    path: Option<PathBuf>,
}

/// What is known about a key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Recognition {
    /// Nothing is remembered about the client.
    New,
    /// It is the one remembered.
    Known,
    /// Another one is remembered.
    Changed {
        /// The other one's fingerprint.
        remembered: String,
    },
}

impl KnownKeys {
    /// Nobody yet, and nothing is kept when the program ends.
    pub fn in_memory() -> Self {
        Self::default()
    }

    /// Those of a file, which is written whenever a key is remembered. A file that is not there is
    /// an empty one.
    ///
    /// # Errors
    /// The file cannot be read, holds something else, or others may write to it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, KnownKeysError> {
        let path = path.as_ref();
        Ok(Self { fingerprints: file::read(path)?, path: Some(path.to_owned()) })
    }

    /// The fingerprint that is remembered of a client.
    pub fn fingerprint(&self, client_id: &ClientId) -> Option<&str> {
        self.fingerprints.get(client_id.as_str()).map(String::as_str)
    }

    /// Everybody, in the order of their ids, with fingerprints.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fingerprints.iter().map(|(client_id, fingerprint)| (&**client_id, &**fingerprint))
    }

    /// Remembers a key, in place of any other of that client. Returns whether something changed;
    /// [`KnownKeys::save`] it then.
    pub fn remember(&mut self, key: &DirectoryKey) -> bool {
        let full = self.fingerprints.len() >= REMEMBERED_MAX;
        if self.recognise(key) == Recognition::Known || (full && !self.knows(key.client_id())) {
            return false;
        }
        self.fingerprints.insert(key.client_id().into(), key.fingerprint().to_string());
        true
    }

    /// Forgets a client. Returns whether it was remembered; [`KnownKeys::save`] it then.
    pub fn forget(&mut self, client_id: &ClientId) -> bool {
        self.fingerprints.remove(client_id.as_str()).is_some()
    }

    /// Writes the file, in one step and to the disk. Nothing to do for keys in memory.
    ///
    /// # Errors
    /// The file or its folder cannot be written; the old file is unharmed.
    pub fn save(&self) -> Result<(), KnownKeysError> {
        self.path.as_deref().map_or(Ok(()), |path| file::write(path, self))
    }

    pub(crate) fn knows(&self, client_id: &str) -> bool {
        self.fingerprints.contains_key(client_id)
    }

    pub(crate) fn recognise(&self, key: &DirectoryKey) -> Recognition {
        match self.fingerprints.get(key.client_id()) {
            None => Recognition::New,
            Some(remembered) if *remembered == key.fingerprint().to_string() => Recognition::Known,
            Some(remembered) => Recognition::Changed { remembered: remembered.clone() },
        }
    }
}
