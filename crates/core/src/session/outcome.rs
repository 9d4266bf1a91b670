//! What a session makes of what became of its mail.

use securecall_protocol::{EndReason, ErrorCode, Opaque, RejectReason, ServerMessage};

use super::call::Phase;
use super::message::{CALL_NOT_FOUND, Refusal};
use super::{Outputs, Session};
use crate::context::Context;
use crate::mail::{Content, Mail, Outcome};

const TARGET_NOT_FOUND: Refusal = (ErrorCode::TargetNotFound, "the target client is not connected");
const UNAVAILABLE: Refusal = (ErrorCode::Unavailable, "the other client cannot be reached for now");
const NOT_UNDERSTOOD: Refusal =
    (ErrorCode::InvalidState, "the other client does not take signals: it speaks dialect 1");

/// When it helps to ask an unreachable client's node again, in milliseconds.
const UNAVAILABLE_RETRY_MS: u64 = 1_000;

impl Session {
    /// Takes the outcome of a mail that this session sent. Needed of every ring, and of other mail
    /// when it was not delivered.
    pub fn handle_outcome<'m>(
        &mut self,
        cx: &Context<'_>,
        mail: Mail<'m>,
        outcome: Outcome,
        request_id: Option<Opaque<'m>>,
    ) -> Outputs<'m> {
        let mut outputs = Outputs::new();
        match (&mail.content, outcome) {
            (Content::Ring { .. }, outcome) => {
                self.handle_ring_outcome(cx, mail, outcome, request_id, &mut outputs);
            }
            (_, Outcome::Delivered) | (Content::End { .. } | Content::Reject { .. }, _) => {}
            // Nobody asked, and whatever is said next finds out.
            (Content::Present { .. } | Content::Ringing, Outcome::Unavailable) => {}
            (_, Outcome::Unavailable) => {
                outputs.extend(self.refuse(cx, UNAVAILABLE, request_id));
            }
            (_, Outcome::NotUnderstood) => {
                outputs.extend(self.refuse(cx, NOT_UNDERSTOOD, request_id));
            }
            (_, outcome) => self.handle_loss(cx, mail, outcome, request_id, &mut outputs),
        }
        outputs
    }

    fn handle_ring_outcome<'m>(
        &mut self,
        cx: &Context<'_>,
        mail: Mail<'m>,
        outcome: Outcome,
        request_id: Option<Opaque<'m>>,
        outputs: &mut Outputs<'m>,
    ) {
        let arrived = matches!(outcome, Outcome::Delivered | Outcome::Unavailable);
        if let Some(end) = self.held_ends.release(&mail.call_id) {
            // It ended while its ring was under way.
            return outputs.extend(arrived.then_some(end));
        }
        let Some(at) = self.find(&mail.call_id) else { return };
        self.calls[at].ring_under_way = false;
        let callee = self.calls[at].peer.clone();
        if outcome == Outcome::Delivered {
            return self.decide_glare(cx, &callee, outputs);
        }
        self.forget_glare(&callee);
        let call = self.end_call_at(at);
        if arrived {
            outputs.extend(self.end_mail(&call, EndReason::Unreachable));
        }
        let refusal = match outcome {
            Outcome::Busy | Outcome::Full => {
                let (call_id, reason) = (mail.call_id, RejectReason::Busy);
                let rejected = ServerMessage::CallRejected { call_id, reason };
                return outputs.extend(self.say_last(cx, rejected, request_id, Some(call)));
            }
            Outcome::Glare => return outputs.extend(self.say_end(cx, call, EndReason::Glare)),
            Outcome::Unavailable => UNAVAILABLE,
            _ => TARGET_NOT_FOUND,
        };
        outputs.extend(self.refuse(cx, refusal, request_id));
        if self.speaks_dialect_two() {
            // It was told the call's id, so it is told its end.
            outputs.extend(self.say_end(cx, call, EndReason::Unreachable));
        }
    }

    /// The other end knows the call no more.
    fn handle_loss<'m>(
        &mut self,
        cx: &Context<'_>,
        mail: Mail<'m>,
        outcome: Outcome,
        request_id: Option<Opaque<'m>>,
        outputs: &mut Outputs<'m>,
    ) {
        let Some(at) = self.find(&mail.call_id) else { return };
        if !self.calls[at].recovered && outcome != Outcome::Full {
            // A call that both have known does not end without a word, which says why.
            return self.calls[at].await_last_word(cx.now);
        }
        let call = self.end_call_at(at);
        if call.recovered {
            // The other end's client may have brought it back since.
            outputs.extend(self.end_mail(&call, EndReason::Unreachable));
        }
        // A client of dialect 2 is told the end of every call that it was not refused before.
        let asked = !matches!(mail.content, Content::Present { .. });
        let as_error = asked && self.is_online() && !self.speaks_dialect_two();
        outputs.extend(match call.phase {
            Phase::Recovered { .. } if as_error => self.refuse(cx, CALL_NOT_FOUND, request_id),
            _ => self.say_end(cx, call, EndReason::Unreachable),
        });
    }

    /// An ERROR, for a client that is there: an error answers a request, and nobody waits for it
    /// any more when the connection is lost.
    pub(super) fn refuse<'m>(
        &mut self,
        cx: &Context<'_>,
        (code, message): Refusal,
        reply_to: Option<Opaque<'m>>,
    ) -> Option<super::Output<'m>> {
        let retry_after_ms = (code == ErrorCode::Unavailable).then_some(UNAVAILABLE_RETRY_MS);
        let message = message.into();
        self.reply(cx, ServerMessage::Error { code, message, retry_after_ms }, reply_to)
    }
}
