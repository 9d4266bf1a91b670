//! The end of a call: one function, and the reasons for it.
//!
//! | [`End`] | sent to the server | the application gets |
//! |---|---|---|
//! | `HungUp` | CALL_END | nothing: it asked for it |
//! | `Declined` | CALL_REJECT | nothing: it asked for it, or gets an error |
//! | `TimedOut` | CALL_END | [`EndReason::Timeout`] |
//! | `Interference` | CALL_END | [`Ending::Interference`] |
//! | `OfferRefused` | CALL_REJECT, behind everything else | [`Event::OfferRefused`] |
//! | `NotBegun` | nothing: it knows of no call | the error, as answer to its request |
//! | `ByServer` | nothing: it has ended the call | the reason of the server |
//!
//! An end is reported as [`Event::Ended`], but to an application that does not know of the call
//! yet: it gets an error as the answer to its request to call, and nothing about a call that never
//! rang. Whatever is left to send of a call that has ended is dropped.
//!
//! Ends that this client has sent are remembered: a server that lost one goes on sending messages
//! of the call, and is sent the end again, a bounded number of times.

use securecall_protocol::client::Outgoing;
use securecall_protocol::{EndReason, RejectReason};
use securecall_seal as seal;

use super::calls::{Call, State};
use super::{Context, Machine};
use crate::{CallId, Ending, Error, Event};

/// The reason for which a call ends.
pub(super) enum End {
    /// The application hangs up.
    HungUp,
    /// The application declines, or its answer cannot be sealed.
    Declined(RejectReason),
    /// Nobody has answered in time.
    TimedOut,
    /// The peer, or its key, is not the one with whom the call was begun.
    Interference(seal::Error),
    /// An offer from the caller that does not ring.
    OfferRefused(Error),
    /// The offer was not sent.
    NotBegun(Error),
    /// The call is over at the server.
    ByServer(Ending),
}

impl End {
    /// The message that ends the call at the server.
    fn message(&self, call_id: String) -> Option<Outgoing> {
        match self {
            Self::HungUp | Self::TimedOut | Self::Interference(_) => {
                Some(Outgoing::CallEnd { call_id })
            }
            Self::Declined(reason) => Some(Outgoing::CallReject { call_id, reason: *reason }),
            Self::OfferRefused(why) => {
                Some(Outgoing::CallReject { call_id, reason: reason_of(why) })
            }
            Self::NotBegun(_) | Self::ByServer(_) => None,
        }
    }

    /// The answer to a request to call that has none yet. `None`: the client is being closed.
    fn error(&self) -> Option<Error> {
        match self {
            Self::HungUp | Self::Declined(_) => None,
            Self::TimedOut => Some(Error::TimedOut),
            Self::NotBegun(error) | Self::OfferRefused(error) => Some(error.clone()),
            Self::Interference(_) | Self::ByServer(_) => Some(Error::NoSuchCall),
        }
    }

    fn ending(self) -> Option<Ending> {
        match self {
            Self::TimedOut => Some(Ending::Ended(EndReason::Timeout)),
            Self::Interference(error) => Some(Ending::Interference(error)),
            Self::ByServer(ending) => Some(ending),
            Self::HungUp | Self::Declined(_) | Self::OfferRefused(_) | Self::NotBegun(_) => None,
        }
    }
}

impl Machine {
    /// Ends a call, for this reason. Returns the call. `None`: there is no such call.
    pub(super) fn end_call(&mut self, cx: &Context<'_>, id: CallId, end: End) -> Option<Call> {
        let mut call = self.calls.remove(id)?;
        if let Some(wire_id) = &call.wire_id {
            self.sender.drop_call(wire_id);
            if let Some(message) = end.message(wire_id.clone()) {
                self.send_end(message, matches!(end, End::OfferRefused(_)));
            }
        }
        match (call.take_state(), end) {
            (State::SeekingCallee { reply, .. }, end) => {
                if let Some(error) = end.error() {
                    let _ = reply.send(Err(error));
                }
            }
            (_, End::OfferRefused(why)) => self.report_refused_offer(cx, call.peer.clone(), why),
            // The application does not know of the call yet.
            (State::SeekingCaller { .. } | State::HeldForGlare(_), _) => {}
            (state, end) => {
                call.state = state;
                let ended = end.ending().map(|reason| Event::Ended { call: id, reason });
                self.outputs.extend(ended.map(super::Output::Event));
            }
        }
        Some(call)
    }

    /// Declines a call of which there is no record.
    pub(super) fn decline_unrecorded(&mut self, call_id: String, reason: RejectReason) {
        self.send_end(Outgoing::CallReject { call_id, reason }, true);
    }

    /// Queues an end and remembers it. The end of a call that never rang goes `last`: however many
    /// of those there are, they hold up nothing that the application sends.
    fn send_end(&mut self, message: Outgoing, last: bool) {
        self.calls.remember_end(message.clone());
        if last {
            self.sender.queue_last(message);
        } else {
            self.sender.queue_short(message);
        }
    }

    /// A message of a call that is not on record: if this client has ended it, the server has lost
    /// the end, and gets it again.
    pub(super) fn repeat_end(&mut self, wire_id: &str) {
        if let Some(message) = self.calls.repeat_end(wire_id) {
            self.sender.queue_short(message);
        }
    }

    /// A message that goes on with a call of which there is no record, for instance from before
    /// the program was started: the call ends.
    pub(super) fn end_unrecorded(&mut self, wire_id: String) {
        match self.calls.repeat_end(&wire_id) {
            Some(message) => self.sender.queue_short(message),
            None => {
                self.sender.drop_call(&wire_id);
                self.send_end(Outgoing::CallEnd { call_id: wire_id }, false);
            }
        }
    }

    /// Ends the calls that have rung for long enough.
    pub(super) fn expire_calls(&mut self, cx: &Context<'_>) {
        while let Some(id) = self.calls.any_expired(cx.now) {
            self.end_call(cx, id, End::TimedOut);
        }
    }
}

/// The reason for the caller. Only a caller whose offer was authentic gets more than a refusal.
fn reason_of(why: &Error) -> RejectReason {
    match why {
        Error::Seal(seal::Error::Stale(offset)) => {
            let seconds = offset.seconds().clamp(i32::MIN.into(), i32::MAX.into());
            RejectReason::Clock { ahead_seconds: i32::try_from(seconds).unwrap_or_default() }
        }
        _ => RejectReason::Declined,
    }
}
