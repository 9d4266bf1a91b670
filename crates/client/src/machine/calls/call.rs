//! Our record of a call.

use std::time::{Duration, Instant};

use securecall_protocol::ClientId;
use securecall_protocol::client::{IceServer, Outgoing};
use securecall_seal::{DirectoryKey, Incoming, Offered};

use super::answered::{Answered, Kind};
use crate::command::Reply;
use crate::machine::sender::MessageId;
use crate::{CallId, Error};

/// Bound of the candidates of a call that are queued before there are keys.
const EARLY_CANDIDATES_MAX: usize = 256;
/// A little over the server's 60 seconds: it may have forgotten its own timer in a restart.
const RING_MAX: Duration = Duration::from_secs(75);

/// A call, as this end knows it.
pub(crate) struct Call {
    pub(crate) peer: ClientId,
    /// The server's id. `None`: it is not known yet.
    pub(crate) wire_id: Option<String>,
    pub(crate) state: State,
    /// Candidates of ours from before there were keys.
    early: Vec<String>,
    /// The end of its ringing. `None`: it is answered.
    pub(super) rings_until: Option<Instant>,
}

/// The state of a call, with what it needs.
pub(crate) enum State {
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
pub(crate) struct Offering {
    pub(crate) offered: Offered,
    pub(crate) callee_key: DirectoryKey,
    /// In clear, to be sealed anew if the call has to be begun again.
    pub(crate) offer: String,
    /// The CALL_INITIATE.
    pub(crate) request: MessageId,
    /// The CALL_INITIATE was sent.
    pub(crate) begun: bool,
}

/// An offer that was opened, and the TURN servers that came with it.
pub(crate) struct Opened {
    pub(crate) incoming: Incoming,
    pub(crate) caller_key: DirectoryKey,
    pub(crate) ice_servers: Vec<IceServer>,
}

/// An offer as it came.
pub(crate) struct SealedOffer {
    pub(crate) text: String,
    pub(crate) ice_servers: Vec<IceServer>,
}

impl Call {
    /// One that rings from now on.
    pub(crate) fn new(peer: ClientId, wire_id: Option<String>, state: State, now: Instant) -> Self {
        Self { peer, wire_id, state, early: Vec::new(), rings_until: Some(now + RING_MAX) }
    }

    /// Takes the state, to replace it by another one.
    pub(crate) fn take_state(&mut self) -> State {
        std::mem::replace(&mut self.state, State::Changing)
    }

    /// The call is answered: it rings no more. Returns the candidates that are to be sealed now.
    ///
    /// A caller without candidates seals an empty one: with its first message the callee knows that
    /// it has the keys, and the digits.
    pub(crate) fn set_answered(&mut self, answered: Answered) -> Vec<String> {
        let mut candidates = std::mem::take(&mut self.early);
        if candidates.is_empty() && answered.unconfirmed_answer().is_none() {
            candidates.push(String::new());
        }
        self.state = State::Answered(Box::new(answered));
        self.rings_until = None;
        candidates
    }

    /// Holds a candidate until there are keys.
    pub(crate) fn hold(&mut self, candidate: String) -> Result<(), Error> {
        if self.early.len() >= EARLY_CANDIDATES_MAX {
            return Err(Error::TooMuchWaits);
        }
        self.early.push(candidate);
        Ok(())
    }

    /// Seals a candidate or signal of an answered call.
    pub(crate) fn seal(&mut self, kind: Kind, text: &str) -> Result<Outgoing, Error> {
        match (&self.wire_id, &mut self.state) {
            (Some(wire_id), State::Answered(answered)) => Ok(answered.seal(wire_id, kind, text)?),
            _ => Err(Error::WrongMoment),
        }
    }

    /// The callee's CALL_ACCEPT, to be sent again. `None`: this end has sent none, or it arrived.
    pub(crate) fn answer(&self) -> Option<Outgoing> {
        let (State::Answered(answered), Some(wire_id)) = (&self.state, &self.wire_id) else {
            return None;
        };
        let sdp_answer = answered.unconfirmed_answer()?.to_owned();
        Some(Outgoing::CallAccept { call_id: wire_id.clone(), sdp_answer })
    }

    /// The server rings for its whole time again after a restart.
    pub(super) fn restart_ring_timer(&mut self, now: Instant) {
        self.rings_until = self.rings_until.map(|_| now + RING_MAX);
    }

    /// The CALL_INITIATE has left, and the server's id is not known.
    pub(crate) fn is_beginning_unknown(&self) -> bool {
        let begun = matches!(&self.state, State::Offering(offering) if offering.begun);
        begun && self.wire_id.is_none()
    }

    /// A call of somebody else that waits for an answer.
    pub(super) fn is_unanswered(&self) -> bool {
        matches!(
            self.state,
            State::SeekingCaller { .. }
                | State::Doubtful { .. }
                | State::HeldForGlare(_)
                | State::Ringing { .. }
        )
    }

    pub(crate) fn is_offering(&self) -> bool {
        matches!(self.state, State::Offering(_))
    }

    pub(crate) fn is_answered(&self) -> bool {
        matches!(self.state, State::Answered(_))
    }
}
