//! Whole calls, and offers that are rejected.
//!
//! ```text
//! caller: CALL_INITIATE ──► callee: CALL_ACCEPT, candidates ──► caller: candidates
//!         … both have all candidates of the other … caller: CALL_END ──► callee
//! caller: CALL_INITIATE ──► callee: CALL_REJECT ──► caller            (offers)
//! ```
//! Clients 2k and 2k + 1 call each other, one call at a time. With a rate, a call that is due while
//! all pairs are busy is queued, and the time in the queue counts.

use std::collections::VecDeque;
use std::time::Duration;

use super::pace::Schedule;
use super::relay::candidate;
use super::{RetryAfter, Scenario};
use crate::clients::Clients;
use crate::clock::{Nanos, nanos};
use crate::dialect::securecall::{
    ServerText, call_accept, call_end, call_initiate, call_reject, ice_candidate,
};
use crate::failure::Failure;
use crate::frame::StampedFrame;
use crate::plan::Pace;
use crate::population::Population;
use crate::recording::Measure;

/// The pause of a pair after a call that failed, so that a server that refuses calls is not
/// stormed.
const REST: Duration = Duration::from_secs(1);
/// The length of a candidate.
const CANDIDATE_BYTES: usize = 200;

/// The behaviour of a callee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Script {
    /// Accepts; then `candidates` each way, then the end.
    Whole { candidates: usize },
    /// Rejects it.
    Rejected,
}

/// A call in its course.
#[derive(Debug)]
struct Call {
    begun: Nanos,
    /// Empty until the caller knows it.
    id: String,
    /// Candidates that have not arrived, at both ends together.
    missing: usize,
}

/// One call after the other, in every pair.
pub(crate) struct Calls {
    population: Population,
    script: Script,
    pace: Pace,
    sdp: String,
    candidate: String,
    /// The call of each pair that is busy.
    calls: Vec<Option<Call>>,
    /// The CALL_INITIATE of each pair. `None` if the pair takes no part.
    offers: Vec<Option<StampedFrame>>,
    /// Pairs that are free.
    free: VecDeque<usize>,
    /// Pairs whose call failed, and until when they rest.
    resting: VecDeque<(Nanos, usize)>,
    /// When the calls were due that no pair was free for.
    waiting: VecDeque<Nanos>,
    schedule: Option<Schedule>,
    running: bool,
}

impl Calls {
    pub(crate) fn new(population: Population, script: Script, pace: Pace, bytes: usize) -> Self {
        Self {
            population,
            script,
            pace,
            sdp: candidate(bytes),
            candidate: candidate(CANDIDATE_BYTES),
            calls: Vec::new(),
            offers: Vec::new(),
            free: VecDeque::new(),
            resting: VecDeque::new(),
            waiting: VecDeque::new(),
            schedule: None,
            running: false,
        }
    }

    /// Begins a call that was due at `due`.
    fn begin(&mut self, clients: &mut Clients, pair: usize, due: Nanos) {
        let Some(offer) = &self.offers[pair] else { return };
        clients.send_stamped(2 * pair, offer, due);
        clients.recording.note_sent(1);
        let missing = match self.script {
            Script::Whole { candidates } => 2 * candidates,
            Script::Rejected => 0,
        };
        self.calls[pair] = Some(Call { begun: due, id: String::new(), missing });
    }

    /// Begins the calls that can begin: in the closed loop one in each free pair, else those that
    /// are due.
    fn begin_waiting(&mut self, clients: &mut Clients) {
        while self.running && !self.free.is_empty() {
            let due = match self.pace {
                Pace::InFlight(_) => Some(clients.now()),
                Pace::PerSecond(_) => self.waiting.pop_front(),
            };
            let Some(due) = due else { return };
            if let Some(pair) = self.free.pop_front() {
                self.begin(clients, pair, due);
            }
        }
    }

    /// A pair's call is over.
    fn end(&mut self, clients: &mut Clients, pair: usize) {
        let Some(call) = self.calls[pair].take() else { return };
        clients.recording.note_time(Measure::Call, call.begun, clients.read_at());
        clients.recording.note_call();
        self.free.push_back(pair);
        self.begin_waiting(clients);
    }

    /// A pair's call failed: the server refused one of its messages.
    fn fail(&mut self, clients: &mut Clients, pair: usize, code: &str) {
        clients.recording.note_failure(Failure::Error(code.to_owned()));
        let Some(call) = self.calls[pair].take() else { return };
        if !call.id.is_empty() {
            clients.send(2 * pair, &call_end(&call.id));
        }
        self.resting.push_back((clients.now() + nanos(REST), pair));
    }

    fn incoming(&self, clients: &mut Clients, callee: usize, call_id: &str) {
        if let Some(call) = &self.calls[callee / 2] {
            clients.recording.note_received(call.begun, clients.read_at());
        }
        match self.script {
            Script::Whole { .. } => {
                self.send(clients, callee, &call_accept(call_id, &self.sdp));
                self.send_candidates(clients, callee, call_id);
            }
            Script::Rejected => self.send(clients, callee, &call_reject(call_id)),
        }
    }

