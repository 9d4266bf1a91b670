//! Remembered keys: which are trusted, and which calls end for another one.

use securecall_seal::DirectoryKey;

use super::call::{Call, State};
use super::ending::End;
use super::{Context, Machine, Output};
use crate::known_keys::Recognition;
use crate::{Error, Event, KeyChange, LookedUp};

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
        if self.known_keys.meet(key) {
            self.outputs.push_back(Output::SyncKeys);
        } else if first {
            self.report_not_remembered(key.client_id());
        }
        first
    }

    /// Once for each call: whoever goes on with somebody who is not remembered should know.
    pub(super) fn report_not_remembered(&mut self, client_id: &str) {
        if let Ok(client_id) = client_id.try_into() {
            self.report(Event::KeyNotRemembered { client_id });
        }
    }

    /// Ends answered calls with people who were met with a key, if another program has met them
    /// with another one before. Whoever is right, one of the two is somebody in between.
    pub(super) fn end_overruled_calls(&mut self, cx: &Context<'_>, with: &[Box<str>]) {
        let is_one = |call: &Call| {
            let met = with.iter().any(|client_id| **client_id == *call.peer.as_str());
            met && matches!(call.state, State::Answered(_))
        };
        while let Some(call) = self.calls.search(is_one) {
            let end = End::Interference(securecall_seal::Error::PeerKeyChanged);
            self.end_call(cx, call, end);
        }
    }

    /// Remembers a key in place of any other.
    ///
    /// # Errors
    /// [`Error::TooManyKeys`].
    pub(super) fn trust(&mut self, key: &DirectoryKey) -> Result<(), Error> {
        if self.known_keys.remember(key).map_err(|_| Error::TooManyKeys)? {
            self.outputs.push_back(Output::SyncKeys);
        }
        Ok(())
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
