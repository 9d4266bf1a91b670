//! REGISTER and what follows it: resuming the stream, and sending again what may be lost.

use std::time::{Duration, Instant};

use securecall_protocol::client::{Outgoing, Resumable};
use securecall_protocol::{Dialect, ErrorCode};

use super::call::State;
use super::sender::{Letter, MessageId};
use super::{Context, Machine, Output};
use crate::{Disconnect, Event, Stop};

/// Acknowledged at the latest after this time, or after so many messages.
const ACK_WITHIN: Duration = Duration::from_secs(30);
const ACK_AFTER: u64 = 100;

/// Bound of the gaps in a row without a message between them. Then the client asks no more for what
/// is missing: it begins anew.
const GAPS_MAX: u32 = 3;

/// The position in the stream of numbered messages, and what resumes it.
#[derive(Default)]
pub(super) struct Resumption {
    token: Option<String>,
    /// Gaps found since the last message that was handled.
    gaps: u32,
    /// The number of the last message that was handled.
    last_seq: u64,
    acknowledged: u64,
    ack_at: Option<Instant>,
    /// The `id` of the REGISTER under way.
    request: MessageId,
    /// The question behind everything that was repeated: when it is answered, a call whose
    /// beginning is unknown was lost. `None`: there is none.
    probe: Option<MessageId>,
}

/// A message by its number.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// It is new, and nothing is missing before it. It is handled right after this.
    Next,
    /// It was here before.
    Repeated,
    /// One before it is missing.
    Ahead,
}

impl Resumption {
    pub(super) fn ack_at(&self) -> Option<Instant> {
        self.ack_at
    }

    /// Counts a message, unless another one belongs before it.
    pub(super) fn take(&mut self, seq: Option<u64>, now: Instant) -> Arrival {
        let Some(seq) = seq else { return Arrival::Next };
        match seq.checked_sub(self.last_seq) {
            None | Some(0) => return Arrival::Repeated,
            Some(1) => {}
            Some(_) => return Arrival::Ahead,
        }
        self.last_seq = seq;
        self.gaps = 0;
        let due = if seq - self.acknowledged >= ACK_AFTER { now } else { now + ACK_WITHIN };
        self.ack_at = Some(self.ack_at.map_or(due, |at| at.min(due)));
        Arrival::Next
    }
}

impl Machine {
    pub(super) fn register(&mut self, cx: &Context<'_>) {
        let request = self.sender.new_id();
        self.resumption.request = request;
        let register = Outgoing::Register {
            client_id: self.client_id.clone(),
            protocol: 2,
            resume_token: self.resumption.token.clone(),
            last_seq: self.resumption.last_seq,
            calls: self.calls.presented(),
        };
        self.outputs.push_back(Output::Send(register.encode(Some(&request.to_string()))));
        self.connection.begin_registering(cx.now);
    }

    pub(super) fn registered(
        &mut self,
        cx: &mut Context<'_>,
        resumable: Option<Resumable>,
        correlates: bool,
    ) {
        let resumed = resumable.as_ref().is_some_and(|resumable| resumable.resumed);
        self.dialect = if resumable.is_some() { Dialect::Two } else { Dialect::One };
        if !resumed {
            self.resumption = Resumption::default();
        }
        let waiting = self.sender.begin(resumable.as_ref(), correlates, cx.now);
        if let Some(Resumable { resume_token, .. }) = resumable {
            self.resumption.token = Some(resume_token);
        }
        self.connection.complete_registering(cx.now);
        self.report(Event::Registered { resumed, dialect: self.dialect });
        self.repeat(cx, waiting, resumed);
        if !resumed {
            self.publish_key();
        }
    }

    /// A number was left out. The next connection resumes from the last one without a gap; if that
    /// does not help, it begins anew, with numbers from 1.
    pub(super) fn message_missing(&mut self, cx: &mut Context<'_>) {
        self.resumption.gaps += 1;
        if self.resumption.gaps >= GAPS_MAX {
            self.resumption = Resumption::default();
        }
        self.give_up_connection(cx, Disconnect::MessageMissing);
    }