    fn accepted(&mut self, clients: &mut Clients, caller: usize, call_id: &str) {
        let pair = caller / 2;
        let Some(call) = &mut self.calls[pair] else { return };
        call_id.clone_into(&mut call.id);
        clients.recording.note_time(Measure::Answer, call.begun, clients.read_at());
        self.send_candidates(clients, caller, call_id);
        self.hang_up_if_complete(clients, pair);
    }

    fn send_candidates(&self, clients: &mut Clients, client: usize, call_id: &str) {
        let Script::Whole { candidates } = self.script else { return };
        let text = ice_candidate(call_id, &self.candidate);
        for _ in 0..candidates {
            self.send(clients, client, &text);
        }
    }

    fn candidate_arrived(&mut self, clients: &mut Clients, pair: usize) {
        if let Some(call) = &mut self.calls[pair] {
            call.missing = call.missing.saturating_sub(1);
            self.hang_up_if_complete(clients, pair);
        }
    }

    /// The caller ends a call that it knows to be accepted, when nothing is missing.
    fn hang_up_if_complete(&self, clients: &mut Clients, pair: usize) {
        if let Some(call) = self.calls[pair].as_ref()
            && call.missing == 0
            && !call.id.is_empty()
        {
            self.send(clients, 2 * pair, &call_end(&call.id));
        }
    }

    fn send(&self, clients: &mut Clients, client: usize, text: &str) {
        clients.send(client, text);
        clients.recording.note_sent(1);
    }
}

impl Scenario for Calls {
    fn population(&self) -> &Population {
        &self.population
    }

    fn population_mut(&mut self) -> &mut Population {
        &mut self.population
    }

    fn start(&mut self, clients: &mut Clients) {
        let pairs = clients.count() / 2;
        let offer = |pair: usize| {
            let population = &self.population;
            let ready = population.is_ready(2 * pair) && population.is_ready(2 * pair + 1);
            let text = call_initiate(population.name(2 * pair + 1), &self.sdp);
            ready.then(|| StampedFrame::new(&text))?
        };
        self.offers = (0..pairs).map(offer).collect();
        self.calls = (0..pairs).map(|_| None).collect();
        self.free = (0..pairs).filter(|pair| self.offers[*pair].is_some()).collect();
        self.running = true;
        if let Pace::PerSecond(rate) = self.pace {
            self.schedule = Some(Schedule::new(clients.now(), rate));
        }
        self.begin_waiting(clients);
    }

    fn receive(&mut self, clients: &mut Clients, client: usize, text: &str) {
        if !self.running && self.calls.is_empty() {
            self.population.receive(clients, client, text);
            return;
        }
        let pair = client / 2;
        let received = ServerText::read(text);
        match received {
            // It has its latency noted, and so itself.
            ServerText::IncomingCall { call_id } => self.incoming(clients, client, call_id),
            ServerText::Error { code } => self.fail(clients, pair, code),
            _ => clients.recording.note_arrived(),
        }
        match received {
            ServerText::CallAccepted { call_id } => self.accepted(clients, client, call_id),
            ServerText::IceCandidate => self.candidate_arrived(clients, pair),
            ServerText::CallRejected | ServerText::CallEnded => self.end(clients, pair),
            _ => {}
        }
    }

    fn lose(&mut self, clients: &mut Clients, client: usize, failure: Failure, _: RetryAfter) {
        self.population.lose(clients, client, failure);
        let pair = client / 2;
        if let Some(offer) = self.offers.get_mut(pair) {
            *offer = None;
            self.calls[pair] = None;
            self.free.retain(|free| *free != pair);
        }
    }

    fn next_due(&self) -> Option<Nanos> {
        let rested = self.resting.front().map(|(until, _)| *until);
        let scheduled = self.schedule.as_ref().map(Schedule::due);
        rested.into_iter().chain(scheduled).min()
    }

    fn on_due(&mut self, clients: &mut Clients) {
        let now = clients.now();
        while self.resting.front().is_some_and(|(until, _)| *until <= now) {
            let rested = self.resting.pop_front().map(|(_, pair)| pair);
            self.free.extend(rested.filter(|pair| self.offers[*pair].is_some()));
        }
        while let Some((_, due)) = self.schedule.as_mut().and_then(|schedule| schedule.take(now)) {
            clients.recording.note_time(Measure::Lateness, due, now);
            self.waiting.push_back(due);
        }
        self.begin_waiting(clients);
    }

    fn finish(&mut self) {
        self.running = false;
        self.schedule = None;
        self.resting.clear();
    }

    /// With a rate, calls that were due and not begun are of those that the server owes.
    fn under_way(&self) -> u64 {
        (self.calls.iter().flatten().count() + self.waiting.len()) as u64
    }
}
