//! Messages of the session's own client.

use std::borrow::Cow;

use securecall_protocol::{
    CallMessage, ClientId, EndReason, ErrorCode, Opaque, RejectReason, ServerMessage,
};

use super::call::{Call, Claim, Phase, Role};
use super::calls::Slot;
use super::end::{Ending, Notify};
use super::{Output, Outputs, Session};
use crate::call_id::Parties;
use crate::context::Context;
use crate::mail::{Content, Mail};

/// The code and the text of the ERROR that refuses a message.
pub(super) type Refusal = (ErrorCode, &'static str);

/// The mail to a peer that a message leads to, if its outcome is answered.
type Step<'m> = Result<Option<(ClientId, Mail<'m>)>, Refusal>;

pub(super) const CALL_NOT_FOUND: Refusal = (ErrorCode::CallNotFound, "no such call of this client");
const SELF_CALL: Refusal = (ErrorCode::InvalidMessage, "a client cannot call itself");
const TOO_MANY_CALLS: Refusal = (ErrorCode::RateLimited, "too many calls at once");
const NOT_ACCEPTABLE: Refusal =
    (ErrorCode::InvalidState, "only its callee can accept a call, and only once");
const NOT_REJECTABLE: Refusal =
    (ErrorCode::InvalidState, "only its callee can reject a call, before it is accepted");
const NOT_RINGABLE: Refusal =
    (ErrorCode::InvalidState, "only its callee says that a call rings, before it is accepted");
const NOT_ANSWERED: Refusal = (ErrorCode::InvalidState, "signals are for calls that were accepted");

