//! Unconfirmed deliveries, which a lost connection may not have made: an offer, and an answer to a
//! caller of dialect 1.

use std::time::Duration;

use securecall_core::{Departure, Instant};

use super::Model;
use super::call::{Call, Over, Side};

/// An offer is lost with a connection that is lost this soon after it.
const SETTLING: Duration = Duration::from_secs(5);
const LOSSES_MAX: usize = 3;
/// An answer is delivered by a connection that lives this long after it.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(60);

impl Model {
    /// Handles the loss of a client's connection, or its replacement.
    pub(super) fn see_connection_end(&mut self, client: &str, departure: Departure) {
        let now = self.now;
        let mut given_up = false;
        let rings = |call: &Call| call.caller == client && call.awaits_answer();
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

    /// Notes that every ringing call is delivered to this client again.
    pub(super) fn note_delivered(&mut self, client: &str) {
        let now = self.now;
        let rings = |call: &&mut Call| call.callee == client && call.rung.is_some();
        self.calls.values_mut().filter(rings).for_each(|call| call.delivered = Some(now));
    }
}

impl Call {
    /// Returns true if its caller has no answer yet.
    fn awaits_answer(&self) -> bool {
        let end = &self.ends[Side::Caller as usize];
        !self.recovered && !end.answered && !end.done
    }

    /// Counts a lost connection. Returns true if the offer is given up.
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

    /// Returns true if its caller, of dialect 1, has not confirmed the answer by any message.
    pub(super) fn is_unconfirmed(&self, now: Instant) -> bool {
        let end = &self.ends[Side::Caller as usize];
        end.answer_unconfirmed_since.is_some_and(|since| now.since(since) < SILENCE_TIMEOUT)
    }

    fn take_back_answer(&mut self, now: Instant, departure: Departure, rings: bool) {
        let unconfirmed = self.is_unconfirmed(now);
        let end = self.end(Side::Caller);
        end.answer_unconfirmed_since = None;
        if !unconfirmed || end.done {
            return;
        }
        let kept = !end.perhaps_dropped;
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
