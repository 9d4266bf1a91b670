//! Messages from the server: each goes to the part that handles it.

use securecall_protocol::EndReason;
use securecall_protocol::client::{Incoming, Received, UnreadablePart, decode};

use super::calls::Kind;
use super::ending::End;
use super::registration::Arrival;
use super::sender::MessageId;
use super::{Context, Machine};
use crate::{Ending, TurnCredentials};

impl Machine {
    pub(super) fn handle_text(&mut self, cx: &mut Context<'_>, text: &str) {
        let Some(Received { message, seq, reply_to }) = decode(text) else { return };
        if self.connection.is_registering() {
            return self.handle_greeting(cx, message, reply_to.as_deref());
        }
        if !self.connection.is_registered() {
            return;
        }
        match self.registration.receive(seq, cx.now) {
            Arrival::Next => {
                let id = reply_to.and_then(|id| id.parse().ok());
                self.handle_message(cx, message, id);
            }
            Arrival::Repeated => {}
            Arrival::Ahead => self.message_missing(cx),
        }
    }

    /// Before REGISTERED nothing else counts.
    fn handle_greeting(&mut self, cx: &mut Context<'_>, message: Incoming, reply_to: Option<&str>) {
        match message {
            Incoming::Registered { client_id, resumable } if client_id == self.client_id => {
                let correlates = self.registration.is_answer(reply_to);
                self.registered(cx, resumable.as_ref(), correlates);
            }
            Incoming::Error { code, .. } => self.registration_refused(cx, code),
            _ => {}
        }
    }

    fn handle_message(&mut self, cx: &mut Context<'_>, message: Incoming, id: Option<MessageId>) {
        let answered = id.and_then(|id| self.sender.confirm(id));
        match message {
            Incoming::CallInitiated { call_id, target_id, .. } => {
                self.call_initiated(id, call_id, &target_id);
            }
            Incoming::CallRinging { call_id } => self.call_ringing(&call_id),
            Incoming::IncomingCall { call_id, caller_id, sdp_offer, ice_servers } => {
                self.incoming_call(cx, call_id, caller_id, sdp_offer, ice_servers);
            }
            Incoming::CallAccepted { call_id, sdp_answer, ice_servers } => {
                self.call_accepted(cx, &call_id, &sdp_answer, ice_servers);
            }
            Incoming::CallRejected { call_id, reason } => {
                self.ended_by_server(cx, &call_id, Ending::Rejected(reason));
            }
            Incoming::CallEnded { call_id, reason } => {
                if reason == Some(EndReason::Glare) {
                    self.calls.lose_to_glare(&call_id, cx.now);
                }
                self.ended_by_server(
                    cx,
                    &call_id,
                    reason.map_or(Ending::Unexplained, Ending::Ended),
                );
            }
            Incoming::Unreadable { call_id, part } => match part {
                UnreadablePart::Offer { caller_id } => {
                    self.unreadable_offer(cx, call_id, caller_id);
                }
                UnreadablePart::Answer => self.unreadable_answer(cx, call_id),
                UnreadablePart::Message => self.unreadable_message(&call_id),
            },
            Incoming::IceCandidate { call_id, candidate } => {
                self.handle_sealed(&call_id, Kind::Candidate, &candidate);
            }
            Incoming::CallSignal { call_id, data } => {
                self.handle_sealed(&call_id, Kind::Signal, &data)
            }
            Incoming::PkdResult { client_id, public_key } => {
                self.key_found(cx, id, &client_id, public_key.as_deref());
            }
            Incoming::TurnCredentials { ice_servers, ttl_seconds } => {
                self.turn_credentials(id, TurnCredentials::new(ice_servers, ttl_seconds));
            }
            Incoming::Error { .. } => self.refused(cx, id, answered, &message),
            Incoming::Registered { .. } | Incoming::HeartbeatAck | Incoming::Unknown => {}
        }
        if id.is_some_and(|id| self.registration.take_probe(id)) {
            self.call_again(cx);
        }
    }

    fn ended_by_server(&mut self, cx: &Context<'_>, wire_id: &str, reason: Ending) {
        if let Some(id) = self.call_named(wire_id) {
            self.end_call(cx, id, End::ByServer(reason));
        }
    }
}
