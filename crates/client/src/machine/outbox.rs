//! What goes to the server, and what may have been lost on the way.
//!
//! The server acknowledges nothing. But it handles the messages of a connection in order, so the
//! answer to one says that those before it arrived. Whatever is not known to have arrived goes
//! out again, in order, on the next connection. Where nothing else asks, a HEARTBEAT does.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use securecall_protocol::client::Outgoing;

use super::pacer::{Class, Pacer};

/// How many candidates and signals may wait.
pub(super) const QUEUED_MAX: usize = 1024;
/// How many messages may be under way without a sign that they arrived.
const UNCONFIRMED_MAX: usize = 256;
/// After so many of them, a sign is asked for at once, so that the stream does not stop.
const ASK_AFTER: usize = 64;
/// Otherwise after this time: a call's setup is over by then, and is confirmed as a whole.
const ASK_WITHIN: Duration = Duration::from_secs(1);

/// The `id` of a message.
pub(super) type MessageId = u64;

/// A message with its id.
#[derive(Debug, Clone)]
pub(super) struct Letter {
    pub(super) id: MessageId,
    pub(super) message: Outgoing,
}

#[derive(Debug, Default)]
pub(super) struct Outbox {
    queue: VecDeque<Letter>,
    /// In the order in which they were sent. None: a question; it is repeated by who asked it.
    unconfirmed: VecDeque<(MessageId, Option<Outgoing>)>,
    ask_at: Option<Instant>,
}

impl Outbox {
    /// Takes a message, unless a server has driven this client to say more than it lets out: then
    /// the message goes to nobody.
    pub(super) fn push(&mut self, letter: Letter) {
        if self.queue.len() < QUEUED_MAX * 2 {
            self.queue.push_back(letter);
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.queue.len() >= QUEUED_MAX
    }

    /// The next message, if the pace and the window allow it. Err: when to look again.
    pub(super) fn next(
        &mut self,
        pacer: &mut Pacer,
        now: Instant,
    ) -> Result<Option<Letter>, Instant> {
        if self.unconfirmed.len() >= UNCONFIRMED_MAX {
            return Ok(None);
        }
        let Some(letter) = self.queue.front() else { return Ok(None) };
        pacer.take(Class::of(letter.message.message_type()), now)?;
        let letter = self.queue.pop_front();
        if let Some(Letter { id, message }) = &letter {
            self.sent(*id, Some(message.clone()), now);
        }
        Ok(letter)
    }

    /// A question was sent. Its answer confirms everything before it.
    pub(super) fn asked(&mut self, id: MessageId, now: Instant) {
        self.sent(id, None, now);
        self.ask_at = None;
    }

    /// When a question has to be asked for want of another. None: there is nothing to confirm, or
    /// one is under way.
    pub(super) fn ask_at(&self) -> Option<Instant> {
        self.ask_at
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

    /// What is to be sent on the next connection: first what may have been lost, then what waits.
    /// Calls are begun again by who began them.
    pub(super) fn take_all(&mut self) -> Vec<Letter> {
        self.ask_at = None;
        let lost = std::mem::take(&mut self.unconfirmed).into_iter();
        let lost = lost.filter_map(|(id, message)| Some(Letter { id, message: message? }));
        let lost = lost.filter(|letter| !matches!(letter.message, Outgoing::CallInitiate { .. }));
        lost.chain(std::mem::take(&mut self.queue)).collect()
    }

    /// The call is over: what it still had to say is said to nobody.
    pub(super) fn drop_call(&mut self, call_id: &str) {
        self.queue.retain(|letter| letter.message.call_id() != Some(call_id));
        for (_, message) in &mut self.unconfirmed {
            if message.as_ref().and_then(Outgoing::call_id) == Some(call_id) {
                *message = None;
            }
        }
    }

    /// Takes back a message that was not sent yet. False: it was, or never was there.
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
