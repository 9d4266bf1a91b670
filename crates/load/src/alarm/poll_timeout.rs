//! Systems without a timer that can be polled: the timeout of the poll ends when something is due.
//! It is rounded up to a millisecond, which shows as the generator's own lateness.

use std::io;
use std::time::Duration;

use mio::{Registry, Token};

use crate::clock::Nanos;

/// The end of the current timeout.
#[derive(Debug)]
pub(crate) struct Alarm {
    due: Option<Nanos>,
}

impl Alarm {
    pub(crate) fn new(_: &Registry, _: Token) -> io::Result<Self> {
        Ok(Self { due: None })
    }

    /// Expires once at `due`, or at once if that has passed; never for `None`.
    pub(crate) fn set(&mut self, due: Option<Nanos>, _: Nanos) -> io::Result<()> {
        self.due = due;
        Ok(())
    }

    /// The timeout of the next poll.
    pub(crate) fn wait(&self, now: Nanos) -> Duration {
        self.due.map_or(Duration::MAX, |due| Duration::from_nanos(due.saturating_sub(now)))
    }

    /// Nothing to reset: the poll has merely timed out.
    pub(crate) fn rang(&mut self) {}
}
