//! What a session makes of mail from other sessions.

use std::borrow::Cow;

use securecall_protocol::{ClientId, Opaque, ServerMessage};

use super::call::{Call, Claim, Phase, Role};
use super::output::{Output, Receipt};
use super::waiting::Full;
use super::{Session, ice_servers};
use crate::context::Context;
use crate::mail::{Content, Mail, Outcome};

impl Session {
    /// Mail has come from the session of `from`.
    pub fn handle_mail<'m>(
        &mut self,
        cx: &Context<'_>,
        from: &ClientId,
        mail: &Mail<'m>,
    ) -> Receipt<'m> {
        let call_id = &mail.call_id;
        if let Content::Ring { sdp_offer } = mail.content {
            return self.receive_ring(cx, from, call_id, sdp_offer);
        }
        let Some(at) = self.find_or_expect(cx, from, call_id) else {
            return Receipt::refused(Outcome::NoSuchCall);
        };
        match mail.content {
            Content::Ring { .. } => Receipt::refused(Outcome::NoSuchCall),
            Content::Accept { sdp_answer } => self.receive_accept(cx, at, call_id, sdp_answer),
            Content::Reject => self.receive_end(cx, at, call_id, true),
            Content::End { .. } => self.receive_end(cx, at, call_id, false),
            Content::Candidate { candidate } => {
                let call_id = call_id.clone();
                self.tell(cx, at, ServerMessage::IceCandidate { call_id, candidate })
            }
        }
    }

    fn receive_ring<'m>(
        &mut self,
        cx: &Context<'_>,
        from: &ClientId,
        call_id: &Cow<'m, str>,
        sdp_offer: Opaque<'m>,
    ) -> Receipt<'m> {
        if self.calls.iter().any(|call| *call.id == **call_id) {
            return Receipt::delivered(None);
        }
        if !self.is_online() {
            return Receipt::refused(Outcome::Offline);
        }
        if self.claimed_calls() >= cx.config.calls.per_session_max {
            return Receipt::refused(Outcome::Busy);
        }
        let deadline = cx.now + cx.config.calls.ring_timeout;
        let kept = Some(sdp_offer.as_json().into());
        let id = call_id.as_ref().into();
        let mut call = Call::ringing(id, from.clone(), Role::Callee, deadline, kept);
        call.claim = Claim::Proven;
        self.calls.push(call);
        Receipt::delivered(Some(Output::message(ServerMessage::IncomingCall {
            call_id: call_id.clone(),
            caller_id: from.clone(),
            sdp_offer,
            ice_servers: ice_servers(&self.client_id, cx),
        })))
    }

    fn receive_accept<'m>(
        &mut self,
        cx: &Context<'_>,
        at: usize,
        call_id: &Cow<'m, str>,
        sdp_answer: Opaque<'m>,
    ) -> Receipt<'m> {
        let bytes_max = self.waiting_bytes_left(cx, at);
        let online = self.is_online();
        let ice_servers = ice_servers(&self.client_id, cx);
        let call = &mut self.calls[at];
        if call.role != Role::Caller || !call.is_unanswered() {
            // A callee that forgot in a restart that it had accepted. One answer is enough.
            return Receipt::delivered(None);
        }
        call.phase = Phase::Active;
        let message =
            ServerMessage::CallAccepted { call_id: call_id.clone(), sdp_answer, ice_servers };
        if online {
            call.claim = Claim::Proven;
            let mut receipt = Receipt::delivered(Some(Output::message(message)));
            // Candidates that came before their answer have waited for it.
            receipt.outputs.extend(call.waiting.take().map(Output::SendText));
            return receipt;
        }
        call.claim = Claim::Untold;
        match call.waiting.push_front(message, bytes_max) {
            Ok(()) => Receipt::delivered(None),
            Err(Full) => self.give_up(cx, at),
        }
    }

    fn receive_end<'m>(
        &mut self,
        cx: &Context<'_>,
        at: usize,
        call_id: &Cow<'m, str>,
        rejected: bool,
    ) -> Receipt<'m> {
        let call = self.end_call_at(at);
        let call_id = call_id.clone();
        let message = if rejected && call.is_unanswered() {
            ServerMessage::CallRejected { call_id }
        } else {
            ServerMessage::CallEnded { call_id }
        };
        Receipt::delivered(self.tell_end(cx, message))
    }

    /// Tells the client something of a call, now or when it may know.
    fn tell<'m>(&mut self, cx: &Context<'_>, at: usize, message: ServerMessage<'m>) -> Receipt<'m> {
        if self.is_online() && self.calls[at].claim == Claim::Proven {
            return Receipt::delivered(Some(Output::message(message)));
        }
        let bytes_max = self.waiting_bytes_left(cx, at);
        match self.calls[at].waiting.push(message, bytes_max) {
            Ok(()) => Receipt::delivered(None),
            Err(Full) => self.give_up(cx, at),
        }
    }

    /// How many bytes may wait for this call: what the others leave of the session's bound.
    fn waiting_bytes_left(&self, cx: &Context<'_>, at: usize) -> usize {
        let all: usize = self.calls.iter().map(|call| call.waiting.bytes()).sum();
        let others = all - self.calls[at].waiting.bytes();
        cx.config.calls.waiting_bytes_max.saturating_sub(others)
    }

    /// More mail than can wait: a call with a hole in it is worse than none, so it ends here.
    fn give_up<'m>(&mut self, cx: &Context<'_>, at: usize) -> Receipt<'m> {
        let call = self.end_call_at(at);
        let ended = ServerMessage::CallEnded { call_id: Cow::Owned(call.id.into()) };
        let told = self.tell_end(cx, ended);
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
        if let Some(at) = self.calls.iter().position(|call| *call.id == *call_id) {
            return (self.calls[at].peer == *from).then_some(at);
        }
        let unproven = self.calls.len() - self.claimed_calls();
        if unproven >= cx.config.calls.per_session_max {
            return None;
        }
        let deadline = Some(cx.now + cx.config.calls.ring_timeout);
        let call = self.recover(cx, call_id, Claim::Unproven { deadline })?;
        if call.peer != *from {
            return None;
        }
        self.calls.push(call);
        Some(self.calls.len() - 1)
    }
}
