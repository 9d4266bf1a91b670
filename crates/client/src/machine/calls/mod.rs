//! The calls on record, and what is remembered of those that are over.
//!
//! [`Calls`] sends nothing and ends nothing by itself. Its contract:
//!
//! 1. A call is inserted where [`Calls::is_full`] or [`Calls::has_room_for`] allows it, changes its
//!    [`State`] in the hands of caller and callee, and is removed by the one end of a call.
//! 2. An end that was sent goes to [`Calls::remember_end`]: a server that goes on with the call
//!    gets it again, as often as [`Calls::repeat_end`] returns it.
//! 3. After a new registration, what is sent again is [`Calls::unconfirmed_answers`] and
//!    [`Calls::everything_sent`].

mod answered;
mod call;
mod glares;
mod sent_ends;

use std::collections::BTreeMap;
use std::time::Instant;

use securecall_protocol::client::{Outgoing, PresentedCall};
use securecall_protocol::{ClientId, Dialect};

use super::sender::MessageId;
use crate::{CallId, Error, Stop};

pub(super) use answered::{Answered, Kind, Opened as OpenedMessage};
pub(super) use call::{Call, Offering, Opened, SealedOffer, State};
use glares::Glares;
use sent_ends::SentEnds;

/// Bound of own and answered calls at once: a server lets a client be in no more.
const CALLS_MAX: usize = 16;
/// Bound of the unanswered calls of others, beside those.
const UNANSWERED_MAX: usize = 8;
/// Bound of those of one caller, so that no caller takes the place of all.
const UNANSWERED_PER_CALLER_MAX: usize = 2;

/// All calls of the client.
#[derive(Default)]
pub(super) struct Calls {
    calls: BTreeMap<CallId, Call>,
    last: u64,
    sent_ends: SentEnds,
    glares: Glares,
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

    /// The ids of all calls.
    pub(super) fn ids(&self) -> Vec<CallId> {
        self.calls.keys().copied().collect()
    }

    /// The call that the server names so.
    pub(super) fn by_wire_id(&self, wire_id: &str) -> Option<CallId> {
        self.search(|call| call.wire_id.as_deref() == Some(wire_id))
    }

    /// The call that this CALL_INITIATE begins.
    pub(super) fn by_request(&self, request: MessageId) -> Option<CallId> {
        self.search(
            |call| matches!(&call.state, State::Offering(offering) if offering.request == request),
        )
    }

    /// The first call that is so.
    pub(super) fn search(&self, is_so: impl Fn(&Call) -> bool) -> Option<CallId> {
        self.iter().find(|(_, call)| is_so(call)).map(|(id, _)| id)
    }

    /// A call whose CALL_INITIATE has left, and whose id is not known.
    pub(super) fn any_beginning_unknown(&self) -> Option<CallId> {
        self.search(Call::is_beginning_unknown)
    }

    /// A call that has rung for long enough.
    pub(super) fn any_expired(&self, now: Instant) -> Option<CallId> {
        self.search(|call| call.rings_until.is_some_and(|until| until <= now))
    }

