//! Glare: two clients call each other at once.
//!
//! Each session that speaks dialect 2 decides by itself, and both decide the same: the call with
//! the lesser id survives. Whichever of the two rings arrives first, and wherever.

use securecall_protocol::{ClientId, EndReason};

use super::call::{Call, Role};
use super::{Outputs, Session, end_mail};
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
    /// A call with `peer` begins, its other end in `role` here before. Ends the calls the other
    /// way that lose against it.
    pub(super) fn resolve_glare<'m>(
        &mut self,
        cx: &Context<'_>,
        new_call_id: &str,
        peer: &ClientId,
        role: Role,
        outputs: &mut Outputs<'m>,
    ) -> Glare {
        let crosses = |call: &Call| call.role == role && call.is_ringing() && call.peer == *peer;
        if self.calls.iter().any(|call| crosses(call) && *call.id < *new_call_id) {
            return Glare::OldSurvives;
        }
        for loser in self.end_calls(crosses) {
            let mail = end_mail(&loser, EndReason::Glare);
            outputs.extend(self.say_end(cx, loser, EndReason::Glare));
            outputs.push(mail);
        }
        Glare::None
    }
}
