//! A client's side of its calls.
//!
//! There is no call table. A call is a small record in the caller's session and its mirror in the
//! callee's, and whether a message is legal is a local check. See the crate's first page for the
//! contract.

mod call;
mod ended;
mod mail;
mod message;
mod output;
mod waiting;

use std::borrow::Cow;

use securecall_protocol::{ClientId, EndReason, Opaque, Reply, ServerMessage};

use self::call::{Call, Claim, Phase, Role};
use self::ended::EndedCalls;
pub use self::output::{Output, Outputs, Receipt};
use self::waiting::Waiting;
use crate::context::Context;
use crate::mail::{Content, Mail};
use crate::time::{Instant, UnixTime};

/// One client's calls, and whether the client is there.
#[derive(Debug)]
pub struct Session {
    client_id: ClientId,
    /// Calls older than this can have been forgotten; younger ones are known or over.
    knows_since: UnixTime,
    presence: Presence,
    calls: Vec<Call>,
    /// Calls from before the server started that have ended here: their ids alone would bring them
    /// back. It outlives the client's connection by the grace, because mail can be under way.
    ended: EndedCalls,
    /// Ends of calls that the client could not be told.
    farewells: Waiting,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presence {
    Online,
    Away { until: Instant },
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
            presence: Presence::Away { until },
            calls: Vec::new(),
            ended: EndedCalls::default(),
            farewells: Waiting::default(),
        }
    }

    /// Whose session this is.
    pub fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// How many calls it takes part in.
    pub fn calls(&self) -> usize {
        self.calls.len()
    }

    /// The ids of those calls. Not for logs: an id is all that it takes to have the call.
    pub fn call_ids(&self) -> impl Iterator<Item = &str> {
        self.calls.iter().map(|call| &*call.id)
    }

    /// How many bytes wait for its client, at most [`CallLimits::waiting_bytes_max`] for its calls
    /// and as many for the ends that it could not be told.
    ///
    /// [`CallLimits::waiting_bytes_max`]: crate::context::CallLimits::waiting_bytes_max
    pub fn waiting_bytes(&self) -> usize {
        let calls: usize = self.calls.iter().map(|call| call.waiting.bytes()).sum();
        calls + self.farewells.bytes()
    }

    /// Whether there is nothing left to keep it for.
    pub fn is_over(&self) -> bool {
        let remembers_nothing = self.farewells.is_empty() && self.ended.is_empty();
        !self.is_online() && self.calls.is_empty() && remembers_nothing
    }

    /// When it wants [`Session::handle_timeout`]. None: not before something else happens.
    pub fn deadline(&self) -> Option<Instant> {
        let away = match self.presence {
            Presence::Online => None,
            Presence::Away { until } => Some(until),
        };
        self.calls.iter().filter_map(Call::deadline).chain(away).min()
    }

    /// A connection registered this client: the first, one after a loss, or one that supersedes
    /// another.
    ///
    /// Calls that are being set up follow the id: they ring again. Running calls do not, because
    /// anybody can register a plain id; their mail waits until the client presents the call's id.
    pub fn attach<'m>(&mut self, cx: &Context<'_>, reply_to: Option<Opaque<'m>>) -> Outputs<'m> {
        self.presence = Presence::Online;
        let registered = ServerMessage::Registered { client_id: self.client_id.clone() };
        let mut outputs = Outputs::new();
        outputs.push(Output::Send(Reply { message: registered, reply_to }));
        outputs.extend(self.farewells.take().map(Output::SendText));
        for call in &mut self.calls {
            call.follow_or_wait(&self.client_id, cx, &mut outputs);
        }
        outputs
    }

    /// The connection that registered this client is gone.
    pub fn detach(&mut self, cx: &Context<'_>, departure: Departure) -> Outputs<'static> {
        let mut outputs = Outputs::new();
        if departure == Departure::Left {
            let unanswered = |call: &Call| call.role == Role::Caller && call.is_ringing();
            for call in self.end_calls(unanswered) {
                outputs.push(end_mail(call, EndReason::Cancelled));
            }
        }
        self.presence = Presence::Away { until: cx.now };
        if !self.is_over() {
            self.presence = Presence::Away { until: cx.now + cx.config.calls.grace };
        }
        outputs
    }

    /// A deadline may have come. Harmless when none has.
    pub fn handle_timeout(&mut self, cx: &Context<'_>) -> Outputs<'static> {
        let now = cx.now;
        let mut outputs = Outputs::new();
        if matches!(self.presence, Presence::Away { until } if until <= now) {
            // What ends now is remembered for another grace, if it has to be.
            self.presence = Presence::Away { until: now + cx.config.calls.grace };
            self.farewells = Waiting::default();
            if self.calls.is_empty() {
                self.ended = EndedCalls::default();
            }
            for call in self.end_calls(|_| true) {
                outputs.push(end_mail(call, EndReason::Unreachable));
            }
            return outputs;
        }
        for call in self.end_calls(|call| call.deadline().is_some_and(|deadline| deadline <= now)) {
            let reason =
                if call.is_ringing() { EndReason::Timeout } else { EndReason::Unreachable };
            let ended = ServerMessage::CallEnded { call_id: Cow::Owned(call.id.to_string()) };
            outputs.extend(self.tell_end(cx, ended));
            outputs.push(end_mail(call, reason));
        }
        outputs
    }

    fn is_online(&self) -> bool {
        self.presence == Presence::Online
    }

    /// Takes out all calls that are to end, and remembers that they did.
    fn end_calls(&mut self, mut ends: impl FnMut(&Call) -> bool) -> Vec<Call> {
        let ended: Vec<Call> = self.calls.extract_if(.., |call| ends(call)).collect();
        ended.iter().for_each(|call| self.ended.remember(call));
        ended
    }

    fn end_call(&mut self, call_id: &str) -> Option<Call> {
        let at = self.calls.iter().position(|call| *call.id == *call_id)?;
        Some(self.end_call_at(at))
    }

    fn end_call_at(&mut self, at: usize) -> Call {
        let call = self.calls.swap_remove(at);
        self.ended.remember(&call);
        call
    }

    /// Tells the client that a call is over, now or when it is back. Whoever is behind the session
    /// may know: the call is of no use to anybody any more.
    fn tell_end<'m>(&mut self, cx: &Context<'_>, end: impl Into<Reply<'m>>) -> Option<Output<'m>> {
        let end = end.into();
        if self.is_online() {
            return Some(Output::Send(end));
        }
        // Over the bound the client will find the call gone when it asks for it.
        let _ = self.farewells.push(end.message, cx.config.calls.waiting_bytes_max);
        None
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

    /// How many calls it takes part in, without those that it knows from others' mail alone.
    fn claimed_calls(&self) -> usize {
        self.calls.iter().filter(|call| call.is_claimed()).count()
    }
}

impl Call {
    /// Another connection has registered the client: ring it again, or wait for its proof.
    fn follow_or_wait(
        &mut self,
        client_id: &ClientId,
        cx: &Context<'_>,
        outputs: &mut Outputs<'_>,
    ) {
        match (&self.phase, self.role, self.claim) {
            (Phase::Ringing { sdp_offer: Some(sdp_offer), .. }, Role::Callee, _) => {
                outputs.extend(incoming_call(&self.id, &self.peer, sdp_offer, client_id, cx));
                self.claim = Claim::Proven;
                outputs.extend(self.waiting.take().map(Output::SendText));
            }
            (Phase::Active, _, Claim::Untold) => {
                self.claim = Claim::Proven;
                outputs.extend(self.waiting.take().map(Output::SendText));
            }
            (_, _, Claim::Proven) => self.claim = Claim::Unproven { deadline: None },
            (_, _, Claim::Untold | Claim::Unproven { .. }) => {}
        }
    }
}

/// INCOMING_CALL once more, from the offer that was kept.
fn incoming_call(
    call_id: &str,
    caller_id: &ClientId,
    sdp_offer: &str,
    client_id: &ClientId,
    cx: &Context<'_>,
) -> Option<Output<'static>> {
    let message = ServerMessage::IncomingCall {
        call_id: call_id.into(),
        caller_id: caller_id.clone(),
        sdp_offer: Opaque::from_stored(sdp_offer)?,
        ice_servers: ice_servers(client_id, cx),
    };
    let mut text = String::new();
    Reply::from(message).encode(&mut text);
    Some(Output::SendText(text.into()))
}

fn ice_servers(client_id: &ClientId, cx: &Context<'_>) -> Option<Cow<'static, str>> {
    let turn = cx.config.turn.as_ref()?;
    Some(Cow::Owned(turn.ice_servers(client_id, cx.unix)))
}

fn end_mail(call: Call, reason: EndReason) -> Output<'static> {
    let mail = Mail { call_id: Cow::Owned(call.id.into()), content: Content::End { reason } };
    Output::Mail { to: call.peer, mail, request_id: None }
}
