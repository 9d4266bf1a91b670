//! The other end's answers to our files, passed from the inbox to the outbox.
//!
//! The other end answers a file once, at any time after its beginning. An answer to a file that
//! is over for us (given up, or refused before) comes late and is ignored; one to a file that was
//! never begun is a violation.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, TrySendError};
use std::time::{Duration, Instant};

use crate::{Refusal, Violation};

/// The other end's answer to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) id: u64,
    /// It has the file, and the other name that it gave it, if it did.
    pub(crate) received: Result<Option<String>, Refusal>,
}

/// The one of the file that was begun last, and one that came while it was being begun.
const WAITING_MAX: usize = 2;

/// The inbox's end of the queue.
pub(crate) struct VerdictSender {
    verdicts: mpsc::SyncSender<Verdict>,
    begun: Arc<AtomicU64>,
}

/// The outbox's end of the queue.
pub(crate) struct VerdictReceiver {
    verdicts: mpsc::Receiver<Verdict>,
    /// The file that was begun last. Files are numbered from 1.
    begun: Arc<AtomicU64>,
}

/// The reason that there is no answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NoVerdict {
    /// The time is over.
    Unanswered,
    /// The connection is.
    Over,
}

pub(crate) fn verdicts() -> (VerdictSender, VerdictReceiver) {
    let (sender, receiver) = mpsc::sync_channel(WAITING_MAX);
    let begun = Arc::new(AtomicU64::new(0));
    (
        VerdictSender { verdicts: sender, begun: begun.clone() },
        VerdictReceiver { verdicts: receiver, begun },
    )
}

impl VerdictSender {
    pub(crate) fn pass_on(&self, verdict: Verdict) -> Result<(), Violation> {
        let begun = self.begun.load(Ordering::Acquire);
        if verdict.id < begun {
            return Ok(());
        }
        if verdict.id > begun {
            return Err(Violation::UnexpectedVerdict);
        }
        match self.verdicts.try_send(verdict) {
            Err(TrySendError::Full(_)) => Err(Violation::UnexpectedVerdict),
            // Disconnected: no file is sent any more.
            _ => Ok(()),
        }
    }
}

impl VerdictReceiver {
    /// From now on a verdict is one of this file. Say so before the other end can know of it.
    pub(crate) fn begin(&self, id: u64) {
        self.begun.store(id, Ordering::Release);
        self.verdicts.try_iter().for_each(drop);
    }

    /// The refusal of the file that was begun, if there is one by now.
    pub(crate) fn refusal(&self, id: u64) -> Option<Refusal> {
        let mut verdicts = self.verdicts.try_iter();
        verdicts.find(|verdict| verdict.id == id)?.received.err()
    }

    /// Waits for the verdict on the file that was begun.
    pub(crate) fn wait(&self, id: u64, timeout: Duration) -> Result<Verdict, NoVerdict> {
        let until = Instant::now() + timeout;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.verdicts.recv_timeout(left) {
                Ok(verdict) if verdict.id == id => return Ok(verdict),
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => return Err(NoVerdict::Unanswered),
                Err(RecvTimeoutError::Disconnected) => return Err(NoVerdict::Over),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT_ONCE: Duration = Duration::ZERO;

    fn received(id: u64) -> Verdict {
        Verdict { id, received: Ok(None) }
    }

    #[test]
    fn a_verdict_on_a_file_that_was_not_begun_is_a_violation() {
        let (sender, receiver) = verdicts();
        assert_eq!(sender.pass_on(received(1)), Err(Violation::UnexpectedVerdict));
        receiver.begin(1);
        assert_eq!(sender.pass_on(received(1)), Ok(()));
        assert_eq!(sender.pass_on(received(2)), Err(Violation::UnexpectedVerdict));
        assert_eq!(receiver.wait(1, AT_ONCE), Ok(received(1)));
    }

    #[test]
    fn a_late_verdict_is_not_one_of_the_next_file_and_no_violation() {
        let (sender, receiver) = verdicts();
        receiver.begin(1);
        assert_eq!(receiver.wait(1, AT_ONCE), Err(NoVerdict::Unanswered));
        assert_eq!(sender.pass_on(received(1)), Ok(()), "late, before the next file");
        receiver.begin(2);
        for _ in 0..10 {
            assert_eq!(sender.pass_on(received(1)), Ok(()), "late, after its beginning");
        }
        assert_eq!(receiver.refusal(2), None);
        assert_eq!(receiver.wait(2, AT_ONCE), Err(NoVerdict::Unanswered));
        assert_eq!(sender.pass_on(received(2)), Ok(()));
        assert_eq!(receiver.wait(2, AT_ONCE), Ok(received(2)));
    }

    #[test]
    fn repeated_answers_to_a_file_are_a_violation() {
        let (sender, receiver) = verdicts();
        receiver.begin(1);
        let passed: Vec<_> = (0..3).map(|_| sender.pass_on(received(1))).collect();
        assert_eq!(passed, [Ok(()), Ok(()), Err(Violation::UnexpectedVerdict)]);
    }

    #[test]
    fn no_answer_is_awaited_once_the_connection_is_over() {
        let (sender, receiver) = verdicts();
        receiver.begin(1);
        drop(sender);
        assert_eq!(receiver.wait(1, Duration::from_secs(3600)), Err(NoVerdict::Over));
    }
}
