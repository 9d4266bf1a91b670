//! Dialect 1: an answer that was sent into a dying connection. Its caller does not know the call's
//! id, and so can never present it.

use std::time::Duration;

use crate::wire::{accept, accepted, candidate, ended, initiate};
use crate::world::{GRACE, MOMENT, RING_TIMEOUT, SILENCE, WAITING_BYTES_MAX, World};

/// As long as a connection may be dead before the server closes it.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(60);

#[test]
fn a_caller_that_loses_its_line_at_the_answer_is_sent_it_again() {
    for notices in [true, false] {
        let (mut world, alice, bob, call) = World::pair_in_a_call();
        world.send(bob, &candidate(&call, "into-a-dead-socket"));
        if notices {
            world.lose(alice);
            world.send(bob, &candidate(&call, "waits"));
        }
        let (alice, received) = world.come_back("alice");
        let mut expected = vec![accepted(&call, "answer")];
        expected.extend(notices.then(|| candidate(&call, "waits")));
        assert_eq!(received, expected, "the server knows of the loss: {notices}");
        world.assert_talks(&call, alice, bob);
    }
}

#[test]
fn it_is_sent_again_as_often_as_the_line_is_lost() {
    let (mut world, mut alice, bob, call) = World::pair_in_a_call();
    for _ in 0..3 {
        world.pass(SILENCE_TIMEOUT - MOMENT);
        world.lose(alice);
        world.pass(GRACE - MOMENT);
        let (again, received) = world.come_back("alice");
        assert_eq!(received, [accepted(&call, "answer")]);
        alice = again;
    }
    world.assert_talks(&call, alice, bob);
}

#[test]
fn an_answer_that_arrived_is_not_sent_again() {
    let confirms: [fn(&mut World, crate::world::Device, &str); 2] = [
        |world, alice, call| world.send(alice, &candidate(call, "received-you")),
        |world, _, _| world.pass(SILENCE_TIMEOUT),
    ];
    for confirm in confirms {
        let (mut world, alice, bob, call) = World::pair_in_a_call();
        confirm(&mut world, alice, &call);
        world.received(bob);
        let again = world.register("alice");
        world.send(bob, &candidate(&call, "one"));
        assert_eq!(world.received(again), SILENCE, "a running call waits for its client's proof");
        assert_eq!(world.kept("alice"), 1, "and the answer is not kept");
    }
}

#[test]
fn a_caller_that_does_not_come_back_leaves_nobody_in_the_call() {
    let (mut world, alice, bob, call) = World::pair_in_a_call();
    world.lose(alice);
    world.pass(GRACE);
    assert_eq!(world.received(bob), [ended(&call)]);
}

#[test]
fn a_caller_that_cancels_while_it_is_answered_has_cancelled() {
    let (mut world, alice, bob, call) = World::pair_in_a_call();
    world.leave(alice);
    assert_eq!(world.received(bob), [ended(&call)], "as far as alice knows it was ringing");
    let alice = world.register("alice");
    world.send(alice, &initiate("bob", "offer"));
    assert_eq!(world.received(alice), SILENCE);
}

#[test]
fn an_answer_that_there_was_no_room_for_ends_the_call_for_both() {
    let (mut world, alice, bob) = World::pair();
    let call = world.ring(alice, bob);
    let big = "x".repeat(WAITING_BYTES_MAX);
    world.send(bob, &accept(&call, &big));
    assert_eq!(world.received(alice), [accepted(&call, &big)]);
    world.lose(alice);
    assert_eq!(world.received(bob), [ended(&call)]);
    let (_, received) = world.come_back("alice");
    assert_eq!(received, [ended(&call)]);
}

#[test]
fn a_client_that_comes_back_in_dialect_2_is_sent_the_answer_too() {
    let (mut world, alice, bob, call) = World::pair_in_a_call();
    world.lose(alice);
    let (alice, _, received) = world.come_back_in_two("alice", "");
    assert_eq!(received, [accepted(&call, "answer")]);
    world.send(bob, &candidate(&call, "one"));
    assert_eq!(world.received(alice.device).len(), 1);
    world.pass(RING_TIMEOUT);
    assert_eq!(world.received(bob), SILENCE, "it is the client's, and goes on");
}

#[test]
fn an_answer_from_before_a_restart_is_not_sent_again_to_a_client_that_rings_somebody_else() {
    let (mut world, alice, bob) = World::pair();
    let call = world.ring(alice, bob);
    world.restart();
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let carol = world.register("carol");
    world.send(bob, &accept(&call, "into-a-dead-socket"));
    let ringing = world.ring(alice, carol);
    let alice = world.register("alice");
    assert_eq!(world.received(bob), [ended(&call)]);
    world.send(carol, &accept(&ringing, "other-answer"));
    assert_eq!(world.received(alice), [accepted(&ringing, "other-answer")]);
}
