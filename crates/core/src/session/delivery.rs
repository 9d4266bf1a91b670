//! Outcomes of mail that this session sent, and what its client is sent for each.

use securecall_protocol::{EndReason, ErrorCode, Opaque, RejectReason, ServerMessage};

use super::call::{Call, Phase};
use super::end::{Ending, Notify};
use super::message::{CALL_NOT_FOUND, Refusal};
use super::{Output, Outputs, Session};
use crate::context::Context;
use crate::mail::{Content, Mail, Outcome};

const TARGET_NOT_FOUND: Refusal = (ErrorCode::TargetNotFound, "the target client is not connected");
const UNAVAILABLE: Refusal = (ErrorCode::Unavailable, "the other client cannot be reached for now");
const NOT_UNDERSTOOD: Refusal =
    (ErrorCode::InvalidState, "the other client does not take signals: it speaks dialect 1");

/// The time after which it helps to ask an unreachable client's node again, in milliseconds.
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
            // No request waits for it, and the next message finds out.
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
            // The call ended while its ring was under way.
            return outputs.extend(arrived.then_some(end));
        }
        let Some(at) = self.calls.find(&mail.call_id) else { return };
        self.calls[at].ring_under_way = false;
        let callee = self.calls[at].peer.clone();
        if outcome == Outcome::Delivered {
            for loser in self.calls.remove_losers(&callee) {
                self.end(cx, loser, EndReason::Glare, Notify::BOTH, outputs);
            }
            return;
        }
        self.calls.spare_losers(&callee);
        let call = self.calls.remove(at);
        self.end_without_ring(cx, call, outcome, request_id, outputs);
    }

    /// Ends a call whose ring was not delivered, as far as is known.
    fn end_without_ring<'m>(
        &mut self,
        cx: &Context<'_>,
        call: Call,
        outcome: Outcome,
        request_id: Option<Opaque<'m>>,
        outputs: &mut Outputs<'m>,
    ) {
        let refusal = match outcome {
            Outcome::Busy | Outcome::Full => {
                let busy = Ending::Rejected(RejectReason::Busy);
                return outputs.extend(self.send_end(cx, call, busy, request_id));
            }
            Outcome::Glare => {
                return self.end(cx, call, EndReason::Glare, Notify::CLIENT, outputs);
            }
            Outcome::Unavailable => UNAVAILABLE,
            _ => TARGET_NOT_FOUND,
        };
        outputs.extend(self.refuse(cx, refusal, request_id));
        // In dialect 2 the client was sent the call's id, so it is sent its end.
        let may_have_arrived = outcome == Outcome::Unavailable;
        let notify = Notify { client: self.speaks_dialect_two(), peer: may_have_arrived };
        self.end(cx, call, EndReason::Unreachable, notify, outputs);
    }

    /// The other end does not know the call any more.
    fn handle_loss<'m>(
        &mut self,
        cx: &Context<'_>,
        mail: Mail<'m>,
        outcome: Outcome,
        request_id: Option<Opaque<'m>>,
        outputs: &mut Outputs<'m>,
    ) {
        let Some(at) = self.calls.find(&mail.call_id) else { return };
        if !self.calls[at].recovered && outcome != Outcome::Full {
            // A call that both have known ends with mail, which has the reason.
            return self.calls[at].await_end(cx.now);
        }
        let call = self.calls.remove(at);
        // A client of dialect 2 is sent the end of every call that it was not refused before.
        let requested = !matches!(mail.content, Content::Present { .. });
        let refused = requested
            && self.client.is_online()
            && !self.speaks_dialect_two()
            && matches!(call.phase, Phase::Recovered { .. });
        if refused {
            outputs.extend(self.refuse(cx, CALL_NOT_FOUND, request_id));
        }
        // The other end's client may have brought a recovered call back since.
        let notify = Notify { client: !refused, peer: call.recovered };
        self.end(cx, call, EndReason::Unreachable, notify, outputs);
    }

    /// The ERROR that refuses a request, if its client is there.
    pub(super) fn refuse<'m>(
        &mut self,
        cx: &Context<'_>,
        (code, message): Refusal,
        reply_to: Option<Opaque<'m>>,
    ) -> Option<Output<'m>> {
        let retry_after_ms = (code == ErrorCode::Unavailable).then_some(UNAVAILABLE_RETRY_MS);
        let message = message.into();
        self.reply(cx, ServerMessage::Error { code, message, retry_after_ms }, reply_to)
    }
}
