//! One client's side of its calls.
//!
//! There is no call table. A call is a small record in the caller's session and its mirror in the
//! callee's, and whether a message is legal is a local check. See the crate's first page for the
//! contract.
//!
//! A session routes inputs to values that hold the state, each with rules of its own, and carries
//! their results:
//!
//! | input | file |
//! |---|---|
//! | a connection registers, is lost | `attach.rs`, `detach.rs` |
//! | the client's message | `message.rs` |
//! | mail of another session | `mail.rs` |
//! | the outcome of mail that it sent | `delivery.rs` |
//! | the time | here |
//!
//! | state | value |
//! |---|---|
//! | the calls, their bounds, which of them have ended | `Calls`: `calls.rs`, `bounds.rs`, `glare.rs`, `ended.rs` |
//! | one call: its phase, its owner, its deferred messages | `Call`: `call.rs`, `offer.rs`, `deferred.rs` |
//! | the client: connection, dialect, kept messages; **the rule for send now, keep, or drop** | `Client`: `client/`, `replay.rs`, `tokens.rs` |
//! | ends of calls whose ring is under way | `HeldEnds`: `held_ends.rs` |
//!
//! Every call ends in one way: `end.rs` lists the reasons, and who is notified.

mod attach;
mod bounds;
mod call;
mod calls;
mod client;
mod deferred;
mod delivery;
mod detach;
mod end;
mod ended;
mod glare;
mod held_ends;
mod mail;
mod message;
mod offer;
mod output;
mod recovery;
mod replay;
mod send;
mod tokens;

use std::fmt;

use securecall_protocol::{ClientId, Dialect, EndReason, Opaque, ServerMessage};

use self::call::Call;
use self::calls::Calls;
use self::client::Client;
use self::end::Notify;
use self::held_ends::HeldEnds;
pub use self::output::{Output, Outputs, Receipt};
use crate::context::Context;
use crate::time::{Instant, UnixTime};

/// One client's calls, and whether the client is there. `Debug` prints numbers, and nothing of calls.
pub struct Session {
    /// Calls from before then can have been forgotten; younger ones are known or over.
    server_started: UnixTime,
    /// The birth of the newest call that the client is known to have made. One of dialect 1 waits
    /// for the answer to that call and to none before it.
    newest_call: UnixTime,
    client: Client,
    calls: Calls,
    held_ends: HeldEnds,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Session");
        out.field("presence", &self.client.presence()).field("calls", &self.calls.len());
        out.field("waiting_bytes", &self.waiting_bytes()).finish_non_exhaustive()
    }
}

/// The manner in which a client went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Departure {
    /// Its connection was lost, or its close code announced that it comes back.
    Lost,
    /// It closed normally (1000): it does not come back. Calls that it is still ringing are
    /// cancelled; a client of dialect 1 has no other way to cancel one.
    Left,
}

impl Session {
    /// A session for a client that registers now. [`Session::attach`] is its first input.
    ///
    /// `server_started` is the time before which calls may have been forgotten, and not the time
    /// of this registration: a call that is younger is over if the client has no session, and must
    /// not come back with a message that was under way when it ended.
    pub fn new(client_id: ClientId, server_started: UnixTime, cx: &Context<'_>) -> Self {
        Self::absent(client_id, server_started, cx.now)
    }

    /// A session for a client that is expected back after a restart: it was in a call that is
    /// older than the server, and mail for it has come before itself. `server_started` is as in
    /// [`Session::new`].
    pub fn expected(client_id: ClientId, server_started: UnixTime, cx: &Context<'_>) -> Self {
        Self::absent(client_id, server_started, cx.now + cx.config.calls.grace)
    }

    fn absent(client_id: ClientId, server_started: UnixTime, until: Instant) -> Self {
        Self {
            server_started,
            newest_call: UnixTime::from_millis(0),
            client: Client::absent(client_id, until),
            calls: Calls::default(),
            held_ends: HeldEnds::default(),
        }
    }

    /// The client that this is the session of.
    #[inline]
    pub fn client_id(&self) -> &ClientId {
        self.client.id()
    }

