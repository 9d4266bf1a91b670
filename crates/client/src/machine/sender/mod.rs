//! The sending side: messages in order, requests until they are answered, at the server's rates.
//!
//! [`Sender`] encodes messages and never sends by itself. Its contract:
//!
//! 1. At each REGISTERED, call [`Sender::begin`], and queue again what it returns.
//! 2. Queue messages ([`Sender::queue`]) and requests ([`Sender::request`]) at any time; each gets
//!    an id.
//! 3. While registered, send what [`Sender::flush`] returns: after each input, and when
//!    [`Sender::deadline`] has come.
//! 4. Report each answer of the server: [`Sender::confirm`], then [`Sender::take_request`] or
//!    [`Sender::refuse_request`]; and call [`Sender::expire_requests`] at
//!    [`Sender::requests_deadline`].

mod outbox;
mod pacer;
mod pending;

use std::time::{Duration, Instant};

use securecall_protocol::client::{Outgoing, Resumable};
use securecall_protocol::{MessageClass, MessageType};

use crate::Error;

use outbox::Outbox;
pub(super) use outbox::{Letter, MessageId};
use pacer::Pacer;
use pending::PendingRequests;
pub(super) use pending::{Purpose, Refused, Request};

/// Bound of a message until the server announces its own (`maxMessageBytes`).
const MESSAGE_BYTES_MAX: usize = 65_536;
/// Wait after a refusal for now that names no time.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The sending side of the client, across its connections.
pub(super) struct Sender {
    outbox: Outbox,
    requests: PendingRequests,
    pacer: Pacer,
    /// The time at which the pace allows the next message. `None`: it holds nothing back.
    paced_until: Option<Instant>,
    /// The time of the last [`Sender::flush`].
    flushed_at: Option<Instant>,
    last_id: MessageId,
    /// The server names the request in its answer.
    correlates: bool,
    message_bytes_max: usize,
}

/// A message that leaves now.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) id: MessageId,
    pub(super) message_type: MessageType,
    pub(super) text: String,
}

impl Sender {
    /// One with nothing to send.
    pub(super) fn new() -> Self {
        Self {
            outbox: Outbox::default(),
            requests: PendingRequests::default(),
            pacer: Pacer::default(),
            paced_until: None,
            flushed_at: None,
            last_id: 0,
            correlates: true,
            message_bytes_max: MESSAGE_BYTES_MAX,
        }
    }

    /// REGISTERED came, with these announcements in dialect 2. Requests without an answer will be
    /// sent again; returns the messages that may be lost, and those that are queued, in order.
    #[must_use]
    pub(super) fn begin(
        &mut self,
        announced: Option<&Resumable>,
        correlates: bool,
        now: Instant,
    ) -> Vec<Letter> {
        self.correlates = correlates;
        self.pacer = Pacer::new(&announced.map(|server| server.rates).unwrap_or_default(), now);
        // REGISTER was the first of its class. The server took it before now.
        let _ = self.pacer.take(MessageClass::Other, now);
        if let Some(server) = announced {
            self.message_bytes_max = server.message_bytes_max.unwrap_or(MESSAGE_BYTES_MAX);
        }
        self.requests.ask_again();
        self.outbox.take_all()
    }

    /// The `id` of the next message.
    pub(super) const fn new_id(&mut self) -> MessageId {
        self.last_id += 1;
        self.last_id
    }

    /// Queues a message, in order.
    ///
    /// # Errors
    /// [`Error::TooLong`] for the server.
    pub(super) fn queue(&mut self, message: Outgoing) -> Result<MessageId, Error> {
        let id = self.new_id();
        if message.encode(Some(&id.to_string())).len() > self.message_bytes_max {
            return Err(Error::TooLong);
        }
        self.outbox.push(Letter { id, message });
        Ok(id)
    }

    /// Queues a message that is short, or was queued before.
    pub(super) fn queue_short(&mut self, message: Outgoing) {
        let id = self.new_id();
        self.outbox.push(Letter { id, message });
    }

    /// Queues a CALL_REJECT of a call that never rang here, behind everything else.
    pub(super) fn queue_last(&mut self, message: Outgoing) {
        let id = self.new_id();
        self.outbox.push_decline(Letter { id, message });
    }

    /// Queues a message again under its id.
    pub(super) fn queue_again(&mut self, letter: Letter) {
        self.outbox.push(letter);
    }

    /// Returns whether as many candidates and signals are queued as may be.
    pub(super) fn is_full(&self) -> bool {
        self.outbox.is_full()
    }

    /// Takes back a message that was not sent yet. Returns `false` if it was, or never was there.
    pub(super) fn withdraw(&mut self, id: MessageId) -> bool {
        self.outbox.withdraw(id)
    }

    /// Drops what is left to send of a call.
    pub(super) fn drop_call(&mut self, wire_id: &str) {
        self.outbox.drop_call(wire_id);
    }

    /// Takes the ends of calls, as texts for a connection that is about to be closed. Everything
    /// else that is queued is dropped.
    pub(super) fn take_ends(&mut self) -> Vec<String> {
        let ends = |letter: &Letter| {
            matches!(letter.message, Outgoing::CallEnd { .. } | Outgoing::CallReject { .. })
        };
        let letters = self.outbox.take_all().into_iter();
        letters.filter(ends).map(|letter| letter.message.encode(None)).collect()
    }

