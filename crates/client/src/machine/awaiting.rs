//! Who waits for the first registration, and for how long.

use std::time::{Duration, Instant};

use super::{Context, Machine};
use crate::command::Reply;
use crate::{Disconnect, Error};

/// How many may wait.
const AWAITING_MAX: usize = 64;

/// The applications' questions whether the client is registered, until the answer is known.
#[derive(Default)]
pub(super) struct Awaiting {
    waiting: Vec<(Reply<()>, Option<Instant>)>,
    /// Why the last attempt came to nothing. `None`: none has failed yet.
    last_loss: Option<Disconnect>,
}

impl Awaiting {
    /// The earliest end of anybody's patience.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.waiting.iter().filter_map(|(_, until)| *until).min()
    }

    pub(super) fn lost(&mut self, cause: &Disconnect) {
        self.last_loss = Some(cause.clone());
    }

    pub(super) fn answer(&mut self, result: &Result<(), Error>) {
        for (reply, _) in self.waiting.drain(..) {
            // Whoever asked may have stopped waiting.
            let _ = reply.send(result.clone());
        }
    }

    fn push(&mut self, reply: Reply<()>, until: Option<Instant>) {
        self.waiting.retain(|(reply, _)| !reply.is_closed());
        if self.waiting.len() >= AWAITING_MAX {
            drop(reply.send(Err(Error::TooMuchWaits)));
        } else {
            self.waiting.push((reply, until));
        }
    }

    fn expire(&mut self, now: Instant) {
        let due = |(_, until): &mut (Reply<()>, Option<Instant>)| until.is_some_and(|at| at <= now);
        for (reply, _) in self.waiting.extract_if(.., due) {
            let error = Error::NotRegistered { cause: self.last_loss.clone() };
            let _ = reply.send(Err(error));
        }
    }
}

impl Machine {
    pub(super) fn await_registration(
        &mut self,
        cx: &Context<'_>,
        within: Option<Duration>,
        reply: Reply<()>,
    ) {
        match &self.published {
            Some(result) => drop(reply.send(result.clone())),
            // A time beyond what the clock can hold is no bound.
            None => self.awaiting.push(reply, within.and_then(|within| cx.now.checked_add(within))),
        }
    }

    pub(super) fn expire_awaiting(&mut self, cx: &Context<'_>) {
        self.awaiting.expire(cx.now);
    }
}
