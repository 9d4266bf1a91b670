//! Dialect 1: an answer that was sent into a dying connection. Its caller does not know the call's
//! id, and so can never present it.

use std::time::Duration;

use crate::wire::{accept, accepted, candidate, ended, initiate};
use crate::world::{GRACE, MOMENT, RING_TIMEOUT, SILENCE, WAITING_BYTES_MAX, World};

/// As long as a connection may be dead before the server closes it.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(60);

#[test]
fn a_caller_that_loses_its_line_at_the_answer_is_told_it_again() {
    for notices in [true, false] {
        let (mut world, alice, bob, call) = World::pair_in_a_call();
        world.say(bob, &candidate(&call, "into-a-dead-socket"));
        if notices {
            world.lose(alice);
            world.say(bob, &candidate(&call, "waits"));
        }
        let (alice, heard) = world.come_back("alice");
        let mut expected = vec![accepted(&call, "answer")];
        expected.extend(notices.then(|| candidate(&call, "waits")));
        assert_eq!(heard, expected, "the server knows of the loss: {notices}");
        world.assert_talks(&call, alice, bob);
    }
}

#[test]
fn it_is_told_again_as_often_as_the_line_is_lost() {
    let (mut world, mut alice, bob, call) = World::pair_in_a_call();
    for _ in 0..3 {
        world.pass(SILENCE_TIMEOUT - MOMENT);
        world.lose(alice);
        world.pass(GRACE - MOMENT);
        let (again, heard) = world.come_back("alice");
        assert_eq!(heard, [accepted(&call, "answer")]);
        alice = again;
    }
    world.assert_talks(&call, alice, bob);
}

#[test]
fn an_answer_that_arrived_is_not_told_again() {
    let confirms: [fn(&mut World, crate::world::Device, &str); 2] = [
        |world, alice, call| world.say(alice, &candidate(call, "heard-you")),
        |world, _, _| world.pass(SILENCE_TIMEOUT),
    ];
    for confirm in confirms {
        let (mut world, alice, bob, call) = World::pair_in_a_call();
        confirm(&mut world, alice, &call);
        world.heard(bob);
        let again = world.register("alice");
        world.say(bob, &candidate(&call, "one"));
        assert_eq!(world.heard(again), SILENCE, "a running call waits for its client's proof");
        assert_eq!(world.kept("alice"), 1, "and the answer is not kept");
    }
}

#[test]
fn a_caller_that_does_not_come_back_leaves_nobody_in_the_call() {
    let (mut world, alice, bob, call) = World::pair_in_a_call();
    world.lose(alice);
    world.pass(GRACE);
    assert_eq!(world.heard(bob), [ended(&call)]);
}

#[test]
fn a_caller_that_cancels_while_it_is_answered_has_cancelled() {
    let (mut world, alice, bob, call) = World::pair_in_a_call();
    world.leave(alice);
    assert_eq!(world.heard(bob), [ended(&call)], "as far as alice knows it was ringing");
    let alice = world.register("alice");
    world.say(alice, &initiate("bob", "offer"));
    assert_eq!(world.heard(alice), SILENCE);
}

#[test]
fn an_answer_that_there_was_no_room_for_ends_the_call_for_both() {
    let (mut world, alice, bob) = World::pair();
    let call = world.ring(alice, bob);
    let big = "x".repeat(WAITING_BYTES_MAX);
    world.say(bob, &accept(&call, &big));
    assert_eq!(world.heard(alice), [accepted(&call, &big)]);
    world.lose(alice);
    assert_eq!(world.heard(bob), [ended(&call)]);
    let (_, heard) = world.come_back("alice");
    assert_eq!(heard, [ended(&call)]);
}

#[test]
fn who_comes_back_in_dialect_2_is_told_the_answer_too() {
    let (mut world, alice, bob, call) = World::pair_in_a_call();
    world.lose(alice);
    let (alice, _, heard) = world.come_back_in_two("alice", "");
    assert_eq!(heard, [accepted(&call, "answer")]);
    world.say(bob, &candidate(&call, "one"));
    assert_eq!(world.heard(alice.device).len(), 1);
    world.pass(RING_TIMEOUT);
    assert_eq!(world.heard(bob), SILENCE, "it is the client's, and goes on");
}

#[test]
fn an_answer_from_before_a_restart_is_not_told_again_to_who_rings_somebody_else() {
    let (mut world, alice, bob) = World::pair();
    let call = world.ring(alice, bob);
    world.restart();
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    let carol = world.register("carol");
    world.say(bob, &accept(&call, "into-a-dead-socket"));
    let ringing = world.ring(alice, carol);
    let alice = world.register("alice");
    assert_eq!(world.heard(bob), [ended(&call)]);
    world.say(carol, &accept(&ringing, "other-answer"));
    assert_eq!(world.heard(alice), [accepted(&ringing, "other-answer")]);
}
