//! Calls that have ended, remembered briefly, so that a late message cannot revive one.
//!
//! Only a call from before the server started can be revived, by its id; any other is over when it
//! is not known. So there is nothing to remember but for a while after a restart.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::call::Call;

/// The bound of ended calls that a session remembers. A client ends at most 100 calls at once
/// (`ConnectionLimits::hangups`), and a late candidate is late by a second or two.
const REMEMBERED_MAX: usize = 128;

/// The last calls that ended, by a hash of their ids.
///
/// Two ids share a hash once in 2⁶⁴; the cost would be a CALL_NOT_FOUND. A session without ended
/// calls pays one pointer.
#[derive(Debug, Default)]
pub(super) struct EndedCalls(Option<Box<Hashes>>);

#[derive(Debug, Default)]
struct Hashes {
    calls: VecDeque<u64>,
    /// True if no call was added in the last grace.
    aged: bool,
}

impl EndedCalls {
    pub(super) fn remember(&mut self, call: &Call) {
        if !call.recovered || self.contains(&call.id) {
            return;
        }
        let Hashes { calls, aged } = &mut **self.0.get_or_insert_default();
        *aged = false;
        if calls.len() == REMEMBERED_MAX {
            calls.pop_front();
        }
        calls.push_back(hash(&call.id));
    }

    /// A grace has passed without the client. Forgets calls that had ended before it.
    pub(super) fn age(&mut self) {
        self.0 = self.0.take().filter(|hashes| !hashes.aged);
        if let Some(hashes) = &mut self.0 {
            hashes.aged = true;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(super) fn contains(&self, call_id: &str) -> bool {
        self.0.as_ref().is_some_and(|hashes| hashes.calls.contains(&hash(call_id)))
    }
}

fn hash(call_id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    call_id.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::call::Role;
    use crate::session::calls::tests::{recovered, ringing};

    #[test]
    fn only_a_call_that_its_id_could_bring_back_is_remembered() {
        let mut ended = EndedCalls::default();
        ended.remember(&ringing("new", "bob", Role::Caller));
        assert!(ended.is_empty());
        ended.remember(&recovered("old", "bob"));
        assert!(ended.contains("old") && !ended.contains("new"));
    }

    #[test]
    fn a_call_is_forgotten_after_one_to_two_graces() {
        let mut ended = EndedCalls::default();
        ended.remember(&recovered("a", "bob"));
        ended.age();
        assert!(ended.contains("a"));
        ended.remember(&recovered("b", "bob"));
        ended.age();
        assert!(ended.contains("b"), "it was added within this grace");
        ended.age();
        assert!(ended.is_empty());
    }

    #[test]
    fn the_oldest_is_forgotten_beyond_the_bound() {
        let mut ended = EndedCalls::default();
        for number in 0..=REMEMBERED_MAX {
            ended.remember(&recovered(&number.to_string(), "bob"));
        }
        assert!(!ended.contains("0") && ended.contains("1") && ended.contains("128"));
    }
}
