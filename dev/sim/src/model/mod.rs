//! The reference model: a table of all calls, kept by watching the server from outside.
//!
//! The real server has no such table; it has two records for each call, in two sessions that
//! exchange mail. The model does not see mail. It sees requests, messages and the time, and knows
//! the rules: which messages a client may be sent, in which order, how often, and when a call must
//! or must not be over. Where two things happen at the same time it accepts either result, and
//! learns which one it was once no mail is in flight.

mod call;
mod glare;
mod messages;
mod misattribution;
mod ownership;
mod quiescence;
mod registrations;
mod requests;
mod stream;
mod unconfirmed;

use std::collections::{BTreeMap, BTreeSet};

use securecall_core::{CallLimits, Departure, Instant, UNANSWERED_PER_CALLER_MAX, UnixTime};

use self::call::{Call, Over, Side};
use self::glare::Crossing;
use self::registrations::Registration;
use self::requests::{Allowed, PendingRequest};
use self::stream::Stream;
use crate::event::Event;
use crate::network::LinkId;
use crate::violation::{Violation, ensure};

/// Messages of a call in a stream beside the relayed ones: initiated, ringing, answered, over.
const PROGRESS_COUNT: usize = 4;
const PROGRESS_BYTES: usize = 900;

/// The table of calls.
pub(crate) struct Model {
    limits: CallLimits,
    now: Instant,
    calls: BTreeMap<String, Call>,
    attached: BTreeMap<String, LinkId>,
    away_since: BTreeMap<String, Instant>,
    links: BTreeMap<LinkId, Link>,
    /// The last registration of each client.
    streams: BTreeMap<String, Stream>,
    /// Every token that was ever given out.
    tokens: BTreeSet<String>,
    /// Calls of two clients that call each other: one of the two has to end.
    crossings: Vec<Crossing>,
    /// The connection whose registration a session is handling.
    registering: Option<LinkId>,
    /// The request that a session is handling.
    pending: Option<PendingRequest>,
    /// The errors that may still answer each request.
    requests: BTreeMap<String, Allowed>,
    seen: Seen,
}

/// Counts of events worth seeing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Seen {
    /// Calls that began.
    pub calls: usize,
    /// Callers that were sent the answer.
    pub answered: usize,
    /// Candidates that arrived.
    pub candidates: usize,
    /// Ends of calls that clients were sent.
    pub ended: usize,
    /// Calls that found their target busy.
    pub busy: usize,
    /// Calls whose deferred messages may have exceeded their bound.
    pub overflowed: usize,
    /// Calls from before a restart that both ends have taken up again.
    pub resumed: usize,
    /// Registrations of dialect 2 that were resumed.
    pub resumptions: usize,
    /// Messages that were sent again then.
    pub replayed: usize,
    /// Clients whose call was ended in favour of one that crossed it.
    pub glare: usize,
}

/// The state of a connection.
#[derive(Debug, Clone, Default)]
struct Link {
    /// Calls that its client was sent messages of or has presented, on this connection.
    proven: BTreeSet<String>,
    /// Calls that it was rung for.
    rung: BTreeSet<String>,
    /// Calls whose end it was sent.
    ended: BTreeSet<String>,
    /// Calls that it presented and that were answered with their end.
    refused: BTreeSet<String>,
    /// The registration of its client.
    registration: Registration,
    /// It was sent REGISTERED.
    registered: bool,
    /// The number of the next message, in dialect 2.
    next_seq: u64,
}

impl Model {
    pub(crate) fn new(limits: CallLimits) -> Self {
        Self {
            limits,
            now: Instant::from_millis(0),
            calls: BTreeMap::new(),
            attached: BTreeMap::new(),
            away_since: BTreeMap::new(),
            links: BTreeMap::new(),
            streams: BTreeMap::new(),
            tokens: BTreeSet::new(),
            crossings: Vec::new(),
            registering: None,
            pending: None,
            requests: BTreeMap::new(),
            seen: Seen::default(),
        }
    }

    pub(crate) fn seen(&self) -> Seen {
        self.seen
    }

