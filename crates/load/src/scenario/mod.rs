//! Scenarios: the behaviour of the clients, one file for each workload.

mod calls;
mod idle;
mod pace;
mod relay;
mod storm;

use crate::clients::Clients;
use crate::clock::Nanos;
use crate::dialect::Received;
use crate::failure::Failure;
use crate::plan::Workload;
use crate::population::{Pairs, Population};
use crate::share::Share;

/// The clients of one event loop at work. It is called for each event, with the connections.
pub(crate) trait Scenario: Send {
    /// The stages of the clients.
    fn population(&self) -> &Population;

    /// The stages of the clients.
    fn population_mut(&mut self) -> &mut Population;

    /// All clients are ready, or have failed: the traffic begins.
    fn start(&mut self, clients: &mut Clients);

    /// From now on it counts.
    fn measure(&mut self, _: &mut Clients) {}

    /// A text arrived.
    fn receive(&mut self, clients: &mut Clients, client: usize, text: &str);

    /// A connection could not be opened, or ended.
    fn lose(&mut self, clients: &mut Clients, client: usize, failure: Failure, _: RetryAfter) {
        self.population_mut().lose(clients, client, failure);
    }

    /// The time of the next [`on_due`](Self::on_due). `None`: no call is needed.
    fn next_due(&self) -> Option<Nanos> {
        None
    }

    /// Something is due.
    fn on_due(&mut self, _: &mut Clients) {}

    /// Nothing new is begun from here on.
    fn finish(&mut self) {}

    /// The number of messages, or calls, in flight.
    fn under_way(&self) -> u64 {
        0
    }

    /// The failure that counts those that never come to their end.
    fn unfinished(&self) -> Failure {
        Failure::Unanswered
    }

    /// Returns true if all is done before the time is over.
    fn is_done(&self) -> bool {
        false
    }
}

/// The `Retry-After` of a refused connection, in seconds.
pub(crate) type RetryAfter = Option<u64>;

/// The scenario of a share.
pub(crate) fn scenario(share: &Share, clients: &Clients) -> Box<dyn Scenario> {
    let population = |pairs| Population::new(share.dialect.dialect(), pairs, &share.run, clients);
    match share.workload {
        Workload::Relay { pace, bytes, .. } => {
            Box::new(relay::Relay::new(population(Pairs::SetUp), pace, bytes))
        }
        Workload::Calls { pace, candidates, bytes, .. } => {
            let script = calls::Script::Whole { candidates };
            Box::new(calls::Calls::new(population(Pairs::None), script, pace, bytes))
        }
        Workload::Offers { pace, bytes, .. } => {
            let script = calls::Script::Rejected;
            Box::new(calls::Calls::new(population(Pairs::None), script, pace, bytes))
        }
        Workload::Idle { .. } => Box::new(idle::Idle::new(population(Pairs::None))),
        Workload::Storm { .. } => Box::new(storm::Storm::new(population(Pairs::None))),
    }
}

/// Handles a text for a client outside the traffic. Returns true if it was a message.
fn is_message(received: &Received) -> bool {
    *received == Received::Message
}
