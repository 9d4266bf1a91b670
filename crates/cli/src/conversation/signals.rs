//! What the server brings during a conversation.

use securecall_client::{Client, EndReason, Ending, ErrorCode, Event, RejectReason, seal};

use super::screen::Screen;
use super::session::KEY_PINNED;
use super::{Conversation, Step};
use crate::failure::Failure;
use crate::hints::explain;

impl Conversation<'_> {
    pub(super) async fn on_signal(&mut self, event: Event) -> Step {
        let failed = |reason: String| Step::Over(Err(Failure::Talk(reason)));
        match event {
            Event::Accepted { call, answer, digits, .. } if call == self.call => {
                if let Some(digits) = digits {
                    self.show_digits(&digits.to_string());
                }
                if let Err(error) = self.peer.accept_answer(&answer).await {
                    return failed(error.to_string());
                }
            }
            Event::Digits { call, digits } if call == self.call => {
                self.show_digits(&digits.to_string());
            }
            Event::Candidate { call, candidate } if call == self.call => {
                // One that cannot be read is of no use, and others may come.
                let _ = self.peer.add_candidate(&candidate).await;
            }
            Event::Ended { call, reason } if call == self.call => return self.on_end(&reason),
            Event::Stopped(stop) if !self.connected => return failed(stop.to_string()),
            event => on_other_call(&self.session.client, &self.session.screen, event).await,
        }
        Step::On
    }

    fn show_digits(&self, digits: &str) {
        let text = format!("compare with them, over another way or by voice: {digits}");
        self.session.screen.note(&text);
    }

    /// The server says that the call is over. A connection that stands does not need the server,
    /// and is not ended by it: nobody has sealed that message.
    fn on_end(&mut self, reason: &Ending) -> Step {
        let screen = &self.session.screen;
        match reason {
            Ending::Interference(error) => {
                screen.warn(&[
                    "The answer is not theirs: somebody interferes. The call is over.",
                    &error.to_string(),
                ]);
                return Step::Over(Err(Failure::Interference));
            }
            _ if !self.connected => return Step::Over(Err(Failure::Talk(why(reason)))),
            Ending::Ended(EndReason::Hangup) => {
                // Usually the channel's own end is here first, or comes now.
                self.hung_up = true;
                screen.note("the server says that they hung up; the connection says when");
            }
            _ => screen.note("the server has ended the call; the connection goes on without it"),
        }
        Step::On
    }
}

/// Why there was no conversation, and what to do.
pub(crate) fn why(reason: &Ending) -> String {
    match reason {
        Ending::Rejected(RejectReason::Busy) => "they are busy: try again later".to_owned(),
        Ending::Rejected(_) => "they declined".to_owned(),
        Ending::NotConnected => "they are not connected: try again later".to_owned(),
        Ending::Ended(EndReason::Timeout) => "nobody answered".to_owned(),
        Ending::Refused(code) => format!("the server refused the call: {}", code.as_str()),
        Ending::Ended(reason) => format!("the call ended: {}", reason.as_str()),
        _ => "the call ended".to_owned(),
    }
}

/// Somebody else calls meanwhile, or the connection to the server changes.
pub(crate) async fn on_other_call(client: &Client, screen: &Screen, event: Event) {
    match event {
        Event::Incoming { call, caller, .. } => {
            screen.note(&format!("{} calls, and was told that you are busy", caller.as_str()));
            let _ = client.reject(call, RejectReason::Busy).await;
        }
        Event::KeyChanged { call, change } => {
            screen.note(&format!("{} calls with another key", change.client_id.as_str()));
            let _ = client.reject(call, RejectReason::Busy).await;
        }
        Event::Disconnected { cause, .. } => {
            screen.note(&format!("no connection to the server: {}; trying again", explain(&cause)));
        }
        Event::KeyRefused { code: ErrorCode::KeyPinned } => {
            screen.note(&format!("the server: {KEY_PINNED}"));
        }
        Event::KeysNotSaved(error) => {
            screen.note(&format!("the keys that were seen are not saved: {error}"));
        }
        Event::MessageRefused { error, .. } if error != seal::Error::Replayed => {
            screen.note(&format!("a message did not open and is ignored: {error}"));
        }
        Event::Stopped(stop) => screen.note(&stop.to_string()),
        _ => {}
    }
}
