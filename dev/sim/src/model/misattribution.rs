//! Misattribution: messages about one call that a client of dialect 1 would take for another.

use super::Model;
use super::call::{Call, Over, Side};
use crate::network::LinkId;
use crate::violation::{Violation, ensure};

impl Model {
    /// Checks that a client of dialect 1 that is ringing gets no message about a call it does not
    /// know. It would attribute that to the call that it is ringing.
    pub(super) fn check_attribution(
        &self,
        link: LinkId,
        id: &str,
        side: Side,
    ) -> Result<(), Violation> {
        let Some(call) = self.calls.get(id).filter(|call| call.recovered) else { return Ok(()) };
        let end = &call.ends[side as usize];
        let known = end.presented || end.perhaps_presented;
        if known || self.speaks_two(link) {
            return Ok(());
        }
        let client = call.client(side);
        let rings = |other: &Call| {
            let alive = other.over == Over::No && !other.is_done(Side::Caller);
            other.caller == client && !other.recovered && alive && !other.ends[0].answered
        };
        let rung = self.calls.iter().find(|(_, other)| rings(other));
        ensure!(rung.is_none(), "{client}#{link} rings somebody and was sent news of the old {id}");
        Ok(())
    }

    /// Handles the registration of a client of dialect 1. It would attribute the answer to an old
    /// call to the call that it is ringing, so that answer is withheld and the old call given up.
    pub(super) fn note_ambiguous_answers(&mut self, client: &str) {
        let waits =
            |call: &Call| call.caller == client && !call.recovered && !call.ends[0].answered;
        if !self.calls.values().any(|call| waits(call) && !call.is_done(Side::Caller)) {
            return;
        }
        let old = |call: &&mut Call| call.caller == client && call.recovered;
        for call in self.calls.values_mut().filter(old) {
            if call.answer.is_some() && !call.ends[0].answered {
                call.over = call.over.max(Over::Maybe);
            }
        }
    }
}