    /// Checks an event against the rules, and updates the table.
    pub(crate) fn watch(&mut self, now: Instant, event: &Event) -> Result<(), Violation> {
        self.now = now;
        match event {
            Event::Attached { link, client, text } => self.see_attached(*link, client, text),
            Event::Detached { link, client, departure } => {
                let attached = self.attached.get(client);
                ensure!(attached == Some(link), "the end of {client}#{link} was {attached:?}'s");
                self.see_detached(client, *departure);
            }
            Event::Requested { link, client, text, born } => {
                self.see_requested(*link, client, text, *born)?;
            }
            Event::Rang { call } => self.see_call_begin(call)?,
            Event::Acknowledged { client, seq } => self.see_acknowledged(client, *seq),
            Event::Handled => self.see_handled()?,
            Event::TimedOut { client } => self.see_timed_out(client),
            Event::Sent { link, client, text } => self.see_sent(*link, client, text)?,
            Event::Forgotten { client } => self.see_forgotten(client)?,
            Event::Delivered { .. } | Event::Closed { .. } | Event::ClockSet { .. } => {}
            Event::Restarted { started } => self.see_restarted(*started),
        }
        Ok(())
    }

    fn see_detached(&mut self, client: &str, departure: Departure) {
        self.see_connection_end(client, departure);
        self.attached.remove(client);
        self.away_since.insert(client.to_string(), self.now);
        if departure == Departure::Left {
            self.streams.remove(client);
        }
        for call in self.calls.values_mut() {
            if call.callee == client && call.rung.is_none() {
                call.target_was_absent = true;
            }
            if call.caller != client || call.is_done(Side::Caller) || call.recovered {
                continue;
            }
            if call.rung.is_none() {
                // If the target cannot be rung, the caller is not there to receive the error.
                call.caller_was_absent = true;
                call.over = call.over.max(Over::Maybe);
            }
            if departure == Departure::Left && !call.end(Side::Caller).answered {
                call.reasons.insert("cancelled");
                call.over = Over::Yes;
                call.finish(Side::Caller);
            }
        }
    }

    /// Handles the end of a client's grace, or of the ringing of its calls.
    fn see_timed_out(&mut self, client: &str) {
        let (now, limits) = (self.now, self.limits);
        let away = !self.attached.contains_key(client);
        let gone =
            away && self.away_since.get(client).is_none_or(|since| now >= *since + limits.grace);
        if gone {
            self.streams.remove(client);
        }
        for call in self.calls.values_mut() {
            let Some(side) = call.side_of(client) else { continue };
            if gone && call.recovered {
                call.give_up_recovered(side);
                continue;
            }
            // One end presented it as unanswered, and the other knows that.
            let known_there = call.ends[side.other() as usize].first_ring_deadline;
            let rings_out_there = known_there.is_some_and(|deadline| deadline <= now);
            if call.recovered && (call.rings_out_again(side, now) || rings_out_there) {
                call.reasons.insert("timeout");
                call.over = call.over.max(Over::Maybe);
            }
            if call.ends[side as usize].claim_deadline.is_some_and(|deadline| deadline <= now) {
                call.reasons.insert("superseded");
                call.over = call.over.max(Over::Maybe);
            }
            let knows_of_it = side == Side::Caller || call.rung.is_some();
            if call.is_done(side) || !knows_of_it || call.recovered {
                continue;
            }
            if gone {
                call.over = Over::Yes;
                call.finish(side);
            } else if call.rings_out(side, now, limits) {
                call.reasons.insert("timeout");
                let crossing = call.answer.is_some() && away;
                call.over = if crossing { Over::Maybe } else { Over::Yes };
            }
        }
    }

    /// Checks that a dropped session had nothing left to send.
    fn see_forgotten(&mut self, client: &str) -> Result<(), Violation> {
        self.streams.remove(client);
        for (id, call) in &mut self.calls {
            let Some(side) = call.side_of(client) else { continue };
            if call.recovered {
                call.recover_again(side);
                continue;
            }
            if call.is_done(side) || (side == Side::Callee && call.rung.is_none()) {
                continue;
            }
            ensure!(call.over != Over::No, "{client} was forgotten in the middle of {id}");
            ensure!(
                self.away_since
                    .get(client)
                    .is_some_and(|since| { self.now >= *since + self.limits.grace })
                    || call.over == Over::Maybe
                    || call.caller_was_absent
                    || call.ends[side as usize].end_lost
                    || call.ends[side as usize].denied_on.is_some(),
                "{client} was forgotten before it was sent the end of {id}"
            );
            call.finish(side);
        }
        Ok(())
    }

    fn see_restarted(&mut self, started: UnixTime) {
        self.streams.clear();
        self.crossings.clear();
        self.registering = None;
        self.attached.clear();
        self.away_since.clear();
        self.links.clear();
        self.requests.clear();
        self.pending = None;
        self.calls.values_mut().for_each(|call| call.forget(started));
    }

