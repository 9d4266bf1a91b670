//! Ends of calls, held while the ring of the call is under way.
//!
//! Mail of one session may be handed over by several threads, so an end could overtake the ring of
//! its call, and the callee would ring for a call that is dead. Until the outcome of a ring is
//! known, the end of its call is therefore held here; it follows the ring, if that has arrived.

use std::borrow::Cow;

use securecall_protocol::ClientId;

use super::Output;
use super::call::Call;
use super::end::Ending;
use crate::mail::Mail;

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
    ending: Ending,
}

impl HeldEnds {
    /// Holds the end of a call whose ring is under way. Returns false when there is no room.
    pub(super) fn hold(&mut self, call: &Call, ending: Ending) -> bool {
        let held = self.0.get_or_insert_default();
        let has_room = held.len() < HELD_MAX;
        if has_room {
            let (call_id, callee) = (call.id.clone(), call.peer.clone());
            held.push(HeldEnd { call_id, callee, ending });
        }
        has_room
    }

    /// The ring of this call has an outcome. Returns the end that was held for it, as mail.
    pub(super) fn release(&mut self, call_id: &str) -> Option<Output<'static>> {
        let held = self.0.as_mut()?;
        let at = held.iter().position(|end| *end.call_id == *call_id)?;
        let HeldEnd { call_id, callee, ending } = held.swap_remove(at);
        if held.is_empty() {
            self.0 = None;
        }
        Some(end_mail(call_id.into(), callee, ending))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

/// The mail that ends a call for its peer.
pub(super) fn end_mail(call_id: String, to: ClientId, ending: Ending) -> Output<'static> {
    let mail = Mail { call_id: Cow::Owned(call_id), content: ending.content() };
    Output::Mail { to, mail, request_id: None }
}

#[cfg(test)]
mod tests {
    use securecall_protocol::EndReason;

    use super::*;
    use crate::session::call::Role;
    use crate::session::calls::tests::{client, ringing};

    const CANCELLED: Ending = Ending::Ended(EndReason::Cancelled);

    #[test]
    fn an_end_is_released_once_to_the_callee_of_its_call() {
        let mut held = HeldEnds::default();
        assert!(held.hold(&ringing("a", "bob", Role::Caller), CANCELLED));
        assert_eq!(held.release("b"), None);
        assert_eq!(held.release("a"), Some(end_mail("a".into(), client("bob"), CANCELLED)));
        assert!(held.is_empty());
        assert_eq!(held.release("a"), None);
    }

    #[test]
    fn no_more_are_held_than_the_bound() {
        let mut held = HeldEnds::default();
        for number in 0..HELD_MAX {
            assert!(held.hold(&ringing(&number.to_string(), "bob", Role::Caller), CANCELLED));
        }
        assert!(!held.hold(&ringing("one more", "bob", Role::Caller), CANCELLED));
    }
}
