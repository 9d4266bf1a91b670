//! The end of a call: one way, with a reason.
//!
//! A call ends when its record is removed from [`Calls`](super::calls::Calls); [`Session::end`] then
//! notifies the two ends. The other end's session does the same with its own record.
//!
//! | the call ends because | reason | client | peer |
//! |---|---|---|---|
//! | the client hangs up, or cancels | `hangup`, `cancelled` | | ✓ |
//! | the client rejects it | CALL_REJECT's own | | ✓ |
//! | the client closes normally while it rings somebody | `cancelled` | | ✓ |
//! | the peer ended or rejected it | the peer's | ✓ | |
//! | the ring did not arrive | `busy` as CALL_REJECTED, `glare`, else an ERROR and `unreachable` (2) | ✓ | if it may have arrived |
//! | another call wins by glare | `glare` | ✓ | ✓ |
//! | a deadline has come | `timeout`, `superseded`, `unreachable` | ✓ | ✓ |
//! | the peer's session does not know it | `unreachable` | ✓ | if its client may bring it back |
//! | its mail is over the bound | `unreachable` | ✓ | learns it from the outcome |
//! | mail brings back a call that is too old to be answered | | | learns it from the outcome |
//! | its offer costs connection after connection | `unreachable` | ✓ | ✓ |
//! | its answer may be lost, and is not kept | `unreachable` | ✓ | ✓ |
//! | the client presents it, and it cannot go on | `unreachable` | ✓ | ✓ |
//! | the client is away for longer than the grace | `unreachable` | | ✓ |
//!
//! A client that was refused the call is never notified. Nor is one of dialect 1 that would take the
//! end for that of another call ([`Session::would_mistake`]).

use std::borrow::Cow;

use securecall_protocol::{Dialect, EndReason, Opaque, RejectReason, ServerMessage};

use super::call::{Call, Claim};
use super::{Output, Outputs, Session, held_ends};
use crate::context::Context;
use crate::mail::Content;

/// The last message about a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// CALL_ENDED.
    Ended(EndReason),
    /// CALL_REJECTED, for a call that was not answered.
    Rejected(RejectReason),
}

/// The ends of a call that are notified of its end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Notify {
    pub(super) client: bool,
    pub(super) peer: bool,
}

impl Notify {
    pub(super) const BOTH: Self = Self { client: true, peer: true };
    pub(super) const CLIENT: Self = Self { client: true, peer: false };
    pub(super) const PEER: Self = Self { client: false, peer: true };
}

impl Ending {
    /// The message for the client.
    pub(super) fn message(self, call_id: Cow<'_, str>) -> ServerMessage<'_> {
        match self {
            Self::Ended(reason) => ServerMessage::CallEnded { call_id, reason },
            Self::Rejected(reason) => ServerMessage::CallRejected { call_id, reason },
        }
    }

    /// The mail for the peer.
    pub(super) fn content(self) -> Content<'static> {
        match self {
            Self::Ended(reason) => Content::End { reason },
            Self::Rejected(reason) => Content::Reject { reason },
        }
    }
}

impl From<EndReason> for Ending {
    fn from(reason: EndReason) -> Self {
        Self::Ended(reason)
    }
}

impl Session {
    /// Ends a call whose record was removed.
    pub(super) fn end(
        &mut self,
        cx: &Context<'_>,
        call: Call,
        ending: impl Into<Ending>,
        notify: Notify,
        outputs: &mut Outputs<'_>,
    ) {
        let ending = ending.into();
        let mail = if notify.peer { self.end_mail(&call, ending) } else { None };
        if notify.client {
            outputs.extend(self.send_end(cx, call, ending, None));
        }
        outputs.extend(mail);
    }

    /// The mail that ends a call for the peer. `None`: it is held until the call's ring has arrived.
    fn end_mail(&mut self, call: &Call, ending: Ending) -> Option<Output<'static>> {
        if call.ring_under_way && self.held_ends.hold(call, ending) {
            return None;
        }
        Some(held_ends::end_mail(call.id.to_string(), call.peer.clone(), ending))
    }

    /// Sends the client the end of a call whose record was removed, or keeps it until the client is
    /// back.
    pub(super) fn send_end<'m>(
        &mut self,
        cx: &Context<'_>,
        call: Call,
        ending: Ending,
        reply_to: Option<Opaque<'m>>,
    ) -> Option<Output<'m>> {
        if call.denied || self.would_mistake(&call) {
            return None;
        }
        self.client.send_end(cx, &self.calls, call, ending, reply_to)
    }

    /// Returns true if the client would take the end of this call for that of another. One of
    /// dialect 1 does not know the id of a call that it is ringing, and takes any that it does not
    /// know for it.
    fn would_mistake(&self, call: &Call) -> bool {
        let unknown = !call.is_claimed() || (call.recovered && call.claim == Claim::Unannounced);
        unknown && self.client.dialect() == Dialect::One && self.calls.await_an_answer()
    }
}
