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
    world.send(bob, &initiate("alice", "offer"));
    let received = world.receives(alice);
    let call = field(&received[0], "callId");
    assert_eq!(received, [incoming(&call, "bob", "offer")]);
    assert_eq!(world.received(bob), SILENCE);
    call
}

#[test]
fn a_caller_of_dialect_2_reaches_a_callee_of_dialect_1() {
    let (mut world, mut alice, bob) = mixed_pair();
    let call = world.ring_one_from_two(&mut alice, bob);
    world.send(bob, &candidate(&call, "early"));
    assert_eq!(world.receives(&mut alice), [candidate(&call, "early")], "it knows the id");
    world.send(bob, &accept(&call, "answer"));
    assert_eq!(world.receives(&mut alice), [accepted(&call, "answer")]);
    world.send(alice.device, &end(&call));
    assert_eq!(world.received(bob), [ended(&call)], "without a reason");
}

#[test]
fn a_caller_of_dialect_1_reaches_a_callee_of_dialect_2() {
    let (mut world, mut alice, bob) = mixed_pair();
    let call = ring_from_one(&mut world, bob, &mut alice);
    world.send(alice.device, &ringing(&call));
    world.send(alice.device, &candidate(&call, "early"));
    assert_eq!(
        world.received(bob),
        SILENCE,
        "it does not know the id, and CALL_RINGING not at all"
    );
    world.send(alice.device, &accept(&call, "answer"));
    assert_eq!(world.received(bob), [accepted(&call, "answer"), candidate(&call, "early")]);
    world.send(bob, &end(&call));
    assert_eq!(world.receives(&mut alice), [ended_as(&call, "hangup")]);
}

#[test]
fn reasons_are_sent_to_dialect_2_alone() {
    let (mut world, mut alice, bob) = mixed_pair();
    let call = ring_from_one(&mut world, bob, &mut alice);
    world.send(alice.device, &reject_as(&call, "busy"));
    assert_eq!(world.received(bob), [rejected(&call)]);
    let call = world.ring_one_from_two(&mut alice, bob);
    world.send(bob, &reject(&call));
    assert_eq!(world.receives(&mut alice), [rejected_as(&call, "declined")]);
    let call = world.ring_one_from_two(&mut alice, bob);
    world.pass(RING_TIMEOUT);
    assert_eq!(world.receives(&mut alice), [ended_as(&call, "timeout")]);
    assert_eq!(world.received(bob), [ended(&call)]);
}

#[test]
fn a_client_of_dialect_1_takes_no_signals_and_their_sender_gets_an_error() {
    let (mut world, mut alice, bob) = mixed_pair();
    let call = world.ring_one_from_two(&mut alice, bob);
    world.send(bob, &accept(&call, "answer"));
    world.receives(&mut alice);
    world.send(alice.device, &signal(&call, "mute"));
    assert_error(&world.receives(&mut alice), "INVALID_STATE");
    assert_eq!(world.received(bob), SILENCE);
    world.send(alice.device, &candidate(&call, "still-there"));
    assert_eq!(world.received(bob), [candidate(&call, "still-there")], "the call goes on");
}

#[test]
fn a_signal_deferred_for_a_client_that_comes_back_in_dialect_1_is_dropped() {
    let (mut world, mut alice, bob) = mixed_pair();
    let call = world.ring_one_from_two(&mut alice, bob);
    world.send(bob, &accept(&call, "answer"));
    world.leave(bob);
    world.send(alice.device, &signal(&call, "mute"));
    world.send(alice.device, &candidate(&call, "one"));
    let bob = world.register("bob");
    world.send(bob, &candidate(&call, "back"));
    assert_eq!(world.received(bob), [candidate(&call, "one")]);
}

#[test]
fn a_client_that_takes_over_an_id_in_dialect_1_is_sent_dialect_1() {
    let (mut world, mut alice, mut bob) = World::pair_in_two();
    let call = world.ring_in_two(&mut alice, &mut bob);
    let (bob, received) = world.come_back("bob");
    assert_eq!(received, [incoming(&call, "alice", "offer")]);
    world.send(alice.device, &candidate(&call, "early"));
    assert_eq!(world.received(bob), [candidate(&call, "early")]);
    let alice = world.register("alice");
    world.send(bob, &candidate(&call, "early-too"));
    assert_eq!(world.received(alice), SILENCE, "the caller waits, and knows no id");
    world.send(bob, &accept(&call, "answer"));
    assert_eq!(world.received(alice), [accepted(&call, "answer"), candidate(&call, "early-too")]);
    world.assert_talks(&call, alice, bob);
    world.send(alice, &end(&call));
    assert_eq!(world.received(bob), [ended(&call)]);
}

