//! Effects of a key that is remembered: saving, reporting, and ending the calls with another one.

use securecall_seal::DirectoryKey;

use super::calls::Call;
use super::ending::End;
use super::keyring::Meeting;
use super::{Context, Machine, Output};
use crate::{Error, Event};

impl Machine {
    /// Remembers a key with which a call has come about. Returns whether nothing was remembered
    /// before.
    pub(super) fn remember(&mut self, key: &DirectoryKey) -> bool {
        let meeting = self.keyring.meet(key);
        match meeting {
            Meeting::First => self.outputs.push_back(Output::SyncKeys),
            Meeting::NotRemembered => self.report_not_remembered(key.client_id()),
            Meeting::Again => {}
        }
        meeting.is_first_contact()
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
            met && call.is_answered()
        };
        while let Some(call) = self.calls.search(is_one) {
            let end = End::Interference(securecall_seal::Error::PeerKeyChanged);
            self.end_call(cx, call, end);
        }
    }

    /// Remembers a key in place of any other, and goes on with the calls that waited for that.
    ///
    /// # Errors
    /// [`Error::TooManyKeys`].
    pub(super) fn trust(&mut self, cx: &mut Context<'_>, key: &DirectoryKey) -> Result<(), Error> {
        if self.keyring.trust(key)? {
            self.outputs.push_back(Output::SyncKeys);
        }
        self.end_doubts(cx, key);
        Ok(())
    }
}
