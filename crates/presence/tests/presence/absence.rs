//! Exactly one task minds a session's deadlines.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use securecall_core::Departure;

use crate::node::{GRACE, Node, candidate, id};

#[test]
fn a_client_that_is_away_has_one_keeper_until_it_is_back() {
    let node = Node::new();
    let (alice, bob) = (node.register_fresh("alice"), node.register_fresh("bob"));
    node.call(&alice, &bob);
    assert!(node.keepers().is_empty());
    node.release(&bob, Departure::Lost);
    let [kept] = node.keepers().try_into().unwrap();
    assert!(Arc::ptr_eq(&kept, &bob.cell));
    assert_eq!(node.keep(&kept), Some(node.now() + GRACE));
    node.register_fresh("bob");
    assert!(node.keepers().is_empty());
    assert_eq!(node.keep(&kept), None, "a keeper that was late finds the client attached");
}

#[test]
fn a_client_without_calls_is_forgotten_at_once() {
    let node = Node::new();
    let alice = node.register_fresh("alice");
    node.release(&alice, Departure::Lost);
    assert!(node.keepers().is_empty());
    assert_eq!(node.registry.sessions(), 0);
}

#[test]
fn a_client_that_does_not_come_back_in_time_is_forgotten_and_its_peer_notified() {
    let node = Node::new();
    let (alice, bob) = (node.register_fresh("alice"), node.register_fresh("bob"));
    node.call(&alice, &bob);
    node.release(&bob, Departure::Lost);
    node.pass(GRACE);
    assert_eq!(node.keep(&bob.cell), None);
    let received = alice.line.received();
    assert!(received[0].contains("CALL_ENDED"), "{received:?}");
    assert!(node.registry.find(&id("bob")).is_none());
    assert_eq!(node.host.calls.load(Ordering::SeqCst), 0);
}

#[test]
fn a_driver_learns_of_a_deadline_before_the_one_that_it_watches() {
    let node = Node::new();
    let (alice, bob) = (node.register_fresh("alice"), node.register_fresh("bob"));
    let latest = node.now() + Duration::from_secs(1_000);
    assert_eq!(node.look(&alice, latest), latest);
    assert_eq!(node.look(&bob, latest), latest);
    node.ring(&alice, &bob);
    for client in [&alice, &bob] {
        assert!(client.line.deadline_moved.load(Ordering::SeqCst));
        assert_eq!(node.look(client, latest), node.now() + Duration::from_secs(60));
    }
}

/// The other end has given up the call, and its mail is still under way: the sender of a candidate
/// expects the reason for some seconds, and its driver must know.
#[test]
fn a_driver_learns_of_a_deadline_that_an_outcome_has_set() {
    let node = Node::new();
    let (alice, bob) = (node.register_fresh("alice"), node.register_fresh("bob"));
    let call = node.call(&alice, &bob);
    node.release(&bob, Departure::Lost);
    node.pass(GRACE);
    let (_, under_way) = node.keep_and_hold_mail(&bob.cell);
    assert_eq!(under_way.items.len(), 1);
    // After the time in which an answer may be lost.
    node.pass(Duration::from_secs(60));
    let latest = node.now() + Duration::from_secs(1_000);
    assert_eq!(node.look(&alice, latest), latest);
    alice.line.deadline_moved.store(false, Ordering::SeqCst);
    node.send(&alice, &candidate(&call, "a"));
    assert!(alice.line.deadline_moved.load(Ordering::SeqCst));
    assert_eq!(node.look(&alice, latest), node.now() + Duration::from_secs(5));
}
