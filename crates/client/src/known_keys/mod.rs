//! The keys of others that this client has seen.

mod change;
mod entries;
mod error;
mod file;
mod lock;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;

use securecall_protocol::ClientId;
use securecall_seal::DirectoryKey;

use crate::shell::Address;
use change::{Change, Changes, REMEMBERED_MAX};
use entries::Fingerprints;
pub use error::KnownKeysError;
use file::KeysFile;

/// The fingerprint of everybody with whom there was a call: in memory, or in a file.
///
/// A key that is another one next time is never taken silently: see
/// [`Error::KeyChanged`](crate::Error::KeyChanged) and
/// [`Event::KeyChanged`](crate::Event::KeyChanged).
///
/// The file has a line for each: the server as `HOST:PORT`, because another server's alice is
/// somebody else; the client id; and the fingerprint as people compare it. It is readable by its
/// owner only, because it shows whom one calls.
///
/// Programs may share a file. Each save makes its own changes to what is there, one program after
/// the other, and learns what others have changed. Of two keys for a client the one counts that
/// somebody has [chosen](KnownKeys::remember), and of two that were only met the first.
///
/// At most 10,000 clients of a server are remembered, and nobody is forgotten to make room: who
/// could be is whom somebody wants to be forgotten. Beyond that comes [`Event::KeyNotRemembered`].
///
/// [`Event::KeyNotRemembered`]: crate::Event::KeyNotRemembered
#[derive(Clone, Default)]
pub struct KnownKeys {
    fingerprints: Fingerprints,
    /// In the fingerprints, but not yet in the file.
    changes: Changes,
    file: Option<KeysFile>,
}

impl fmt::Debug for KnownKeys {
    /// Prints their number alone: whom one calls must not end up in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KnownKeys({})", self.fingerprints.len())
    }
}

/// A key compared with the one that is remembered.
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

    /// Those of a file about the clients of one server, whose address is that of
    /// [`Settings::new`](crate::Settings::new); its scheme and path do not matter. A file that is
    /// not there is an empty one.
    ///
    /// A client writes it whenever a key is remembered, and reads it again whenever it asks the
    /// directory for a key.
    ///
    /// # Errors
    /// The address is no URL of a server; the file cannot be read, holds something else, or others
    /// may write to it.
    pub fn open(path: impl AsRef<Path>, server: &str) -> Result<Self, KnownKeysError> {
        let server = Address::parse(server).map_err(|_| KnownKeysError::Address)?.server();
        let file = KeysFile { path: path.as_ref().to_owned(), server };
        let fingerprints = file.read()?.fingerprints;
        Ok(Self { fingerprints, changes: Changes::default(), file: Some(file) })
    }

    /// The fingerprint that is remembered of a client.
    pub fn fingerprint(&self, client_id: &ClientId) -> Option<&str> {
        self.fingerprints.get(client_id.as_str()).map(String::as_str)
    }

    /// Everybody, in the order of their ids, with fingerprints.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fingerprints.iter().map(|(client_id, fingerprint)| (&**client_id, &**fingerprint))
    }

    /// Remembers a key that somebody has compared, in place of any other of that client. Returns
    /// whether something changed; [`KnownKeys::save`] it then.
    ///
    /// # Errors
    /// [`KnownKeysError::Full`].
    pub fn remember(&mut self, key: &DirectoryKey) -> Result<bool, KnownKeysError> {
        // One that was met just now is not in the file yet: it becomes one that was compared.
        let settled =
            self.recognise(key) == Recognition::Known && !self.changes.concerns(key.client_id());
        if !settled && !self.learn(key, Change::Trusted) {
            return Err(KnownKeysError::Full);
        }
        Ok(!settled)
    }

    /// Remembers a key of somebody about whom nothing is known. Returns whether something changed.
    pub(crate) fn meet(&mut self, key: &DirectoryKey) -> bool {
        // Forgotten here, the client is known in the file still.
        let forgotten = self.changes.concerns(key.client_id());
        let change = if forgotten { Change::Trusted } else { Change::Met };
        !self.knows(key.client_id()) && self.learn(key, change)
    }

    /// Forgets a client. Returns whether it was remembered; [`KnownKeys::save`] it then.
    pub fn forget(&mut self, client_id: &ClientId) -> bool {
        let known = self.knows(client_id.as_str());
        if known {
            self.make(client_id.as_str(), Change::Forgotten);
        }
        known
    }

    fn learn(&mut self, key: &DirectoryKey, change: impl Fn(String) -> Change) -> bool {
        let room = self.knows(key.client_id()) || self.fingerprints.len() < REMEMBERED_MAX;
        if room {
            self.make(key.client_id(), change(key.fingerprint().to_string()));
        }
        room
    }

    fn make(&mut self, client_id: &str, change: Change) {
        change.apply(client_id, &mut self.fingerprints);
        if self.file.is_some() {
            self.changes.insert(client_id, change);
        }
    }

    /// Makes the changes since the last save to the file, in one step and to the disk, and learns
    /// what other programs have changed. Nothing to do for keys in memory.
    ///
    /// # Errors
    /// The file or its folder cannot be read or written, or other programs write to it for
    /// 3 seconds; the file is unharmed then, and the changes are made at the next save.
    pub fn save(&mut self) -> Result<(), KnownKeysError> {
        if let Some(unsaved) = self.unsaved() {
            self.saved(unsaved.save()?);
        }
        Ok(())
    }

    /// The save that is due, for a thread that may wait. `None`: there is no file.
    pub(crate) fn unsaved(&self) -> Option<Unsaved> {
        Some(Unsaved { file: self.file.clone()?, changes: self.changes.clone() })
    }

    /// Takes over what a save has found.
    pub(crate) fn saved(&mut self, Saved { changes, fingerprints }: Saved) -> Found {
        self.changes.settle(&changes);
        self.fingerprints = fingerprints;
        self.changes.apply(&mut self.fingerprints);
        Found {
            overruled: changes.overruled(&self.fingerprints),
            without_room: changes.without_room(&self.fingerprints),
        }
    }

    /// Returns whether they are of this server's clients.
    pub(crate) fn are_of(&self, server: &Address) -> bool {
        self.file.as_ref().is_none_or(|file| file.server == server.server())
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

/// Clients about whom a save has found something else than this program believed.
pub(crate) struct Found {
    /// They were met with a key, and another program knows them with another one.
    pub(crate) overruled: Vec<Box<str>>,
    /// They are not remembered: other programs have filled the file.
    pub(crate) without_room: Vec<Box<str>>,
}

/// Changes that are to be made to a file.
pub(crate) struct Unsaved {
    file: KeysFile,
    changes: Changes,
}

/// Changes that were made, and the entries of the file with them.
pub(crate) struct Saved {
    changes: Changes,
    fingerprints: Fingerprints,
}

impl Unsaved {
    /// Without changes it reads alone.
    pub(crate) fn save(self) -> Result<Saved, KnownKeysError> {
        let fingerprints = self.file.update(&self.changes)?;
        Ok(Saved { changes: self.changes, fingerprints })
    }
}
