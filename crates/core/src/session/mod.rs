//! A client's side of its calls.
//!
//! There is no call table. A call is a small record in the caller's session and its mirror in the
//! callee's, and whether a message is legal is a local check. See the crate's first page for the
//! contract.

mod arrival;
mod call;
mod ended;
mod glare;
mod mail;
mod message;
mod offer;
mod outcome;
mod output;
mod owner;
mod parting;
mod ringing_out;
mod room;
mod speech;
mod stream;
mod waiting;

use std::fmt;

use securecall_protocol::{ClientId, EndReason};

use self::call::{Call, Claim, Role};
use self::ended::EndedCalls;
pub use self::output::{Output, Outputs, Receipt};
use self::ringing_out::HeldEnds;
use self::stream::Stream;
use self::waiting::Waiting;
use crate::context::Context;
use crate::time::{Instant, UnixTime};

/// One client's calls, and whether the client is there. `Debug` prints numbers, and nothing of calls.
pub struct Session {
    client_id: ClientId,
    /// Calls older than this can have been forgotten; younger ones are known or over.
    knows_since: UnixTime,
    /// The birth of the newest call that the client is known to have made. One of dialect 1 waits
    /// for the answer to that call and to none before it.
    newest_call: UnixTime,
    presence: Presence,
    /// What the client was sent, when it speaks dialect 2. None: it speaks dialect 1.
    stream: Option<Box<Stream>>,
    calls: Vec<Call>,
    /// Calls from before the server started that have ended here: their ids alone would bring them
    /// back. It outlives the client's connection by the grace, because mail can be under way.
    ended: EndedCalls,
    /// Ends of calls whose ring is under way.
    held_ends: HeldEnds,
    /// Ends of calls that a client of dialect 1 could not be told.
    farewells: Waiting,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presence {
    Online,
    Away { until: Instant },
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Session");
        out.field("presence", &self.presence).field("calls", &self.calls.len());
        out.field("waiting_bytes", &self.waiting_bytes()).finish_non_exhaustive()
    }
}

