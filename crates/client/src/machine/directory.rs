//! Whose keys are remembered.

use securecall_seal::DirectoryKey;

use super::{Machine, Output};
use crate::known_keys::Recognition;
use crate::{Error, KeyChange, LookedUp};

impl Machine {
    /// Takes a key that is the one remembered, or of somebody about whom nothing is.
    ///
    /// # Errors
    /// [`Error::KeyChanged`]: never silently.
    pub(super) fn trusted(&self, key: DirectoryKey) -> Result<DirectoryKey, Error> {
        match self.known_keys.recognise(&key) {
            Recognition::Known | Recognition::New => Ok(key),
            Recognition::Changed { remembered } => {
                let client_id = key.client_id().try_into().map_err(|_| Error::NoKey)?;
                Err(Error::KeyChanged(Box::new(KeyChange { client_id, remembered, present: key })))
            }
        }
    }

    /// Remembers a key with which a call has come about. Returns whether nothing was remembered
    /// before.
    pub(super) fn remember(&mut self, key: &DirectoryKey) -> bool {
        let first = self.known_keys.recognise(key) == Recognition::New;
        if first {
            self.trust(key);
        }
        first
    }

    /// Remembers a key in place of any other.
    pub(super) fn trust(&mut self, key: &DirectoryKey) {
        if self.known_keys.remember(key) {
            self.outputs.push_back(Output::SaveKeys);
        }
    }

    pub(super) fn looked_up(&self, key: Option<DirectoryKey>) -> LookedUp {
        match key {
            None => LookedUp::Nothing,
            Some(key) => match self.known_keys.recognise(&key) {
                Recognition::New => LookedUp::New(key),
                Recognition::Known => LookedUp::Known(key),
                Recognition::Changed { remembered } => {
                    LookedUp::Changed { remembered, present: key }
                }
            },
        }
    }
}
