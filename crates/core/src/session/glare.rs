//! Glare: two clients call each other at once.
//!
//! The session that is rung decides, because it alone knows for certain whether its own call the
//! other way still lives. Where both rings cross, both sessions decide, and both decide the same:
//! the call with the lesser id survives. No call ends for one whose ring has not arrived: that may
//! yet find nobody.

use securecall_protocol::{ClientId, Dialect, EndReason};

use super::call::{Call, Role};
use super::{Outputs, Session};
use crate::context::Context;

/// Which of two calls goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Glare {
    /// There is only one.
    None,
    /// The one that was there: the new one has lost.
    OldSurvives,
    /// The one that was there, if its ring arrives, which is under way.
    Undecided,
}

impl Session {
    /// `caller`, who speaks `dialect`, rings. Ends this session's own calls to it that lose against
    /// the new one.
    pub(super) fn resolve_glare(
        &mut self,
        cx: &Context<'_>,
        new_call_id: &str,
        caller: &ClientId,
        dialect: Dialect,
        outputs: &mut Outputs<'_>,
    ) -> Glare {
        if Dialect::One == dialect && !self.speaks_dialect_two() {
            return Glare::None;
        }
        let crosses =
            |call: &Call| call.role == Role::Caller && call.is_ringing() && call.peer == *caller;
        let survives = |call: &Call| crosses(call) && *call.id < *new_call_id;
        if self.calls.iter().any(|call| survives(call) && !call.ring_under_way) {
            return Glare::OldSurvives;
        }
        let undecided = self.calls.iter().any(survives);
        for loser in self.end_calls(|call| crosses(call) && !survives(call)) {
            self.end_at_both(cx, loser, EndReason::Glare, outputs);
        }
        if undecided { Glare::Undecided } else { Glare::None }
    }

    /// The ring of this session's call to `callee` has arrived. Ends the calls the other way that
    /// have waited for that, and lose.
    pub(super) fn decide_glare(
        &mut self,
        cx: &Context<'_>,
        callee: &ClientId,
        outputs: &mut Outputs<'_>,
    ) {
        let loses = |call: &Call| call.loses_when_the_other_rings && call.peer == *callee;
        for loser in self.end_calls(|call| loses(call) && call.is_ringing()) {
            self.end_at_both(cx, loser, EndReason::Glare, outputs);
        }
    }

    /// The ring of this session's call to `callee` has not arrived: the calls the other way go on.
    pub(super) fn forget_glare(&mut self, callee: &ClientId) {
        let calls = self.calls.iter_mut().filter(|call| call.peer == *callee);
        calls.for_each(|call| call.loses_when_the_other_rings = false);
    }
}