/// How a client went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Departure {
    /// Its connection was lost, or it said that it comes back.
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

    fn absent(client_id: ClientId, knows_since: UnixTime, until: Instant) -> Self {
        Self {
            client_id,
            knows_since,
            newest_call: UnixTime::from_millis(0),
            presence: Presence::Away { until },
            stream: None,
            calls: Vec::new(),
            ended: EndedCalls::default(),
            held_ends: HeldEnds::default(),
            farewells: Waiting::default(),
        }
    }

    /// Whose session this is.
    #[inline]
    pub fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// How many calls it takes part in.
    #[inline]
    pub fn calls(&self) -> usize {
        self.calls.len()
    }

    /// The ids of those calls. Not for logs: an id is all that it takes to have the call.
    pub fn call_ids(&self) -> impl Iterator<Item = &str> {
        self.calls.iter().map(|call| &*call.id)
    }

    /// How many bytes wait for its client, or are not acknowledged: at most
    /// [`CallLimits::waiting_bytes_max`], as many for the ends that a client of dialect 1 has missed,
    /// and an end for each call of its own on top.
    ///
    /// [`CallLimits::waiting_bytes_max`]: crate::context::CallLimits::waiting_bytes_max
    pub fn waiting_bytes(&self) -> usize {
        let unacknowledged = self.stream.as_ref().map_or(0, |stream| stream.bytes());
        self.bytes_in_calls() + self.farewells.bytes() + unacknowledged
    }

    fn bytes_in_calls(&self) -> usize {
        self.calls.iter().map(Call::kept_bytes).sum()
    }

    /// How many messages wait for its client, or are not acknowledged: at most
    /// [`CallLimits::waiting_count_max`] for each of its calls, as many ends, and as many in its
    /// stream, with an end for each call of its own on top.
    ///
    /// [`CallLimits::waiting_count_max`]: crate::context::CallLimits::waiting_count_max
    pub fn waiting_count(&self) -> usize {
        let calls: usize = self.calls.iter().map(|call| call.waiting.count()).sum();
        let unacknowledged = self.stream.as_ref().map_or(0, |stream| stream.count());
        calls + self.farewells.count() + unacknowledged
    }

    /// Whether there is nothing left to keep it for.
    pub fn is_over(&self) -> bool {
        let remembers_nothing =
            self.farewells.is_empty() && self.ended.is_empty() && self.held_ends.is_empty();
        let resumable = self.stream.is_some();
        !self.is_online() && self.calls.is_empty() && remembers_nothing && !resumable
    }

    /// When it wants [`Session::handle_timeout`]. None: not before something else happens.
    #[inline]
    pub fn deadline(&self) -> Option<Instant> {
        let away = match self.presence {
            Presence::Online => None,
            Presence::Away { until } => Some(until),
        };
        self.calls.iter().filter_map(Call::deadline).chain(away).min()
    }

    /// A deadline may have come. Harmless when none has.
    pub fn handle_timeout(&mut self, cx: &Context<'_>) -> Outputs<'static> {
        let now = cx.now;
        let mut outputs = Outputs::new();
        if matches!(self.presence, Presence::Away { until } if until <= now) {
            self.give_up_waiting(cx, &mut outputs);
            return outputs;
        }
        // A connection that has been alive for so long has delivered the answer.
        let expired = |call: &Call| call.unconfirmed.as_ref().is_some_and(|it| it.until <= now);
        self.calls.iter_mut().filter(|call| expired(call)).for_each(|call| call.unconfirmed = None);
        for call in self.end_calls(|call| call.is_due(now)) {
            let reason = call.expiry_reason(now);
            self.end_at_both(cx, call, reason, &mut outputs);
        }
        outputs
    }

    /// The client has not come back in time.
    fn give_up_waiting(&mut self, cx: &Context<'_>, outputs: &mut Outputs<'_>) {
        // What ends now is remembered for another grace, if it has to be.
        self.presence = Presence::Away { until: cx.now + cx.config.calls.grace };
        self.forget_speech();
        // No ring is under way for as long as a grace.
        self.held_ends = HeldEnds::default();
        if self.calls.is_empty() {
            self.ended.age();
        }
        for mut call in self.end_calls(|_| true) {
            call.ring_under_way = false;
            outputs.extend(self.end_mail(&call, EndReason::Unreachable));
        }
    }

    /// Tells both ends that a call is over, whose record was taken out.
    fn end_at_both(
        &mut self,
        cx: &Context<'_>,
        call: Call,
        reason: EndReason,
        outputs: &mut Outputs<'_>,
    ) {
        let mail = self.end_mail(&call, reason);
        outputs.extend(self.say_end(cx, call, reason));
        outputs.extend(mail);
    }

    /// Tells the peer that a call is over: now, or when its ring has arrived there.
    fn end_mail(&mut self, call: &Call, reason: EndReason) -> Option<Output<'static>> {
        if call.ring_under_way && self.held_ends.hold(call, reason) {
            return None;
        }
        Some(ringing_out::end_mail(call.id.to_string(), call.peer.clone(), reason))
    }

    fn is_online(&self) -> bool {
        self.presence == Presence::Online
    }

    fn find(&self, call_id: &str) -> Option<usize> {
        self.calls.iter().position(|call| *call.id == *call_id)
    }

    /// Takes out all calls that are to end, and remembers that they did.
    fn end_calls(&mut self, mut ends: impl FnMut(&Call) -> bool) -> Vec<Call> {
        let ended: Vec<Call> = self.calls.extract_if(.., |call| ends(call)).collect();
        ended.iter().for_each(|call| self.ended.remember(call));
        ended
    }

    fn end_call(&mut self, call_id: &str) -> Option<Call> {
        self.find(call_id).map(|at| self.end_call_at(at))
    }

    fn end_call_at(&mut self, at: usize) -> Call {
        let call = self.calls.swap_remove(at);
        self.ended.remember(&call);
        call
    }

    /// A record for a call of which this session knows its token alone, if the token says that it
    /// may: it names this client, is from before the server started, and has not ended here since.
    fn recover(&self, cx: &Context<'_>, call_id: &str, claim: Claim) -> Option<Call> {
        if self.ended.contains(call_id) {
            return None;
        }
        let parties = cx.config.call_ids.open(call_id)?;
        let older = parties.born < self.knows_since;
        let (role, peer) = Role::of(&self.client_id, parties)?;
        older.then(|| Call::recovered(call_id, peer, role, claim))
    }
}
