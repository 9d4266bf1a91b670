//! The client of a session, as messages reach it: whether it has a connection, its dialect, and what
//! is kept for it.
//!
//! There are three kinds of messages, with one rule for each: send it now, keep it, or drop it.
//!
//! | message | it has a connection | away, dialect 2 | away, dialect 1 |
//! |---|---|---|---|
//! | answers to requests, ERROR: [`Client::reply`] | sent | dropped, as the request is over | dropped, as the request is over |
//! | about a call: [`Session::send_or_defer`](super::Session::send_or_defer) | sent | deferred in the call's record | deferred in the call's record |
//! | the end of a call: [`Client::send_end`] | sent | numbered and kept | kept until it registers again |
//!
//! In dialect 2 each of these messages has a number, and is kept until it is acknowledged
//! ([`ReplayBuffer`]). What the calls' records hold counts against the same bound: hence `calls`.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use securecall_protocol::{ClientId, Dialect, Opaque, Registration, Reply, ServerMessage};

use super::Output;
use super::call::{Call, Claim};
use super::calls::Calls;
use super::deferred::{Deferred, DeferredQueue, Full};
use super::end::Ending;
use super::replay::{Overflow, ReplayBuffer};
use super::tokens::ResumeTokens;
use crate::call_id;
use crate::context::Context;
use crate::time::Instant;

/// One client, from its session's point of view.
pub(super) struct Client {
    id: ClientId,
    presence: Presence,
    /// The messages of dialect 2 that are not acknowledged. `None`: the client speaks dialect 1.
    replay: Option<Box<ReplayBuffer>>,
    /// Ends of calls that a client of dialect 1 has missed.
    missed_ends: DeferredQueue,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Online,
    Away { until: Instant },
}

impl Client {
    /// A client that has never had a connection here, and is expected `until` then.
    pub(super) fn absent(id: ClientId, until: Instant) -> Self {
        let presence = Presence::Away { until };
        Self { id, presence, replay: None, missed_ends: DeferredQueue::default() }
    }

    #[inline]
    pub(super) fn id(&self) -> &ClientId {
        &self.id
    }

    pub(super) fn presence(&self) -> Presence {
        self.presence
    }

    pub(super) fn is_online(&self) -> bool {
        self.presence == Presence::Online
    }

    pub(super) fn set_online(&mut self) {
        self.presence = Presence::Online;
    }

    /// It has no connection from here on, and is expected back `until` then.
    pub(super) fn set_away(&mut self, until: Instant) {
        self.presence = Presence::Away { until };
    }

