//! Systems without a timer that can be polled: the wait for sockets ends when something is due. It is
//! rounded up to a millisecond, which shows as the generator's own lateness.

use std::io;
use std::time::Duration;

use mio::{Registry, Token};

use crate::clock::Nanos;

/// When the wait is to end.
#[derive(Debug)]
pub(crate) struct Alarm {
    due: Option<Nanos>,
}

impl Alarm {
    pub(crate) fn new(_: &Registry, _: Token) -> io::Result<Self> {
        Ok(Self { due: None })
    }

    /// Rings once at `due`, or at once if that has passed. None: does not ring.
    pub(crate) fn set(&mut self, due: Option<Nanos>, _: Nanos) -> io::Result<()> {
        self.due = due;
        Ok(())
    }

    /// How long the event loop may wait, besides for sockets.
    pub(crate) fn wait(&self, now: Nanos) -> Duration {
        self.due.map_or(Duration::MAX, |due| Duration::from_nanos(due.saturating_sub(now)))
    }

    /// It never rings: the wait just ends.
    pub(crate) fn rang(&mut self) {}
}
