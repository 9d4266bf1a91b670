//! What a session makes of mail from other sessions.

use std::borrow::Cow;

use securecall_protocol::{ClientId, Dialect, EndReason, Opaque, RejectReason, ServerMessage};

use super::Session;
use super::call::{Call, Claim, Phase, Role, Unconfirmed};
use super::glare::Glare;
use super::offer::Offer;
use super::output::{Outputs, Receipt};
use super::waiting::{Deferred, Full};
use crate::context::Context;
use crate::mail::{Content, Mail, Outcome};
use crate::time::UnixTime;

impl Session {
    /// Mail has come from the session of `from`.
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
        let Some(at) = self.find_or_expect(cx, from, call_id) else {
            return Receipt::refused(Outcome::NoSuchCall);
        };
        match mail.content {
            Content::Ring { .. } => Receipt::refused(Outcome::NoSuchCall),
            Content::Ringing => self.receive_ringing(cx, at, call_id),
            Content::Accept { sdp_answer } => self.receive_accept(cx, at, call_id, sdp_answer),
            Content::Reject { reason } => self.receive_reject(cx, at, call_id, reason),
            Content::End { reason } => self.receive_end(cx, at, call_id, reason),
            Content::Candidate { candidate } => {
                let message = ServerMessage::IceCandidate { call_id: call_id.clone(), candidate };
                self.tell(cx, at, &mail.content, message)
            }
            Content::Signal { .. } if self.dialect() == Dialect::One && self.is_online() => {
                Receipt::refused(Outcome::NotUnderstood)
            }
            Content::Signal { data } => {
                let message = ServerMessage::CallSignal { call_id: call_id.clone(), data };
                self.tell(cx, at, &mail.content, message)
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
        if self.find(call_id).is_some() {
            return Receipt::delivered(None);
        }
        if !self.is_online() {
            return Receipt::refused(Outcome::Offline);
        }
        if !self.has_room_to_ring(cx, from, sdp_offer) {
            return Receipt::refused(Outcome::Busy);
        }
        let mut outputs = Outputs::new();
        // A call of its own that loses against this one makes room for it.
        let glare = self.resolve_glare(cx, call_id, from, dialect, &mut outputs);
        if glare == Glare::OldSurvives {
            return Receipt::refused(Outcome::Glare);
        }
        if !self.has_room(cx) {
            return Receipt { outcome: Outcome::Busy, outputs };
        }
        let deadline = cx.now + cx.config.calls.ring_timeout;
        let kept = Some(Offer::new(sdp_offer.into_owned()));
        let id = call_id.as_ref().into();
        let mut call = Call::ringing(id, from.clone(), Role::Callee, deadline, kept);
        call.claim = Claim::Proven;
        call.loses_when_the_other_rings = glare == Glare::Undecided;
        self.calls.push(call);
        self.note_offer(cx, self.calls.len() - 1);
        let incoming = ServerMessage::IncomingCall {
            call_id: call_id.clone(),
            caller_id: from.clone(),
            sdp_offer,
            ice_servers: self.ice_servers(cx),
        };
        // The client is online, and so is never full.
        outputs.extend(self.say(cx, incoming).ok().flatten());
        Receipt { outcome: Outcome::Delivered, outputs }
    }

    /// The client is given the offer of this call with the next message.
    pub(super) fn note_offer(&mut self, cx: &Context<'_>, at: usize) {
        let seq = self.stream.as_ref().map_or(0, |stream| stream.next_seq());
        if let Some(offer) = self.calls[at].offer_mut() {
            offer.deliver(cx.now, seq);
        }
    }

    fn receive_ringing<'m>(
        &mut self,
        cx: &Context<'_>,
        at: usize,
        call_id: &Cow<'m, str>,
    ) -> Receipt<'m> {
        let call = &self.calls[at];
        let concerns_it = call.role == Role::Caller && call.is_unanswered();
        if !concerns_it || call.claim != Claim::Proven || self.dialect() == Dialect::One {
            return Receipt::delivered(None);
        }
        let ringing = ServerMessage::CallRinging { call_id: call_id.clone() };
        self.tell(cx, at, &Content::Ringing, ringing)
    }

    fn receive_accept<'m>(
        &mut self,
        cx: &Context<'_>,
        at: usize,
        call_id: &Cow<'m, str>,
        sdp_answer: Opaque<'m>,
    ) -> Receipt<'m> {
        if self.calls[at].role != Role::Caller || !self.calls[at].is_unanswered() {
            // A callee that forgot in a restart that it had accepted. One answer is enough.
            return Receipt::delivered(None);
        }
        if !self.calls[at].is_claimed() {
            let Some(born) = self.may_still_ring(cx, call_id) else {
                self.end_call_at(at);
                return Receipt::refused(Outcome::NoSuchCall);
            };
            if !self.has_room(cx) {
                return self.give_up(cx, at);
            }
            self.newest_call = self.newest_call.max(born);
        }
        self.calls[at].phase = Phase::Active;
        if self.is_online() {
            return self.tell_accepted(cx, at, call_id, sdp_answer);
        }
        let knows_the_call = self.calls[at].claim == Claim::Proven;
        let receipt = self.keep(cx, at, Deferred::new(call_id, Content::Accept { sdp_answer }));
        if receipt.outcome == Outcome::Delivered {
            // It is told to whoever registers next, with what waits beside it. Until then the call
            // is nobody's to be told of.
            self.calls[at].claim = Claim::Untold;
            if !knows_the_call {
                // It learns of the call from the answer.
                self.calls[at].waiting.put_answer_first();
            }
        }
        receipt
    }

    /// The birth of a call from before the server started whose caller, this client, can still wait
    /// for an answer: young enough to ring, with a client that took its grace to come back. One of
    /// dialect 1 does not tell calls apart, and waits for the newest alone.
    fn may_still_ring(&self, cx: &Context<'_>, call_id: &str) -> Option<UnixTime> {
        let limits = &cx.config.calls;
        let longest = (limits.ring_timeout + limits.grace).as_millis();
        let born = cx.config.call_ids.open(call_id)?.born;
        let age = u128::from(cx.unix.as_millis().saturating_sub(born.as_millis()));
        let newest = self.speaks_dialect_two() || born >= self.newest_call;
        (age <= longest && newest).then_some(born)
    }

    fn tell_accepted<'m>(
        &mut self,
        cx: &Context<'_>,
        at: usize,
        call_id: &Cow<'m, str>,
        sdp_answer: Opaque<'m>,
    ) -> Receipt<'m> {
        let ice_servers = self.ice_servers(cx);
        let accepted =
            ServerMessage::CallAccepted { call_id: call_id.clone(), sdp_answer, ice_servers };
        let mut receipt = Receipt::delivered(self.say(cx, accepted).ok().flatten());
        // Candidates that came before their answer have waited for it.
        self.tell_waiting(cx, at, &mut receipt.outputs);
        if !self.speaks_dialect_two() {
            self.doubt_answer(cx, at, sdp_answer);
        }
        receipt
    }

    /// A client of dialect 1 is sent this answer. It is kept until the client has shown that it has
    /// it, or the connection has outlived every silence.
    pub(super) fn doubt_answer(&mut self, cx: &Context<'_>, at: usize, sdp_answer: Opaque<'_>) {
        let room = cx.config.calls.waiting_bytes_max.saturating_sub(self.bytes_in_calls());
        let sdp_answer = (sdp_answer.len() <= room).then(|| sdp_answer.into_owned());
        let until = cx.now + cx.config.connection.silence_timeout;
        self.calls[at].unconfirmed = Some(Unconfirmed { sdp_answer, until });
    }

    fn receive_reject<'m>(
        &mut self,
        cx: &Context<'_>,
        at: usize,
        call_id: &Cow<'m, str>,
        reason: RejectReason,
    ) -> Receipt<'m> {
        if !self.calls[at].is_unanswered() {
            return self.receive_end(cx, at, call_id, EndReason::Hangup);
        }
        if !self.calls[at].is_claimed() && self.may_still_ring(cx, call_id).is_none() {
            self.end_call_at(at);
            return Receipt::refused(Outcome::NoSuchCall);
        }
        let call = self.end_call_at(at);
        let rejected = ServerMessage::CallRejected { call_id: call_id.clone(), reason };
        Receipt::delivered(self.say_last(cx, rejected, None, Some(call)))
    }

    fn receive_end<'m>(
        &mut self,
        cx: &Context<'_>,
        at: usize,
        call_id: &Cow<'m, str>,
        reason: EndReason,
    ) -> Receipt<'m> {
        let call = self.end_call_at(at);
        let ended = ServerMessage::CallEnded { call_id: call_id.clone(), reason };
        Receipt::delivered(self.say_last(cx, ended, None, Some(call)))
    }

    /// Tells the client what a mail about a call says, now or when it may know.
    fn tell<'m>(
        &mut self,
        cx: &Context<'_>,
        at: usize,
        content: &Content<'_>,
        message: ServerMessage<'m>,
    ) -> Receipt<'m> {
        if self.calls[at].claim == Claim::Proven && self.is_online() {
            // To a client that is there nothing is over a bound.
            return Receipt::delivered(self.say(cx, message).ok().flatten());
        }
        self.keep(cx, at, Deferred::new(&self.calls[at].id, content.clone()))
    }

    /// Keeps a message for a client that is away, or that has not shown that the call is its own.
    fn keep<'m>(&mut self, cx: &Context<'_>, at: usize, message: Deferred) -> Receipt<'m> {
        let limits = &cx.config.calls;
        let others = self.bytes_in_calls() - self.calls[at].kept_bytes();
        let mut bytes_max = limits.waiting_bytes_max.saturating_sub(others);
        if let Some(stream) = &mut self.stream {
            // What the client was sent makes room for what it was not.
            let needed = self.calls[at].kept_bytes() + message.bytes();
            stream.shrink_to(bytes_max.saturating_sub(needed));
            bytes_max = bytes_max.saturating_sub(stream.bytes());
        }
        match self.calls[at].waiting.push(message, limits, bytes_max) {
            Ok(()) => Receipt::delivered(None),
            Err(Full) => self.give_up(cx, at),
        }
    }

    /// There is no room for the mail, or for the call. It ends here: a call with a hole in it is
    /// worse than none.
    fn give_up<'m>(&mut self, cx: &Context<'_>, at: usize) -> Receipt<'m> {
        let call = self.end_call_at(at);
        let call_id = Cow::Owned(call.id.to_string());
        let ended = ServerMessage::CallEnded { call_id, reason: EndReason::Unreachable };
        let told = self.say_last(cx, ended, None, Some(call));
        Receipt { outcome: Outcome::Full, outputs: told.into_iter().collect() }
    }

    /// The call that the mail is about: one that this session has with `from`, or one that the
    /// mail's token proves and that is from before the server started.
    fn find_or_expect(
        &mut self,
        cx: &Context<'_>,
        from: &ClientId,
        call_id: &str,
    ) -> Option<usize> {
        if let Some(at) = self.find(call_id) {
            return (self.calls[at].peer == *from).then_some(at);
        }
        if self.unclaimed_calls() >= cx.config.calls.per_session_max {
            return None;
        }
        let deadline = Some(cx.now + cx.config.calls.ring_timeout);
        let call = self.recover(cx, call_id, Claim::Unproven { taken_part: false, deadline })?;
        if call.peer != *from {
            return None;
        }
        self.calls.push(call);
        Some(self.calls.len() - 1)
    }
}