impl Session {
    /// Takes the client's message about a call.
    pub fn handle_message<'m>(
        &mut self,
        cx: &Context<'_>,
        message: CallMessage<'m>,
        request_id: Option<Opaque<'m>>,
    ) -> Outputs<'m> {
        let mut outputs = Outputs::new();
        match self.step(cx, message, request_id, &mut outputs) {
            Ok(None) => {}
            Ok(Some((to, mail))) => outputs.push(Output::Mail { to, mail, request_id }),
            Err(refusal) => outputs.extend(self.refuse(cx, refusal, request_id)),
        }
        outputs
    }

    fn step<'m>(
        &mut self,
        cx: &Context<'_>,
        message: CallMessage<'m>,
        request_id: Option<Opaque<'m>>,
        outputs: &mut Outputs<'m>,
    ) -> Step<'m> {
        match message {
            CallMessage::CallInitiate { target_id, sdp_offer } => {
                self.initiate(cx, target_id, sdp_offer, request_id, outputs)
            }
            CallMessage::CallRinging { call_id } => self.ringing(cx, call_id, outputs),
            CallMessage::CallAccept { call_id, sdp_answer } => {
                self.accept(cx, call_id, sdp_answer, outputs)
            }
            CallMessage::CallReject { call_id, reason } => {
                self.reject(cx, &call_id, reason, outputs)
            }
            CallMessage::CallEnd { call_id } => self.hang_up(cx, &call_id, outputs),
            CallMessage::IceCandidate { call_id, candidate } => {
                self.relay(cx, call_id, Content::Candidate { candidate }, outputs)
            }
            CallMessage::CallSignal { call_id, data } => self.signal(cx, call_id, data, outputs),
        }
    }

    fn initiate<'m>(
        &mut self,
        cx: &Context<'_>,
        target_id: ClientId,
        sdp_offer: Opaque<'m>,
        request_id: Option<Opaque<'m>>,
        outputs: &mut Outputs<'m>,
    ) -> Step<'m> {
        if target_id == *self.client_id() {
            return Err(SELF_CALL);
        }
        self.check_room(cx)?;
        // A wall clock that was set back does not make the call older than the server.
        let born = cx.unix.max(self.server_started);
        let parties = Parties { caller: self.client_id().clone(), callee: target_id.clone(), born };
        let call_id = cx.config.call_ids.seal((cx.nonce)(), &parties);
        let announced = self.speaks_dialect_two();
        if announced {
            let initiated = ServerMessage::CallInitiated {
                call_id: Cow::Owned(call_id.to_string()),
                target_id: target_id.clone(),
                ice_servers: self.client.ice_servers(cx),
            };
            outputs.extend(self.reply(cx, initiated, request_id));
        }
        let content = Content::Ring { sdp_offer, dialect: self.client.dialect() };
        let mail = Mail { call_id: Cow::Owned(call_id.to_string()), content };
        let deadline = cx.now + cx.config.calls.ring_timeout;
        let mut call = Call::ringing(call_id, target_id.clone(), Role::Caller, deadline, None);
        call.claim = if announced { Claim::Proven } else { Claim::Unannounced };
        call.ring_under_way = true;
        self.calls.insert(call);
        self.newest_call = self.newest_call.max(born);
        Ok(Some((target_id, mail)))
    }

    fn ringing<'m>(
        &mut self,
        cx: &Context<'_>,
        call_id: Cow<'m, str>,
        outputs: &mut Outputs<'m>,
    ) -> Step<'m> {
        let at =
            self.present_to_answer(cx, &call_id, NOT_RINGABLE, outputs, Call::is_unanswered)?;
        let mail = Mail { call_id, content: Content::Ringing };
        Ok(Some((self.calls[at].peer.clone(), mail)))
    }

    fn accept<'m>(
        &mut self,
        cx: &Context<'_>,
        call_id: Cow<'m, str>,
        sdp_answer: Opaque<'m>,
        outputs: &mut Outputs<'m>,
    ) -> Step<'m> {
        let at =
            self.present_to_answer(cx, &call_id, NOT_ACCEPTABLE, outputs, Call::is_acceptable)?;
        if self.calls[at].rings_here() {
            self.check_room(cx)?;
        }
        let call = &mut self.calls[at];
        call.phase = Phase::Active;
        call.bind(self.client.tokens());
        let mail = Mail { call_id, content: Content::Accept { sdp_answer } };
        Ok(Some((call.peer.clone(), mail)))
    }

    fn reject<'m>(
        &mut self,
        cx: &Context<'_>,
        call_id: &str,
        reason: RejectReason,
        outputs: &mut Outputs<'m>,
    ) -> Step<'m> {
        let at =
            self.present_to_answer(cx, call_id, NOT_REJECTABLE, outputs, Call::is_unanswered)?;
        let call = self.calls.remove(at);
        self.end(cx, call, Ending::Rejected(reason), Notify::PEER, outputs);
        Ok(None)
    }

    fn hang_up<'m>(
        &mut self,
        cx: &Context<'_>,
        call_id: &str,
        outputs: &mut Outputs<'m>,
    ) -> Step<'m> {
        let at = self.present(cx, call_id, outputs)?;
        let call = self.calls.remove(at);
        let cancelled = call.role == Role::Caller && call.is_ringing();
        let reason = if cancelled { EndReason::Cancelled } else { EndReason::Hangup };
        self.end(cx, call, reason, Notify::PEER, outputs);
        Ok(None)
    }

    fn relay<'m>(
        &mut self,
        cx: &Context<'_>,
        call_id: Cow<'m, str>,
        content: Content<'m>,
        outputs: &mut Outputs<'m>,
    ) -> Step<'m> {
        let at = self.present(cx, &call_id, outputs)?;
        Ok(Some((self.calls[at].peer.clone(), Mail { call_id, content })))
    }

    fn signal<'m>(
        &mut self,
        cx: &Context<'_>,
        call_id: Cow<'m, str>,
        data: Opaque<'m>,
        outputs: &mut Outputs<'m>,
    ) -> Step<'m> {
        let at = self.present(cx, &call_id, outputs)?;
        if self.calls[at].is_being_set_up() {
            return Err(NOT_ANSWERED);
        }
        let mail = Mail { call_id, content: Content::Signal { data } };
        Ok(Some((self.calls[at].peer.clone(), mail)))
    }

    /// The client presents the id of a call to answer it. Refuses where it is not the callee, or the
    /// call does not allow it.
    fn present_to_answer<'m>(
        &mut self,
        cx: &Context<'_>,
        call_id: &str,
        refusal: Refusal,
        outputs: &mut Outputs<'m>,
        allows: impl FnOnce(&Call) -> bool,
    ) -> Result<Slot, Refusal> {
        let known = self.calls.len();
        let at = self.present(cx, call_id, outputs)?;
        if self.calls[at].role == Role::Callee && allows(&self.calls[at]) {
            return Ok(at);
        }
        // The other end learns nothing, so the call is not taken up either.
        self.calls.truncate(known);
        Err(refusal)
    }

    /// The client presents a call's id: the call is its own. Messages that were deferred until then
    /// are sent first.
    pub(super) fn present<'m>(
        &mut self,
        cx: &Context<'_>,
        call_id: &str,
        outputs: &mut Outputs<'m>,
    ) -> Result<Slot, Refusal> {
        let at = match self.calls.find(call_id) {
            Some(at) if !self.calls[at].admits(self.client.tokens()) => {
                self.calls[at].denied = true;
                return Err(CALL_NOT_FOUND);
            }
            Some(at) if self.calls[at].is_claimed() => at,
            Some(at) => self.check_room(cx).map(|()| at)?,
            None => self.recover_presented(cx, call_id)?,
        };
        self.calls[at].confirm();
        if self.calls[at].claim != Claim::Proven {
            if !self.calls[at].is_claimed() {
                self.note_answered_caller(at);
            }
            self.send_deferred(cx, at, outputs);
        }
        Ok(at)
    }

    /// Refuses if the client may not take part in one more call.
    pub(super) fn check_room(&self, cx: &Context<'_>) -> Result<(), Refusal> {
        self.calls.have_room(&cx.config.calls).then_some(()).ok_or(TOO_MANY_CALLS)
    }
}
