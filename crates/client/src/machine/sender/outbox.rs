//! The messages to the server: queued, and sent but not confirmed.
//!
//! The server acknowledges nothing. But it handles the messages of a connection in order, so the
//! answer to one confirms those before it. Whatever is not known to have arrived goes
//! out again, in order, on the next connection. Where nothing else asks, a HEARTBEAT does.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use securecall_protocol::client::Outgoing;
use securecall_protocol::{MessageClass, MessageType};

use super::pacer::Pacer;

/// Bound of the calls that never rang and are still to be declined. An honest server rings eight
/// times at most before it gets an answer.
const DECLINES_MAX: usize = 64;
/// A question whose answer does not come is asked again after this time, if nothing more may be
/// sent without.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(10);
/// Bound of the candidates and signals that are queued.
const QUEUED_MAX: usize = 1024;
/// Bound of the messages that are sent and not confirmed.
const UNCONFIRMED_MAX: usize = 256;
/// After this many of them, a confirmation is asked for at once, so that the stream does not stop.
const ASK_AFTER: usize = 64;
/// Otherwise after this time: a call's setup is over by then, and is confirmed as a whole.
const ASK_WITHIN: Duration = Duration::from_secs(1);

/// The `id` of a message.
pub(crate) type MessageId = u64;

/// A message with its id.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    pub(crate) id: MessageId,
    pub(crate) message: Outgoing,
}

#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// Ends of calls. They go first, and wait for nothing but their own pace.
    hangups: VecDeque<Letter>,
    queue: VecDeque<Letter>,
    /// Calls that never rang here and are declined. They go last.
    declines: VecDeque<Letter>,
    /// In the order in which they were sent. `None`: a question; it is repeated by who asked it.
    unconfirmed: VecDeque<(MessageId, Option<Outgoing>)>,
    ask_at: Option<Instant>,
    asked_at: Option<Instant>,
}

impl Outbox {
    /// Takes a message, unless a server has made this client queue more than it lets out: then
    /// the message goes to nobody.
    pub(super) fn push(&mut self, letter: Letter) {
        let queue = match letter.message {
            Outgoing::CallEnd { .. } | Outgoing::CallReject { .. } => &mut self.hangups,
            _ => &mut self.queue,
        };
        if queue.len() < QUEUED_MAX * 2 {
            queue.push_back(letter);
        }
    }

    /// Takes a CALL_REJECT of a call that never rang here. Too many of them are a dishonest
    /// server's, which the oldest is not owed an answer.
    pub(super) fn push_decline(&mut self, letter: Letter) {
        if self.declines.len() >= DECLINES_MAX {
            self.declines.pop_front();
        }
        self.declines.push_back(letter);
    }

    pub(super) fn is_full(&self) -> bool {
        self.queue.len() >= QUEUED_MAX
    }

    /// The next message, if the pace and the window allow it. `Err`: the time to try again.
    pub(super) fn next(
        &mut self,
        pacer: &mut Pacer,
        now: Instant,
    ) -> Result<Option<Letter>, Instant> {
        if self.unconfirmed.len() >= UNCONFIRMED_MAX {
            return Ok(None);
        }
        self.drop_ringing_without_room(pacer, now);
        let letter = self.take_first(pacer, now)?;
        if let Some(Letter { id, message }) = &letter {
            self.sent(*id, Some(message.clone()), now);
        }
        Ok(letter)
    }

    /// Of the first queue whose front the pace allows.
    fn take_first(&mut self, pacer: &mut Pacer, now: Instant) -> Result<Option<Letter>, Instant> {
        let mut later: Option<Instant> = None;
        for queue in [&mut self.hangups, &mut self.queue, &mut self.declines] {
            let Some(letter) = queue.front() else { continue };
            match pacer.take(MessageClass::of(letter.message.message_type()), now) {
                Ok(()) => return Ok(queue.pop_front()),
                Err(at) => later = Some(later.map_or(at, |later| later.min(at))),
            }
        }
        later.map_or(Ok(None), Err)
    }

