//! How a session speaks to its client: now or later, in the client's dialect.

use std::borrow::Cow;

use securecall_protocol::{Dialect, EndReason, Opaque, Reply, ServerMessage};

use super::call::Call;
use super::stream::{Bound, Stream};
use super::waiting::{Full, Kept, Waiting};
use super::{Output, Outputs, Session};
use crate::context::Context;

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
    }

    /// How the client speaks.
    pub(super) fn dialect(&self) -> Dialect {
        if self.stream.is_some() { Dialect::Two } else { Dialect::One }
    }

    /// Says something of a call that the client may know of; in dialect 2 also while it is away.
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
        call: &Call,
        reason: EndReason,
    ) -> Option<Output<'m>> {
        let call_id = Cow::Owned(call.id.to_string());
        self.say_last(cx, ServerMessage::CallEnded { call_id, reason }, None, call.is_claimed())
    }

    /// The last word about a call. `claimed`: its client has taken part in it. Others decide how
    /// many calls there are of the other kind, so their ends are not kept beyond any bound.
    pub(super) fn say_last<'m>(
        &mut self,
        cx: &Context<'_>,
        message: ServerMessage<'m>,
        reply_to: Option<Opaque<'m>>,
        claimed: bool,
    ) -> Option<Output<'m>> {
        let online = self.is_online();
        if self.stream.is_some() {
            let bound = match (online, claimed) {
                (true, _) => Bound::Forget,
                (false, true) => Bound::Exceed,
                (false, false) => Bound::Refuse,
            };
            return self.number(cx, message, reply_to, bound).ok().flatten();
        }
        if online {
            return Some(Output::Send(Reply { reply_to, ..message.into() }));
        }
        let kept = match &message {
            ServerMessage::CallRejected { call_id, reason } => Kept::rejected(call_id, *reason),
            ServerMessage::CallEnded { call_id, reason } => Kept::ended(call_id, *reason),
            _ => return None,
        };
        // Over the bound the client will find the call gone when it asks for it.
        let limits = &cx.config.calls;
        let _ = self.farewells.push(kept, limits, limits.waiting_bytes_max);
        None
    }

    /// Says what waited, in order. Full: a part of it is over a bound; to a client that is there
    /// it never is.
    pub(super) fn say_waiting(
        &mut self,
        cx: &Context<'_>,
        waiting: impl Iterator<Item = Kept>,
        outputs: &mut Outputs<'_>,
    ) -> Result<(), Full> {
        for kept in waiting {
            let ice_servers = self.ice_servers(cx);
            let Some(message) = kept.message(ice_servers.as_deref()) else { continue };
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
        let Some(stream) = &mut self.stream else { return Ok(None) };
        let seq = Some(stream.next_seq());
        let reply = Reply { message, dialect: Dialect::Two, seq, reply_to };
        stream.keep(&text_of(&reply), cx.now, &cx.config.calls, bound)?;
        Ok(online.then_some(Output::Send(reply)))
    }

    /// Begins a stream of dialect 2, or goes back to dialect 1. What the old stream held is gone.
    pub(super) fn begin_speech(&mut self, cx: &Context<'_>, dialect: Dialect) {
        self.stream = match dialect {
            Dialect::One => None,
            Dialect::Two => Some(Box::new(Stream::new(crate::call_id::token((cx.nonce)())))),
        };
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
