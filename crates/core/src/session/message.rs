//! What a session makes of its own client's messages.

use std::borrow::Cow;

use securecall_protocol::{
    CallMessage, ClientId, EndReason, ErrorCode, Opaque, RejectReason, ServerMessage,
};

use super::call::{Call, Claim, Phase, Role};
use super::{Output, Outputs, Session};
use crate::call_id::Parties;
use crate::context::Context;
use crate::mail::{Content, Mail};

/// Why a message is refused, in the words of the ERROR.
pub(super) type Refusal = (ErrorCode, &'static str);

/// A mail to a peer. None: nothing is to be sent.
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
    /// The client asks for something about a call.
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
                self.reject(cx, call_id, reason, outputs)
            }
            CallMessage::CallEnd { call_id } => self.end(cx, call_id, outputs),
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
        if target_id == self.client_id {
            return Err(SELF_CALL);
        }
        self.check_room(cx)?;
        // A wall clock that was set back does not make the call older than the server.
        let born = cx.unix.max(self.knows_since);
        let parties = Parties { caller: self.client_id.clone(), callee: target_id.clone(), born };
        let call_id = cx.config.call_ids.seal((cx.nonce)(), &parties);
        let told = self.speaks_dialect_two();
        if told {
            let initiated = ServerMessage::CallInitiated {
                call_id: Cow::Owned(call_id.to_string()),
                target_id: target_id.clone(),
                ice_servers: self.ice_servers(cx),
            };
            outputs.extend(self.reply(cx, initiated, request_id));
        }
        let content = Content::Ring { sdp_offer, dialect: self.dialect() };
        let mail = Mail { call_id: Cow::Owned(call_id.to_string()), content };
        let deadline = cx.now + cx.config.calls.ring_timeout;
        let mut call = Call::ringing(call_id, target_id.clone(), Role::Caller, deadline, None);
        call.claim = if told { Claim::Proven } else { Claim::Untold };
        call.ring_under_way = true;
        self.calls.push(call);
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
        call.bind(self.stream.as_deref());
        let mail = Mail { call_id, content: Content::Accept { sdp_answer } };
        Ok(Some((call.peer.clone(), mail)))
    }

    fn reject<'m>(
        &mut self,
        cx: &Context<'_>,
        call_id: Cow<'m, str>,
        reason: RejectReason,
        outputs: &mut Outputs<'m>,
    ) -> Step<'m> {
        self.present_to_answer(cx, &call_id, NOT_REJECTABLE, outputs, Call::is_unanswered)?;
        let call = self.end_call(&call_id).ok_or(CALL_NOT_FOUND)?;
        Ok(Some((call.peer, Mail { call_id, content: Content::Reject { reason } })))
    }

    fn end<'m>(
        &mut self,
        cx: &Context<'_>,
        call_id: Cow<'m, str>,
        outputs: &mut Outputs<'m>,
    ) -> Step<'m> {
        self.present(cx, &call_id, outputs)?;
        let call = self.end_call(&call_id).ok_or(CALL_NOT_FOUND)?;
        let cancelled = call.role == Role::Caller && call.is_ringing();
        let reason = if cancelled { EndReason::Cancelled } else { EndReason::Hangup };
        outputs.extend(self.end_mail(&call, reason));
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

    /// The client presents the id of a call that it may answer, if `allows` says so.
    fn present_to_answer<'m>(
        &mut self,
        cx: &Context<'_>,
        call_id: &str,
        refusal: Refusal,
        outputs: &mut Outputs<'m>,
        allows: impl FnOnce(&Call) -> bool,
    ) -> Result<usize, Refusal> {
        let known = self.calls.len();
        let at = self.present(cx, call_id, outputs)?;
        if self.calls[at].role == Role::Callee && allows(&self.calls[at]) {
            return Ok(at);
        }
        // What it has not told the other end of, it has not taken up.
        self.calls.truncate(known);
        Err(refusal)
    }

    /// The client presents a call's id: the call is its own. What waited for that proof goes to it
    /// first.
    pub(super) fn present<'m>(
        &mut self,
        cx: &Context<'_>,
        call_id: &str,
        outputs: &mut Outputs<'m>,
    ) -> Result<usize, Refusal> {
        let at = match self.find(call_id) {
            Some(at) if !self.calls[at].admits(self.stream.as_deref()) => {
                self.calls[at].denied = true;
                return Err(CALL_NOT_FOUND);
            }
            Some(at) if self.calls[at].is_claimed() => at,
            Some(at) => self.check_room(cx).map(|()| at)?,
            None => self.take_up(cx, call_id)?,
        };
        self.calls[at].confirm();
        if self.calls[at].claim != Claim::Proven {
            if !self.calls[at].is_claimed() {
                self.note_answered_caller(at);
            }
            self.tell_waiting(cx, at, outputs);
        }
        Ok(at)
    }

    /// Takes up a call from before the server started.
    fn take_up(&mut self, cx: &Context<'_>, call_id: &str) -> Result<usize, Refusal> {
        let call = self.recover(cx, call_id, Claim::Proven).ok_or(CALL_NOT_FOUND)?;
        self.check_room(cx)?;
        self.calls.push(call);
        self.note_answered_caller(self.calls.len() - 1);
        Ok(self.calls.len() - 1)
    }

    /// A caller of dialect 1 that knows an id from before a restart has learnt it from
    /// CALL_ACCEPTED: the call was answered.
    fn note_answered_caller(&mut self, at: usize) {
        let in_one = !self.speaks_dialect_two();
        let call = &mut self.calls[at];
        if let (true, Role::Caller, Phase::Recovered { .. }) = (in_one, call.role, &call.phase) {
            call.phase = Phase::Recovered { answered: true, deadline: None };
        }
    }

    /// Whether the client may take part in one more call.
    fn check_room(&self, cx: &Context<'_>) -> Result<(), Refusal> {
        self.has_room(cx).then_some(()).ok_or(TOO_MANY_CALLS)
    }
}
