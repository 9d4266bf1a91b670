//! Two calls of the same two clients: both call at once, or one of them calls back.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use securecall_protocol::ClientId;
use securecall_seal::Fingerprint;

use super::{Call, Calls, State};
use crate::CallId;

/// Bound of the lost glares that are remembered.
const GLARES_MAX: usize = 4;
/// Time for which each is: the call that won rings at once, unless a look-up takes its time.
const GLARE_REMEMBERED: Duration = Duration::from_secs(30);

/// Own calls that ended because the callee called at the same moment.
#[derive(Default)]
pub(super) struct Glares(VecDeque<Glare>);

struct Glare {
    call: CallId,
    callee: Fingerprint,
    until: Instant,
}

impl Glares {
    fn push(&mut self, glare: Glare) {
        if self.0.len() >= GLARES_MAX {
            self.0.pop_front();
        }
        self.0.push_back(glare);
    }

    fn take(&mut self, identity: Fingerprint, now: Instant) -> Option<CallId> {
        self.0.retain(|glare| glare.until > now);
        let at = self.0.iter().position(|glare| glare.callee == identity)?;
        self.0.remove(at).map(|glare| glare.call)
    }
}

impl Calls {
    /// The server ends this call because the callee called at the same moment. What rings next from
    /// there takes its place.
    pub(crate) fn lose_to_glare(&mut self, wire_id: &str, now: Instant) {
        let Some(call) = self.by_wire_id(wire_id) else { return };
        let Some(Call { state: State::Offering(offering), .. }) = self.find(call) else { return };
        let callee = offering.callee_key.fingerprint();
        self.glares.push(Glare { call, callee, until: now + GLARE_REMEMBERED });
    }

    /// Returns whether an own call to this client is on its way.
    pub(crate) fn calls_out_to(&self, client_id: &ClientId) -> bool {
        let begins = |call: &Call| {
            matches!(call.state, State::SeekingCallee { .. } | State::Offering(_))
                && call.peer == *client_id
        };
        self.search(begins).is_some()
    }

    /// A call that was held for glare, and has no own call against it any more.
    pub(crate) fn any_released(&self) -> Option<CallId> {
        self.search(|call| {
            matches!(call.state, State::HeldForGlare(_)) && !self.calls_out_to(&call.peer)
        })
    }

    /// The call whose place one of this identity takes, made at `made_at` by the caller's clock:
    /// one of ours that lost against it, or the newest running one that is not known to be younger.
    pub(crate) fn replaced_by(
        &mut self,
        caller: &ClientId,
        identity: Fingerprint,
        made_at: u64,
        now: Instant,
    ) -> Option<CallId> {
        let is_replaced = |call: &Call| {
            call.peer == *caller
                && matches!(&call.state, State::Answered(answered) if answered.is_older(identity, made_at))
        };
        let lost = self.glares.take(identity, now);
        let running = || self.iter().filter(|(_, call)| is_replaced(call)).last();
        lost.or_else(|| running().map(|(id, _)| id))
    }
}
