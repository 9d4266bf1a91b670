//! The timers that end a connection.

use std::time::{Duration, Instant};

/// The time from when ICE reports the path lost until the connection is given up. ICE itself takes
/// some 15 seconds to notice.
const LOST_TIMEOUT: Duration = Duration::from_secs(15);
/// The time that the other end has to acknowledge what was written, after `close`.
pub(crate) const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// A timer that has fired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fired {
    /// The channel is not open in time.
    Connect,
    /// The other end was silent for too long.
    Lost,
    /// The other end has not acknowledged in time.
    Close,
}

/// The timers; `None` if one is not set.
pub(crate) struct Timers {
    connect_timeout: Duration,
    /// Both descriptions are known, and the channel is not open.
    connect: Option<Instant>,
    /// The channel was open, and the other end is silent.
    lost: Option<Instant>,
    /// The application closed the connection.
    close: Option<Instant>,
}

impl Timers {
    pub(crate) const fn new(connect_timeout: Duration) -> Self {
        Self { connect_timeout, connect: None, lost: None, close: None }
    }

    /// Both descriptions are known.
    pub(crate) fn described(&mut self, now: Instant) {
        self.connect = Some(now + self.connect_timeout);
    }

    /// The channel is open.
    pub(crate) const fn opened(&mut self) {
        self.connect = None;
    }

    /// Stops the timer of silence, or starts it.
    pub(crate) fn note_path(&mut self, is_up: bool, now: Instant) {
        self.lost = (!is_up && self.connect.is_none()).then(|| now + LOST_TIMEOUT);
    }

    /// The application closes the connection.
    pub(crate) fn closing(&mut self, now: Instant) {
        self.close = Some(now + CLOSE_TIMEOUT);
    }

    pub(crate) const fn is_closing(&self) -> bool {
        self.close.is_some()
    }

    /// Returns the first timer that has fired, else the time at which the next one will.
    pub(crate) fn check(&self, now: Instant) -> Result<Option<Instant>, Fired> {
        let named =
            [(self.connect, Fired::Connect), (self.lost, Fired::Lost), (self.close, Fired::Close)];
        match named.iter().find(|(at, _)| at.is_some_and(|at| at <= now)) {
            Some((_, fired)) => Err(*fired),
            None => Ok(named.iter().filter_map(|(at, _)| *at).min()),
        }
    }
}
