//! How a session speaks to its client: now or later, in the client's dialect.

use std::borrow::Cow;

use securecall_protocol::{Dialect, EndReason, Opaque, Registration, Reply, ServerMessage};

use super::call::{Call, Claim, Role};
use super::stream::{Bound, Stream};
use super::waiting::{Deferred, Full, Waiting};
use super::{Output, Outputs, Session};
use crate::context::Context;
use crate::mail::Content;

impl Session {
    /// Answers a request that does not concern calls. A client that is away is not answered.
    pub fn reply<'m>(
        &mut self,
        cx: &Context<'_>,
        message: ServerMessage<'m>,
        reply_to: Option<Opaque<'m>>,
    ) -> Option<Output<'m>> {
        if !self.is_online() {
            return None;
        }
        match &self.stream {
            None => Some(Output::Send(Reply { reply_to, ..message.into() })),
            Some(_) => self.number(cx, message, reply_to, Bound::Forget).ok().flatten(),
        }
    }

    /// Everything up to this number has arrived.
    pub fn acknowledge(&mut self, seq: u64) {
        if let Some(stream) = &mut self.stream {
            stream.acknowledge(seq);
        }
        self.calls
            .iter_mut()
            .filter_map(Call::offer_mut)
            .for_each(|offer| offer.confirm_until(seq));
    }

    /// How the client speaks.
    pub(super) fn dialect(&self) -> Dialect {
        if self.stream.is_some() { Dialect::Two } else { Dialect::One }
    }

    /// Says something of a call that the client may know of. Full: it is away, and no more is kept
    /// for it.
    pub(super) fn say<'m>(
        &mut self,
        cx: &Context<'_>,
        message: ServerMessage<'m>,
    ) -> Result<Option<Output<'m>>, Full> {
        if !self.dialect().has(&message) {
            return Ok(None);
        }
        if self.stream.is_none() {
            return Ok(self.is_online().then(|| Output::Send(message.into())));
        }
        let bound = if self.is_online() { Bound::Forget } else { Bound::Refuse };
        self.number(cx, message, None, bound)
    }

    /// Says that a call is over, now or when the client is back. Whoever is behind the session may
    /// know: the call is of no use to anybody any more.
    pub(super) fn say_end<'m>(
        &mut self,
        cx: &Context<'_>,
        call: Call,
        reason: EndReason,
    ) -> Option<Output<'m>> {
        let call_id = Cow::Owned(call.id.to_string());
        self.say_last(cx, ServerMessage::CallEnded { call_id, reason }, None, Some(call))
    }

    /// The last word about a call, whose record is not needed any more. None: there never was one.
    pub(super) fn say_last<'m>(
        &mut self,
        cx: &Context<'_>,
        message: ServerMessage<'m>,
        reply_to: Option<Opaque<'m>>,
        call: Option<Call>,
    ) -> Option<Output<'m>> {
        if call.as_ref().is_some_and(|call| call.denied || self.is_mistaken_for_own(call)) {
            return None;
        }
        if self.is_online() {
            return self.reply(cx, message, reply_to);
        }
        let claimed = call.as_ref().is_none_or(Call::is_claimed);
        if self.stream.is_some() {
            call.into_iter().for_each(|call| self.keep_waiting(cx, call));
            // Others decide how many old calls they bring back: their ends are within the bounds.
            let bound = if claimed { Bound::Exceed } else { Bound::Refuse };
            return self.number(cx, message, reply_to, bound).ok().flatten();
        }
        let deferred = match &message {
            ServerMessage::CallRejected { call_id, reason } => {
                Deferred::new(call_id, Content::Reject { reason: *reason })
            }
            ServerMessage::CallEnded { call_id, reason } => {
                Deferred::new(call_id, Content::End { reason: *reason })
            }
            _ => return None,
        };
        // Over the bound the client will find the call gone when it asks for it.
        let limits = &cx.config.calls;
        let _ = self.farewells.push(deferred, limits, limits.waiting_bytes_max);
        None
    }

    /// Returns true if the client would take news of this call for news of another. One of dialect
    /// 1 does not know the id of a call that it is ringing, and takes any that it does not know for it.
    fn is_mistaken_for_own(&self, call: &Call) -> bool {
        let unknown = !call.is_claimed() || (call.recovered && call.claim == Claim::Untold);
        unknown && self.dialect() == Dialect::One && self.rings_somebody()
    }

    /// Returns true if the client rings somebody.
    pub(super) fn rings_somebody(&self) -> bool {
        let waits = |call: &Call| call.role == Role::Caller && call.is_unanswered_for_its_client();
        self.calls.iter().any(waits)
    }

    /// What a client of dialect 2 that is away has missed of a call comes before the call's end.
    fn keep_waiting(&mut self, cx: &Context<'_>, mut call: Call) {
        if !matches!(call.claim, Claim::Unproven { .. }) {
            // What is over the bound is of no use: the call has ended.
            let _ = self.say_waiting(cx, call.waiting.take(), &mut Outputs::new());
        }
    }

    /// The client may know of the call from now on, and is told what has waited for that.
    pub(super) fn tell_waiting(&mut self, cx: &Context<'_>, at: usize, outputs: &mut Outputs<'_>) {
        let in_one = self.dialect() == Dialect::One;
        let call = &mut self.calls[at];
        call.claim = Claim::Proven;
        call.bind(self.stream.as_deref());
        let waiting = call.waiting.take();
        let answer = waiting.iter().find_map(Deferred::answer).filter(|_| in_one);
        if let Some(sdp_answer) = answer {
            self.doubt_answer(cx, at, sdp_answer);
        }
        // To a client that is there nothing is over a bound.
        let _ = self.say_waiting(cx, waiting, outputs);
    }

    /// Says what waited, in order. Full: a part of it is over a bound; to a client that is there
    /// it never is.
    pub(super) fn say_waiting(
        &mut self,
        cx: &Context<'_>,
        waiting: impl IntoIterator<Item = Deferred>,
        outputs: &mut Outputs<'_>,
    ) -> Result<(), Full> {
        for deferred in waiting {
            let ice_servers = self.ice_servers(cx);
            let Some(message) = deferred.message(ice_servers.as_deref()) else { continue };
            outputs.extend(self.say_text(cx, message)?);
        }
        Ok(())
    }

    /// Says something whose parts do not live as long as the outputs do.
    pub(super) fn say_text(
        &mut self,
        cx: &Context<'_>,
        message: ServerMessage<'_>,
    ) -> Result<Option<Output<'static>>, Full> {
        let Some(Output::Send(reply)) = self.say(cx, message)? else { return Ok(None) };
        Ok(Some(Output::SendText(text_of(&reply).into())))
    }

    /// Gives a message its number and keeps it until it is acknowledged.
    fn number<'m>(
        &mut self,
        cx: &Context<'_>,
        message: ServerMessage<'m>,
        reply_to: Option<Opaque<'m>>,
        bound: Bound,
    ) -> Result<Option<Output<'m>>, Full> {
        let online = self.is_online();
        let waiting = self.bytes_in_calls();
        let Some(stream) = &mut self.stream else { return Ok(None) };
        let seq = Some(stream.next_seq());
        let reply = Reply { message, dialect: Dialect::Two, seq, reply_to };
        // What waits in the calls is sent beside what is in the stream.
        let mut limits = cx.config.calls;
        limits.waiting_bytes_max = limits.waiting_bytes_max.saturating_sub(waiting);
        stream.keep(&text_of(&reply), cx.now, &limits, bound)?;
        Ok(online.then_some(Output::Send(reply)))
    }

    /// Begins a stream of dialect 2, or goes back to dialect 1. What the old stream held is gone.
    pub(super) fn begin_speech(&mut self, cx: &Context<'_>, registration: &Registration<'_>) {
        let begin = || {
            let token = crate::call_id::token((cx.nonce)());
            Box::new(Stream::new(token, registration.resume_token.as_deref()))
        };
        self.stream = (registration.dialect == Dialect::Two).then(begin);
        self.calls.iter_mut().for_each(|call| call.denied = false);
        let Some(stream) = &self.stream else { return };
        for call in &mut self.calls {
            if call.owner.as_ref().is_some_and(|owner| owner.admits(stream)) {
                call.bind(Some(stream));
            }
        }
    }

    /// Forgets everything that waits for a client that does not come back.
    pub(super) fn forget_speech(&mut self) {
        self.stream = None;
        self.farewells = Waiting::default();
    }

    pub(super) fn ice_servers(&self, cx: &Context<'_>) -> Option<Cow<'static, str>> {
        let turn = cx.config.turn.as_ref()?;
        Some(Cow::Owned(turn.ice_servers(&self.client_id, cx.unix)))
    }
}

fn text_of(reply: &Reply<'_>) -> String {
    let mut text = String::with_capacity(reply.encoded_bytes());
    reply.encode(&mut text);
    text
}
