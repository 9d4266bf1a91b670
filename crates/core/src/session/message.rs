//! What a session makes of its own client's messages.

use std::borrow::Cow;

use securecall_protocol::{
    CallMessage, ClientId, EndReason, ErrorCode, Opaque, Reply, ServerMessage,
};

use super::call::{Call, Claim, Phase, Role};
use super::{Output, Outputs, Session};
use crate::call_id::Parties;
use crate::context::Context;
use crate::mail::{Content, Mail, Outcome};

/// Why a message is refused, in the words of the ERROR.
type Refusal = (ErrorCode, &'static str);

const CALL_NOT_FOUND: Refusal = (ErrorCode::CallNotFound, "no such call of this client");
const TARGET_NOT_FOUND: Refusal = (ErrorCode::TargetNotFound, "the target client is not connected");
const SELF_CALL: Refusal = (ErrorCode::InvalidMessage, "a client cannot call itself");
const TOO_MANY_CALLS: Refusal = (ErrorCode::RateLimited, "too many calls at once");
const NOT_ACCEPTABLE: Refusal =
    (ErrorCode::InvalidState, "only its callee can accept a call, and only once");
const NOT_REJECTABLE: Refusal =
    (ErrorCode::InvalidState, "only its callee can reject a call, before it is accepted");
const UNAVAILABLE: Refusal = (ErrorCode::Unavailable, "the other client cannot be reached for now");

impl Session {
    /// The client asks for something about a call.
    pub fn handle_message<'m>(
        &mut self,
        cx: &Context<'_>,
        message: CallMessage<'m>,
        request_id: Option<Opaque<'m>>,
    ) -> Outputs<'m> {
        let mut outputs = Outputs::new();
        let step = match message {
            CallMessage::CallInitiate { target_id, sdp_offer } => {
                self.initiate(cx, target_id, sdp_offer)
            }
            CallMessage::CallAccept { call_id, sdp_answer } => {
                self.accept(cx, call_id, sdp_answer, &mut outputs)
            }
            CallMessage::CallReject { call_id } => self.reject(cx, call_id, &mut outputs),
            CallMessage::CallEnd { call_id } => self.end(cx, call_id, &mut outputs),
            CallMessage::IceCandidate { call_id, candidate } => {
                self.relay(cx, call_id, Content::Candidate { candidate }, &mut outputs)
            }
        };
        outputs.push(match step {
            Ok((to, mail)) => Output::Mail { to, mail, request_id },
            Err((code, message)) => Output::error(code, message, request_id),
        });
        outputs
    }

    /// What became of a mail that [`Session::handle_message`] sent. Only needed when it was not
    /// delivered.
    pub fn handle_outcome<'m>(
        &mut self,
        cx: &Context<'_>,
        mail: Mail<'m>,
        outcome: Outcome,
        request_id: Option<Opaque<'m>>,
    ) -> Option<Output<'m>> {
        let online = self.is_online();
        let refused = |(code, message): Refusal| {
            // An error answers a request: nobody waits for it any more.
            online.then(|| Output::error(code, message, request_id))
        };
        match (&mail.content, outcome) {
            (_, Outcome::Delivered) | (Content::End { .. } | Content::Reject, _) => None,
            (Content::Ring { .. }, outcome) => {
                self.end_call(&mail.call_id)?;
                match outcome {
                    Outcome::Busy | Outcome::Full => {
                        let message = ServerMessage::CallRejected { call_id: mail.call_id };
                        self.tell_end(cx, Reply { message, reply_to: request_id })
                    }
                    Outcome::Unavailable => refused(UNAVAILABLE),
                    _ => refused(TARGET_NOT_FOUND),
                }
            }
            (_, Outcome::Unavailable) => refused(UNAVAILABLE),
            (_, _) => match self.end_call(&mail.call_id)?.phase {
                Phase::Recovered { .. } if online => refused(CALL_NOT_FOUND),
                _ => self.tell_end(cx, ServerMessage::CallEnded { call_id: mail.call_id }),
            },
        }
    }

    fn initiate<'m>(
        &mut self,
        cx: &Context<'_>,
        target_id: ClientId,
        sdp_offer: Opaque<'m>,
    ) -> Result<(ClientId, Mail<'m>), Refusal> {
        if target_id == self.client_id {
            return Err(SELF_CALL);
        }
        self.check_room(cx)?;
        let parties =
            Parties { caller: self.client_id.clone(), callee: target_id.clone(), born: cx.unix };
        let call_id = cx.config.call_ids.seal((cx.nonce)(), &parties);
        let deadline = cx.now + cx.config.calls.ring_timeout;
        let mail =
            Mail { call_id: Cow::Owned(call_id.to_string()), content: Content::Ring { sdp_offer } };
        self.calls.push(Call::ringing(call_id, target_id.clone(), Role::Caller, deadline, None));
        Ok((target_id, mail))
    }

    fn accept<'m>(
        &mut self,
        cx: &Context<'_>,
        call_id: Cow<'m, str>,
        sdp_answer: Opaque<'m>,
        outputs: &mut Outputs<'m>,
    ) -> Result<(ClientId, Mail<'m>), Refusal> {
        let at = self.present_unanswered(cx, &call_id, NOT_ACCEPTABLE, outputs)?;
        let call = &mut self.calls[at];
        call.phase = Phase::Active;
        Ok((call.peer.clone(), Mail { call_id, content: Content::Accept { sdp_answer } }))
    }

    fn reject<'m>(
        &mut self,
        cx: &Context<'_>,
        call_id: Cow<'m, str>,
        outputs: &mut Outputs<'m>,
    ) -> Result<(ClientId, Mail<'m>), Refusal> {
        self.present_unanswered(cx, &call_id, NOT_REJECTABLE, outputs)?;
        let call = self.end_call(&call_id).ok_or(CALL_NOT_FOUND)?;
        Ok((call.peer, Mail { call_id, content: Content::Reject }))
    }

    fn end<'m>(
        &mut self,
        cx: &Context<'_>,
        call_id: Cow<'m, str>,
        outputs: &mut Outputs<'m>,
    ) -> Result<(ClientId, Mail<'m>), Refusal> {
        self.present(cx, &call_id, outputs)?;
        let call = self.end_call(&call_id).ok_or(CALL_NOT_FOUND)?;
        let cancelled = call.role == Role::Caller && call.is_ringing();
        let reason = if cancelled { EndReason::Cancelled } else { EndReason::Hangup };
        Ok((call.peer, Mail { call_id, content: Content::End { reason } }))
    }

    fn relay<'m>(
        &mut self,
        cx: &Context<'_>,
        call_id: Cow<'m, str>,
        content: Content<'m>,
        outputs: &mut Outputs<'m>,
    ) -> Result<(ClientId, Mail<'m>), Refusal> {
        let at = self.present(cx, &call_id, outputs)?;
        Ok((self.calls[at].peer.clone(), Mail { call_id, content }))
    }

    /// The client presents the id of a call that it was to answer and has not.
    fn present_unanswered<'m>(
        &mut self,
        cx: &Context<'_>,
        call_id: &str,
        refusal: Refusal,
        outputs: &mut Outputs<'m>,
    ) -> Result<usize, Refusal> {
        let known = self.calls.len();
        let at = self.present(cx, call_id, outputs)?;
        if self.calls[at].role == Role::Callee && self.calls[at].is_unanswered() {
            return Ok(at);
        }
        // What it has not told the other end of, it has not taken up.
        self.calls.truncate(known);
        Err(refusal)
    }

    /// The client presents a call's id: the call is its own. What waited for that proof goes to it
    /// first.
    fn present<'m>(
        &mut self,
        cx: &Context<'_>,
        call_id: &str,
        outputs: &mut Outputs<'m>,
    ) -> Result<usize, Refusal> {
        let known = self.calls.iter().position(|call| *call.id == *call_id);
        let at = match known {
            Some(at) if self.calls[at].is_claimed() => at,
            Some(at) => self.check_room(cx).map(|()| at)?,
            None => self.take_up(cx, call_id)?,
        };
        let call = &mut self.calls[at];
        if call.claim != Claim::Proven {
            call.claim = Claim::Proven;
            outputs.extend(call.waiting.take().map(Output::SendText));
        }
        Ok(at)
    }

    /// Takes up a call from before the server started.
    fn take_up(&mut self, cx: &Context<'_>, call_id: &str) -> Result<usize, Refusal> {
        let call = self.recover(cx, call_id, Claim::Proven).ok_or(CALL_NOT_FOUND)?;
        self.check_room(cx)?;
        self.calls.push(call);
        Ok(self.calls.len() - 1)
    }

    /// Whether the client may take part in one more call.
    fn check_room(&self, cx: &Context<'_>) -> Result<(), Refusal> {
        self.has_room(cx).then_some(()).ok_or(TOO_MANY_CALLS)
    }
}
