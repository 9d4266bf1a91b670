//! Mail from other sessions.

use std::borrow::Cow;

use securecall_protocol::{ClientId, Dialect, EndReason, Opaque, RejectReason, ServerMessage};

use super::call::{Call, Claim, Phase, Role};
use super::calls::Slot;
use super::deferred::Deferred;
use super::end::{Ending, Notify};
use super::glare::Glare;
use super::offer::Offer;
use super::{Outputs, Receipt, Session};
use crate::context::Context;
use crate::mail::{Content, Mail, Outcome};

impl Session {
    /// Takes mail from the session of `from`.
    pub fn handle_mail<'m>(
        &mut self,
        cx: &Context<'_>,
        from: &ClientId,
        mail: &Mail<'m>,
    ) -> Receipt<'m> {
        let call_id = &mail.call_id;
        if let Content::Ring { sdp_offer, dialect } = mail.content {
            return self.receive_ring(cx, from, call_id, sdp_offer, dialect);
        }
        let Some(at) = self.find_or_recover(cx, from, call_id) else {
            return Receipt::refused(Outcome::NoSuchCall);
        };
        match mail.content {
            Content::Ring { .. } => Receipt::refused(Outcome::NoSuchCall),
            Content::Ringing => self.receive_ringing(cx, at, call_id),
            Content::Accept { sdp_answer } => self.receive_accept(cx, at, call_id, sdp_answer),
            Content::Reject { reason } => self.receive_reject(cx, at, call_id, reason),
            Content::End { reason } => self.receive_ending(cx, at, reason.into()),
            Content::Candidate { candidate } => {
                let message = ServerMessage::IceCandidate { call_id: call_id.clone(), candidate };
                self.send_or_defer(cx, at, &mail.content, message)
            }
            Content::Signal { .. }
                if self.client.dialect() == Dialect::One && self.client.is_online() =>
            {
                Receipt::refused(Outcome::NotUnderstood)
            }
            Content::Signal { data } => {
                let message = ServerMessage::CallSignal { call_id: call_id.clone(), data };
                self.send_or_defer(cx, at, &mail.content, message)
            }
            Content::Present { answered } => {
                self.calls[at].note_presented(answered, cx.now + cx.config.calls.ring_timeout);
                Receipt::delivered(None)
            }
        }
    }

    fn receive_ring<'m>(
        &mut self,
        cx: &Context<'_>,
        from: &ClientId,
        call_id: &Cow<'m, str>,
        sdp_offer: Opaque<'m>,
        dialect: Dialect,
    ) -> Receipt<'m> {
        if self.calls.find(call_id).is_some() {
            return Receipt::delivered(None);
        }
        if !self.client.is_online() {
            return Receipt::refused(Outcome::Offline);
        }
        if !self.calls.have_room_to_ring(&cx.config.calls, from, sdp_offer) {
            return Receipt::refused(Outcome::Busy);
        }
        let mut outputs = Outputs::new();
        // A call of its own that loses against this one makes room for it.
        let glare = self.resolve_glare(cx, call_id, from, dialect, &mut outputs);
        if glare == Glare::OldSurvives {
            return Receipt::refused(Outcome::Glare);
        }
        if !self.calls.have_room(&cx.config.calls) {
            return Receipt { outcome: Outcome::Busy, outputs };
        }
        let deadline = cx.now + cx.config.calls.ring_timeout;
        let kept = Some(Offer::new(sdp_offer.into_owned()));
        let id = call_id.as_ref().into();
        let mut call = Call::ringing(id, from.clone(), Role::Callee, deadline, kept);
        call.claim = Claim::Proven;
        call.loses_when_the_other_rings = glare == Glare::Undecided;
        let at = self.calls.insert(call);
        self.note_offer(cx, at);
        let incoming = ServerMessage::IncomingCall {
            call_id: call_id.clone(),
            caller_id: from.clone(),
            sdp_offer,
            ice_servers: self.client.ice_servers(cx),
        };
        outputs.extend(self.client.send_now(cx, &self.calls, incoming));
        Receipt { outcome: Outcome::Delivered, outputs }
    }

    fn receive_ringing<'m>(
        &mut self,
        cx: &Context<'_>,
        at: Slot,
        call_id: &Cow<'m, str>,
    ) -> Receipt<'m> {
        let call = &self.calls[at];
        let concerns_it = call.role == Role::Caller && call.is_unanswered();
        if !concerns_it || call.claim != Claim::Proven || self.client.dialect() == Dialect::One {
            return Receipt::delivered(None);
        }
        let ringing = ServerMessage::CallRinging { call_id: call_id.clone() };
        self.send_or_defer(cx, at, &Content::Ringing, ringing)
    }

    fn receive_accept<'m>(
        &mut self,
        cx: &Context<'_>,
        at: Slot,
        call_id: &Cow<'m, str>,
        sdp_answer: Opaque<'m>,
    ) -> Receipt<'m> {
        if self.calls[at].role != Role::Caller || !self.calls[at].is_unanswered() {
            // A callee that forgot in a restart that it had accepted. One answer is enough.
            return Receipt::delivered(None);
        }
        if !self.calls[at].is_claimed() {
            let Some(born) = self.may_still_ring(cx, call_id) else {
                self.calls.remove(at);
                return Receipt::refused(Outcome::NoSuchCall);
            };
            if !self.calls.have_room(&cx.config.calls) {
                return self.end_without_room(cx, at);
            }
            self.newest_call = self.newest_call.max(born);
        }
        self.calls[at].phase = Phase::Active;
        if self.client.is_online() {
            return self.send_accepted(cx, at, call_id, sdp_answer);
        }
        let knows_the_call = self.calls[at].claim == Claim::Proven;
        let receipt = self.defer(cx, at, Deferred::new(call_id, Content::Accept { sdp_answer }));
        if receipt.outcome == Outcome::Delivered {
            // The connection that registers next is sent it. Until then the client must not learn of
            // the call.
            self.calls[at].claim = Claim::Unannounced;
            if !knows_the_call {
                // It learns of the call from the answer.
                self.calls[at].deferred.put_answer_first();
            }
        }
        receipt
    }

    fn send_accepted<'m>(
        &mut self,
        cx: &Context<'_>,
        at: Slot,
        call_id: &Cow<'m, str>,
        sdp_answer: Opaque<'m>,
    ) -> Receipt<'m> {
        let ice_servers = self.client.ice_servers(cx);
        let accepted =
            ServerMessage::CallAccepted { call_id: call_id.clone(), sdp_answer, ice_servers };
        let mut receipt = Receipt::delivered(self.client.send_now(cx, &self.calls, accepted));
        // Candidates that came before their answer were deferred.
        self.send_deferred(cx, at, &mut receipt.outputs);
        if !self.speaks_dialect_two() {
            self.keep_unconfirmed(cx, at, sdp_answer);
        }
        receipt
    }

    fn receive_reject<'m>(
        &mut self,
        cx: &Context<'_>,
        at: Slot,
        call_id: &Cow<'m, str>,
        reason: RejectReason,
    ) -> Receipt<'m> {
        if !self.calls[at].is_unanswered() {
            return self.receive_ending(cx, at, EndReason::Hangup.into());
        }
        if !self.calls[at].is_claimed() && self.may_still_ring(cx, call_id).is_none() {
            self.calls.remove(at);
            return Receipt::refused(Outcome::NoSuchCall);
        }
        self.receive_ending(cx, at, Ending::Rejected(reason))
    }

    /// The peer has ended the call.
    fn receive_ending<'m>(&mut self, cx: &Context<'_>, at: Slot, ending: Ending) -> Receipt<'m> {
        let call = self.calls.remove(at);
        let mut outputs = Outputs::new();
        self.end(cx, call, ending, Notify::CLIENT, &mut outputs);
        Receipt { outcome: Outcome::Delivered, outputs }
    }

    /// A call with which `from` rings may meet calls to it. Those that lose end.
    fn resolve_glare(
        &mut self,
        cx: &Context<'_>,
        new_call_id: &str,
        from: &ClientId,
        dialect: Dialect,
        outputs: &mut Outputs<'_>,
    ) -> Glare {
        if dialect == Dialect::One && !self.speaks_dialect_two() {
            return Glare::NewSurvives;
        }
        let (glare, losers) = self.calls.resolve_glare(new_call_id, from);
        for loser in losers {
            self.end(cx, loser, EndReason::Glare, Notify::BOTH, outputs);
        }
        glare
    }
}
