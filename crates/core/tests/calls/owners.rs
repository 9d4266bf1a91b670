//! Dialect 2: every client that held a plain id while a call rang knows the call's id. Once it is
//! answered it belongs to the registration that answered, or was sent the answer.

use crate::wire::{
    accept, accepted, assert_error, candidate, end, ended_as, incoming, presented, presented_with,
    signal,
};
use crate::world::{GRACE, MOMENT, Phone, RING_TIMEOUT, SILENCE, World};

/// Mallory held bob's id while alice rang it; bob has it back and has answered.
fn overheard() -> (World, Phone, Phone, String) {
    let (mut world, mut alice, mut bob) = World::pair_in_two();
    let call = world.ring_in_two(&mut alice, &mut bob);
    let (_, _, received) = world.come_back_in_two("bob", "");
    assert_eq!(received, [incoming(&call, "alice", "offer")], "mallory has the id");
    let (bob, _, received) = world.come_back_in_two("bob", "");
    assert_eq!(received, [incoming(&call, "alice", "offer")]);
    world.send(bob.device, &accept(&call, "answer"));
    assert_eq!(world.receives(&mut alice), [accepted(&call, "answer")]);
    (world, alice, bob, call)
}

#[test]
fn the_id_alone_does_not_take_over_an_answered_call() {
    let (mut world, mut alice, bob, call) = overheard();
    let (mut mallory, _, received) = world.come_back_in_two("bob", &presented(&[(&call, true)]));
    assert_eq!(received, [ended_as(&call, "unreachable")]);
    world.send(alice.device, &candidate(&call, "secret"));
    for text in [end(&call), candidate(&call, "x"), signal(&call, "x"), accept(&call, "x")] {
        world.send(mallory.device, &text);
        assert_error(&world.receives(&mut mallory), "CALL_NOT_FOUND");
    }
    assert_eq!(world.receives(&mut alice), SILENCE);
    let again = presented_with(&bob.token, &[(&call, true)]);
    let (mut bob, _, received) = world.come_back_in_two("bob", &again);
    assert_eq!(received, [candidate(&call, "secret")]);
    world.assert_talks_in_two(&call, &mut alice, &mut bob);
}

#[test]
fn nor_does_it_in_dialect_1() {
    let (mut world, mut alice, _, call) = overheard();
    let mallory = world.register("bob");
    world.send(mallory, &end(&call));
    assert_error(&world.received(mallory), "CALL_NOT_FOUND");
    world.pass(RING_TIMEOUT - MOMENT);
    assert_eq!(world.receives(&mut alice), SILENCE, "its owner may still come back");
    world.pass(MOMENT);
    assert_eq!(world.receives(&mut alice), [ended_as(&call, "superseded")]);
    assert_eq!(world.received(mallory), SILENCE, "it got CALL_NOT_FOUND");
}

#[test]
fn nor_the_callers_end() {
    let (mut world, mut alice, mut bob) = World::pair_in_two();
    let call = world.ring_in_two(&mut alice, &mut bob);
    world.come_back_in_two("alice", "");
    let mut alice = world.come_back_in_two("alice", "").0;
    world.send(bob.device, &accept(&call, "answer"));
    assert_eq!(world.receives(&mut alice), [accepted(&call, "answer")]);
    let (mut mallory, _, _) = world.come_back_in_two("alice", "");
    world.send(mallory.device, &end(&call));
    assert_error(&world.receives(&mut mallory), "CALL_NOT_FOUND");
    assert_eq!(world.receives(&mut bob), SILENCE);
}

#[test]
fn any_token_of_the_same_line_of_registrations_will_do() {
    let (mut world, mut alice, bob, call) = overheard();
    let mine = [(&*call, true)];
    let (second, _, _) = world.come_back_in_two("bob", &presented_with(&bob.token, &mine));
    // REGISTERED with the second token was lost: the first is shown again.
    let (third, _, received) = world.come_back_in_two("bob", &presented_with(&bob.token, &mine));
    assert_eq!(received, SILENCE);
    let (mut last, _, received) = world.come_back_in_two("bob", &presented_with(&third.token, &[]));
    assert_eq!(received, SILENCE);
    world.assert_talks_in_two(&call, &mut last, &mut alice);
    let stale = presented_with(&second.token, &mine);
    let (_, _, received) = world.come_back_in_two("bob", &stale);
    assert_eq!(received, [ended_as(&call, "unreachable")], "that one never had the call for good");
}

#[test]
fn a_registration_that_shows_the_token_need_not_present_the_call_at_once() {
    let (mut world, mut alice, bob, call) = overheard();
    let (second, _, _) = world.come_back_in_two("bob", &presented_with(&bob.token, &[]));
    let (mut third, _, _) = world.come_back_in_two("bob", &presented_with(&second.token, &[]));
    world.send(third.device, &candidate(&call, "back"));
    assert_eq!(world.receives(&mut alice), [candidate(&call, "back")]);
    world.assert_talks_in_two(&call, &mut alice, &mut third);
}

#[test]
fn a_client_that_closed_normally_shows_its_token_as_well() {
    let (mut world, mut alice, bob, call) = overheard();
    world.leave(bob.device);
    world.pass(GRACE - MOMENT);
    let again = presented_with(&bob.token, &[(&call, true)]);
    let mut bob = world.come_back_in_two("bob", &again).0;
    world.assert_talks_in_two(&call, &mut alice, &mut bob);
}

#[test]
fn a_resumed_registration_has_its_calls() {
    let (mut world, mut alice, bob, call) = overheard();
    world.lose(bob.device);
    let (mut bob, resumed, _) = world.resume(&bob);
    assert!(resumed);
    world.assert_talks_in_two(&call, &mut alice, &mut bob);
}

#[test]
fn after_a_restart_the_first_that_presents_the_call_as_answered_owns_it() {
    let (mut world, _, _, call) = overheard();
    world.restart();
    let mine = [(&*call, true)];
    let mut alice = world.come_back_in_two("alice", &presented(&mine)).0;
    let bob = world.come_back_in_two("bob", &presented(&mine)).0;
    let (_, _, received) = world.come_back_in_two("bob", &presented(&mine));
    assert_eq!(received, [ended_as(&call, "unreachable")]);
    let again = presented_with(&bob.token, &mine);
    let mut bob = world.come_back_in_two("bob", &again).0;
    world.assert_talks_in_two(&call, &mut alice, &mut bob);
}
