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
}
