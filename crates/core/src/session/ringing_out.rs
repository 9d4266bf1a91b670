//! Calls that end while their ring is under way.
//!
//! Mail of one session may be handed over by several threads, so an end could overtake the ring of
//! its call, and the callee would ring for a call that is dead. Until the outcome of a ring is
//! known, the end of its call is therefore held here; it follows the ring, if that has arrived.

use std::borrow::Cow;

use securecall_protocol::{ClientId, EndReason};

use super::Output;
use super::call::Call;
use crate::mail::{Content, Mail};

/// The bound of held ends. A connection has one ring under way, so a session has more than one
/// only while several connections take its client over from each other.
const HELD_MAX: usize = 16;

/// The held ends of a session, oldest first.
#[derive(Default)]
#[expect(clippy::box_collection, reason = "a session without held ends pays one pointer")]
pub(super) struct HeldEnds(Option<Box<Vec<HeldEnd>>>);

struct HeldEnd {
    call_id: Box<str>,
    callee: ClientId,
    reason: EndReason,
}

impl HeldEnds {
    /// Holds the end of a call whose ring is under way. Returns false when there is no room.
    pub(super) fn hold(&mut self, call: &Call, reason: EndReason) -> bool {
        let held = self.0.get_or_insert_default();
        let has_room = held.len() < HELD_MAX;
        if has_room {
            let (call_id, callee) = (call.id.clone(), call.peer.clone());
            held.push(HeldEnd { call_id, callee, reason });
        }
        has_room
    }

    /// The ring of this call has an outcome. Returns the end that was held for it, as mail.
    pub(super) fn release(&mut self, call_id: &str) -> Option<Output<'static>> {
        let held = self.0.as_mut()?;
        let at = held.iter().position(|end| *end.call_id == *call_id)?;
        let HeldEnd { call_id, callee, reason } = held.swap_remove(at);
        if held.is_empty() {
            self.0 = None;
        }
        Some(end_mail(call_id.into(), callee, reason))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

/// Tells the peer that a call is over.
pub(super) fn end_mail(call_id: String, to: ClientId, reason: EndReason) -> Output<'static> {
    let mail = Mail { call_id: Cow::Owned(call_id), content: Content::End { reason } };
    Output::Mail { to, mail, request_id: None }
}
