//! What should happen: a table of all calls, kept by watching the server from outside.
//!
//! The real server has no such table; it has two records for each call, in two sessions that talk
//! by mail. The model has never heard of mail. It sees what clients ask, what they are told, and
//! the time, and knows the rules: who may be told what, in which order, how often, and when a call
//! must or must not be over. Where two things happen at the same time it accepts either outcome,
//! and learns which one it was when everything under way has arrived.

mod asked;
mod call;
mod settled;
mod told;

use std::collections::{BTreeMap, BTreeSet};

use securecall_core::{CallLimits, Departure, Instant};

use self::asked::{Allowed, Asking};
use self::call::{Call, Over, Side};
use crate::event::Event;
use crate::network::LinkId;
use crate::violation::{Violation, ensure};

/// The table of calls.
pub(crate) struct Model {
    limits: CallLimits,
    now: Instant,
    calls: BTreeMap<String, Call>,
    attached: BTreeMap<String, LinkId>,
    away_since: BTreeMap<String, Instant>,
    links: BTreeMap<LinkId, Link>,
    /// The request that a session is dealing with.
    asking: Option<Asking>,
    /// What a request may still be answered with.
    requests: BTreeMap<String, Allowed>,
    seen: Seen,
}

/// How often the model saw what is worth seeing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Seen {
    /// Calls that began.
    pub calls: usize,
    /// Callers that were told the answer.
    pub answered: usize,
    /// Candidates that arrived.
    pub candidates: usize,
    /// Clients that were told that a call is over.
    pub ended: usize,
    /// Calls that found their target busy.
    pub busy: usize,
    /// Calls that may have had more waiting than may wait.
    pub overflowed: usize,
    /// Calls from before a restart that both ends have taken up again.
    pub resumed: usize,
}

/// What is known of a connection.
#[derive(Debug, Default)]
struct Link {
    /// Calls that its client was told of or has presented, on this connection.
    proven: BTreeSet<String>,
    /// Calls that it was rung for.
    rung: BTreeSet<String>,
    /// Calls that it was told the end of.
    ended: BTreeSet<String>,
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
            asking: None,
            requests: BTreeMap::new(),
            seen: Seen::default(),
        }
    }

    pub(crate) fn seen(&self) -> Seen {
        self.seen
    }

    /// Something happened.
    pub(crate) fn watch(&mut self, now: Instant, event: &Event) -> Result<(), Violation> {
        self.now = now;
        match event {
            Event::Attached { link, client } => {
                self.attached.insert(client.clone(), *link);
                self.away_since.remove(client);
                self.links.insert(*link, Link::default());
            }
            Event::Detached { link, client, departure } => {
                let attached = self.attached.get(client);
                ensure!(attached == Some(link), "the end of {client}#{link} was {attached:?}'s");
                self.see_detached(client, *departure);
            }
            Event::Asked { link, client, text } => self.see_asked(*link, client, text)?,
            Event::Rang { call } => self.see_rang(call)?,
            Event::Answered => self.see_answered()?,
            Event::TimedOut { client } => self.see_timed_out(client),
            Event::Sent { link, client, text } => self.see_sent(*link, client, text)?,
            Event::SentToNobody { client, text } => {
                ensure!(false, "{client} is away and was sent {text}");
            }
            Event::Forgotten { client } => self.see_forgotten(client)?,
            Event::Delivered { .. } | Event::Closed { .. } => {}
            Event::Restarted => self.see_restarted(),
        }
        Ok(())
    }

    fn see_detached(&mut self, client: &str, departure: Departure) {
        self.attached.remove(client);
        self.away_since.insert(client.to_string(), self.now);
        for call in self.calls.values_mut() {
            if call.callee == client && call.rung.is_none() {
                call.target_was_absent = true;
                call.over = call.over.max(Over::Maybe);
            }
            if call.caller != client || call.is_done(Side::Caller) || call.recovered {
                continue;
            }
            if call.rung.is_none() {
                // If it cannot be rung, nobody is there to hear of it.
                call.caller_was_absent = true;
                call.over = call.over.max(Over::Maybe);
            }
            if departure == Departure::Left && !call.end(Side::Caller).answered {
                call.over = Over::Yes;
                call.finish(Side::Caller);
            }
        }
    }

    /// The grace of a client or the ringing of a call may be over.
    fn see_timed_out(&mut self, client: &str) {
        let (now, limits) = (self.now, self.limits);
        let away = !self.attached.contains_key(client);
        let gone =
            away && self.away_since.get(client).is_none_or(|since| now >= *since + limits.grace);
        for call in self.calls.values_mut() {
            let Some(side) = call.side_of(client) else { continue };
            if gone && call.recovered {
                call.give_up_recovered(side);
                continue;
            }
            let heard_of = side == Side::Caller || call.rung.is_some();
            if call.is_done(side) || !heard_of || call.recovered {
                continue;
            }
            if gone {
                call.over = Over::Yes;
                call.finish(side);
            } else if call.rings_out(side, now, limits) {
                let crossing = call.answer.is_some();
                call.over = if crossing && away { Over::Maybe } else { Over::Yes };
            }
        }
    }

    /// A session is dropped: its client has nothing left to be told.
    fn see_forgotten(&mut self, client: &str) -> Result<(), Violation> {
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
                    || call.caller_was_absent,
                "{client} was forgotten before it was told the end of {id}"
            );
            call.finish(side);
        }
        Ok(())
    }

    fn see_restarted(&mut self) {
        self.attached.clear();
        self.away_since.clear();
        self.links.clear();
        self.requests.clear();
        self.asking = None;
        self.calls.values_mut().for_each(Call::forget);
    }

    /// How many calls a client takes part in: at least, and at most.
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
                Side::Callee => (call.rung.is_some(), call.rung.is_some()),
            };
            least += usize::from(surely && call.over != Over::Maybe);
            most += usize::from(perhaps);
        }
        (least, most)
    }

    /// Calls that are on their way to this client may find it busy now.
    fn note_load(&mut self, client: &str) {
        if self.load(client).1 < self.limits.per_session_max {
            return;
        }
        let to_ring = |call: &&mut Call| call.callee == client && call.rung.is_none();
        for call in self.calls.values_mut().filter(to_ring) {
            call.target_was_busy = true;
            call.over = call.over.max(Over::Maybe);
        }
    }

    /// Others may say of a client that it is in more old calls than a session takes notice of.
    fn note_crowd(&mut self, client: &str) {
        let said = |call: &Call| {
            let end = call.side_of(client).map(|side| &call.ends[side as usize]);
            call.recovered && call.touched && end.is_some_and(|end| !end.presented)
        };
        if self.calls.values().filter(|call| said(call)).count() > self.limits.per_session_max {
            self.calls.values_mut().filter(|call| said(call)).for_each(|call| call.crowded = true);
        }
    }

    /// What waits for a client may be more than may wait.
    fn note_waiting(&mut self, client: &str) {
        let bytes = |(id, call): (&String, &Call)| {
            call.side_of(client).map_or(0, |side| call.bytes_to(side, id))
        };
        let bytes: usize = self.calls.iter().map(bytes).sum();
        if bytes <= self.limits.waiting_bytes_max {
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
    /// Whether it has rung for so long that this end gives up, unless it has answered or heard of
    /// an answer.
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
