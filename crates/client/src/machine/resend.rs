//! Sending again what may have been lost with the last connection, or with the server.

use securecall_protocol::Dialect;
use securecall_protocol::client::Outgoing;

use super::Machine;
use super::call::State;
use super::sender::Letter;

impl Machine {
    /// Queues again what the server is not known to have handled, in order.
    pub(super) fn resend(&mut self, unconfirmed: Vec<Letter>, resumed: bool) {
        self.resend_answers();
        if resumed {
            self.resend_letters(unconfirmed, |_| true);
        } else {
            // What was under way in either direction may be gone. The other end takes each sealed
            // message once, so everything of a call is sent again, in order.
            let running = self.resend_running_calls();
            self.resend_letters(unconfirmed, |call_id| !running.iter().any(|id| id == call_id));
        }
    }

    /// An answer is the one message whose loss nobody else would notice.
    fn resend_answers(&mut self) {
        for answer in self.calls.iter().filter_map(|(_, call)| call.answer()) {
            self.sender.queue_short(answer);
        }
    }

    /// Returns the server's ids of the calls.
    fn resend_running_calls(&mut self) -> Vec<String> {
        let one = self.registration.dialect() == Dialect::One;
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

    fn resend_letters(&mut self, letters: Vec<Letter>, is_resent: impl Fn(&str) -> bool) {
        for letter in letters {
            let again = match &letter.message {
                Outgoing::CallAccept { .. } => false,
                Outgoing::CallRinging { .. } => self.registration.dialect() == Dialect::Two,
                Outgoing::IceCandidate { call_id, .. } | Outgoing::CallSignal { call_id, .. } => {
                    is_resent(call_id)
                }
                _ => true,
            };
            if again {
                self.sender.queue_again(letter);
            }
        }
    }
}
