//! Sending: in the server's pace, with a question now and then that confirms what was sent.

use std::time::Instant;

use securecall_protocol::MessageClass;
use securecall_protocol::client::Outgoing;

use super::outbox::{Letter, MessageId};
use super::{Context, Machine, Output};
use crate::Error;

impl Machine {
    /// Takes a message that is to be sent once there is a connection, in order.
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

    /// Takes a message that is short.
    pub(super) fn queue_short(&mut self, message: Outgoing) {
        let id = self.new_id();
        self.outbox.push(Letter { id, message });
    }

    /// Sends what may be sent now.
    pub(super) fn flush(&mut self, cx: &mut Context<'_>) {
        self.paced_until = None;
        self.ring_held(cx);
        if !self.connection.is_registered() {
            return;
        }
        self.send_requests(cx.now);
        self.send_letters(cx.now);
        self.ask_whether_it_arrived(cx);
        self.acknowledge(cx.now);
    }

    /// When [`Machine::flush`] has something to do.
    pub(super) fn flow_deadline(&self) -> Option<Instant> {
        let ask_at = self.outbox.ask_at().filter(|_| self.paced_until.is_none());
        [self.paced_until, ask_at, self.requests.retry_at(), self.resumption.ack_at()]
            .into_iter()
            .flatten()
            .min()
    }

    fn send_requests(&mut self, now: Instant) {
        while let Some((id, message)) = self.requests.next(now) {
            if let Err(later) = self.pacer.take(MessageClass::of(message.message_type()), now) {
                return self.pace(later);
            }
            if matches!(message, Outgoing::PkdLookup { .. }) {
                // So that the answer is judged by what every program knows.
                self.outputs.push_back(Output::SyncKeys);
            }
            let text = message.encode(Some(&id.to_string()));
            self.outputs.push_back(Output::Send(text));
            self.requests.sent(id);
            self.outbox.asked(id, now);
        }
    }

    fn send_letters(&mut self, now: Instant) {
        loop {
            if !self.correlates {
                self.outbox.forget_oldest();
            }
            match self.outbox.next(&mut self.pacer, now) {
                Ok(Some(Letter { id, message })) => {
                    let text = message.encode(Some(&id.to_string()));
                    self.outputs.push_back(Output::Send(text));
                    self.began(id, &message);
                }
                Ok(None) => return,
                Err(later) => return self.pace(later),
            }
        }
    }

    fn ask_whether_it_arrived(&mut self, cx: &Context<'_>) {
        if self.outbox.ask_at().is_none_or(|at| at > cx.now) {
            return;
        }
        if !self.correlates {
            return self.outbox.forget_oldest();
        }
        match self.pacer.take(MessageClass::Other, cx.now) {
            Ok(()) => drop(self.send_question(cx)),
            Err(later) => self.pace(later),
        }
    }

    /// Sends a HEARTBEAT, whose answer confirms everything before it.
    pub(super) fn send_question(&mut self, cx: &Context<'_>) -> MessageId {
        let id = self.new_id();
        let text = Outgoing::Heartbeat {}.encode(Some(&id.to_string()));
        self.outputs.push_back(Output::Send(text));
        self.outbox.asked(id, cx.now);
        id
    }

    fn pace(&mut self, later: Instant) {
        self.paced_until = Some(self.paced_until.map_or(later, |until| until.min(later)));
    }
}
