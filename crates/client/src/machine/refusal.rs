//! ERROR: what becomes of the message that was refused.

use std::time::Duration;

use securecall_protocol::client::{Incoming, Outgoing};
use securecall_protocol::{EndReason, ErrorCode, MessageClass};

use super::ending::End;
use super::sender::{Letter, MessageId};
use super::{Context, Machine};
use crate::{Ending, Event};

impl Machine {
    /// `answered` is the message of a call that the error is about, if there was one.
    pub(super) fn refused(
        &mut self,
        cx: &mut Context<'_>,
        id: Option<MessageId>,
        answered: Option<Outgoing>,
        error: &Incoming,
    ) {
        let Incoming::Error { code, retry_after_ms, .. } = error else { return };
        let code = code.unwrap_or(ErrorCode::InvalidMessage);
        match (id, answered) {
            (Some(id), Some(message)) => {
                self.message_refused(cx, id, message, code, *retry_after_ms);
            }
            // The oldest request, where the server does not name the request.
            (id, _) if self.request_refused(cx, id, error) => {}
            // CALL_INITIATED was an answer already.
            (Some(id), None) => self.call_refused(cx, id, code),
            (None, _) => self.beginning_refused(cx, code),
        }
    }

    fn message_refused(
        &mut self,
        cx: &mut Context<'_>,
        id: MessageId,
        message: Outgoing,
        code: ErrorCode,
        retry_after_ms: Option<u64>,
    ) {
        let begins = matches!(message, Outgoing::CallInitiate { .. });
        // In too many calls is no matter of time.
        if code == ErrorCode::RateLimited && (retry_after_ms.is_some() || !begins) {
            return self.slow_down(cx, id, message, retry_after_ms);
        }
        if begins {
            return self.call_refused(cx, id, code);
        }
        let Some(call_id) = message.call_id() else { return };
        let Some(call) = self.calls.by_wire_id(call_id) else { return };
        match (&message, code) {
            (_, ErrorCode::CallNotFound) => {
                let end = Ending::Ended(EndReason::Unreachable);
                self.end_call(cx, call, End::ByServer(end));
            }
            (Outgoing::CallSignal { .. }, _) => self.report(Event::SignalRefused { call }),
            // A second CALL_ACCEPT: the first has arrived.
            _ => {}
        }
    }

    /// Nothing was done: the same again, later. A sealed message is sealed anew, because those
    /// behind it may have arrived.
    fn slow_down(
        &mut self,
        cx: &Context<'_>,
        id: MessageId,
        message: Outgoing,
        retry_after_ms: Option<u64>,
    ) {
        let class = MessageClass::of(message.message_type());
        self.sender.pause(class, retry_after_ms.map(Duration::from_millis), cx.now);
        match message {
            Outgoing::IceCandidate { .. } | Outgoing::CallSignal { .. } => {
                self.send_sealed_anew(&message)
            }
            // A device that alerts is no news a second later.
            Outgoing::CallRinging { .. } => {}
            message => {
                self.calls.mark_begun(id, false);
                self.sender.queue_again(Letter { id, message });
            }
        }
    }

    /// The call that this CALL_INITIATE begins does not come about.
    fn call_refused(&mut self, cx: &Context<'_>, request: MessageId, code: ErrorCode) {
        if let Some(id) = self.calls.by_request(request) {
            self.end_call(cx, id, End::ByServer(refusal_of(code)));
        }
    }

    /// An error about nobody knows what: the call that begins, if there is one.
    fn beginning_refused(&mut self, cx: &Context<'_>, code: ErrorCode) {
        if let Some(id) = self.calls.any_beginning_unknown() {
            self.end_call(cx, id, End::ByServer(refusal_of(code)));
        }
    }
}

fn refusal_of(code: ErrorCode) -> Ending {
    match code {
        ErrorCode::TargetNotFound => Ending::NotConnected,
        code => Ending::Refused(code),
    }
}
