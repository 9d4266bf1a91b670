//! Our record of a call, and all of them.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use securecall_protocol::client::{IceServer, Outgoing, PresentedCall};
use securecall_protocol::{ClientId, EndReason, RejectReason};
use securecall_seal::{DirectoryKey, Incoming, Offered};

use super::crossing::Glares;
use super::outbox::{Letter, MessageId};
use super::talk::Talk;
use super::{Context, Machine};
use crate::command::Reply;
use crate::{CallId, Ending, Error, Event, Stop};

/// How many own and answered calls at once: what a server lets a client be in.
const CALLS_MAX: usize = 16;
/// How many calls of others may wait for an answer, beside those.
const UNANSWERED_MAX: usize = 8;
/// How many of them may be one caller's, so that no caller takes the place of all.
const UNANSWERED_PER_CALLER_MAX: usize = 2;
/// How many candidates wait for keys, in each call.
const EARLY_CANDIDATES_MAX: usize = 256;
/// A little over the server's 60 seconds: it may have forgotten its own timer in a restart.
const RING_MAX: Duration = Duration::from_secs(75);
/// How many ended calls are remembered, to end them again should the server know them still.
const FAREWELLS_MAX: usize = 64;

pub(super) struct Call {
    pub(super) peer: ClientId,
    /// The server's id. None: it is not known yet.
    pub(super) wire_id: Option<String>,
    pub(super) state: State,
    /// Candidates of ours from before there were keys.
    pub(super) early: Vec<String>,
    /// When it has rung long enough. None: it is answered.
    pub(super) rings_until: Option<Instant>,
}

pub(super) enum State {
    /// Caller: the callee's key was asked for.
    SeekingCallee { offer: String, reply: Reply<CallId> },
    /// Caller: the offer is on its way.
    Offering(Box<Offering>),
    /// Callee: the caller's key was asked for.
    SeekingCaller { sealed: SealedOffer, retried: bool },
    /// Callee: the caller's key is not the one remembered, and the application has to decide.
    Doubtful { sealed: SealedOffer, key: Box<DirectoryKey> },
    /// Callee: the offer is opened, and an own call to the same client is on its way. The server
    /// lets one of the two go on, and says which.
    Crossing(Box<Opened>),
    /// Callee: the application has to decide whether to answer.
    Ringing { incoming: Box<Incoming>, caller_key: Box<DirectoryKey> },
    /// Answered.
    Talking(Box<Talk>),
    /// In the middle of a change from one state to another.
    Changing,
}

/// A caller who waits for the answer.
pub(super) struct Offering {
    pub(super) offered: Offered,
    pub(super) callee_key: DirectoryKey,
    /// In clear, to be sealed anew if the call has to be begun again.
    pub(super) offer: String,
    /// The CALL_INITIATE.
    pub(super) request: MessageId,
    /// Whether it has left.
    pub(super) begun: bool,
}

/// An offer that was opened, and what the application is told with it.
pub(super) struct Opened {
    pub(super) incoming: Incoming,
    pub(super) caller_key: DirectoryKey,
    pub(super) ice_servers: Vec<IceServer>,
}

/// An offer as it came.
pub(super) struct SealedOffer {
    pub(super) text: String,
    pub(super) ice_servers: Vec<IceServer>,
}

/// An ended call that the server may know still.
struct Farewell {
    message: Outgoing,
    /// How often it may still be said.
    repeats_left: u8,
}

#[derive(Default)]
pub(super) struct Calls {
    calls: BTreeMap<CallId, Call>,
    last: u64,
    farewells: VecDeque<Farewell>,
    pub(super) glares: Glares,
}

impl Call {
    pub(super) fn new(peer: ClientId, wire_id: Option<String>, state: State, now: Instant) -> Self {
        Self { peer, wire_id, state, early: Vec::new(), rings_until: Some(now + RING_MAX) }
    }

    /// Keeps a candidate until there are keys.
    pub(super) fn keep(&mut self, candidate: String) -> Result<(), Error> {
        if self.early.len() >= EARLY_CANDIDATES_MAX {
            return Err(Error::TooMuchWaits);
        }
        self.early.push(candidate);
        Ok(())
    }

