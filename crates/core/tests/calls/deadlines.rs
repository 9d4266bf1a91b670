//! Every state has a deadline, at both ends.

use std::time::Duration;

use crate::wire::{accept, accepted, assert_error, candidate, ended};
use crate::world::{GRACE, MOMENT, RING_TIMEOUT, SILENCE, World};

#[test]
fn both_ends_are_notified_when_nobody_answers() {
    let (mut world, alice, bob) = World::pair();
    let call = world.ring(alice, bob);
    world.pass(RING_TIMEOUT - MOMENT);
    assert_eq!((world.received(alice), world.received(bob)), (vec![], vec![]));
    world.pass(MOMENT);
    assert_eq!(world.received(alice), [ended(&call)]);
    assert_eq!(world.received(bob), [ended(&call)]);
    world.send(bob, &accept(&call, "too-late"));
    assert_error(&world.received(bob), "CALL_NOT_FOUND");
    assert_eq!(world.received(alice), SILENCE);
}

#[test]
fn an_active_call_never_times_out() {
    let (mut world, alice, bob, call) = World::pair_in_a_call();
    world.pass(Duration::from_secs(30 * 24 * 3600));
    world.assert_talks(&call, alice, bob);
}

#[test]
fn an_active_call_never_times_out_for_an_end_that_came_back() {
    let (mut world, alice, bob, call) = World::pair_in_a_call();
    world.lose(bob);
    let (bob, _) = world.come_back("bob");
    world.pass(Duration::from_secs(30 * 24 * 3600));
    assert_eq!((world.received(alice), world.received(bob)), (vec![], vec![]));
    world.assert_talks(&call, bob, alice);
}

#[test]
fn a_caller_who_vanishes_stops_the_ringing() {
    let (mut world, alice, bob) = World::pair();
    let call = world.ring(alice, bob);
    world.lose(alice);
    world.pass(GRACE - MOMENT);
    assert_eq!(world.received(bob), SILENCE);
    world.pass(MOMENT);
    assert_eq!(world.received(bob), [ended(&call)]);
    assert_eq!(world.records("alice"), None);
}

#[test]
fn a_caller_who_leaves_stops_the_ringing_at_once() {
    let (mut world, alice, bob) = World::pair();
    let call = world.ring(alice, bob);
    world.leave(alice);
    assert_eq!(world.received(bob), [ended(&call)]);
    assert_eq!(world.records("alice"), None);
}

#[test]
fn a_caller_who_leaves_cancels_every_ringing_call_and_no_running_one() {
    let (mut world, alice, bob, running) = World::pair_in_a_call();
    world.assert_talks(&running, alice, bob);
    let carol = world.register("carol");
    let (one, two) = (world.ring(alice, bob), world.ring(alice, carol));
    world.leave(alice);
    assert_eq!(world.received(bob), [ended(&one)]);
    assert_eq!(world.received(carol), [ended(&two)]);
    let alice = world.register("alice");
    world.assert_talks(&running, alice, bob);
}

#[test]
fn a_callee_who_leaves_may_still_come_back_and_answer() {
    let (mut world, alice, bob) = World::pair();
    let call = world.ring(alice, bob);
    world.leave(bob);
    assert_eq!(world.received(alice), SILENCE);
    let (bob, received) = world.come_back("bob");
    assert_eq!(received.len(), 1, "it rings again");
    world.send(bob, &accept(&call, "answer"));
    assert_eq!(world.received(alice), [accepted(&call, "answer")]);
}

#[test]
fn a_callee_who_vanishes_while_it_rings_ends_the_call_after_the_grace() {
    let (mut world, alice, bob) = World::pair();
    let call = world.ring(alice, bob);
    world.lose(bob);
    world.pass(GRACE);
    assert_eq!(world.received(alice), [ended(&call)]);
    assert_eq!((world.records("alice"), world.records("bob")), (Some(0), None));
}

#[test]
fn an_end_that_does_not_come_back_is_unreachable_after_the_grace() {
    let (mut world, alice, bob, call) = World::pair_in_a_call();
    world.lose(bob);
    world.pass(GRACE - MOMENT);
    assert_eq!(world.received(alice), SILENCE);
    world.pass(MOMENT);
    assert_eq!(world.received(alice), [ended(&call)]);
    assert_eq!(world.records("bob"), None);
}

#[test]
fn each_loss_has_a_grace_of_its_own() {
    let (mut world, alice, mut bob, call) = World::pair_in_a_call();
    for _ in 0..5 {
        world.lose(bob);
        world.pass(GRACE - MOMENT);
        bob = world.register("bob");
    }
    world.assert_talks(&call, bob, alice);
}

#[test]
fn when_both_ends_vanish_nothing_is_left_after_the_grace() {
    let (mut world, alice, bob, _) = World::pair_in_a_call();
    world.lose(alice);
    world.pass(GRACE / 2);
    world.lose(bob);
    world.pass(GRACE);
    assert!(world.is_empty());
}

#[test]
fn a_client_that_is_away_learns_on_its_return_that_nobody_answered() {
    let (mut world, alice, bob) = World::pair();
    let call = world.ring(alice, bob);
    world.pass(RING_TIMEOUT - GRACE / 2);
    world.lose(alice);
    world.pass(GRACE / 2);
    assert_eq!(world.received(bob), [ended(&call)]);
    let (alice, received) = world.come_back("alice");
    assert_eq!(received, [ended(&call)]);
    world.lose(alice);
    world.register("alice");
}

#[test]
fn a_ringing_call_whose_callee_is_away_still_ends_on_time() {
    let (mut world, alice, bob) = World::pair();
    let call = world.ring(alice, bob);
    world.pass(RING_TIMEOUT - GRACE / 2);
    world.lose(bob);
    world.pass(GRACE / 2);
    assert_eq!(world.received(alice), [ended(&call)]);
    let (_, received) = world.come_back("bob");
    assert_eq!(received, [ended(&call)], "and does not ring any more");
}

#[test]
fn an_answer_that_crosses_the_ring_timeout_ends_the_call_once_for_both() {
    let (mut world, alice, bob) = World::pair();
    let call = world.ring(alice, bob);
    world.pass(RING_TIMEOUT - MOMENT);
    world.hold_post();
    world.send(bob, &accept(&call, "answer"));
    world.send(bob, &candidate(&call, "candidate"));
    world.pass(MOMENT);
    assert_eq!(world.received(alice), [ended(&call)]);
    world.deliver_post();
    assert_eq!(world.received(alice), SILENCE);
    assert_eq!(world.received(bob), [ended(&call)]);
    assert_eq!((world.records("alice"), world.records("bob")), (Some(0), Some(0)));
}

#[test]
fn an_answer_that_crosses_the_callers_leaving_ends_the_call_once_for_both() {
    for callees_mail_first in [false, true] {
        let (mut world, alice, bob) = World::pair();
        let call = world.ring(alice, bob);
        world.hold_post();
        world.leave(alice);
        world.send(bob, &accept(&call, "answer"));
        if callees_mail_first {
            world.deliver_from(bob);
        }
        world.deliver_post();
        assert_eq!(
            world.received(bob),
            [ended(&call)],
            "callee's mail first: {callees_mail_first}"
        );
        assert_eq!((world.records("alice"), world.records("bob")), (None, Some(0)));
    }
}
