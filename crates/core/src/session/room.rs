//! How many calls a session takes.
//!
//! Two bounds, which share nothing: one for the calls that its client has begun, answered or taken
//! up, and one for those that ring here. So nobody who rings can use up what the client needs for
//! calls of its own, and no caller what the others need to ring.

use securecall_protocol::{ClientId, Opaque};

use super::Session;
use super::call::Call;
use crate::context::{CallLimits, Context, UNANSWERED_PER_CALLER_MAX};

impl Session {
    /// Whether its client may take part in one more call.
    pub(super) fn has_room(&self, cx: &Context<'_>) -> bool {
        let own = self.calls.iter().filter(|call| call.is_claimed() && !call.rings_here());
        own.count() < cx.config.calls.per_session_max
    }

    /// Whether one more call of `from` may ring here. One that nobody could accept may not.
    pub(super) fn has_room_to_ring(
        &self,
        cx: &Context<'_>,
        from: &ClientId,
        sdp_offer: Opaque<'_>,
    ) -> bool {
        let limits = &cx.config.calls;
        let all = Ringing::of(self.calls.iter().filter(|call| call.rings_here()));
        let of_caller = self.calls.iter().filter(|call| call.rings_here() && call.peer == *from);
        let of_caller = Ringing::of(of_caller);
        all.count < limits.unanswered_max
            && of_caller.count < UNANSWERED_PER_CALLER_MAX
            && Ringing::have_room_for_offer(all, of_caller, limits, sdp_offer.len())
    }

    /// How many calls it knows from others' mail alone.
    pub(super) fn unclaimed_calls(&self) -> usize {
        self.calls.iter().filter(|call| !call.is_claimed()).count()
    }
}

/// Calls that ring here, and the bytes of their offers.
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
    /// for the mail that waits beside them. One is always taken. A second one of the same caller
    /// is, where both are within its share.
    fn have_room_for_offer(all: Self, of_caller: Self, limits: &CallLimits, bytes: usize) -> bool {
        let bytes_max = limits.waiting_bytes_max / 2;
        let share = bytes_max * UNANSWERED_PER_CALLER_MAX / limits.unanswered_max.max(1);
        let within_share = of_caller.count == 0 || of_caller.bytes + bytes <= share;
        all.count == 0 || (all.bytes + bytes <= bytes_max && within_share)
    }
}