    pub(super) fn take_state(&mut self) -> State {
        std::mem::replace(&mut self.state, State::Changing)
    }

    /// The callee's CALL_ACCEPT, to be said again. None: this end has said none, or it arrived.
    pub(super) fn answer(&self) -> Option<Outgoing> {
        let (State::Talking(talk), Some(wire_id)) = (&self.state, &self.wire_id) else {
            return None;
        };
        let sdp_answer = talk.unconfirmed_answer()?.to_owned();
        Some(Outgoing::CallAccept { call_id: wire_id.clone(), sdp_answer })
    }
}

impl Calls {
    /// Takes a new call, for which there is room.
    pub(super) fn insert(&mut self, call: Call) -> CallId {
        self.last += 1;
        let id = CallId(self.last);
        self.calls.insert(id, call);
        id
    }

    /// Whether there are as many own and answered calls as can be.
    pub(super) fn is_full(&self) -> bool {
        self.calls.values().filter(|call| !call.is_unanswered()).count() >= CALLS_MAX
    }

    /// Whether one more call of this caller may wait for an answer.
    pub(super) fn has_room_for(&self, caller: &ClientId) -> bool {
        let unanswered = || self.calls.values().filter(|call| call.is_unanswered());
        unanswered().count() < UNANSWERED_MAX
            && unanswered().filter(|call| call.peer == *caller).count() < UNANSWERED_PER_CALLER_MAX
    }

    /// Whether this end has ended the call.
    pub(super) fn is_over(&self, wire_id: &str) -> bool {
        self.farewells.iter().any(|farewell| farewell.message.call_id() == Some(wire_id))
    }

    pub(super) fn find(&mut self, id: CallId) -> Option<&mut Call> {
        self.calls.get_mut(&id)
    }

