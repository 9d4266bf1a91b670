//! A connection parts from its session: what it was sent last may not have arrived.

use securecall_protocol::{Dialect, EndReason};

use super::call::{Call, Claim, Role};
use super::offer::Offer;
use super::{Departure, Outputs, Presence, Session};
use crate::context::Context;

impl Session {
    /// The connection that registered this client is gone.
    pub fn detach(&mut self, cx: &Context<'_>, departure: Departure) -> Outputs<'static> {
        let mut outputs = Outputs::new();
        self.part(cx, &mut outputs);
        if departure == Departure::Left {
            let cancelled =
                |call: &Call| call.role == Role::Caller && call.is_unanswered_for_its_client();
            for call in self.end_calls(cancelled) {
                outputs.extend(self.end_mail(&call, EndReason::Cancelled));
            }
            self.forget_speech();
        }
        if !self.is_over() {
            self.presence = Presence::Away { until: cx.now + cx.config.calls.grace };
        }
        outputs
    }

    /// The session has no connection from here on, or another one.
    pub(super) fn part(&mut self, cx: &Context<'_>, outputs: &mut Outputs<'_>) {
        self.presence = Presence::Away { until: cx.now };
        self.blame_offers(cx, outputs);
        self.take_back_answers(cx, outputs);
    }

    /// A connection that is lost right after an offer is, most likely, lost to it. Of several the
    /// longest is blamed: a client that refuses a message mostly does so for its length.
    fn blame_offers(&mut self, cx: &Context<'_>, outputs: &mut Outputs<'_>) {
        let suspect = |call: &Call| call.offer().is_some_and(|offer| offer.is_suspect(cx.now));
        let longest = self.calls.iter().filter(|call| suspect(call)).map(Call::offer_bytes).max();
        for call in &mut self.calls {
            let blamed = suspect(call) && Some(call.offer_bytes()) == longest;
            let settled = !suspect(call);
            match call.offer_mut() {
                Some(offer) if blamed => offer.blame(),
                Some(offer) if settled => offer.confirm(),
                _ => {}
            }
        }
        let given_up = self.end_calls(|call| call.offer().is_some_and(Offer::is_given_up));
        for call in given_up {
            self.give_up_ringing(cx, call, outputs);
        }
    }

    /// Its offer has cost this client connection after connection.
    fn give_up_ringing(&mut self, cx: &Context<'_>, call: Call, outputs: &mut Outputs<'_>) {
        let misleads = self.dialect() == Dialect::One && self.rings_somebody();
        // The offer is in the stream, and would be sent again with it.
        self.stream = None;
        if misleads {
            return outputs.extend(self.end_mail(&call, EndReason::Unreachable));
        }
        self.end_at_both(cx, call, EndReason::Unreachable, outputs);
    }

    /// Answers that may not have arrived wait for whoever registers next: without its answer a
    /// client of dialect 1 does not even know the call's id.
    fn take_back_answers(&mut self, cx: &Context<'_>, outputs: &mut Outputs<'_>) {
        let rings = self.calls.iter().any(|call| call.role == Role::Caller && call.is_ringing());
        for call in self.end_calls(|call| call.has_lost_its_answer_at(cx.now)) {
            if rings {
                // Its client would take this end for that of the call which it is ringing.
                outputs.extend(self.end_mail(&call, EndReason::Unreachable));
            } else {
                self.end_at_both(cx, call, EndReason::Unreachable, outputs);
            }
        }
        for call in &mut self.calls {
            let doubtful = call.is_unconfirmed(cx.now);
            let answer = call.unconfirmed.take().and_then(|answer| answer.sdp_answer);
            if let Some(sdp_answer) = answer.filter(|_| doubtful) {
                call.claim = Claim::Untold;
                call.waiting.put_back_answer(&call.id, sdp_answer.as_opaque());
            }
        }
    }

    /// A client of dialect 1 that rings somebody would take an answer from before a restart, which
    /// it has perhaps never had, for that to the call which it is ringing.
    pub(super) fn give_up_mistakable_answers(&mut self, outputs: &mut Outputs<'_>) {
        let rings = |call: &Call| call.role == Role::Caller && call.is_ringing();
        if self.speaks_dialect_two() || !self.calls.iter().any(rings) {
            return;
        }
        let untold = |call: &Call| call.recovered && call.is_unanswered_for_its_client();
        for call in self.end_calls(untold) {
            outputs.extend(self.end_mail(&call, EndReason::Unreachable));
        }
    }
}
