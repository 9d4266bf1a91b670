//! The bounds of a session's calls.
//!
//! Two bounds, which share nothing: one for the calls that its client has begun, answered or taken
//! up, and one for those that ring here. So nobody who rings can use up what the client needs for
//! calls of its own, and no caller what the others need to ring.

use securecall_protocol::{ClientId, Opaque};

use super::call::Call;
use super::calls::Calls;
use crate::context::{CallLimits, UNANSWERED_PER_CALLER_MAX};

impl Calls {
    /// Returns true if the client may take part in one more call.
    pub(super) fn have_room(&self, limits: &CallLimits) -> bool {
        let own = self.iter().filter(|call| call.is_claimed() && !call.rings_here());
        own.count() < limits.per_session_max
    }

    /// Returns true if one more call of `from` may ring here.
    pub(super) fn have_room_to_ring(
        &self,
        limits: &CallLimits,
        from: &ClientId,
        sdp_offer: Opaque<'_>,
    ) -> bool {
        let all = Ringing::of(self.iter().filter(|call| call.rings_here()));
        let of_caller = self.iter().filter(|call| call.rings_here() && call.peer == *from);
        let of_caller = Ringing::of(of_caller);
        all.count < limits.unanswered_max
            && of_caller.count < UNANSWERED_PER_CALLER_MAX
            && Ringing::have_room_for_offer(all, of_caller, limits, sdp_offer.len())
    }

    /// Returns true if one more call may be known from another client's mail alone.
    pub(super) fn have_room_for_unclaimed(&self, limits: &CallLimits) -> bool {
        self.iter().filter(|call| !call.is_claimed()).count() < limits.per_session_max
    }
}

/// The number of calls that ring here, and the bytes of their offers.
#[derive(Clone, Copy)]
struct Ringing {
    count: usize,
    bytes: usize,
}

impl Ringing {
    fn of<'c>(calls: impl Iterator<Item = &'c Call>) -> Self {
        calls.fold(Self { count: 0, bytes: 0 }, |sum, call| Self {
            count: sum.count + 1,
            bytes: sum.bytes + call.offer_bytes(),
        })
    }

    /// Offers are kept to ring again, and then all are sent at once: together they must leave room
    /// for the mail that is deferred beside them. One is always taken. A second one of the same
    /// caller is, where both are within its share.
    fn have_room_for_offer(all: Self, of_caller: Self, limits: &CallLimits, bytes: usize) -> bool {
        let bytes_max = limits.waiting_bytes_max / 2;
        let share = bytes_max * UNANSWERED_PER_CALLER_MAX / limits.unanswered_max.max(1);
        let within_share = of_caller.count == 0 || of_caller.bytes + bytes <= share;
        all.count == 0 || (all.bytes + bytes <= bytes_max && within_share)
    }
}

#[cfg(test)]
mod tests {
    use securecall_protocol::OwnedOpaque;

    use super::*;
    use crate::session::call::{Claim, Phase, Role};
    use crate::session::calls::tests::{client, recovered, ringing};
    use crate::session::deferred::tests::LIMITS;
    use crate::session::offer::Offer;
    use crate::time::Instant;

    fn opaque(text: &str) -> OwnedOpaque {
        Opaque::from_stored(text).unwrap().into_owned()
    }

    fn rings(id: &str, caller: &str, sdp: &str) -> Call {
        let offer = Some(Offer::new(opaque(sdp)));
        let deadline = Instant::from_millis(60_000);
        Call::ringing(id.into(), client(caller), Role::Callee, deadline, offer)
    }

    fn may_ring(calls: &Calls, caller: &str, sdp: &str) -> bool {
        calls.have_room_to_ring(&LIMITS, &client(caller), opaque(sdp).as_opaque())
    }

    #[test]
    fn calls_that_ring_here_take_no_room_of_its_own() {
        let mut calls = Calls::default();
        for id in ["a", "b", "c", "d", "e"] {
            calls.insert(ringing(id, "bob", Role::Callee));
        }
        assert!(calls.have_room(&LIMITS));
        for id in ["f", "g", "h", "i"] {
            assert!(calls.have_room(&LIMITS));
            calls.insert(ringing(id, "bob", Role::Caller));
        }
        assert!(!calls.have_room(&LIMITS));
    }

    #[test]
    fn one_caller_rings_twice_and_all_together_four_times() {
        let mut calls = Calls::default();
        for (id, caller) in [("a", "bob"), ("b", "bob"), ("c", "eve")] {
            assert!(may_ring(&calls, caller, "\"\""));
            calls.insert(rings(id, caller, "\"\""));
        }
        assert!(!may_ring(&calls, "bob", "\"\""), "a third call of one caller");
        calls.insert(rings("d", "eve", "\"\""));
        assert!(!may_ring(&calls, "dan", "\"\""), "a fifth call");
    }

    #[test]
    fn one_offer_of_any_size_rings_and_the_next_within_what_is_left() {
        let mut calls = Calls::default();
        let longest = format!("\"{}\"", "x".repeat(1_000));
        assert!(may_ring(&calls, "bob", &longest));
        calls.insert(rings("a", "bob", "\"xx\""));
        assert!(!may_ring(&calls, "eve", &longest));
        assert!(may_ring(&calls, "eve", "\"\""));
    }

    #[test]
    fn calls_known_from_mail_alone_have_a_bound_of_their_own() {
        let mut calls = Calls::default();
        for id in ["a", "b", "c", "d"] {
            assert!(calls.have_room_for_unclaimed(&LIMITS));
            let mut call = recovered(id, "bob");
            call.claim = Claim::Unproven { taken_part: false, deadline: None };
            assert!(matches!(call.phase, Phase::Recovered { .. }));
            calls.insert(call);
        }
        assert!(!calls.have_room_for_unclaimed(&LIMITS) && calls.have_room(&LIMITS));
    }
}
