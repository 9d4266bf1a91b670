//! Delivery of mail.

use std::sync::atomic::Ordering;
use std::time::Duration;

use securecall_core::{Departure, Outcome};

use crate::node::{Node, candidate, id, initiate};

#[test]
fn what_one_client_says_the_other_hears() {
    let node = Node::new();
    let (alice, bob) = (node.register_fresh("alice"), node.register_fresh("bob"));
    let call = node.call(&alice, &bob);
    for (from, to) in [(&alice, &bob), (&bob, &alice)] {
        let text = candidate(&call, r"\u0041");
        node.say(from, &text);
        assert_eq!(to.line.heard(), [text]);
    }
    assert_eq!(node.outcomes(), [Outcome::Delivered; 4]);
}

#[test]
fn a_client_without_a_session_is_offline() {
    let node = Node::new();
    let alice = node.register_fresh("alice");
    node.say(&alice, &initiate("bob"));
    let heard = alice.line.heard();
    assert!(heard[0].contains("TARGET_NOT_FOUND"), "{heard:?}");
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
    node.say(&alice, &candidate(&call, "a"));
    assert_eq!(bob.line.heard(), [candidate(&call, "a")]);
    assert_eq!(node.host.behind_asked.load(Ordering::SeqCst), asked, "only rings ask");
    let carol = node.register_fresh("carol");
    node.say(&carol, &initiate("bob"));
    let heard = carol.line.heard();
    assert!(heard[0].contains("CALL_REJECTED"), "{heard:?}");
    assert_eq!(bob.line.heard(), [] as [String; 0]);
}

#[test]
fn a_node_that_drains_defers_nothing() {
    let node = Node::new();
    let (alice, bob) = (node.register_fresh("alice"), node.register_fresh("bob"));
    let call = node.call(&alice, &bob);
    node.release(&bob, Departure::Lost);
    node.host.draining.store(true, Ordering::SeqCst);
    node.say(&alice, &candidate(&call, "a"));
    node.say(&alice, &initiate("nobody"));
    let heard = alice.line.heard();
    assert_eq!(heard.len(), 2, "{heard:?}");
    assert!(heard.iter().all(|text| text.contains("UNAVAILABLE")), "{heard:?}");
}

#[test]
fn mail_does_not_fall_into_the_gap_until_a_driver_finds_its_connection_closed() {
    let node = Node::new();
    let (alice, bob) = (node.register_fresh("alice"), node.register_fresh("bob"));
    let call = node.call(&alice, &bob);
    bob.line.closed.store(true, Ordering::SeqCst);
    node.say(&alice, &candidate(&call, "a"));
    assert_eq!(bob.line.heard(), [] as [String; 0]);
    assert_eq!(node.keepers().len(), 1, "the client is away from here on");
    node.release(&bob, Departure::Lost);
    assert_eq!(node.keepers().len(), 1, "its driver comes too late to matter");
    let again = node.register_fresh("bob");
    node.say(&again, &candidate(&call, "b"));
    assert_eq!(again.line.heard(), [candidate(&call, "a")]);
    assert_eq!(alice.line.heard(), [candidate(&call, "b")]);
}

/// A callee that dies of an offer, again and again: the third time mail finds it out, and its driver
/// does not know yet.
#[test]
fn what_a_lost_connection_ends_is_told_even_if_mail_finds_the_loss() {
    let node = Node::new();
    let (alice, bob) = (node.register_fresh("alice"), node.register_fresh("bob"));
    let call = node.ring(&alice, &bob);
    node.release(&bob, Departure::Lost);
    let second = node.register("bob");
    node.release(&second, Departure::Lost);
    let third = node.register("bob");
    third.line.closed.store(true, Ordering::SeqCst);
    let carol = node.register_fresh("carol");
    node.say(&carol, &initiate("bob"));
    let heard = alice.line.heard();
    assert!(heard[0].contains("CALL_ENDED") && heard[0].contains(&call), "{heard:?}");
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
    alice.line.heard();
    let again = node.register_fresh("bob");
    node.call(&alice, &again);
}
