//! A client loses its connection: messages that it was sent last may not have arrived.

use securecall_protocol::{Dialect, EndReason};

use super::call::{Call, Claim, Role};
use super::end::Notify;
use super::offer::Offer;
use super::{Departure, Outputs, Session};
use crate::context::Context;

impl Session {
    /// Takes note that the connection which registered this client is gone.
    pub fn detach(&mut self, cx: &Context<'_>, departure: Departure) -> Outputs<'static> {
        let mut outputs = Outputs::new();
        self.disconnect(cx, &mut outputs);
        if departure == Departure::Left {
            let cancelled =
                |call: &Call| call.role == Role::Caller && call.is_unanswered_for_its_client();
            for call in self.calls.remove_where(cancelled) {
                self.end(cx, call, EndReason::Cancelled, Notify::PEER, &mut outputs);
            }
            self.client.forget();
        }
        if !self.is_over() {
            self.client.set_away(cx.now + cx.config.calls.grace);
        }
        outputs
    }

    /// The session has no connection from here on, or another one.
    pub(super) fn disconnect(&mut self, cx: &Context<'_>, outputs: &mut Outputs<'_>) {
        self.client.set_away(cx.now);
        self.blame_offers(cx, outputs);
        self.take_back_answers(cx, outputs);
    }

    /// A connection that is lost right after an offer is, most likely, lost to it. Of several the
    /// longest is blamed: a client that refuses a message mostly does so for its length.
    fn blame_offers(&mut self, cx: &Context<'_>, outputs: &mut Outputs<'_>) {
        let suspect = |call: &Call| call.offer().is_some_and(|offer| offer.is_suspect(cx.now));
        let longest = self.calls.iter().filter(|call| suspect(call)).map(Call::offer_bytes).max();
        for call in self.calls.iter_mut() {
            let blamed = suspect(call) && Some(call.offer_bytes()) == longest;
            let settled = !suspect(call);
            match call.offer_mut() {
                Some(offer) if blamed => offer.blame(),
                Some(offer) if settled => offer.confirm(),
                _ => {}
            }
        }
        for call in self.calls.remove_where(|call| call.offer().is_some_and(Offer::is_given_up)) {
            self.end_fatal(cx, call, outputs);
        }
    }

    /// Ends a call whose offer has cost this client connection after connection.
    fn end_fatal(&mut self, cx: &Context<'_>, call: Call, outputs: &mut Outputs<'_>) {
        // A client that rings somebody in dialect 1 would take this end for that of its own call.
        let misleads = self.client.dialect() == Dialect::One && self.calls.await_an_answer();
        // The offer is in the replay buffer, and would be sent again.
        self.client.forget_replay();
        let notify = Notify { client: !misleads, peer: true };
        self.end(cx, call, EndReason::Unreachable, notify, outputs);
    }

    /// Answers that may not have arrived are deferred for the connection that registers next: without its answer
    /// a client of dialect 1 does not even know the call's id.
    fn take_back_answers(&mut self, cx: &Context<'_>, outputs: &mut Outputs<'_>) {
        let rings = self.calls.iter().any(|call| call.role == Role::Caller && call.is_ringing());
        for call in self.calls.remove_where(|call| call.has_lost_its_answer_at(cx.now)) {
            // A client that rings somebody would take this end for that of its own call.
            let notify = Notify { client: !rings, peer: true };
            self.end(cx, call, EndReason::Unreachable, notify, outputs);
        }
        for call in self.calls.iter_mut() {
            let doubtful = call.is_unconfirmed(cx.now);
            let answer = call.unconfirmed.take().and_then(|answer| answer.sdp_answer);
            if let Some(sdp_answer) = answer.filter(|_| doubtful) {
                call.claim = Claim::Unannounced;
                call.deferred.put_back_answer(&call.id, sdp_answer.as_opaque());
            }
        }
    }

    /// Ends calls from before a restart whose answer the client may not have. While it rings somebody
    /// in dialect 1, it would take that answer for the one to the call which it is ringing.
    pub(super) fn end_mistakable_answers(&mut self, cx: &Context<'_>, outputs: &mut Outputs<'_>) {
        let rings = |call: &Call| call.role == Role::Caller && call.is_ringing();
        if self.speaks_dialect_two() || !self.calls.iter().any(rings) {
            return;
        }
        let unannounced = |call: &Call| call.recovered && call.is_unanswered_for_its_client();
        for call in self.calls.remove_where(unannounced) {
            self.end(cx, call, EndReason::Unreachable, Notify::PEER, outputs);
        }
    }
}