    /// The time until which an absent client is expected back.
    #[inline]
    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.presence {
            Presence::Online => None,
            Presence::Away { until } => Some(until),
        }
    }

    pub(super) fn dialect(&self) -> Dialect {
        if self.replay.is_some() { Dialect::Two } else { Dialect::One }
    }

    /// The tokens of its registration. `None` in dialect 1.
    pub(super) fn tokens(&self) -> Option<&ResumeTokens> {
        self.replay.as_deref().map(ReplayBuffer::tokens)
    }

    /// The number of the next message; 0 in dialect 1.
    pub(super) fn next_seq(&self) -> u64 {
        self.replay.as_ref().map_or(0, |replay| replay.next_seq())
    }

    /// The bytes that are kept for it here.
    pub(super) fn kept_bytes(&self) -> usize {
        self.missed_ends.bytes() + self.replay.as_ref().map_or(0, |replay| replay.bytes())
    }

    /// The number of messages that are kept for it here.
    pub(super) fn kept_count(&self) -> usize {
        self.missed_ends.count() + self.replay.as_ref().map_or(0, |replay| replay.count())
    }

    /// Returns true if nothing would be lost with it: it has no connection, and cannot resume.
    pub(super) fn is_forgettable(&self) -> bool {
        !self.is_online() && self.missed_ends.is_empty() && self.replay.is_none()
    }

    /// Continues the registration before this one. Returns the messages that were missed, or `None`
    /// if it does not continue.
    pub(super) fn resume(
        &mut self,
        now: Instant,
        registration: &Registration<'_>,
    ) -> Option<Vec<Box<str>>> {
        let replay = self.replay.as_mut()?;
        let token = registration.resume_token.as_deref()?;
        if !replay.tokens().is_given(token) {
            return None;
        }
        Some(replay.resume(registration.last_seq, now)?.map(Into::into).collect())
    }

    /// Begins a registration that continues no other. Unacknowledged messages are dropped.
    pub(super) fn begin(&mut self, cx: &Context<'_>, registration: &Registration<'_>) {
        let begin = || {
            let token = call_id::token((cx.nonce)());
            let tokens = ResumeTokens::new(token, registration.resume_token.as_deref());
            Box::new(ReplayBuffer::new(tokens))
        };
        self.replay = (registration.dialect == Dialect::Two).then(begin);
    }

    /// Everything up to this number has arrived.
    pub(super) fn acknowledge(&mut self, seq: u64) {
        if let Some(replay) = &mut self.replay {
            replay.acknowledge(seq);
        }
    }

    /// Drops all messages that are kept here.
    pub(super) fn forget(&mut self) {
        self.replay = None;
        self.missed_ends = DeferredQueue::default();
    }

    /// Drops the messages that would be sent again, so that the next registration continues nothing.
    pub(super) fn forget_replay(&mut self) {
        self.replay = None;
    }

    /// Takes out the ends that were missed, oldest first.
    pub(super) fn take_missed_ends(&mut self) -> Vec<Deferred> {
        self.missed_ends.take()
    }

    /// The calls whose ends were missed.
    pub(super) fn missed_call_ids(&self) -> impl Iterator<Item = &str> {
        self.missed_ends.call_ids()
    }

    /// Drops the oldest messages that were sent, to make room for deferred ones of `needed` bytes.
    /// Returns how many of `bytes_max` are left beside those that stay.
    pub(super) fn make_room(&mut self, needed: usize, bytes_max: usize) -> usize {
        let Some(replay) = &mut self.replay else { return bytes_max };
        replay.shrink_to(bytes_max.saturating_sub(needed));
        bytes_max.saturating_sub(replay.bytes())
    }

    /// Sends the answer to a request, if the client is there.
    pub(super) fn reply<'m>(
        &mut self,
        cx: &Context<'_>,
        calls: &Calls,
        message: ServerMessage<'m>,
        reply_to: Option<Opaque<'m>>,
    ) -> Option<Output<'m>> {
        if !self.is_online() {
            return None;
        }
        let reply = match &self.replay {
            None => Reply { reply_to, ..message.into() },
            Some(_) => self.number(cx, calls, message, reply_to, Overflow::DropOldest).ok()?,
        };
        Some(Output::Send(reply))
    }

    /// Sends a message about a call, if the client is there and its dialect has the message.
    pub(super) fn send_now<'m>(
        &mut self,
        cx: &Context<'_>,
        calls: &Calls,
        message: ServerMessage<'m>,
    ) -> Option<Output<'m>> {
        if self.dialect().has(&message) { self.reply(cx, calls, message, None) } else { None }
    }

    /// Sends a message whose parts do not live as long as the outputs do.
    pub(super) fn send_text(
        &mut self,
        cx: &Context<'_>,
        calls: &Calls,
        message: ServerMessage<'_>,
    ) -> Option<Output<'static>> {
        let Some(Output::Send(reply)) = self.send_now(cx, calls, message) else { return None };
        Some(Output::SendText(text_of(&reply).into()))
    }

    /// Sends a message that was deferred.
    pub(super) fn send_deferred(
        &mut self,
        cx: &Context<'_>,
        calls: &Calls,
        deferred: &Deferred,
    ) -> Option<Output<'static>> {
        let ice_servers = self.ice_servers(cx);
        self.send_text(cx, calls, deferred.message(ice_servers.as_deref())?)
    }

    /// Sends the end of a call whose record was removed, or keeps it.
    pub(super) fn send_end<'m>(
        &mut self,
        cx: &Context<'_>,
        calls: &Calls,
        call: Call,
        ending: Ending,
        reply_to: Option<Opaque<'m>>,
    ) -> Option<Output<'m>> {
        if self.is_online() {
            let message = ending.message(Cow::Owned(call.id.into()));
            return self.reply(cx, calls, message, reply_to);
        }
        if self.replay.is_some() {
            self.keep_end(cx, calls, call, ending, reply_to);
        } else {
            let end = Deferred::new(&call.id, ending.content());
            // Over the bound the client will find the call gone when it asks for it.
            let bytes_max = cx.config.calls.waiting_bytes_max;
            let _ = self.missed_ends.push(end, &cx.config.calls, bytes_max);
        }
        None
    }

    /// Keeps the end of a call for a client of dialect 2 that is away, and before it the messages
    /// that were deferred for it in that call.
    fn keep_end(
        &mut self,
        cx: &Context<'_>,
        calls: &Calls,
        mut call: Call,
        ending: Ending,
        reply_to: Option<Opaque<'_>>,
    ) {
        if !matches!(call.claim, Claim::Unproven { .. }) {
            for deferred in call.deferred.take() {
                let ice_servers = self.ice_servers(cx);
                let Some(message) = deferred.message(ice_servers.as_deref()) else { continue };
                if self.number(cx, calls, message, None, Overflow::Refuse).is_err() {
                    // Nobody misses the rest: the call has ended.
                    break;
                }
            }
        }
        // Others decide how many old calls they bring back: their ends are within the bounds.
        let overflow = if call.is_claimed() { Overflow::Exceed } else { Overflow::Refuse };
        let message = ending.message((&*call.id).into());
        let _ = self.number(cx, calls, message, reply_to, overflow);
    }

    /// Gives a message its number, and keeps it until it is acknowledged.
    fn number<'m>(
        &mut self,
        cx: &Context<'_>,
        calls: &Calls,
        message: ServerMessage<'m>,
        reply_to: Option<Opaque<'m>>,
        overflow: Overflow,
    ) -> Result<Reply<'m>, Full> {
        let replay = self.replay.as_mut().ok_or(Full)?;
        let seq = Some(replay.next_seq());
        let reply = Reply { message, dialect: Dialect::Two, seq, reply_to };
        // What the calls hold is sent beside what is kept here.
        let mut limits = cx.config.calls;
        limits.waiting_bytes_max = limits.waiting_bytes_max.saturating_sub(calls.held_bytes());
        replay.keep(&text_of(&reply), cx.now, &limits, overflow)?;
        Ok(reply)
    }

    /// Fresh relay credentials, if TURN is configured.
    pub(super) fn ice_servers(&self, cx: &Context<'_>) -> Option<Cow<'static, str>> {
        let turn = cx.config.turn.as_ref()?;
        Some(Cow::Owned(turn.ice_servers(&self.id, cx.unix)))
    }
}

fn text_of(reply: &Reply<'_>) -> String {
    let mut text = String::with_capacity(reply.encoded_bytes());
    reply.encode(&mut text);
    text
}
