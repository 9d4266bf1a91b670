//! Glare: two clients call each other at once.
//!
//! The session that is rung decides, because it alone knows for certain whether its own call the
//! other way still lives. Where both rings cross, both sessions decide, and both decide the same:
//! the call with the lesser id survives. Nothing is decided before a ring has arrived, so no call
//! ends for one that cannot be delivered.

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
        if self.calls.iter().any(|call| crosses(call) && *call.id < *new_call_id) {
            return Glare::OldSurvives;
        }
        for loser in self.end_calls(crosses) {
            self.end_at_both(cx, loser, EndReason::Glare, outputs);
        }
        Glare::None
    }
}