    /// The server answered this message. Returns it, if it was one of a call.
    pub(super) fn confirm(&mut self, id: MessageId) -> Option<Outgoing> {
        self.outbox.confirm(id)
    }

    /// The server refused a message of this class for now: the next one leaves after that time.
    pub(super) fn pause(&mut self, class: MessageClass, wait: Option<Duration>, now: Instant) {
        self.pacer.pause(class, now + wait.unwrap_or(RETRY_AFTER));
    }

    /// Queues a request, whose answer is for this purpose.
    ///
    /// # Errors
    /// The purpose, if too many requests have no answer yet.
    pub(super) fn request(
        &mut self,
        message: Outgoing,
        purpose: Purpose,
        now: Instant,
    ) -> Result<(), Purpose> {
        let id = self.new_id();
        self.requests.push(id, message, purpose, now)
    }

    /// Queues the PKD_REGISTER of this client's key before all other requests, unless one is
    /// queued or under way. It does not expire.
    pub(super) fn request_publication(&mut self, message: Outgoing) {
        let id = self.new_id();
        self.requests.push_publication(id, message);
    }

    /// Takes the request that is answered: the one of this id, or for a server that does not name
    /// it the oldest. An answer that does not fit it answers nothing.
    pub(super) fn take_request(
        &mut self,
        id: Option<MessageId>,
        fits: impl Fn(&Outgoing) -> bool,
    ) -> Option<Request> {
        self.requests.take(id, fits)
    }

    /// The server refused a request. One refused for now is sent again, after `wait`. `None`: no
    /// request was refused.
    pub(super) fn refuse_request(
        &mut self,
        id: Option<MessageId>,
        for_now: bool,
        wait: Option<Duration>,
        now: Instant,
    ) -> Option<Refused> {
        self.requests.refuse(id, for_now.then(|| now + wait.unwrap_or(RETRY_AFTER)))
    }

    /// Takes the requests whose time for an answer is over.
    pub(super) fn expire_requests(&mut self, now: Instant) -> Vec<Purpose> {
        self.requests.expire(now)
    }

    /// The time of the next [`Sender::expire_requests`].
    pub(super) fn requests_deadline(&self) -> Option<Instant> {
        self.requests.deadline()
    }

    /// Takes all requests: the client stops.
    pub(super) fn take_requests(&mut self) -> Vec<Purpose> {
        self.requests.take_all()
    }

    /// The time at which [`Sender::flush`] has something to return.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let ask_at = self.outbox.ask_at().filter(|_| self.paced_until.is_none());
        // What was due at the last flush has left, or waits for the pace.
        let retry_at = self.requests.retry_at(self.flushed_at);
        [self.paced_until, ask_at, retry_at].into_iter().flatten().min()
    }

    /// Takes what may be sent now: requests, then messages, then a question if one is due.
    #[must_use]
    pub(super) fn flush(&mut self, now: Instant) -> Vec<Sent> {
        self.paced_until = None;
        self.flushed_at = Some(now);
        let mut sent = Vec::new();
        self.send_requests(now, &mut sent);
        self.send_letters(now, &mut sent);
        sent.extend(self.ask_whether_it_arrived(now));
        sent
    }

    /// A HEARTBEAT to be sent at once. Its answer confirms everything before it.
    pub(super) fn question(&mut self, now: Instant) -> Sent {
        let sent = Sent::new(self.new_id(), &Outgoing::Heartbeat {});
        self.outbox.asked(sent.id, now);
        sent
    }

    /// An ACK up to this number, to be sent at once. `Err`: the time at which the pace allows it.
    pub(super) fn acknowledgement(&mut self, seq: u64, now: Instant) -> Result<String, Instant> {
        self.pacer.take(MessageClass::Acks, now)?;
        Ok(Outgoing::Ack { seq }.encode(None))
    }

    fn send_requests(&mut self, now: Instant, sent: &mut Vec<Sent>) {
        while let Some((id, message)) = self.requests.next(now) {
            if let Err(later) = self.pacer.take(MessageClass::of(message.message_type()), now) {
                return self.pace(later);
            }
            sent.push(Sent::new(id, message));
            self.requests.sent(id);
            self.outbox.asked(id, now);
        }
    }

    fn send_letters(&mut self, now: Instant, sent: &mut Vec<Sent>) {
        loop {
            if !self.correlates {
                self.outbox.forget_oldest();
            }
            match self.outbox.next(&mut self.pacer, now) {
                Ok(Some(Letter { id, message })) => sent.push(Sent::new(id, &message)),
                Ok(None) => return,
                Err(later) => return self.pace(later),
            }
        }
    }

    fn ask_whether_it_arrived(&mut self, now: Instant) -> Option<Sent> {
        if self.outbox.ask_at().is_none_or(|at| at > now) {
            return None;
        }
        if !self.correlates {
            self.outbox.forget_oldest();
            return None;
        }
        match self.pacer.take(MessageClass::Other, now) {
            Ok(()) => Some(self.question(now)),
            Err(later) => {
                self.pace(later);
                None
            }
        }
    }

    fn pace(&mut self, later: Instant) {
        self.paced_until = Some(self.paced_until.map_or(later, |until| until.min(later)));
    }
}

impl Sent {
    fn new(id: MessageId, message: &Outgoing) -> Self {
        let text = message.encode(Some(&id.to_string()));
        Self { id, message_type: message.message_type(), text }
    }
}

#[cfg(test)]
mod tests;
