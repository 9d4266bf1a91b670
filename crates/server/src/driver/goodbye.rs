//! The end of a connection, from our close frame on.

use std::time::Duration;

use securecall_core::Instant;

use crate::connection::Connection;

/// How long a connection that closes may take to finish writing and to hear the client's goodbye.
pub(super) const GOODBYE: Duration = Duration::from_secs(5);

/// How much is read and discarded until the client's goodbye: what a client has sent before it
/// reads our close frame. A video that somebody sent in place of a message does not stop it from
/// learning why.
const DISCARD_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A connection that closes: our close frame is on its way.
///
/// As long as frames can be told apart, the client's close frame is looked for, and ends it. Where
/// they cannot, our half of the connection is closed at once, and what comes is discarded: a socket
/// that is closed with bytes unread is reset, and a reset can take away what the client has not
/// read yet.
#[derive(Debug)]
pub(super) struct Goodbye {
    until: Instant,
    /// The client's close frame has come: nothing more is to be read.
    answered: bool,
    half_closed: bool,
    discarded_bytes: usize,
}

impl Goodbye {
    pub(super) fn begin(now: Instant) -> Self {
        let until = now + GOODBYE;
        Self { until, answered: false, half_closed: false, discarded_bytes: 0 }
    }

    /// When the connection is over at the latest.
    pub(super) fn until(&self) -> Instant {
        self.until
    }

    /// The client's close frame has come.
    pub(super) fn answered(&mut self) {
        self.answered = true;
    }

    /// Counts what was read. Returns whether more may be.
    pub(super) fn discard(&mut self, bytes: usize) -> bool {
        self.discarded_bytes += bytes;
        self.discarded_bytes <= DISCARD_BYTES_MAX
    }

    /// Returns whether the socket can be closed. `deaf`: no close frame can be found any more.
    pub(super) fn is_over(&mut self, now: Instant, connection: &Connection, deaf: bool) -> bool {
        if self.until <= now {
            return true;
        }
        if connection.has_backlog() {
            return false;
        }
        if deaf && !self.answered && !self.half_closed {
            self.half_closed = true;
            connection.half_close();
        }
        self.answered
    }
}
