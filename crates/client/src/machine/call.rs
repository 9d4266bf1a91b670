//! Our record of a call, and all of them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use securecall_protocol::ClientId;
use securecall_protocol::client::{IceServer, Outgoing, PresentedCall};
use securecall_seal::{DirectoryKey, Incoming, Offered};

use super::answered::Answered;
use super::ending::SentEnds;
use super::glare::Glares;
use super::sender::MessageId;
use crate::command::Reply;
use crate::{CallId, Error, Stop};

/// Bound of own and answered calls at once: a server lets a client be in no more.
const CALLS_MAX: usize = 16;
/// Bound of the unanswered calls of others, beside those.
const UNANSWERED_MAX: usize = 8;
/// Bound of those of one caller, so that no caller takes the place of all.
const UNANSWERED_PER_CALLER_MAX: usize = 2;
/// Bound of the candidates of a call that are queued before there are keys.
const EARLY_CANDIDATES_MAX: usize = 256;
/// A little over the server's 60 seconds: it may have forgotten its own timer in a restart.
const RING_MAX: Duration = Duration::from_secs(75);

pub(super) struct Call {
    pub(super) peer: ClientId,
    /// The server's id. `None`: it is not known yet.
    pub(super) wire_id: Option<String>,
    pub(super) state: State,
    /// Candidates of ours from before there were keys.
    pub(super) early: Vec<String>,
    /// The end of its ringing. `None`: it is answered.
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
    /// Callee: the offer is opened, and an own call to the same client is on its way (glare). The
    /// server lets one of the two go on, and ends the other.
    HeldForGlare(Box<Opened>),
    /// Callee: the application has to decide whether to answer.
    Ringing { incoming: Box<Incoming>, caller_key: Box<DirectoryKey> },
    /// Answered.
    Answered(Box<Answered>),
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
    /// The CALL_INITIATE was sent.
    pub(super) begun: bool,
}

/// An offer that was opened, and the TURN servers that came with it.
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

#[derive(Default)]
pub(super) struct Calls {
    calls: BTreeMap<CallId, Call>,
    last: u64,
    pub(super) sent_ends: SentEnds,
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

    /// The callee's CALL_ACCEPT, to be sent again. `None`: this end has sent none, or it arrived.
    pub(super) fn answer(&self) -> Option<Outgoing> {
        let (State::Answered(answered), Some(wire_id)) = (&self.state, &self.wire_id) else {
            return None;
        };
        let sdp_answer = answered.unconfirmed_answer()?.to_owned();
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

    /// Returns whether there are as many own and answered calls as can be.
    pub(super) fn is_full(&self) -> bool {
        self.calls.values().filter(|call| !call.is_unanswered()).count() >= CALLS_MAX
    }

    /// Returns whether one more call of this caller may wait for an answer.
    pub(super) fn has_room_for(&self, caller: &ClientId) -> bool {
        let unanswered = || self.calls.values().filter(|call| call.is_unanswered());
        unanswered().count() < UNANSWERED_MAX
            && unanswered().filter(|call| call.peer == *caller).count() < UNANSWERED_PER_CALLER_MAX
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

    /// The CALL_INITIATE of this id has left, or the server refused it for now.
    pub(super) fn mark_begun(&mut self, request: MessageId, begun: bool) {
        for call in self.calls.values_mut() {
            if let State::Offering(offering) = &mut call.state
                && offering.request == request
            {
                offering.begun = begun;
            }
        }
    }

    /// The calls that REGISTER presents.
    pub(super) fn presented(&self) -> Vec<PresentedCall> {
        let presented = self.calls.values().filter_map(|call| {
            let answered = matches!(call.state, State::Answered(_));
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
                | State::HeldForGlare(_)
                | State::Ringing { .. }
        )
    }

    pub(super) fn is_offering(&self) -> bool {
        matches!(self.state, State::Offering(_))
    }
}
