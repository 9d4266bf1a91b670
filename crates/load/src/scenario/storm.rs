//! All clients lose their connections at once, and come back at once.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use super::{RetryAfter, Scenario};
use crate::clients::Clients;
use crate::clock::{Nanos, nanos};
use crate::dialect::Received;
use crate::failure::Failure;
use crate::population::Population;
use crate::recording::Measure;

/// The time until a retry if the server sent no `Retry-After`.
const RETRY: Duration = Duration::from_secs(1);
/// Retries are spread over this time after `Retry-After`, or all would come at once again.
const SPREAD: Duration = Duration::from_secs(1);

/// A network, or a server, that was away for a moment.
pub(crate) struct Storm {
    population: Population,
    /// When the connections were lost.
    begun: Option<Nanos>,
    /// The number of clients that are not registered again.
    missing: usize,
    retries: BinaryHeap<Reverse<(Nanos, usize)>>,
}

impl Storm {
    pub(crate) fn new(population: Population) -> Self {
        Self { population, begun: None, missing: 0, retries: BinaryHeap::new() }
    }
}

impl Scenario for Storm {
    fn population(&self) -> &Population {
        &self.population
    }

    fn population_mut(&mut self) -> &mut Population {
        &mut self.population
    }

    fn start(&mut self, _: &mut Clients) {}

    fn measure(&mut self, clients: &mut Clients) {
        let all = (0..clients.count()).filter(|client| self.population.is_ready(*client));
        let all: Vec<_> = all.collect();
        for client in &all {
            clients.drop_connection(*client);
        }
        self.begun = Some(clients.now());
        self.missing = all.len();
        for client in all {
            self.population.open(clients, client);
        }
    }

    fn receive(&mut self, clients: &mut Clients, client: usize, text: &str) {
        let received = self.population.receive(clients, client, text);
        if let (Some(begun), Received::Registered) = (self.begun, received) {
            clients.recording.note_time(Measure::Reconnect, begun, clients.read_at());
            self.missing = self.missing.saturating_sub(1);
        }
    }

    /// A client that does not come back at once tries again after `Retry-After`.
    fn lose(
        &mut self,
        clients: &mut Clients,
        client: usize,
        failure: Failure,
        retry_after: RetryAfter,
    ) {
        if self.begun.is_none() {
            return self.population.lose(clients, client, failure);
        }
        if self.population.is_ready(client) {
            // It was back, and is lost again: that is no part of a storm.
            clients.recording.note_failure(failure);
            self.missing += 1;
        } else {
            clients.recording.note_refusal(failure);
        }
        self.population.set_waiting(client);
        let spread = nanos(SPREAD) / 100 * (clients.number(client) as u64 * 37 % 100);
        let wait = retry_after.map_or(RETRY, Duration::from_secs);
        self.retries.push(Reverse((clients.now() + nanos(wait) + spread, client)));
    }

    fn next_due(&self) -> Option<Nanos> {
        self.retries.peek().map(|Reverse((due, _))| *due)
    }

    fn on_due(&mut self, clients: &mut Clients) {
        let now = clients.now();
        while self.next_due().is_some_and(|due| due <= now)
            && let Some(Reverse((_, client))) = self.retries.pop()
        {
            self.population.open(clients, client);
        }
    }

    fn finish(&mut self) {
        self.retries.clear();
    }

    fn under_way(&self) -> u64 {
        self.missing as u64
    }

    fn unfinished(&self) -> Failure {
        Failure::NotReady
    }

    fn is_done(&self) -> bool {
        self.begun.is_some() && self.missing == 0
    }
}
