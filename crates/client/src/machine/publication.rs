//! The publication of this client's key in the directory, and the applications that wait for it.
//!
//! A client counts as registered once the server has answered its first PKD_REGISTER: whom it
//! calls looks the key up. [`Publication`] keeps that answer, answers those who wait for it, and
//! limits how often the key is published again.

use std::time::{Duration, Instant};

use securecall_protocol::ErrorCode;

use crate::command::Reply;
use crate::{Disconnect, Error, Event};

/// Bound of the applications that wait.
const WAITING_MAX: usize = 64;
/// Interval of further publications, each caused by a caller with an old key of ours. Whoever calls
/// so on purpose does not use up what this client may ask of the directory.
const REPUBLISH_EVERY: Duration = Duration::from_secs(60);

#[derive(Default)]
pub(super) struct Publication {
    /// The server's answer. `None`: there is none yet.
    result: Option<Result<(), Error>>,
    /// The application knows that the server cannot store the key now.
    is_delay_reported: bool,
    /// The key may be published again then. `None`: at any time.
    republish_after: Option<Instant>,
    /// Those who wait for the first answer, each with the end of its patience.
    waiting: Vec<(Reply<()>, Option<Instant>)>,
    /// The cause of the last failed attempt to connect. `None`: none has failed yet.
    last_loss: Option<Disconnect>,
}

impl Publication {
    /// The earliest end of anybody's patience.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.waiting.iter().filter_map(|(_, until)| *until).min()
    }

    /// Answers at once if the result is known, and otherwise when it is, or at `until`.
    pub(super) fn wait(&mut self, reply: Reply<()>, until: Option<Instant>) {
        if let Some(result) = &self.result {
            return drop(reply.send(result.clone()));
        }
        self.waiting.retain(|(reply, _)| !reply.is_closed());
        if self.waiting.len() >= WAITING_MAX {
            drop(reply.send(Err(Error::TooMuchWaits)));
        } else {
            self.waiting.push((reply, until));
        }
    }

    /// Answers those whose patience is at its end.
    pub(super) fn expire(&mut self, now: Instant) {
        let due = |(_, until): &mut (Reply<()>, Option<Instant>)| until.is_some_and(|at| at <= now);
        for (reply, _) in self.waiting.extract_if(.., due) {
            let error = Error::NotRegistered { cause: self.last_loss.clone() };
            let _ = reply.send(Err(error));
        }
    }

    pub(super) fn connection_lost(&mut self, cause: &Disconnect) {
        self.last_loss = Some(cause.clone());
    }

    /// The server cannot store the key now, and is asked again. Reported once until it can.
    pub(super) fn delayed(&mut self) -> Option<Event> {
        let reported = std::mem::replace(&mut self.is_delay_reported, true);
        (!reported).then_some(Event::KeyRefused { code: ErrorCode::Unavailable })
    }

    /// The server has answered. Returns the refusal to report, if it is one.
    pub(super) fn completed(&mut self, result: Result<(), Error>) -> Option<Event> {
        self.is_delay_reported = false;
        self.answer_waiting(&result);
        let refusal = match &result {
            Err(Error::Refused { code, .. }) => Some(Event::KeyRefused { code: *code }),
            _ => None,
        };
        self.result = Some(result);
        refusal
    }

    /// Returns whether the key may be published again now, and counts that as done.
    pub(super) fn may_republish(&mut self, now: Instant) -> bool {
        let may = self.republish_after.is_none_or(|after| after <= now);
        if may {
            self.republish_after = Some(now + REPUBLISH_EVERY);
        }
        may
    }

    /// The client stops for good, with this error.
    pub(super) fn stop(&mut self, error: &Error) {
        self.answer_waiting(&Err(error.clone()));
    }

    fn answer_waiting(&mut self, result: &Result<(), Error>) {
        for (reply, _) in self.waiting.drain(..) {
            // Whoever asked may have stopped waiting.
            let _ = reply.send(result.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[test]
    fn a_delay_is_reported_once_until_the_key_is_stored() {
        let mut publication = Publication::default();
        assert!(publication.delayed().is_some());
        assert!(publication.delayed().is_none());
        assert!(publication.completed(Ok(())).is_none());
        assert!(publication.delayed().is_some());
    }

    #[test]
    fn the_key_is_published_again_once_a_minute() {
        let (mut publication, now) = (Publication::default(), Instant::now());
        assert!(publication.may_republish(now));
        assert!(!publication.may_republish(now + Duration::from_secs(59)));
        assert!(publication.may_republish(now + REPUBLISH_EVERY));
    }

    #[test]
    fn those_who_wait_are_bounded_and_all_answered() {
        let mut publication = Publication::default();
        let mut results = Vec::new();
        for _ in 0..=WAITING_MAX {
            let (reply, result) = oneshot::channel();
            publication.wait(reply, None);
            results.push(result);
        }
        let mut refused = results.pop().unwrap();
        assert!(matches!(refused.try_recv(), Ok(Err(Error::TooMuchWaits))));
        publication.completed(Ok(()));
        assert!(results.iter_mut().all(|result| matches!(result.try_recv(), Ok(Ok(())))));
    }
}
