//! Ids from before a restart, and a client of dialect 1 that rings somebody else meanwhile. It does
//! not know the id of a call that it is ringing, so whatever it is sent about an unknown one it takes
//! for that.

use crate::wire::{
    accept, accepted, assert_error, candidate, end, ended, initiate, presented, reject,
};
use crate::world::{Device, RING_TIMEOUT, SILENCE, World};

/// The messages of the first callee about the old id.
type Does = fn(&mut World, &str);

/// Everything that can be done with an id.
const ALL: [(&str, Does); 6] = [
    ("CALL_ACCEPT", |world, call| sends(world, &accept(call, "wrong"))),
    ("CALL_REJECT", |world, call| sends(world, &reject(call))),
    ("CALL_END", |world, call| sends(world, &end(call))),
    ("ICE_CANDIDATE", |world, call| sends(world, &candidate(call, "wrong"))),
    ("REGISTER, answered", |world, call| presents(world, call, true)),
    ("REGISTER, not answered", |world, call| presents(world, call, false)),
];

fn sends(world: &mut World, text: &str) {
    let bob = world.register("bob");
    world.send(bob, text);
}

fn presents(world: &mut World, call: &str, answered: bool) {
    world.come_back_in_two("bob", &presented(&[(call, answered)]));
}

/// Alice rang bob and was answered or not; the server was killed; now she rings carol.
fn rings_another(was_answered: bool) -> (World, Device, Device, String, String) {
    let (mut world, alice, bob) = World::pair();
    let old = world.ring(alice, bob);
    if was_answered {
        world.send(bob, &accept(&old, "answer"));
    }
    world.restart();
    let (alice, carol) = (world.register("alice"), world.register("carol"));
    let new = world.ring(alice, carol);
    (world, alice, carol, old, new)
}

#[test]
fn nothing_of_an_old_call_is_sent_to_a_caller_that_rings_somebody_else() {
    for was_answered in [true, false] {
        for (what, does) in ALL {
            let (mut world, alice, carol, old, new) = rings_another(was_answered);
            does(&mut world, &old);
            assert_eq!(world.received(alice), SILENCE, "{what}");
            world.pass(RING_TIMEOUT - 2 * crate::world::MOMENT);
            assert_eq!(world.received(alice), SILENCE, "{what}, when it is given up");
            world.send(carol, &accept(&new, "answer"));
            assert_eq!(world.received(alice), [accepted(&new, "answer")], "{what}");
            world.assert_talks(&new, alice, carol);
        }
    }
}

#[test]
fn nor_to_one_that_was_called_in_the_old_call() {
    let (mut world, alice, bob, old) = World::pair_in_a_call();
    world.assert_talks(&old, alice, bob);
    world.restart();
    let (bob, _) = (world.register("bob"), world.register("carol"));
    let carol = world.last("carol");
    world.ring(bob, carol);
    says_as(&mut world, "alice", &end(&old));
    assert_eq!(world.received(bob), SILENCE);
}

fn says_as(world: &mut World, client: &'static str, text: &str) {
    let device = world.register(client);
    world.send(device, text);
}

#[test]
fn a_client_that_presents_such_a_call_is_sent_its_end() {
    let (mut world, _, _, old, _) = rings_another(false);
    let bob = world.register("bob");
    world.send(bob, &accept(&old, "late"));
    assert_eq!(world.received(bob), [ended(&old)]);
    world.send(bob, &accept(&old, "later"));
    assert_error(&world.received(bob), "CALL_NOT_FOUND");
    assert_eq!(world.records("bob"), Some(0));
}

#[test]
fn an_answer_to_an_older_call_is_not_for_a_client_that_has_begun_a_newer_one() {
    let (mut world, alice, bob) = World::pair();
    let old = world.ring(alice, bob);
    world.restart();
    let (alice, carol) = (world.register("alice"), world.register("carol"));
    let new = world.call(alice, carol);
    sends(&mut world, &accept(&old, "wrong"));
    sends(&mut world, &reject(&old));
    assert_eq!(world.received(alice), SILENCE, "it is in another call, and waits for no answer");
    world.assert_talks(&new, alice, carol);
}

#[test]
fn of_two_calls_from_before_a_restart_the_newer_one_is_answered() {
    let (mut world, alice, bob) = World::pair();
    let carol = world.register("carol");
    let old = world.ring(alice, bob);
    world.leave(alice);
    world.received(bob);
    world.pass(crate::world::MOMENT);
    let alice = world.register("alice");
    let new = world.ring(alice, carol);
    world.restart();
    let (alice, carol) = (world.register("alice"), world.register("carol"));
    world.send(carol, &accept(&new, "answer"));
    assert_eq!(world.received(alice), [accepted(&new, "answer")]);
    sends(&mut world, &accept(&old, "wrong"));
    assert_eq!(world.received(alice), SILENCE);
}

#[test]
fn a_rejection_that_is_too_old_for_a_ringing_call_is_not_sent() {
    let (mut world, alice, bob) = World::pair();
    let old = world.ring(alice, bob);
    world.restart();
    world.pass(RING_TIMEOUT + crate::world::GRACE);
    let alice = world.register("alice");
    sends(&mut world, &reject(&old));
    assert_eq!(world.received(alice), SILENCE);
    assert_eq!(world.records("alice"), Some(0));
}

#[test]
fn an_old_call_that_runs_still_goes_on_beside_a_ringing_one() {
    let (mut world, alice, bob, old) = World::pair_in_a_call();
    world.assert_talks(&old, alice, bob);
    world.restart();
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    world.register("carol");
    world.send(bob, &candidate(&old, "waits"));
    world.send(alice, &initiate("carol", "offer"));
    world.send(alice, &candidate(&old, "proof"));
    assert_eq!(world.received(alice), [candidate(&old, "waits")]);
    assert_eq!(world.received(bob), [candidate(&old, "proof")]);
    world.send(bob, &end(&old));
    assert_eq!(world.received(alice), [ended(&old)], "it knows the call");
}
