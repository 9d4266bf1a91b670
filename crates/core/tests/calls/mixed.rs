//! A client of dialect 1 and one of dialect 2: each is spoken to as its dialect promises.

use crate::wire::{
    accept, accepted, assert_error, candidate, end, ended, ended_as, field, incoming, initiate,
    initiated, reject, reject_as, rejected, rejected_as, ringing, signal,
};
use crate::world::{Device, GRACE, Phone, RING_TIMEOUT, SILENCE, World};

/// Alice speaks dialect 2, bob dialect 1.
fn mixed_pair() -> (World, Phone, Device) {
    let mut world = World::new();
    let (alice, bob) = (world.register_in_two("alice"), world.register("bob"));
    (world, alice, bob)
}

/// Bob of dialect 1 rings alice of dialect 2.
fn ring_from_one(world: &mut World, bob: Device, alice: &mut Phone) -> String {
    world.say(bob, &initiate("alice", "offer"));
    let heard = world.hears(alice);
    let call = field(&heard[0], "callId");
    assert_eq!(heard, [incoming(&call, "bob", "offer")]);
    assert_eq!(world.heard(bob), SILENCE);
    call
}

#[test]
fn a_caller_of_dialect_2_reaches_a_callee_of_dialect_1() {
    let (mut world, mut alice, bob) = mixed_pair();
    let call = world.ring_one_from_two(&mut alice, bob);
    world.say(bob, &candidate(&call, "early"));
    assert_eq!(world.hears(&mut alice), [candidate(&call, "early")], "it knows the id");
    world.say(bob, &accept(&call, "answer"));
    assert_eq!(world.hears(&mut alice), [accepted(&call, "answer")]);
    world.say(alice.device, &end(&call));
    assert_eq!(world.heard(bob), [ended(&call)], "without a reason");
}

#[test]
fn a_caller_of_dialect_1_reaches_a_callee_of_dialect_2() {
    let (mut world, mut alice, bob) = mixed_pair();
    let call = ring_from_one(&mut world, bob, &mut alice);
    world.say(alice.device, &ringing(&call));
    world.say(alice.device, &candidate(&call, "early"));
    assert_eq!(world.heard(bob), SILENCE, "it does not know the id, and CALL_RINGING not at all");
    world.say(alice.device, &accept(&call, "answer"));
    assert_eq!(world.heard(bob), [accepted(&call, "answer"), candidate(&call, "early")]);
    world.say(bob, &end(&call));
    assert_eq!(world.hears(&mut alice), [ended_as(&call, "hangup")]);
}

#[test]
fn reasons_are_told_to_dialect_2_alone() {
    let (mut world, mut alice, bob) = mixed_pair();
    let call = ring_from_one(&mut world, bob, &mut alice);
    world.say(alice.device, &reject_as(&call, "busy"));
    assert_eq!(world.heard(bob), [rejected(&call)]);
    let call = world.ring_one_from_two(&mut alice, bob);
    world.say(bob, &reject(&call));
    assert_eq!(world.hears(&mut alice), [rejected_as(&call, "declined")]);
    let call = world.ring_one_from_two(&mut alice, bob);
    world.pass(RING_TIMEOUT);
    assert_eq!(world.hears(&mut alice), [ended_as(&call, "timeout")]);
    assert_eq!(world.heard(bob), [ended(&call)]);
}

#[test]
fn a_client_of_dialect_1_takes_no_signals_and_their_sender_is_told() {
    let (mut world, mut alice, bob) = mixed_pair();
    let call = world.ring_one_from_two(&mut alice, bob);
    world.say(bob, &accept(&call, "answer"));
    world.hears(&mut alice);
    world.say(alice.device, &signal(&call, "mute"));
    assert_error(&world.hears(&mut alice), "INVALID_STATE");
    assert_eq!(world.heard(bob), SILENCE);
    world.say(alice.device, &candidate(&call, "still-there"));
    assert_eq!(world.heard(bob), [candidate(&call, "still-there")], "the call goes on");
}

#[test]
fn a_signal_that_waited_for_a_client_that_comes_back_in_dialect_1_is_dropped() {
    let (mut world, mut alice, bob) = mixed_pair();
    let call = world.ring_one_from_two(&mut alice, bob);
    world.say(bob, &accept(&call, "answer"));
    world.leave(bob);
    world.say(alice.device, &signal(&call, "mute"));
    world.say(alice.device, &candidate(&call, "one"));
    let bob = world.register("bob");
    world.say(bob, &candidate(&call, "back"));
    assert_eq!(world.heard(bob), [candidate(&call, "one")]);
}

