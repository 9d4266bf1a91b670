//! Candidates, both ways, in calls that were set up before.

use super::pace::Schedule;
use super::{Scenario, is_message};
use crate::clients::Clients;
use crate::clock::Nanos;
use crate::frame::StampedFrame;
use crate::plan::Pace;
use crate::population::Population;
use crate::recording::Measure;
use crate::stamp;

/// With a number in flight, every message that arrives is answered with another. With a rate, the
/// pairs and their ends take turns.
pub(crate) struct Relay {
    population: Population,
    pace: Pace,
    body: String,
    /// The message of each client, once the traffic has begun. `None` if the client takes no part.
    frames: Vec<Option<StampedFrame>>,
    /// The clients that take part, in their turns.
    senders: Vec<usize>,
    schedule: Option<Schedule>,
    answering: bool,
    sent: u64,
    received: u64,
}

impl Relay {
    pub(crate) fn new(population: Population, pace: Pace, bytes: usize) -> Self {
        Self {
            population,
            pace,
            body: candidate(bytes),
            frames: Vec::new(),
            senders: Vec::new(),
            schedule: None,
            answering: false,
            sent: 0,
            received: 0,
        }
    }

    #[inline]
    fn send(&mut self, clients: &mut Clients, client: usize, time: Nanos) {
        if let Some(frame) = &self.frames[client] {
            clients.send_stamped(client, frame, time);
            clients.recording.note_sent(1);
            self.sent += 1;
        }
    }

    /// Fills every pair, from its caller.
    fn fill(&mut self, clients: &mut Clients, in_flight: usize) {
        self.answering = true;
        for client in self.senders.clone() {
            for _ in 0..if client % 2 == 0 { in_flight } else { 0 } {
                let now = clients.now();
                self.send(clients, client, now);
            }
        }
    }
}

impl Scenario for Relay {
    fn population(&self) -> &Population {
        &self.population
    }

    fn population_mut(&mut self) -> &mut Population {
        &mut self.population
    }

    fn start(&mut self, clients: &mut Clients) {
        let population = &self.population;
        let frame = |client| {
            let ready = population.is_ready(client);
            ready.then(|| StampedFrame::new(&population.message(client, &self.body)))?
        };
        self.frames = (0..clients.count()).map(frame).collect();
        let taking_part = |client: &usize| self.frames[*client].is_some();
        // All callers first: so the two ends of a pair are not due one after the other.
        let callers = (0..clients.count()).step_by(2);
        let callees = (1..clients.count()).step_by(2);
        self.senders = callers.chain(callees).filter(taking_part).collect();
        match self.pace {
            Pace::InFlight(in_flight) => self.fill(clients, in_flight),
            Pace::PerSecond(rate) if !self.senders.is_empty() => {
                self.schedule = Some(Schedule::new(clients.now(), rate));
            }
            Pace::PerSecond(_) => {}
        }
    }

    #[inline]
    fn receive(&mut self, clients: &mut Clients, client: usize, text: &str) {
        if !is_message(&self.population.receive(clients, client, text)) {
            return;
        }
        let now = clients.read_at();
        self.received += 1;
        match stamp::read(text) {
            Some(begun) => clients.recording.note_received(begun, now),
            None => clients.recording.note_arrived(),
        }
        if self.answering {
            self.send(clients, client, now);
        }
    }

    fn next_due(&self) -> Option<Nanos> {
        self.schedule.as_ref().map(Schedule::due)
    }

    fn on_due(&mut self, clients: &mut Clients) {
        let now = clients.now();
        while let Some((number, due)) = self.schedule.as_mut().and_then(|s| s.take(now)) {
            let sender = self.senders[number as usize % self.senders.len()];
            clients.recording.note_time(Measure::Lateness, due, now);
            self.send(clients, sender, due);
        }
    }

    fn finish(&mut self) {
        self.answering = false;
        self.schedule = None;
    }

    fn under_way(&self) -> u64 {
        self.sent.saturating_sub(self.received)
    }
}

/// A text of this length that looks like a candidate and ends with a stamp.
pub(super) fn candidate(bytes: usize) -> String {
    const SHAPE: &str = "candidate:842163049 1 udp 1677729535 198.51.100.7 46154 typ srflx raddr \
         192.0.2.17 rport 46154 generation 0 ufrag EEtu network-id 3 network-cost 10 ";
    let filler = bytes.saturating_sub(stamp::STAMP_BYTES);
    let mut text: String = SHAPE.chars().cycle().take(filler).collect();
    text.push_str(stamp::BLANK);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_candidate_has_the_length_that_was_asked_for_and_a_stamp() {
        for bytes in [17, 18, 200, 60_000] {
            let text = candidate(bytes);
            assert_eq!(text.len(), bytes);
            assert_eq!(stamp::read(&text), Some(0));
        }
    }
}