    /// Drops CALL_RINGING where the pace is short. It is no news a second later, and any caller
    /// causes one: it never uses up what own calls and answers need.
    fn drop_ringing_without_room(&mut self, pacer: &Pacer, now: Instant) {
        let is_ringing = |letter: &Letter| matches!(letter.message, Outgoing::CallRinging { .. });
        while self.queue.front().is_some_and(is_ringing)
            && !pacer.has_spare(MessageClass::of(MessageType::CallRinging), now)
        {
            self.queue.pop_front();
        }
    }

    /// A question was sent. Its answer confirms everything before it.
    pub(super) fn asked(&mut self, id: MessageId, now: Instant) {
        if self.unconfirmed.len() > UNCONFIRMED_MAX
            && self.unconfirmed.back().is_some_and(|(_, message)| message.is_none())
        {
            // Asked once more: one question at the end is enough.
            self.unconfirmed.pop_back();
        }
        self.sent(id, None, now);
        self.ask_at = None;
        self.asked_at = Some(now);
    }

    /// The time at which a question has to be sent. `None`: there is nothing to confirm, or
    /// one is under way.
    pub(super) fn ask_at(&self) -> Option<Instant> {
        let stuck = self.unconfirmed.len() >= UNCONFIRMED_MAX;
        let again = self.asked_at.filter(|_| stuck).map(|asked_at| asked_at + ASK_AGAIN_AFTER);
        self.ask_at.or(again)
    }

    /// The server answered this message. Returns it, if it was one of a call.
    pub(super) fn confirm(&mut self, id: MessageId) -> Option<Outgoing> {
        let at = self.unconfirmed.iter().position(|(sent, _)| *sent == id)?;
        let answered = self.unconfirmed.drain(..=at).next_back();
        if self.unconfirmed.is_empty() {
            self.ask_at = None;
        }
        answered.and_then(|(_, message)| message)
    }

    /// For a server that names no answers: nothing is ever confirmed, and what is oldest forgotten.
    pub(super) fn forget_oldest(&mut self) {
        while self.unconfirmed.len() >= UNCONFIRMED_MAX / 2 {
            self.unconfirmed.pop_front();
        }
        self.ask_at = None;
    }

    /// Takes what is to be sent on the next connection: first what may have been lost, then what is
    /// queued. Calls are begun again by who began them.
    pub(super) fn take_all(&mut self) -> Vec<Letter> {
        self.ask_at = None;
        let lost = std::mem::take(&mut self.unconfirmed).into_iter();
        let lost = lost.filter_map(|(id, message)| Some(Letter { id, message: message? }));
        let lost = lost.filter(|letter| !matches!(letter.message, Outgoing::CallInitiate { .. }));
        let (hangups, queue) = (std::mem::take(&mut self.hangups), std::mem::take(&mut self.queue));
        lost.chain(hangups).chain(queue).chain(std::mem::take(&mut self.declines)).collect()
    }

    /// The call is over: what is left of it is dropped.
    pub(super) fn drop_call(&mut self, call_id: &str) {
        for queue in [&mut self.hangups, &mut self.queue, &mut self.declines] {
            queue.retain(|letter| letter.message.call_id() != Some(call_id));
        }
        for (_, message) in &mut self.unconfirmed {
            if message.as_ref().and_then(Outgoing::call_id) == Some(call_id) {
                *message = None;
            }
        }
    }

    /// Takes back a message that was not sent yet. Returns `false` if it was, or never was there.
    pub(super) fn withdraw(&mut self, id: MessageId) -> bool {
        let before = self.queue.len();
        self.queue.retain(|letter| letter.id != id);
        self.queue.len() < before
    }

    fn sent(&mut self, id: MessageId, message: Option<Outgoing>, now: Instant) {
        self.unconfirmed.push_back((id, message));
        let many = self.unconfirmed.len().is_multiple_of(ASK_AFTER);
        let due = if many { now } else { now + ASK_WITHIN };
        self.ask_at = Some(self.ask_at.map_or(due, |at| at.min(due)));
    }
}