    /// The number of calls that a client takes part in, without those that ring at it: at least,
    /// and at most.
    fn load(&self, client: &str) -> (usize, usize) {
        let (mut least, mut most) = (0, 0);
        for call in self.calls.values() {
            let Some(side) = call.side_of(client).filter(|side| !call.is_done(*side)) else {
                continue;
            };
            let end = &call.ends[side as usize];
            let (surely, perhaps) = match side {
                _ if call.recovered => {
                    let perhaps = end.perhaps_presented || call.answer.is_some();
                    (end.presented, end.presented || perhaps)
                }
                Side::Caller => (!call.caller_was_absent, true),
                Side::Callee => {
                    let answered = call.rung.is_some() && call.answer.is_some();
                    (answered, answered)
                }
            };
            least += usize::from(surely && call.over == Over::No);
            most += usize::from(perhaps);
        }
        (least, most)
    }

    /// Notes that calls on their way to this client may find it busy now.
    fn note_load(&mut self, client: &str) {
        let full = self.load(client).1 >= self.limits.per_session_max
            || self.ringing_at(client, |_| true).1 >= self.limits.unanswered_max;
        let to_ring = |call: &Call| call.callee == client && call.rung.is_none();
        let find_it_busy: Vec<String> = self
            .calls
            .iter()
            .filter(|(_, call)| to_ring(call) && (full || self.rings_enough(client, &call.caller)))
            .map(|(id, _)| id.clone())
            .collect();
        for id in find_it_busy {
            self.calls.entry(id).and_modify(|call| call.target_was_busy = true);
        }
    }

    /// The number of calls of those callers that ring at a client: at least, and at most.
    fn ringing_at(&self, client: &str, of: impl Fn(&str) -> bool) -> (usize, usize) {
        let rings = |call: &&Call| {
            let unanswered = call.rung.is_some() && call.answer.is_none() && !call.recovered;
            call.callee == client && of(&call.caller) && unanswered && !call.is_done(Side::Callee)
        };
        let ringing: Vec<&Call> = self.calls.values().filter(rings).collect();
        let surely = ringing.iter().filter(|call| call.over == Over::No);
        (surely.count(), ringing.len())
    }

    /// Returns true if one more call of this caller may find the client busy.
    fn rings_enough(&self, client: &str, caller: &str) -> bool {
        self.ringing_at(client, |other| other == caller).1 >= UNANSWERED_PER_CALLER_MAX
    }

    /// Computes the room that deferred messages for a client need: messages, and bytes.
    pub(super) fn update_room(&mut self, client: &str) -> (usize, usize) {
        let in_stream = self.streams.get(client).is_some_and(Stream::is_in_two);
        let (mut count, mut bytes) = (0, 0);
        for (id, call) in &self.calls {
            let Some(side) = call.side_of(client).filter(|side| !call.is_done(*side)) else {
                continue;
            };
            // A stream also holds the results of calls.
            count += call.ends[side as usize].channel.len();
            count += if in_stream { PROGRESS_COUNT } else { 0 };
            bytes += call.bytes_to(side, id);
            bytes += if in_stream { PROGRESS_BYTES } else { 0 };
        }
        if let Some(stream) = self.streams.get_mut(client) {
            stream.make_room(bytes, self.limits.waiting_bytes_max);
        }
        (count, bytes)
    }

    /// Notes that the deferred messages for a client may exceed their bound.
    fn note_waiting(&mut self, client: &str) {
        let (count, bytes) = self.update_room(client);
        if bytes <= self.limits.waiting_bytes_max && count < self.limits.waiting_count_max {
            return;
        }
        for (id, call) in &mut self.calls {
            let waits = call.side_of(client).is_some_and(|side| call.bytes_to(side, id) > 0);
            if waits {
                self.seen.overflowed += usize::from(!call.overflows);
                call.overflows = true;
                call.over = call.over.max(Over::Maybe);
            }
        }
    }
}

impl Call {
    /// Returns true if it was presented as unanswered after a restart and has rung out since.
    fn rings_out_again(&self, side: Side, now: Instant) -> bool {
        let deadline = self.ends[side as usize].ring_deadline;
        self.is_unanswered_at(side) && deadline.is_some_and(|deadline| deadline <= now)
    }

    /// Returns true if it has rung out at this end, unless the end has answered or has the answer.
    fn rings_out(&self, side: Side, now: Instant, limits: CallLimits) -> bool {
        let since = match side {
            Side::Caller => Some(self.initiated),
            Side::Callee => self.rung,
        };
        let answered = match side {
            Side::Caller => self.ends[side as usize].answered,
            Side::Callee => self.answer.is_some(),
        };
        !self.recovered
            && !answered
            && since.is_some_and(|since| now >= since + limits.ring_timeout)
    }
}
