//! Events of the server during a conversation.

use std::time::Duration;

use securecall_client::{CallId, Client, EndReason, Ending, ErrorCode, Event, RejectReason, seal};
use tokio::time::Instant;

use super::link::{Arrival, Link, Ringing};
use super::screen::Screen;
use super::session::{KEY_NOT_STORED, KEY_PINNED, Session};
use super::{Conversation, Step};
use crate::failure::Failure;
use crate::terminal::explanation::explain;

/// The time limit for the channel to close, once the server reported that the partner hung up.
const HANG_UP_TIMEOUT: Duration = Duration::from_secs(5);

impl Conversation<'_> {
    pub(super) async fn on_signal(&mut self, event: Event) -> Step {
        let failed = |reason: String| Step::End(Err(Failure::Conversation(reason)));
        let event = match Arrival::from(event) {
            Arrival::Call(ringing) if ringing.is_of(&self.partner) => {
                return self.on_call_back(ringing).await;
            }
            Arrival::Call(ringing) => {
                let Session { client, screen, .. } = &*self.session;
                reject_as_busy(client, screen, &ringing).await;
                return Step::Continue;
            }
            Arrival::Other(event) => event,
        };
        match event {
            Event::Accepted { call, answer, digits, .. } if call == self.link.call => {
                self.answered = true;
                self.rings_until = None;
                if let Some(digits) = digits {
                    self.show_digits(&digits.to_string());
                }
                if let Err(error) = self.link.peer.accept_answer(&answer).await {
                    return failed(error.to_string());
                }
            }
            Event::Digits { call, digits } if self.link_of(call).is_some() => {
                self.show_digits(&digits.to_string());
            }
            Event::Candidate { call, candidate } => {
                if let Some(link) = self.link_of(call) {
                    link.take_candidate(candidate);
                }
            }
            Event::Ended { call, reason } => return self.on_ended(call, &reason).await,
            Event::Stopped(stop) if !self.connected => return failed(stop.to_string()),
            event => on_other_call(&self.session.client, &self.session.screen, event).await,
        }
        Step::Continue
    }

    /// Returns the connection that belongs to a call.
    fn link_of(&self, call: CallId) -> Option<&Link> {
        let successor = self.successor.as_ref().filter(|link| link.call == call);
        successor.or(Some(&self.link).filter(|link| link.call == call))
    }

    async fn on_ended(&mut self, call: CallId, reason: &Ending) -> Step {
        if call == self.link.call {
            return self.on_end(reason).await;
        }
        self.crossing.take_if(|ringing| ringing.call == call);
        if let Some(link) = self.successor.take_if(|link| link.call == call) {
            self.retire(link, None);
        }
        Step::Continue
    }

    fn show_digits(&self, digits: &str) {
        let text = format!("compare with them, by voice or over another trusted channel: {digits}");
        self.session.screen.note(&text);
    }

    /// Handles the end of the call as the server reports it. An open channel does not end with it:
    /// it does not need the server, and the report is not authenticated by the partner.
    async fn on_end(&mut self, reason: &Ending) -> Step {
        let screen = &self.session.screen;
        match reason {
            Ending::Interference(error) => {
                screen.warn(&[
                    "The answer is not from the callee: the call was tampered with, and is over.",
                    &error.to_string(),
                ]);
                return Step::End(Err(Failure::Interference));
            }
            _ if self.connected => self.note_end(reason),
            // The failure was handled already; a second report changes nothing.
            _ if self.failed.is_some() && !self.answered => {}
            _ if !self.answered => return self.on_failed(reason).await,
            _ if self.move_to_successor() => {}
            _ => return Step::End(Err(Failure::Conversation(self.as_ended().sentence(reason)))),
        }
        Step::Continue
    }

    fn note_end(&mut self, reason: &Ending) {
        if let Ending::Ended(EndReason::Hangup) = reason {
            // Usually the channel itself has closed, or does so now.
            self.hung_up = true;
            self.hang_up_due = Some(Instant::now() + HANG_UP_TIMEOUT);
            return;
        }
        let sentence = self.as_ended().sentence(reason);
        let note = format!("the server says that {sentence}; the conversation goes on without it");
        self.session.screen.note(&note);
    }

    /// Reports that the channel is still open although the server reported that the partner hung up.
    pub(super) fn note_still_there(&mut self) {
        self.hang_up_due = None;
        let who = self.partner.name();
        let note = format!(
            "the server says that {who} hung up, and {who} is still connected: the conversation \
             goes on"
        );
        self.session.screen.note(&note);
    }
}

/// Rejects a call from somebody else during a conversation.
pub(crate) async fn reject_as_busy(client: &Client, screen: &Screen, ringing: &Ringing) {
    let who = ringing.partner.name();
    screen.note(&format!("{who} calls, and got the answer that you are busy"));
    // An error means that the call has ended.
    let _ = client.reject(ringing.call, RejectReason::Busy).await;
}

/// Handles an event that does not belong to the conversation: a call with a changed key, or a
/// change of the connection to the server.
pub(crate) async fn on_other_call(client: &Client, screen: &Screen, event: Event) {
    match event {
        Event::KeyChanged { call, change } => {
            screen.note(&format!("{} calls with a changed key", change.client_id.as_str()));
            let _ = client.reject(call, RejectReason::Busy).await;
        }
        // Includes the clock difference, which the caller is told as well.
        Event::OfferRefused { caller, why } => {
            screen.note(&format!("refused a call of {}: {why}", caller.as_str()));
        }
        Event::Disconnected { cause, .. } => {
            screen.note(&format!("no connection to the server: {}; trying again", explain(&cause)));
        }
        Event::KeyRefused { code: ErrorCode::KeyPinned } => {
            screen.note(&format!("the server: {KEY_PINNED}"));
        }
        Event::KeyRefused { code: ErrorCode::Unavailable } => {
            screen.note(&format!("{KEY_NOT_STORED}; trying again"));
        }
        Event::KeysNotSaved(error) => {
            screen.note(&format!("the known keys could not be saved: {error}"));
        }
        Event::MessageRefused { error, .. } if error != seal::Error::Replayed => {
            screen.note(&format!("ignored a message that could not be decrypted: {error}"));
        }
        Event::Registered { .. } => screen.note("connected to the server again"),
        Event::Stopped(stop) => screen.note(&stop.to_string()),
        _ => {}
    }
}
