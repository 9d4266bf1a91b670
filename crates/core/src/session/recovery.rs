//! Calls from before the server started, taken up again by their ids.
//!
//! A restart forgets all calls. An id proves that its call existed, between whom, and since when: so a
//! record can be made again for the client that presents the id, or for mail that names it. It is made
//! for calls that are older than the server only, and not for those that have ended here since: any
//! other call without a record is over.

use securecall_protocol::ClientId;

use super::Session;
use super::call::{Call, Claim, Phase, Role};
use super::calls::Slot;
use super::message::{CALL_NOT_FOUND, Refusal};
use crate::context::Context;
use crate::time::UnixTime;

impl Session {
    /// A record for a call of which only the id is known. `None` if there can be none.
    pub(super) fn recover(&self, cx: &Context<'_>, call_id: &str, claim: Claim) -> Option<Call> {
        if self.calls.has_ended(call_id) {
            return None;
        }
        let parties = cx.config.call_ids.open(call_id)?;
        let older = parties.born < self.server_started;
        let (role, peer) = Role::of(self.client_id(), parties)?;
        older.then(|| Call::recovered(call_id, peer, role, claim))
    }

    /// Recovers a call whose id its client presents.
    pub(super) fn recover_presented(
        &mut self,
        cx: &Context<'_>,
        call_id: &str,
    ) -> Result<Slot, Refusal> {
        let call = self.recover(cx, call_id, Claim::Proven).ok_or(CALL_NOT_FOUND)?;
        self.check_room(cx)?;
        let at = self.calls.insert(call);
        self.note_answered_caller(at);
        Ok(at)
    }

    /// Finds the call that mail is about, or recovers it. Returns `None` if it is not between
    /// this client and `from`.
    pub(super) fn find_or_recover(
        &mut self,
        cx: &Context<'_>,
        from: &ClientId,
        call_id: &str,
    ) -> Option<Slot> {
        if let Some(at) = self.calls.find(call_id) {
            return (self.calls[at].peer == *from).then_some(at);
        }
        if !self.calls.have_room_for_unclaimed(&cx.config.calls) {
            return None;
        }
        let deadline = Some(cx.now + cx.config.calls.ring_timeout);
        let call = self.recover(cx, call_id, Claim::Unproven { taken_part: false, deadline })?;
        (call.peer == *from).then(|| self.calls.insert(call))
    }

    /// A caller of dialect 1 that knows an id from before a restart has learnt it from
    /// CALL_ACCEPTED: the call was answered.
    pub(super) fn note_answered_caller(&mut self, at: Slot) {
        let in_one = !self.speaks_dialect_two();
        let call = &mut self.calls[at];
        if let (true, Role::Caller, Phase::Recovered { .. }) = (in_one, call.role, &call.phase) {
            call.phase = Phase::Recovered { answered: true, deadline: None };
        }
    }

    /// Returns the birth of a call whose caller, this client, can still wait for an answer: young
    /// enough to ring, with a client that took its grace to come back. One of dialect 1 cannot
    /// distinguish calls, and waits for the newest alone.
    pub(super) fn may_still_ring(&self, cx: &Context<'_>, call_id: &str) -> Option<UnixTime> {
        let limits = &cx.config.calls;
        let longest = (limits.ring_timeout + limits.grace).as_millis();
        let born = cx.config.call_ids.open(call_id)?.born;
        let age = u128::from(cx.unix.as_millis().saturating_sub(born.as_millis()));
        let newest = self.speaks_dialect_two() || born >= self.newest_call;
        (age <= longest && newest).then_some(born)
    }
}