#[test]
fn who_takes_over_an_id_in_dialect_1_is_spoken_to_in_dialect_1() {
    let (mut world, mut alice, mut bob) = World::pair_in_two();
    let call = world.ring_in_two(&mut alice, &mut bob);
    let (bob, heard) = world.come_back("bob");
    assert_eq!(heard, [incoming(&call, "alice", "offer")]);
    world.say(alice.device, &candidate(&call, "early"));
    assert_eq!(world.heard(bob), [candidate(&call, "early")]);
    let alice = world.register("alice");
    world.say(bob, &candidate(&call, "early-too"));
    assert_eq!(world.heard(alice), SILENCE, "the caller waits, and knows no id");
    world.say(bob, &accept(&call, "answer"));
    assert_eq!(world.heard(alice), [accepted(&call, "answer"), candidate(&call, "early-too")]);
    world.assert_talks(&call, alice, bob);
    world.say(alice, &end(&call));
    assert_eq!(world.heard(bob), [ended(&call)]);
}

#[test]
fn who_takes_over_an_id_in_dialect_1_while_its_ring_fails_is_told_nothing_new() {
    let mut world = World::new();
    let alice = world.register_in_two("alice");
    world.hold_post();
    world.say(alice.device, &initiate("nobody", "offer"));
    let alice = world.register("alice");
    world.deliver_post();
    assert_error(&world.heard(alice), "TARGET_NOT_FOUND");
}

#[test]
fn who_takes_over_an_id_in_dialect_1_while_a_call_is_presented_in_vain_is_told_its_end() {
    let (mut world, _, _, call) = World::pair_in_a_call_in_two();
    world.restart();
    world.say_register("bob", &crate::wire::register("bob"));
    world.hold_post();
    world.come_back_in_two("alice", &crate::wire::presented(&[(&call, true)]));
    let alice = world.register("alice");
    let bob = world.come_back_in_two("bob", "").0.device;
    world.say(bob, &end(&call));
    world.heard(bob);
    world.deliver_post();
    assert_eq!(world.heard(alice), [ended(&call)]);
}

#[test]
fn who_takes_over_a_running_call_in_dialect_1_gets_what_waits_when_it_presents_the_id() {
    let (mut world, mut alice, bob) = mixed_pair();
    let call = world.ring_one_from_two(&mut alice, bob);
    world.say(bob, &accept(&call, "answer"));
    let bob = world.register("bob");
    world.say(alice.device, &candidate(&call, "one"));
    assert_eq!(world.heard(bob), SILENCE);
    world.say(bob, &candidate(&call, "back"));
    assert_eq!(world.heard(bob), [candidate(&call, "one")]);
}

#[test]
fn who_takes_over_from_dialect_1_in_dialect_2_is_told_the_id_of_the_call_that_it_is_making() {
    let (mut world, mut alice, bob) = mixed_pair();
    let call = ring_from_one(&mut world, bob, &mut alice);
    world.say(alice.device, &candidate(&call, "early"));
    let (mut bob, resumed, heard) = world.come_back_in_two("bob", "");
    assert_eq!(
        (resumed, heard),
        (false, vec![initiated(&call, "alice"), candidate(&call, "early")])
    );
    world.say(alice.device, &accept(&call, "answer"));
    assert_eq!(world.hears(&mut bob), [accepted(&call, "answer")]);
    world.assert_talks_in_two(&call, &mut alice, &mut bob);
}

#[test]
fn what_a_client_of_dialect_1_missed_is_told_to_who_comes_back_in_dialect_2() {
    let (mut world, mut alice, bob) = mixed_pair();
    let call = ring_from_one(&mut world, bob, &mut alice);
    world.lose(bob);
    world.say(alice.device, &accept(&call, "answer"));
    world.say(alice.device, &signal(&call, "mute"));
    let (_, _, heard) = world.come_back_in_two("bob", "");
    assert_eq!(heard, [accepted(&call, "answer"), signal(&call, "mute")]);
}

#[test]
fn an_end_that_was_missed_is_told_in_the_dialect_that_comes_back() {
    let (mut world, mut alice, bob) = mixed_pair();
    let call = world.ring_one_from_two(&mut alice, bob);
    world.lose(bob);
    world.say(alice.device, &end(&call));
    let (_, _, heard) = world.come_back_in_two("bob", "");
    assert_eq!(heard, [ended_as(&call, "cancelled")]);
}

#[test]
fn a_client_of_dialect_1_that_vanishes_is_unreachable_for_one_of_dialect_2() {
    let (mut world, mut alice, bob) = mixed_pair();
    let call = world.ring_one_from_two(&mut alice, bob);
    world.lose(bob);
    world.pass(GRACE);
    assert_eq!(world.hears(&mut alice), [ended_as(&call, "unreachable")]);
}