    /// The number of calls that it takes part in.
    #[inline]
    pub fn calls(&self) -> usize {
        self.calls.len()
    }

    /// The ids of those calls. Not for logs: an id is all that it takes to have the call.
    pub fn call_ids(&self) -> impl Iterator<Item = &str> {
        self.calls.iter().map(|call| &*call.id)
    }

    /// The bytes that are deferred for its client, or not acknowledged: at most
    /// [`CallLimits::waiting_bytes_max`], as many for the ends that a client of dialect 1 has missed,
    /// and an end for each call of its own on top.
    ///
    /// [`CallLimits::waiting_bytes_max`]: crate::context::CallLimits::waiting_bytes_max
    pub fn waiting_bytes(&self) -> usize {
        self.calls.held_bytes() + self.client.kept_bytes()
    }

    /// The number of messages that are deferred for its client, or not acknowledged: at most
    /// [`CallLimits::waiting_count_max`] for each of its calls, as many ends, and as many in its
    /// replay buffer, with an end for each call of its own on top.
    ///
    /// [`CallLimits::waiting_count_max`]: crate::context::CallLimits::waiting_count_max
    pub fn waiting_count(&self) -> usize {
        self.calls.deferred_count() + self.client.kept_count()
    }

    /// Returns true if its client speaks dialect 2.
    pub fn speaks_dialect_two(&self) -> bool {
        self.client.dialect() == Dialect::Two
    }

    /// Returns true if nothing is left to keep it for.
    pub fn is_over(&self) -> bool {
        let remembers_nothing = self.calls.remembers_no_end() && self.held_ends.is_empty();
        self.client.is_forgettable() && self.calls.is_empty() && remembers_nothing
    }

    /// The time for [`Session::handle_timeout`]. `None`: not before another input.
    #[inline]
    pub fn deadline(&self) -> Option<Instant> {
        [self.calls.deadline(), self.client.deadline()].into_iter().flatten().min()
    }

    /// Ends the calls that are due. Harmless when none is.
    pub fn handle_timeout(&mut self, cx: &Context<'_>) -> Outputs<'static> {
        let mut outputs = Outputs::new();
        if self.client.deadline().is_some_and(|until| until <= cx.now) {
            self.end_all_unreachable(cx, &mut outputs);
            return outputs;
        }
        self.calls.iter_mut().for_each(|call| call.confirm_delivered(cx.now));
        for call in self.calls.remove_where(|call| call.is_due(cx.now)) {
            let reason = call.expiry_reason(cx.now);
            self.end(cx, call, reason, Notify::BOTH, &mut outputs);
        }
        outputs
    }

    /// The client has been away for longer than the grace.
    fn end_all_unreachable(&mut self, cx: &Context<'_>, outputs: &mut Outputs<'_>) {
        // Calls that end now are remembered for another grace, if they have to be.
        self.client.set_away(cx.now + cx.config.calls.grace);
        self.client.forget();
        // No ring is under way for as long as a grace.
        self.held_ends = HeldEnds::default();
        if self.calls.is_empty() {
            self.calls.age_ends();
        }
        for mut call in self.calls.remove_where(|_| true) {
            call.ring_under_way = false;
            self.end(cx, call, EndReason::Unreachable, Notify::PEER, outputs);
        }
    }

    /// Answers a request that does not concern calls, if its client is there.
    pub fn reply<'m>(
        &mut self,
        cx: &Context<'_>,
        message: ServerMessage<'m>,
        reply_to: Option<Opaque<'m>>,
    ) -> Option<Output<'m>> {
        self.client.reply(cx, &self.calls, message, reply_to)
    }

    /// Takes note that everything up to this number has arrived.
    pub fn acknowledge(&mut self, seq: u64) {
        self.client.acknowledge(seq);
        let offers = self.calls.iter_mut().filter_map(Call::offer_mut);
        offers.for_each(|offer| offer.confirm_until(seq));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server holds one for each client, a million perhaps.
    #[test]
    #[cfg(target_pointer_width = "64")]
    fn a_session_is_no_longer_than_it_was() {
        assert!(size_of::<Session>() <= 104, "{} bytes", size_of::<Session>());
    }
}
