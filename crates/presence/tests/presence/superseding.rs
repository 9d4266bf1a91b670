//! A superseded connection can do no harm.

use std::sync::atomic::Ordering;
use std::time::Duration;

use securecall_core::Departure;
use securecall_protocol::{CloseCode, ServerMessage};

use crate::node::{Node, candidate, end};

#[test]
fn the_newest_registration_wins_and_the_old_connection_is_closed_once() {
    let node = Node::new();
    let old = node.register_fresh("alice");
    let new = node.register_fresh("alice");
    assert_eq!(old.line.close_codes(), [CloseCode::Superseded]);
    assert_eq!(new.line.close_codes(), []);
    assert_eq!(node.registry.sessions(), 1);
}

#[test]
fn the_late_end_of_a_superseded_connection_does_not_tear_down_its_successor() {
    let node = Node::new();
    let (old, bob) = (node.register_fresh("alice"), node.register_fresh("bob"));
    let new = node.register_fresh("alice");
    for departure in [Departure::Lost, Departure::Left] {
        node.release(&old, departure);
    }
    assert!(node.keepers().is_empty());
    node.call(&bob, &new);
}

#[test]
fn a_superseded_connection_is_not_listened_to() {
    let node = Node::new();
    let (old, bob) = (node.register_fresh("alice"), node.register_fresh("bob"));
    let call = node.call(&old, &bob);
    let new = node.register("alice");
    for text in [candidate(&call, "late"), end(&call)] {
        assert!(node.ask(&old, &text).items.is_empty(), "{text}");
    }
    node.wake(|batch| {
        old.cell.reply(batch, &old.line, ServerMessage::HeartbeatAck, None);
        old.cell.reaffirm(batch, &old.line, None);
    });
    let latest = node.now() + Duration::from_secs(25);
    assert_eq!(node.look(&old, latest), latest, "its deadlines are not its own any more");
    assert_eq!(old.line.received(), [] as [String; 0]);
    assert_eq!(bob.line.received(), [] as [String; 0]);
    assert!(!new.line.closed.load(Ordering::SeqCst));
    assert_eq!(node.host.calls.load(Ordering::SeqCst), 2, "the call goes on at both ends");
}