    /// The time at which the next call has rung for long enough.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.calls.values().filter_map(|call| call.rings_until).min()
    }

    /// The server rings for its whole time again after a restart.
    pub(super) fn restart_ring_timers(&mut self, now: Instant) {
        for call in self.calls.values_mut() {
            call.restart_ring_timer(now);
        }
    }

    /// The CALL_INITIATE of this id has left, or the server refused it for now.
    pub(super) fn mark_begun(&mut self, request: MessageId, begun: bool) {
        let call = self.by_request(request).and_then(|id| self.find(id));
        if let Some(Call { state: State::Offering(offering), .. }) = call {
            offering.begun = begun;
        }
    }

    /// The calls that REGISTER presents.
    pub(super) fn presented(&self) -> Vec<PresentedCall> {
        let presented = self.calls.values().filter_map(|call| {
            Some(PresentedCall { call_id: call.wire_id.clone()?, answered: call.is_answered() })
        });
        presented.collect()
    }

    /// The CALL_ACCEPTs that are not known to have arrived.
    pub(super) fn unconfirmed_answers(&self) -> Vec<Outgoing> {
        self.calls.values().filter_map(Call::answer).collect()
    }

    /// Everything sealed that the answered calls have sent, in order, and their ids.
    pub(super) fn everything_sent(&mut self, dialect: Dialect) -> (Vec<String>, Vec<Outgoing>) {
        let (mut running, mut messages) = (Vec::new(), Vec::new());
        for call in self.calls.values_mut() {
            let (Some(wire_id), State::Answered(answered)) = (&call.wire_id, &mut call.state)
            else {
                continue;
            };
            running.push(wire_id.clone());
            messages.extend(answered.everything_sent(wire_id));
            if dialect == Dialect::One && answered.has_sent_nothing() {
                // In dialect 1 a call is shown to be ours by any message of it.
                messages.extend(answered.seal(wire_id, Kind::Candidate, "").ok());
            }
        }
        (running, messages)
    }

    /// Seals anew a candidate or signal that the server refused for now. `None`: its call is over,
    /// or it is not kept any more.
    pub(super) fn seal_again(&mut self, message: &Outgoing) -> Option<Outgoing> {
        let (Outgoing::IceCandidate { call_id, candidate: sealed }
        | Outgoing::CallSignal { call_id, data: sealed }) = message
        else {
            return None;
        };
        let id = self.by_wire_id(call_id)?;
        match &mut self.find(id)?.state {
            State::Answered(answered) => answered.seal_again(call_id, sealed)?.ok(),
            _ => None,
        }
    }

    /// Returns whether this client has ended the call.
    pub(super) fn has_ended(&self, wire_id: &str) -> bool {
        self.sent_ends.contains(wire_id)
    }

    /// Remembers an end that is sent.
    pub(super) fn remember_end(&mut self, message: Outgoing) {
        self.sent_ends.push(message);
    }

    /// Takes one repetition of an end. `None`: the call was not ended here, or often enough.
    pub(super) fn repeat_end(&mut self, wire_id: &str) -> Option<Outgoing> {
        self.sent_ends.repeat(wire_id)
    }

    /// Drops all calls, and answers those who wait for one.
    pub(super) fn stop(&mut self, stop: Stop) {
        for (_, call) in std::mem::take(&mut self.calls) {
            if let State::SeekingCallee { reply, .. } = call.state {
                let _ = reply.send(Err(Error::Stopped(stop)));
            }
        }
    }

    fn iter(&self) -> impl Iterator<Item = (CallId, &Call)> {
        self.calls.iter().map(|(id, call)| (*id, call))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> ClientId {
        text.try_into().unwrap()
    }

    /// A call of somebody, whose key is asked for.
    fn incoming(caller: &str, wire_id: &str, now: Instant) -> Call {
        let sealed = SealedOffer { text: "offer".into(), ice_servers: Vec::new() };
        let state = State::SeekingCaller { sealed, retried: false };
        Call::new(id(caller), Some(wire_id.into()), state, now)
    }

    fn own(now: Instant) -> Call {
        let (reply, _) = tokio::sync::oneshot::channel();
        Call::new(id("bob"), None, State::SeekingCallee { offer: "offer".into(), reply }, now)
    }

    #[test]
    fn callers_have_two_places_each_and_take_none_of_the_own_calls() {
        let (mut calls, now) = (Calls::default(), Instant::now());
        for caller in ["a", "b", "c", "d"] {
            for number in 0..UNANSWERED_PER_CALLER_MAX {
                assert!(calls.has_room_for(&id(caller)), "{caller} {number}");
                calls.insert(incoming(caller, &format!("{caller}{number}"), now));
            }
            assert!(!calls.has_room_for(&id(caller)), "{caller}");
        }
        assert!(!calls.has_room_for(&id("e")), "{UNANSWERED_MAX} in all");
        for _ in 0..CALLS_MAX {
            assert!(!calls.is_full());
            calls.insert(own(now));
        }
        assert!(calls.is_full());
    }

    #[test]
    fn a_call_is_found_by_the_servers_id_and_expires_once() {
        let (mut calls, now) = (Calls::default(), Instant::now());
        let call = calls.insert(incoming("bob", "c1", now));
        assert_eq!(calls.by_wire_id("c1"), Some(call));
        assert_eq!(calls.by_wire_id("c2"), None);
        let until = calls.deadline().unwrap();
        assert_eq!(calls.any_expired(now), None);
        assert_eq!(calls.any_expired(until), Some(call));
        calls.restart_ring_timers(until);
        assert_eq!(calls.any_expired(until), None, "the server rings for its whole time again");
        assert!(calls.remove(call).is_some());
        assert_eq!((calls.deadline(), calls.by_wire_id("c1")), (None, None));
    }

    #[test]
    fn a_call_without_keys_seals_nothing_and_holds_a_bounded_number_of_candidates() {
        let mut call = incoming("bob", "c1", Instant::now());
        assert!(matches!(call.seal(Kind::Candidate, "candidate"), Err(Error::WrongMoment)));
        let held = (0..1000).take_while(|number| call.hold(number.to_string()).is_ok()).count();
        assert_eq!(held, 256);
    }
}
