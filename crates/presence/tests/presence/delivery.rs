//! Delivery of mail.

use std::sync::atomic::Ordering;
use std::time::Duration;

use securecall_core::{Departure, Outcome};

use crate::node::{Node, candidate, id, initiate};

#[test]
fn a_message_of_one_client_reaches_the_other() {
    let node = Node::new();
    let (alice, bob) = (node.register_fresh("alice"), node.register_fresh("bob"));
    let call = node.call(&alice, &bob);
    for (from, to) in [(&alice, &bob), (&bob, &alice)] {
        let text = candidate(&call, r"\u0041");
        node.send(from, &text);
        assert_eq!(to.line.received(), [text]);
    }
    assert_eq!(node.outcomes(), [Outcome::Delivered; 4]);
}

#[test]
fn a_client_without_a_session_is_offline() {
    let node = Node::new();
    let alice = node.register_fresh("alice");
    node.send(&alice, &initiate("bob"));
    let received = alice.line.received();
    assert!(received[0].contains("TARGET_NOT_FOUND"), "{received:?}");
    assert_eq!(node.outcomes(), [Outcome::Offline]);
    assert_eq!(node.registry.sessions(), 1, "nobody is kept for who was called in vain");
}

#[test]
fn a_client_that_is_behind_is_busy_and_its_calls_go_on() {
    let node = Node::new();
    let (alice, bob) = (node.register_fresh("alice"), node.register_fresh("bob"));
    let call = node.call(&alice, &bob);
    bob.line.behind.store(true, Ordering::SeqCst);
    let asked = node.host.behind_asked.load(Ordering::SeqCst);
    node.send(&alice, &candidate(&call, "a"));
    assert_eq!(bob.line.received(), [candidate(&call, "a")]);
    assert_eq!(node.host.behind_asked.load(Ordering::SeqCst), asked, "only rings ask");
    let carol = node.register_fresh("carol");
    node.send(&carol, &initiate("bob"));
    let received = carol.line.received();
    assert!(received[0].contains("CALL_REJECTED"), "{received:?}");
    assert_eq!(bob.line.received(), [] as [String; 0]);
}

#[test]
fn a_node_that_drains_defers_nothing() {
    let node = Node::new();
    let (alice, bob) = (node.register_fresh("alice"), node.register_fresh("bob"));
    let call = node.call(&alice, &bob);
    node.release(&bob, Departure::Lost);
    node.host.draining.store(true, Ordering::SeqCst);
    node.send(&alice, &candidate(&call, "a"));
    node.send(&alice, &initiate("nobody"));
    let received = alice.line.received();
    assert_eq!(received.len(), 2, "{received:?}");
    assert!(received.iter().all(|text| text.contains("UNAVAILABLE")), "{received:?}");
}

#[test]
fn mail_does_not_fall_into_the_gap_until_a_driver_finds_its_connection_closed() {
    let node = Node::new();
    let (alice, bob) = (node.register_fresh("alice"), node.register_fresh("bob"));
    let call = node.call(&alice, &bob);
    bob.line.closed.store(true, Ordering::SeqCst);
    node.send(&alice, &candidate(&call, "a"));
    assert_eq!(bob.line.received(), [] as [String; 0]);
    assert_eq!(node.keepers().len(), 1, "the client is away from here on");
    node.release(&bob, Departure::Lost);
    assert_eq!(node.keepers().len(), 1, "its driver comes too late to matter");
    let again = node.register_fresh("bob");
    node.send(&again, &candidate(&call, "b"));
    assert_eq!(again.line.received(), [candidate(&call, "a")]);
    assert_eq!(alice.line.received(), [candidate(&call, "b")]);
}

/// A callee that dies of an offer, again and again: the third time mail finds it out, and its driver
/// does not know yet.
#[test]
fn calls_that_a_lost_connection_ends_are_ended_for_their_peers_even_if_mail_finds_the_loss() {
    let node = Node::new();
    let (alice, bob) = (node.register_fresh("alice"), node.register_fresh("bob"));
    let call = node.ring(&alice, &bob);
    node.release(&bob, Departure::Lost);
    let second = node.register("bob");
    node.release(&second, Departure::Lost);
    let third = node.register("bob");
    third.line.closed.store(true, Ordering::SeqCst);
    let carol = node.register_fresh("carol");
    node.send(&carol, &initiate("bob"));
    let received = alice.line.received();
    assert!(received[0].contains("CALL_ENDED") && received[0].contains(&call), "{received:?}");
}

#[test]
fn a_receiver_is_found_again_after_it_was_forgotten() {
    let node = Node::new();
    let (alice, bob) = (node.register_fresh("alice"), node.register_fresh("bob"));
    node.ring(&alice, &bob);
    node.release(&bob, Departure::Lost);
    node.pass(Duration::from_secs(31));
    assert_eq!(node.keep(&bob.cell), None);
    assert!(node.registry.find(&id("bob")).is_none());
    alice.line.received();
    let again = node.register_fresh("bob");
    node.call(&alice, &again);
}
