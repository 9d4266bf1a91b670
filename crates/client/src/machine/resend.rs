//! Sending again what may have been lost with the last connection, or with the server.

use securecall_protocol::Dialect;
use securecall_protocol::client::Outgoing;

use super::Machine;
use super::sender::Letter;

impl Machine {
    /// Queues again what the server is not known to have handled, in order.
    pub(super) fn resend(&mut self, unconfirmed: Vec<Letter>, resumed: bool) {
        // An answer is the one message whose loss nobody else would notice.
        for answer in self.calls.unconfirmed_answers() {
            self.sender.queue_short(answer);
        }
        if resumed {
            self.resend_letters(unconfirmed, |_| true);
        } else {
            // What was under way in either direction may be gone. The other end takes each sealed
            // message once, so everything of a call is sent again, in order.
            let running = self.resend_running_calls();
            self.resend_letters(unconfirmed, |call_id| !running.iter().any(|id| id == call_id));
        }
    }

    /// Returns the server's ids of the calls.
    fn resend_running_calls(&mut self) -> Vec<String> {
        let (running, messages) = self.calls.everything_sent(self.registration.dialect());
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
