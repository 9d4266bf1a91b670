//! The connection's state: when to open it, when to ping, when to give it up, when to try again.
//!
//! [`Connection`] holds times and decides nothing about calls. Its contract:
//!
//! 1. Report what happens to it: [`Connection::heard`], [`Connection::begin_registering`],
//!    [`Connection::complete_registering`], [`Connection::lost`].
//! 2. When [`Connection::deadline`] has come, carry out what [`Connection::due`] returns.

use std::time::{Duration, Instant};

use rand_core::Rng;

use crate::Disconnect;
use crate::backoff::Backoff;

/// Time for DNS, TCP, TLS and the upgrade together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// Time from REGISTER to REGISTERED.
const REGISTER_TIMEOUT: Duration = Duration::from_secs(10);
/// A ping this often. Carriers forget an idle address after 30 seconds and more.
const PING_EVERY: Duration = Duration::from_secs(8);
/// Two pings unanswered, and half an interval for a slow network.
const SILENCE_MAX: Duration = Duration::from_secs(20);
/// A connection that held for this long makes the next loss a first one.
const STABLE_AFTER: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy)]
enum State {
    /// Nothing was tried yet.
    Idle,
    /// The next attempt begins then.
    BackingOff { until: Instant },
    /// An attempt is under way, until then.
    Connecting { until: Instant },
    /// REGISTER was sent; REGISTERED must be there by then.
    Registering { until: Instant },
    /// Registered since then.
    Registered { since: Instant },
}

/// The connection to the server, with its backoff and its liveness.
#[derive(Debug)]
pub(super) struct Connection {
    state: State,
    backoff: Backoff,
    heard_at: Option<Instant>,
    pinged_at: Option<Instant>,
}

/// An action that the connection needs now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due {
    Connect,
    Ping,
    GiveUp(Disconnect),
}

impl Connection {
    /// One that was not tried yet.
    pub(super) fn new() -> Self {
        let (heard_at, pinged_at) = (None, None);
        Self { state: State::Idle, backoff: Backoff::default(), heard_at, pinged_at }
    }

    pub(super) const fn is_registering(&self) -> bool {
        matches!(self.state, State::Registering { .. })
    }

    pub(super) const fn is_registered(&self) -> bool {
        matches!(self.state, State::Registered { .. })
    }

    /// Returns whether the shell has a connection, or an attempt at one.
    pub(super) const fn is_in_use(&self) -> bool {
        !matches!(self.state, State::Idle | State::BackingOff { .. })
    }

    /// The time of the next [`Connection::due`].
    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::Idle => None,
            State::BackingOff { until }
            | State::Connecting { until }
            | State::Registering { until } => Some(until),
            State::Registered { .. } => {
                let silent_at = self.heard_at.map(|heard_at| heard_at + SILENCE_MAX);
                let ping_at = self.pinged_at.map(|pinged_at| pinged_at + PING_EVERY);
                [ping_at, silent_at].into_iter().flatten().min()
            }
        }
    }

    /// Returns what has to be done at this time. A ping counts as sent.
    pub(super) fn due(&mut self, now: Instant) -> Option<Due> {
        match self.state {
            State::Idle => Some(Due::Connect),
            State::BackingOff { until } if now >= until => Some(Due::Connect),
            State::Connecting { until } if now >= until => {
                Some(Due::GiveUp(Disconnect::Network("no connection in time".into())))
            }
            State::Registering { until } if now >= until => {
                Some(Due::GiveUp(Disconnect::NotRegistered))
            }
            State::Registered { .. } => self.liveness_due(now),
            _ => None,
        }
    }

    fn liveness_due(&mut self, now: Instant) -> Option<Due> {
        if self.heard_at.is_some_and(|heard_at| now >= heard_at + SILENCE_MAX) {
            return Some(Due::GiveUp(Disconnect::Silent));
        }
        if self.pinged_at.is_some_and(|pinged_at| now < pinged_at + PING_EVERY) {
            return None;
        }
        self.pinged_at = Some(now);
        Some(Due::Ping)
    }

    /// Something arrived, or an attempt came to an end.
    pub(super) fn heard(&mut self, now: Instant) {
        self.heard_at = Some(now);
    }

    /// An attempt begins.
    pub(super) fn begin_connecting(&mut self, now: Instant) {
        self.state = State::Connecting { until: now + CONNECT_TIMEOUT };
    }

    /// The WebSocket is open, and REGISTER was sent.
    pub(super) fn begin_registering(&mut self, now: Instant) {
        self.state = State::Registering { until: now + REGISTER_TIMEOUT };
    }

    /// REGISTERED came.
    pub(super) fn complete_registering(&mut self, now: Instant) {
        self.state = State::Registered { since: now };
        self.pinged_at = Some(now);
    }

    /// The next loss counts as a first one: somebody has reason to expect that an attempt succeeds.
    pub(super) fn reset_backoff(&mut self) {
        self.backoff.reset();
    }

    /// The connection is gone. Returns the time until the next attempt; `retry_after` is what the
    /// server asked for.
    pub(super) fn lost(
        &mut self,
        now: Instant,
        rng: &mut impl Rng,
        retry_after: Option<Duration>,
    ) -> Duration {
        if let State::Registered { since } = self.state
            && now >= since + STABLE_AFTER
        {
            self.backoff.reset();
        }
        let retry_in = self.backoff.next(rng, retry_after);
        self.state = State::BackingOff { until: now + retry_in };
        retry_in
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    use super::*;

    fn registered(now: Instant) -> Connection {
        let mut connection = Connection::new();
        connection.begin_connecting(now);
        connection.begin_registering(now);
        connection.heard(now);
        connection.complete_registering(now);
        connection
    }

    #[test]
    fn each_attempt_has_a_bound() {
        let (mut connection, now) = (Connection::new(), Instant::now());
        assert_eq!(connection.due(now), Some(Due::Connect));
        connection.begin_connecting(now);
        assert_eq!(connection.deadline(), Some(now + CONNECT_TIMEOUT));
        assert_eq!(connection.due(now), None);
        assert!(matches!(connection.due(now + CONNECT_TIMEOUT), Some(Due::GiveUp(_))));
        connection.begin_registering(now);
        let late = now + REGISTER_TIMEOUT;
        assert_eq!(connection.due(late), Some(Due::GiveUp(Disconnect::NotRegistered)));
    }

    #[test]
    fn a_silent_connection_is_pinged_and_then_given_up() {
        let now = Instant::now();
        let mut connection = registered(now);
        assert_eq!(connection.due(now + PING_EVERY), Some(Due::Ping));
        assert_eq!(connection.due(now + PING_EVERY), None, "one ping an interval");
        assert_eq!(connection.due(now + SILENCE_MAX), Some(Due::GiveUp(Disconnect::Silent)));
        connection.heard(now + PING_EVERY);
        assert_eq!(connection.due(now + SILENCE_MAX), Some(Due::Ping));
    }

    #[test]
    fn the_limit_of_the_backoff_falls_back_after_a_connection_that_held() {
        let (now, mut rng) = (Instant::now(), StdRng::seed_from_u64(1));
        let mut connection = registered(now);
        for _ in 0..10 {
            connection.lost(now, &mut rng, None);
        }
        connection.complete_registering(now);
        let held = connection.lost(now + STABLE_AFTER, &mut rng, None);
        assert!(held <= Duration::from_secs(1), "{held:?}");
    }
}
