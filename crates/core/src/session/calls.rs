//! The calls of one session, by their ids.
//!
//! A record is inserted once and removed once: by [`Calls::remove`] or [`Calls::remove_where`], which
//! also remember the end of a call that its id alone could bring back ([`EndedCalls`]). How many
//! records there may be is in `bounds.rs`, which of them lose by glare in `glare.rs`. Nothing here
//! notifies a client: a call that is removed is ended with `Session::end`.

use std::ops::{Index, IndexMut};
use std::slice;

use super::call::{Call, Role};
use super::ended::EndedCalls;
use crate::time::Instant;

/// The records of a session's calls, and the calls that have ended.
#[derive(Default)]
pub(super) struct Calls {
    records: Vec<Call>,
    ended: EndedCalls,
}

/// The position of a record. It is valid until a record is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot(usize);

impl Calls {
    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    pub(super) fn iter(&self) -> slice::Iter<'_, Call> {
        self.records.iter()
    }

    pub(super) fn iter_mut(&mut self) -> slice::IterMut<'_, Call> {
        self.records.iter_mut()
    }

    /// The positions of all records.
    pub(super) fn slots(&self) -> impl Iterator<Item = Slot> + use<> {
        (0..self.records.len()).map(Slot)
    }

    pub(super) fn find(&self, call_id: &str) -> Option<Slot> {
        self.iter().position(|call| *call.id == *call_id).map(Slot)
    }

    pub(super) fn insert(&mut self, call: Call) -> Slot {
        self.records.push(call);
        Slot(self.records.len() - 1)
    }

    /// Removes a call, which has ended.
    pub(super) fn remove(&mut self, at: Slot) -> Call {
        let call = self.records.swap_remove(at.0);
        self.ended.remember(&call);
        call
    }

    /// Removes all calls that end now.
    pub(super) fn remove_where(&mut self, mut ends: impl FnMut(&Call) -> bool) -> Vec<Call> {
        let ended: Vec<Call> = self.records.extract_if(.., |call| ends(call)).collect();
        ended.iter().for_each(|call| self.ended.remember(call));
        ended
    }

    /// Undoes the insertions after the first `len`. Those calls have not ended: their ids can still
    /// bring them back.
    pub(super) fn truncate(&mut self, len: usize) {
        self.records.truncate(len);
    }

    /// Remembers the end of a call that never had a record here.
    pub(super) fn remember_end(&mut self, call: &Call) {
        self.ended.remember(call);
    }

    /// Returns true if the call is remembered as ended.
    pub(super) fn has_ended(&self, call_id: &str) -> bool {
        self.ended.contains(call_id)
    }

    /// Returns true if no end is remembered.
    pub(super) fn remembers_no_end(&self) -> bool {
        self.ended.is_empty()
    }

    /// Forgets ends that are older than a grace. Called once in each grace that passes without the
    /// client.
    pub(super) fn age_ends(&mut self) {
        self.ended.age();
    }

    /// The first deadline of any call.
    #[inline]
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.iter().filter_map(Call::deadline).min()
    }

    /// The bytes that the records hold for the client, beside offers.
    pub(super) fn held_bytes(&self) -> usize {
        self.iter().map(Call::held_bytes).sum()
    }

    /// The number of deferred messages.
    pub(super) fn deferred_count(&self) -> usize {
        self.iter().map(|call| call.deferred.count()).sum()
    }

    /// Returns true if the client waits for the answer to a call that it has begun.
    pub(super) fn await_an_answer(&self) -> bool {
        let awaits = |call: &Call| call.role == Role::Caller && call.is_unanswered_for_its_client();
        self.iter().any(awaits)
    }
}

impl Index<Slot> for Calls {
    type Output = Call;

    fn index(&self, at: Slot) -> &Call {
        &self.records[at.0]
    }
}

impl IndexMut<Slot> for Calls {
    fn index_mut(&mut self, at: Slot) -> &mut Call {
        &mut self.records[at.0]
    }
}

#[cfg(test)]
pub(super) mod tests {
    use securecall_protocol::ClientId;

    use super::*;
    use crate::session::call::Claim;

    pub(in crate::session) fn client(name: &str) -> ClientId {
        ClientId::try_from(name).unwrap()
    }

    /// A call that rings since 0, until 60 s.
    pub(in crate::session) fn ringing(id: &str, peer: &str, role: Role) -> Call {
        Call::ringing(id.into(), client(peer), role, Instant::from_millis(60_000), None)
    }

    pub(in crate::session) fn recovered(id: &str, peer: &str) -> Call {
        Call::recovered(id, client(peer), Role::Callee, Claim::Proven)
    }

    fn calls(all: impl IntoIterator<Item = Call>) -> Calls {
        let mut calls = Calls::default();
        all.into_iter().for_each(|call| _ = calls.insert(call));
        calls
    }

    #[test]
    fn a_call_is_found_by_its_id_until_it_is_removed() {
        let mut calls = calls(["a", "b", "c"].map(|id| ringing(id, "bob", Role::Caller)));
        let at = calls.find("a").unwrap();
        assert_eq!(&*calls.remove(at).id, "a");
        assert_eq!((calls.find("a"), calls.len()), (None, 2));
        for id in ["b", "c"] {
            assert_eq!(&*calls[calls.find(id).unwrap()].id, id);
        }
    }

    #[test]
    fn a_removed_call_is_remembered_if_its_id_could_bring_it_back() {
        let mut calls = calls([recovered("old", "bob"), ringing("new", "bob", Role::Caller)]);
        assert_eq!(calls.remove_where(|_| true).len(), 2);
        assert!(calls.has_ended("old") && !calls.has_ended("new"));
    }

    #[test]
    fn an_insertion_that_is_undone_is_no_end() {
        let mut calls = calls([ringing("kept", "bob", Role::Caller), recovered("old", "bob")]);
        calls.truncate(1);
        assert!(calls.find("kept").is_some() && calls.find("old").is_none());
        assert!(!calls.has_ended("old") && calls.remembers_no_end());
    }

    #[test]
    fn the_first_deadline_counts() {
        let mut sooner = ringing("b", "bob", Role::Caller);
        sooner.phase =
            crate::session::call::Phase::Ringing { deadline: Instant::from_millis(5), offer: None };
        let calls = calls([ringing("a", "bob", Role::Caller), sooner]);
        assert_eq!(calls.deadline(), Some(Instant::from_millis(5)));
        assert_eq!(Calls::default().deadline(), None);
    }

    #[test]
    fn only_a_caller_awaits_an_answer() {
        assert!(calls([ringing("a", "bob", Role::Caller)]).await_an_answer());
        assert!(!calls([ringing("a", "bob", Role::Callee)]).await_an_answer());
    }
}
