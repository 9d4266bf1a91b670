//! Glare: two clients call each other at once.
//!
//! The session that is rung decides, because it alone knows for certain whether its own call the
//! other way still lives. Where both rings cross, both sessions decide, and both decide the same:
//! the call with the lesser id survives. No call ends for one whose ring has not arrived: that may
//! yet find nobody.

use securecall_protocol::ClientId;

use super::call::{Call, Role};
use super::calls::Calls;

/// The result of a ring that meets calls the other way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Glare {
    /// The new call goes on.
    NewSurvives,
    /// A call that was there goes on: the new one has lost.
    OldSurvives,
    /// A call that was there goes on if its ring arrives, which is under way. Until then both do.
    Undecided,
}

impl Calls {
    /// Decides about a call with which `caller` rings. Removes the calls to that client which lose
    /// against it, and returns them.
    pub(super) fn resolve_glare(
        &mut self,
        new_call_id: &str,
        caller: &ClientId,
    ) -> (Glare, Vec<Call>) {
        let crosses =
            |call: &Call| call.role == Role::Caller && call.is_ringing() && call.peer == *caller;
        let survives = |call: &Call| crosses(call) && *call.id < *new_call_id;
        if self.iter().any(|call| survives(call) && !call.ring_under_way) {
            return (Glare::OldSurvives, Vec::new());
        }
        let undecided = self.iter().any(survives);
        let losers = self.remove_where(|call| crosses(call) && !survives(call));
        (if undecided { Glare::Undecided } else { Glare::NewSurvives }, losers)
    }

    /// The ring to `callee` has arrived. Removes the calls of that client which lose now, and
    /// returns them.
    pub(super) fn remove_losers(&mut self, callee: &ClientId) -> Vec<Call> {
        let loses = |call: &Call| call.loses_when_the_other_rings && call.peer == *callee;
        self.remove_where(|call| loses(call) && call.is_ringing())
    }

    /// The ring to `callee` has not arrived: the calls of that client go on.
    pub(super) fn spare_losers(&mut self, callee: &ClientId) {
        let calls = self.iter_mut().filter(|call| call.peer == *callee);
        calls.for_each(|call| call.loses_when_the_other_rings = false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::calls::tests::{client, ringing};

    /// A call to bob, whose ring has arrived or not.
    fn own(id: &str, ring_under_way: bool) -> Calls {
        let mut calls = Calls::default();
        let at = calls.insert(ringing(id, "bob", Role::Caller));
        calls[at].ring_under_way = ring_under_way;
        calls
    }

    fn ids(calls: &[Call]) -> Vec<&str> {
        calls.iter().map(|call| &*call.id).collect()
    }

    #[test]
    fn the_lesser_id_survives() {
        let (glare, losers) = own("b", false).resolve_glare("a", &client("bob"));
        assert_eq!((glare, ids(&losers)), (Glare::NewSurvives, vec!["b"]));
        let (glare, losers) = own("a", false).resolve_glare("b", &client("bob"));
        assert_eq!((glare, losers.len()), (Glare::OldSurvives, 0));
    }

    #[test]
    fn a_ring_under_way_decides_when_it_arrives() {
        let mut calls = own("a", true);
        assert_eq!(calls.resolve_glare("b", &client("bob")).0, Glare::Undecided);
        let at = calls.insert(ringing("b", "bob", Role::Callee));
        calls[at].loses_when_the_other_rings = true;
        assert_eq!(ids(&calls.remove_losers(&client("bob"))), ["b"]);
    }

    #[test]
    fn a_ring_that_does_not_arrive_ends_nothing() {
        let mut calls = own("a", true);
        let at = calls.insert(ringing("b", "bob", Role::Callee));
        calls[at].loses_when_the_other_rings = true;
        calls.spare_losers(&client("bob"));
        assert_eq!(calls.remove_losers(&client("bob")).len(), 0);
    }

    #[test]
    fn a_call_of_somebody_else_does_not_cross() {
        let (glare, losers) = own("b", false).resolve_glare("a", &client("eve"));
        assert_eq!((glare, losers.len()), (Glare::NewSurvives, 0));
    }
}
