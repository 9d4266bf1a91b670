//! Messages about a call for the client: sent now, or deferred in the call's record.
//!
//! A message is sent if the client is online and the call is proven to be its own
//! ([`Claim::Proven`](super::call::Claim)). Otherwise it is deferred, in dialect 2 as well: the
//! connection that registers next may be another client's. Deferred messages are sent as soon as both
//! are true. Over the bound the call ends: a call with a hole in it is worse than no call.

use securecall_protocol::{Dialect, EndReason, Opaque, ServerMessage};

use super::call::{Claim, Unconfirmed};
use super::calls::Slot;
use super::deferred::{Deferred, Full};
use super::end::Notify;
use super::{Outputs, Receipt, Session};
use crate::context::Context;
use crate::mail::{Content, Outcome};

impl Session {
    /// Sends the client the message that a mail about a call leads to, or defers it.
    pub(super) fn send_or_defer<'m>(
        &mut self,
        cx: &Context<'_>,
        at: Slot,
        content: &Content<'_>,
        message: ServerMessage<'m>,
    ) -> Receipt<'m> {
        if self.calls[at].claim == Claim::Proven && self.client.is_online() {
            return Receipt::delivered(self.client.send_now(cx, &self.calls, message));
        }
        self.defer(cx, at, Deferred::new(&self.calls[at].id, content.clone()))
    }

    /// Defers a message, or ends its call.
    pub(super) fn defer<'m>(
        &mut self,
        cx: &Context<'_>,
        at: Slot,
        message: Deferred,
    ) -> Receipt<'m> {
        let limits = &cx.config.calls;
        let held = self.calls[at].held_bytes();
        let bytes_max = limits.waiting_bytes_max.saturating_sub(self.calls.held_bytes() - held);
        let bytes_max = self.client.make_room(held + message.bytes(), bytes_max);
        match self.calls[at].deferred.push(message, limits, bytes_max) {
            Ok(()) => Receipt::delivered(None),
            Err(Full) => self.end_without_room(cx, at),
        }
    }

    /// Ends a call whose mail, or which itself, finds no room. Its peer learns that from the outcome.
    pub(super) fn end_without_room<'m>(&mut self, cx: &Context<'_>, at: Slot) -> Receipt<'m> {
        let call = self.calls.remove(at);
        let mut outputs = Outputs::new();
        self.end(cx, call, EndReason::Unreachable, Notify::CLIENT, &mut outputs);
        Receipt { outcome: Outcome::Full, outputs }
    }

    /// Sends the client the deferred messages of a call, which is its own from now on.
    pub(super) fn send_deferred(&mut self, cx: &Context<'_>, at: Slot, outputs: &mut Outputs<'_>) {
        let call = &mut self.calls[at];
        call.claim = Claim::Proven;
        call.bind(self.client.tokens());
        let messages = call.deferred.take();
        if self.client.dialect() == Dialect::One
            && let Some(sdp_answer) = messages.iter().find_map(Deferred::answer)
        {
            self.keep_unconfirmed(cx, at, sdp_answer);
        }
        for message in &messages {
            outputs.extend(self.client.send_deferred(cx, &self.calls, message));
        }
    }

    /// Keeps an answer that a client of dialect 1 is sent, until the client has shown that it has
    /// it, or the connection has outlived every silence.
    pub(super) fn keep_unconfirmed(&mut self, cx: &Context<'_>, at: Slot, sdp_answer: Opaque<'_>) {
        let room = cx.config.calls.waiting_bytes_max.saturating_sub(self.calls.held_bytes());
        let sdp_answer = (sdp_answer.len() <= room).then(|| sdp_answer.into_owned());
        let until = cx.now + cx.config.connection.silence_timeout;
        self.calls[at].unconfirmed = Some(Unconfirmed { sdp_answer, until });
    }

    /// The next message brings the client the offer of this call.
    pub(super) fn note_offer(&mut self, cx: &Context<'_>, at: Slot) {
        let seq = self.client.next_seq();
        if let Some(offer) = self.calls[at].offer_mut() {
            offer.deliver(cx.now, seq);
        }
    }
}
