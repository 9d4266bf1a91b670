//! REGISTER, and what REGISTERED begins.

use securecall_protocol::client::Resumable;
use securecall_protocol::{Dialect, ErrorCode};

use super::{Context, Machine, Output};
use crate::{Disconnect, Event, Stop};

impl Machine {
    pub(super) fn register(&mut self, cx: &Context<'_>) {
        let id = self.sender.new_id();
        let calls = self.calls.presented();
        let register = self.registration.request(id, self.client_id.clone(), calls);
        self.outputs.push_back(Output::Send(register.encode(Some(&id.to_string()))));
        self.connection.begin_registering(cx.now);
    }

    pub(super) fn registered(
        &mut self,
        cx: &mut Context<'_>,
        announced: Option<&Resumable>,
        correlates: bool,
    ) {
        let resumed = self.registration.complete(announced);
        let unconfirmed = self.sender.begin(announced, correlates, cx.now);
        self.connection.complete_registering(cx.now);
        self.calls.restart_ring_timers(cx.now);
        self.report(Event::Registered { resumed, dialect: self.registration.dialect() });
        self.resend(unconfirmed, resumed);
        self.probe_beginnings(cx);
        if !resumed {
            self.publish_key();
        }
    }

    /// Asks whether the calls whose beginning is unknown were lost.
    fn probe_beginnings(&mut self, cx: &Context<'_>) {
        if self.registration.dialect() == Dialect::Two
            && self.calls.any_beginning_unknown().is_some()
        {
            let question = self.sender.question(cx.now);
            self.registration.probe(question.id);
            self.send(question);
        }
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

    /// A numbered message is missing.
    pub(super) fn message_missing(&mut self, cx: &mut Context<'_>) {
        self.registration.count_gap();
        self.give_up_connection(cx, Disconnect::MessageMissing);
    }

    /// Sends an ACK if one is due.
    pub(super) fn acknowledge(&mut self, cx: &Context<'_>) {
        let Some(seq) = self.registration.ack_due(cx.now) else { return };
        match self.sender.acknowledgement(seq, cx.now) {
            Ok(ack) => {
                self.registration.acknowledged(seq);
                self.outputs.push_back(Output::Send(ack));
            }
            Err(later) => self.registration.delay_ack(later),
        }
    }
}
