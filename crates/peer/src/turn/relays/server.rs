//! One TURN server, by name: which of its addresses is tried next, and what came of those before.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::turn::relay_failure::RelayFailure;
use crate::turn::turn_server::TurnServer;

/// The silence of an address after which the next one is tried beside it: twice that of RFC 8305
/// for TCP, because an answer over TLS takes three round trips.
const ATTEMPT_DELAY: Duration = Duration::from_millis(500);

/// The state of a server.
enum State {
    Resolving,
    /// Addresses that are left, attempts that are under way, and when the next one is due.
    Trying {
        left: VecDeque<SocketAddr>,
        under_way: usize,
        next: Option<Instant>,
    },
    /// This attempt has given a relay.
    Won(usize),
    Failed,
}

/// A TURN server.
pub(super) struct Server {
    turn: TurnServer,
    state: State,
    failure: Option<RelayFailure>,
}

impl Server {
    pub(super) const fn new(turn: TurnServer) -> Self {
        Self { turn, state: State::Resolving, failure: None }
    }

    /// Returns true once it has given a relay or was given up.
    pub(super) const fn is_over(&self) -> bool {
        matches!(self.state, State::Won(_) | State::Failed)
    }

    /// The reason that it gave no relay, as far as it is known.
    pub(super) const fn failure(&self) -> Option<RelayFailure> {
        self.failure
    }

    /// Its addresses are known.
    pub(super) fn resolved(&mut self, addresses: Vec<SocketAddr>) {
        if !matches!(self.state, State::Resolving) {
            return;
        }
        if addresses.is_empty() {
            self.note(RelayFailure::NameNotFound);
            self.state = State::Failed;
        } else {
            self.state = State::Trying { left: addresses.into(), under_way: 0, next: None };
        }
    }

    /// Takes the next address. Returns `None` if there is no other, or no need of one.
    pub(super) fn begin_attempt(&mut self) -> Option<(TurnServer, SocketAddr)> {
        let State::Trying { left, under_way, next } = &mut self.state else { return None };
        let address = left.pop_front()?;
        *under_way += 1;
        *next = (!left.is_empty()).then(|| Instant::now() + ATTEMPT_DELAY);
        Some((self.turn.clone(), address))
    }

    /// The time to try the next address. `None`: not before an attempt has failed.
    pub(super) const fn next_attempt(&self) -> Option<Instant> {
        match &self.state {
            State::Trying { next, .. } => *next,
            _ => None,
        }
    }

    /// It has answered: the next address is tried only if this one fails.
    pub(super) const fn wait_for_outcome(&mut self) {
        if let State::Trying { next, .. } = &mut self.state {
            *next = None;
        }
    }

    /// An attempt has failed. The next one is due.
    pub(super) fn attempt_failed(&mut self, failure: RelayFailure) {
        let State::Trying { left, under_way, .. } = &mut self.state else { return };
        *under_way = under_way.saturating_sub(1);
        if left.is_empty() && *under_way == 0 {
            self.state = State::Failed;
        }
        self.note(failure);
    }

    /// An attempt has given a relay. Returns whether it is the first that did.
    pub(super) fn wins(&mut self, attempt: usize) -> bool {
        match self.state {
            State::Won(winner) => winner == attempt,
            State::Failed => false,
            State::Resolving | State::Trying { .. } => {
                self.state = State::Won(attempt);
                true
            }
        }
    }

    /// Nothing more is expected of it.
    pub(super) fn give_up(&mut self) {
        self.state = State::Failed;
        if self.failure.is_none() {
            self.failure = Some(RelayFailure::Silent);
        }
    }

    fn note(&mut self, failure: RelayFailure) {
        self.failure = self.failure.max(Some(failure));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::IceServer;

    fn server(addresses: &[&str]) -> Server {
        let turn = TurnServer::parse("turn:name.example", &IceServer::default()).unwrap();
        let mut server = Server::new(turn);
        server.resolved(addresses.iter().map(|address| address.parse().unwrap()).collect());
        server
    }

    fn begin(server: &mut Server) -> Option<String> {
        server.begin_attempt().map(|(_, address)| address.to_string())
    }

    #[test]
    fn addresses_are_tried_one_after_the_other_until_one_gives_a_relay() {
        let mut server = server(&["[2001:db8::1]:1", "192.0.2.1:1", "192.0.2.2:1"]);
        assert_eq!(begin(&mut server).as_deref(), Some("[2001:db8::1]:1"));
        server.attempt_failed(RelayFailure::Unreachable);
        assert_eq!(begin(&mut server).as_deref(), Some("192.0.2.1:1"));
        assert!(server.wins(1));
        assert!(server.is_over());
        assert_eq!(begin(&mut server), None, "the third is not needed");
        assert!(!server.wins(0), "a later one is not wanted");
    }

    #[test]
    fn the_next_address_is_due_after_a_while_unless_the_one_before_has_answered() {
        let mut server = server(&["192.0.2.1:1", "192.0.2.2:1"]);
        assert_eq!(server.next_attempt(), None);
        begin(&mut server).unwrap();
        let due = server.next_attempt().unwrap();
        assert!(due > Instant::now() && due <= Instant::now() + ATTEMPT_DELAY);
        server.wait_for_outcome();
        assert_eq!(server.next_attempt(), None);
        server.attempt_failed(RelayFailure::Quota);
        assert!(begin(&mut server).is_some());
        assert_eq!(server.next_attempt(), None, "it is the last");
    }

    #[test]
    fn the_most_informative_failure_is_reported_when_all_have_failed() {
        let mut server = server(&["192.0.2.1:1", "192.0.2.2:1"]);
        begin(&mut server).unwrap();
        begin(&mut server).unwrap();
        server.attempt_failed(RelayFailure::Credential);
        assert!(!server.is_over());
        server.attempt_failed(RelayFailure::Unreachable);
        assert!(server.is_over());
        assert_eq!(server.failure(), Some(RelayFailure::Credential));
    }

    #[test]
    fn a_name_without_an_address_is_over_at_once() {
        let server = server(&[]);
        assert!(server.is_over());
        assert_eq!(server.failure(), Some(RelayFailure::NameNotFound));
    }
}