#[test]
fn a_client_that_takes_over_an_id_in_dialect_1_while_its_ring_fails_is_sent_nothing_new() {
    let mut world = World::new();
    let alice = world.register_in_two("alice");
    world.hold_post();
    world.send(alice.device, &initiate("nobody", "offer"));
    let alice = world.register("alice");
    world.deliver_post();
    assert_error(&world.received(alice), "TARGET_NOT_FOUND");
}

#[test]
fn a_client_that_takes_over_an_id_in_dialect_1_is_sent_the_end_of_a_call_presented_in_vain() {
    let (mut world, _, _, call) = World::pair_in_a_call_in_two();
    world.restart();
    world.send_register("bob", &crate::wire::register("bob"));
    world.hold_post();
    world.come_back_in_two("alice", &crate::wire::presented(&[(&call, true)]));
    let alice = world.register("alice");
    let bob = world.come_back_in_two("bob", "").0.device;
    world.send(bob, &end(&call));
    world.received(bob);
    world.deliver_post();
    assert_eq!(world.received(alice), [ended(&call)]);
}

#[test]
fn a_client_that_takes_over_a_running_call_in_dialect_1_is_sent_deferred_mail_when_it_presents_the_id()
 {
    let (mut world, mut alice, bob) = mixed_pair();
    let call = world.ring_one_from_two(&mut alice, bob);
    world.send(bob, &accept(&call, "answer"));
    let bob = world.register("bob");
    world.send(alice.device, &candidate(&call, "one"));
    assert_eq!(world.received(bob), SILENCE);
    world.send(bob, &candidate(&call, "back"));
    assert_eq!(world.received(bob), [candidate(&call, "one")]);
}

#[test]
fn a_client_that_takes_over_in_dialect_2_is_sent_the_id_of_the_call_that_is_being_made() {
    let (mut world, mut alice, bob) = mixed_pair();
    let call = ring_from_one(&mut world, bob, &mut alice);
    world.send(alice.device, &candidate(&call, "early"));
    let (mut bob, resumed, received) = world.come_back_in_two("bob", "");
    assert_eq!(
        (resumed, received),
        (false, vec![initiated(&call, "alice"), candidate(&call, "early")])
    );
    world.send(alice.device, &accept(&call, "answer"));
    assert_eq!(world.receives(&mut bob), [accepted(&call, "answer")]);
    world.assert_talks_in_two(&call, &mut alice, &mut bob);
}

#[test]
fn an_end_that_a_client_of_dialect_1_missed_is_sent_when_it_comes_back_in_dialect_2() {
    let (mut world, mut alice, bob) = mixed_pair();
    let call = ring_from_one(&mut world, bob, &mut alice);
    world.lose(bob);
    world.send(alice.device, &accept(&call, "answer"));
    world.send(alice.device, &signal(&call, "mute"));
    let (_, _, received) = world.come_back_in_two("bob", "");
    assert_eq!(received, [accepted(&call, "answer"), signal(&call, "mute")]);
}

#[test]
fn an_end_that_was_missed_is_sent_in_the_dialect_that_comes_back() {
    let (mut world, mut alice, bob) = mixed_pair();
    let call = world.ring_one_from_two(&mut alice, bob);
    world.lose(bob);
    world.send(alice.device, &end(&call));
    let (_, _, received) = world.come_back_in_two("bob", "");
    assert_eq!(received, [ended_as(&call, "cancelled")]);
}

#[test]
fn a_client_of_dialect_1_that_vanishes_is_unreachable_for_one_of_dialect_2() {
    let (mut world, mut alice, bob) = mixed_pair();
    let call = world.ring_one_from_two(&mut alice, bob);
    world.lose(bob);
    world.pass(GRACE);
    assert_eq!(world.receives(&mut alice), [ended_as(&call, "unreachable")]);
}
