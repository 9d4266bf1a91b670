//! News of a call that a client takes for news of another.

use super::Model;
use super::call::{Call, Over, Side};
use crate::network::LinkId;
use crate::violation::{Violation, ensure};

impl Model {
    /// Nothing of a call that it does not know is told to a client of dialect 1 that rings
    /// somebody: it would take that for news of the call that it is ringing.
    pub(super) fn check_mistaken(
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
        ensure!(rung.is_none(), "{client}#{link} rings somebody and was told of the old {id}");
        Ok(())
    }

    /// A client of dialect 1 has registered. An answer to an old call that it would take for that to
    /// the call which it is ringing is not told, and that old call is given up.
    pub(super) fn note_mistakable(&mut self, client: &str) {
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