    pub(super) fn remove(&mut self, id: CallId) -> Option<Call> {
        self.calls.remove(&id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (CallId, &Call)> {
        self.calls.iter().map(|(id, call)| (*id, call))
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (CallId, &mut Call)> {
        self.calls.iter_mut().map(|(id, call)| (*id, call))
    }

    pub(super) fn by_wire_id(&self, wire_id: &str) -> Option<CallId> {
        self.search(|call| call.wire_id.as_deref() == Some(wire_id))
    }

    /// The first call that is so.
    pub(super) fn search(&self, is_so: impl Fn(&Call) -> bool) -> Option<CallId> {
        self.iter().find(|(_, call)| is_so(call)).map(|(id, _)| id)
    }

    /// A call whose CALL_INITIATE has left, and whose id is not known.
    pub(super) fn any_beginning_unknown(&self) -> bool {
        self.search(Call::is_beginning_unknown).is_some()
    }

    /// What REGISTER presents.
    pub(super) fn presented(&self) -> Vec<PresentedCall> {
        let presented = self.calls.values().filter_map(|call| {
            let answered = matches!(call.state, State::Talking(_));
            Some(PresentedCall { call_id: call.wire_id.clone()?, answered })
        });
        presented.collect()
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.calls.values().filter_map(|call| call.rings_until).min()
    }

    /// The server rings for its whole time again after a restart.
    pub(super) fn restart_ring_timers(&mut self, now: Instant) {
        for call in self.calls.values_mut() {
            call.rings_until = call.rings_until.map(|_| now + RING_MAX);
        }
    }

    pub(super) fn stop(&mut self, stop: Stop) {
        for (_, call) in std::mem::take(&mut self.calls) {
            if let State::SeekingCallee { reply, .. } = call.state {
                let _ = reply.send(Err(Error::Stopped(stop)));
            }
        }
    }

    fn remember(&mut self, message: Outgoing) {
        if self.farewells.len() >= FAREWELLS_MAX {
            self.farewells.pop_front();
        }
        self.farewells.push_back(Farewell { message, repeats_left: 3 });
    }

    /// What to say about a call that is over for us and not for the server. None: it was never
    /// ours, or enough was said.
    fn farewell(&mut self, wire_id: &str) -> Option<Outgoing> {
        let farewell = self
            .farewells
            .iter_mut()
            .find(|farewell| farewell.message.call_id() == Some(wire_id))?;
        farewell.repeats_left = farewell.repeats_left.checked_sub(1)?;
        Some(farewell.message.clone())
    }
}

impl Call {
    pub(super) fn is_beginning_unknown(&self) -> bool {
        let begun = matches!(&self.state, State::Offering(offering) if offering.begun);
        begun && self.wire_id.is_none()
    }

    /// A call of somebody else that waits for an answer.
    fn is_unanswered(&self) -> bool {
        matches!(
            self.state,
            State::SeekingCaller { .. }
                | State::Doubtful { .. }
                | State::Crossing(_)
                | State::Ringing { .. }
        )
    }

    pub(super) fn is_offering(&self) -> bool {
        matches!(self.state, State::Offering(_))
    }
}

impl Machine {
    /// This end ends a call of which the server knows, and says so.
    pub(super) fn say_farewell(&mut self, message: Outgoing) {
        if let Some(wire_id) = message.call_id() {
            self.outbox.drop_call(wire_id);
        }
        self.calls.remember(message.clone());
        self.queue_short(message);
    }

    /// Declines a call that never rang here. However many of those there are, they hold up nothing
    /// that the application says.
    pub(super) fn turn_away(&mut self, call_id: String, reason: RejectReason) {
        let message = Outgoing::CallReject { call_id, reason };
        self.calls.remember(message.clone());
        let id = self.new_id();
        self.outbox.push_decline(Letter { id, message });
    }

    /// This end hangs up.
    pub(super) fn hang_up(&mut self, id: CallId) -> Option<Call> {
        let call = self.calls.remove(id)?;
        if let Some(call_id) = call.wire_id.clone() {
            self.say_farewell(Outgoing::CallEnd { call_id });
        }
        Some(call)
    }

    pub(super) fn decline(&mut self, id: CallId, reason: RejectReason) -> Option<Call> {
        let call = self.calls.remove(id)?;
        if let Some(call_id) = call.wire_id.clone() {
            self.say_farewell(Outgoing::CallReject { call_id, reason });
        }
        Some(call)
    }

    /// The call is over at the server, too.
    pub(super) fn call_over(&mut self, id: CallId, reason: Ending) {
        let Some(call) = self.calls.remove(id) else { return };
        if let Some(wire_id) = &call.wire_id {
            self.outbox.drop_call(wire_id);
        }
        match call.state {
            // The application has not heard of it yet.
            State::SeekingCaller { .. } | State::Crossing(_) => {}
            State::SeekingCallee { reply, .. } => drop(reply.send(Err(Error::NoSuchCall))),
            _ => self.report(Event::Ended { call: id, reason }),
        }
    }

    /// News of a call that is over for us: the server has not heard so.
    pub(super) fn end_again(&mut self, wire_id: &str) {
        if let Some(message) = self.calls.farewell(wire_id) {
            self.queue_short(message);
        }
    }

    /// News of a call that this program never knew, from before it was started, say.
    pub(super) fn end_unknown(&mut self, wire_id: String) {
        match self.calls.farewell(&wire_id) {
            Some(message) => self.queue_short(message),
            None => self.say_farewell(Outgoing::CallEnd { call_id: wire_id }),
        }
    }

    pub(super) fn expire_calls(&mut self, cx: &mut Context<'_>) {
        let expired = |call: &Call| call.rings_until.is_some_and(|until| until <= cx.now);
        while let Some(id) = self.calls.search(expired) {
            let told = self.hang_up(id).is_some_and(|call| match call.state {
                State::SeekingCallee { reply, .. } => {
                    let _ = reply.send(Err(Error::TimedOut));
                    false
                }
                State::SeekingCaller { .. } | State::Crossing(_) => false,
                _ => true,
            });
            if told {
                self.report(Event::Ended { call: id, reason: Ending::Ended(EndReason::Timeout) });
            }
        }
    }
}
