//! Messages that a lost connection may not have delivered: an offer that it was lost to, and an
//! answer to a caller of dialect 1.

use std::time::Duration;

use securecall_core::{Departure, Instant};

use super::Model;
use super::call::{Call, Over, Side};

/// A connection that is lost so soon after an offer is lost to it.
const SETTLING: Duration = Duration::from_secs(5);
const LOSSES_MAX: usize = 3;
/// A connection that lives for so long after an answer has delivered it.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(60);

impl Model {
    /// The client's connection is gone, or another one has taken its place.
    pub(super) fn see_parted(&mut self, client: &str, departure: Departure) {
        let now = self.now;
        let mut given_up = false;
        let rings = |call: &Call| call.caller == client && call.is_unheard();
        let rings = self.calls.values().any(rings);
        for call in self.calls.values_mut() {
            if call.callee == client && call.is_ringing() {
                given_up |= call.note_loss(now);
            }
            if call.caller == client {
                call.take_back_answer(now, departure, rings);
            }
        }
        if let Some(stream) = self.streams.get_mut(client).filter(|_| given_up) {
            stream.given_up = true;
        }
    }

    /// Every ringing call is delivered to this client now.
    pub(super) fn note_delivered(&mut self, client: &str) {
        let now = self.now;
        let rings = |call: &&mut Call| call.callee == client && call.rung.is_some();
        self.calls.values_mut().filter(rings).for_each(|call| call.delivered = Some(now));
    }
}

impl Call {
    /// Its caller waits for an answer, as far as it knows.
    fn is_unheard(&self) -> bool {
        let end = &self.ends[Side::Caller as usize];
        !self.recovered && !end.answered && !end.done
    }

    /// Returns whether the offer may have cost its last connection.
    fn note_loss(&mut self, now: Instant) -> bool {
        let suspect = self.delivered.is_some_and(|since| now.since(since) < SETTLING);
        self.losses = if suspect { self.losses + 1 } else { 0 };
        let given_up = self.losses >= LOSSES_MAX;
        if given_up {
            self.over = self.over.max(Over::Maybe);
            self.end(Side::Callee).end_lost = true;
        }
        given_up
    }

    /// Returns true if its caller, of dialect 1, has shown nothing yet of having the answer.
    pub(super) fn is_unconfirmed(&self, now: Instant) -> bool {
        let end = &self.ends[Side::Caller as usize];
        end.told_in_one.is_some_and(|told| now.since(told) < SILENCE_TIMEOUT)
    }

    fn take_back_answer(&mut self, now: Instant, departure: Departure, rings: bool) {
        let unconfirmed = self.is_unconfirmed(now);
        let end = self.end(Side::Caller);
        end.told_in_one = None;
        if !unconfirmed || end.done {
            return;
        }
        let kept = !end.perhaps_not_kept;
        end.answered = false;
        end.presented = false;
        if departure == Departure::Left {
            self.reasons.insert("cancelled");
            self.over = Over::Yes;
            self.finish(Side::Caller);
        } else if !kept || rings {
            self.over = self.over.max(Over::Maybe);
            self.end(Side::Caller).end_lost = true;
        }
    }
}