    /// The server refused REGISTER.
    pub(super) fn registration_refused(&mut self, cx: &mut Context<'_>, code: Option<ErrorCode>) {
        match code {
            Some(code @ (ErrorCode::InvalidMessage | ErrorCode::Unauthorized)) => {
                self.outputs.push_back(Output::HangUp(None));
                self.stop(Stop::Refused(code));
            }
            _ => self.give_up_connection(cx, Disconnect::NotRegistered),
        }
    }

    pub(super) fn is_answer_to_register(&self, reply_to: Option<&str>) -> bool {
        reply_to == Some(self.resumption.request.to_string().as_str())
    }

    /// Sends again what may have been lost with the last connection, or with the server.
    fn repeat(&mut self, cx: &Context<'_>, waiting: Vec<Letter>, resumed: bool) {
        self.calls.restart_ring_timers(cx.now);
        self.repeat_answers();
        if resumed {
            self.requeue(waiting, |_| true);
        } else {
            // What was under way in either direction may be gone. The other end takes each sealed
            // message once, so everything of a call is sent again, in order.
            let running = self.repeat_running_calls();
            self.requeue(waiting, |call_id| !running.iter().any(|known| known == call_id));
        }
        self.resumption.probe = None;
        if self.dialect == Dialect::Two && self.calls.any_beginning_unknown() {
            let question = self.sender.question(cx.now);
            self.resumption.probe = Some(question.id);
            self.send(question);
        }
    }

    /// An answer is the one message whose loss nobody else would notice.
    fn repeat_answers(&mut self) {
        let answers: Vec<_> = self.calls.iter().filter_map(|(_, call)| call.answer()).collect();
        for message in answers {
            self.sender.queue_short(message);
        }
    }

    /// Returns the server's ids of the calls.
    fn repeat_running_calls(&mut self) -> Vec<String> {
        let one = self.dialect == Dialect::One;
        let mut messages = Vec::new();
        let mut running = Vec::new();
        for (_, call) in self.calls.iter_mut() {
            let (Some(wire_id), State::Answered(answered)) = (&call.wire_id, &mut call.state)
            else {
                continue;
            };
            running.push(wire_id.clone());
            messages.extend(answered.everything_sent(wire_id));
            if one && answered.has_sent_nothing() {
                // In dialect 1 a call is shown to be ours by any message of it.
                messages.extend(answered.seal_candidate(wire_id, "").ok());
            }
        }
        for message in messages {
            self.sender.queue_short(message);
        }
        running
    }

    fn requeue(&mut self, letters: Vec<Letter>, repeats: impl Fn(&str) -> bool) {
        for letter in letters {
            let again = match &letter.message {
                Outgoing::CallAccept { .. } => false,
                Outgoing::CallRinging { .. } => self.dialect == Dialect::Two,
                Outgoing::IceCandidate { call_id, .. } | Outgoing::CallSignal { call_id, .. } => {
                    repeats(call_id)
                }
                _ => true,
            };
            if again {
                self.sender.queue_again(letter);
            }
        }
    }

    /// The probe is answered: calls whose beginning is unknown still were lost.
    pub(super) fn probe_answered(&mut self, cx: &mut Context<'_>, id: MessageId) {
        if self.resumption.probe == Some(id) {
            self.resumption.probe = None;
            self.call_again(cx);
        }
    }

    /// Sends an ACK if one is due.
    pub(super) fn acknowledge(&mut self, now: Instant) {
        if self.resumption.ack_at.is_some_and(|at| at <= now) {
            let seq = self.resumption.last_seq;
            match self.sender.acknowledgement(seq, now) {
                Ok(ack) => {
                    self.resumption.acknowledged = seq;
                    self.resumption.ack_at = None;
                    self.outputs.push_back(Output::Send(ack));
                }
                Err(later) => self.resumption.ack_at = Some(later),
            }
        }
    }
}
