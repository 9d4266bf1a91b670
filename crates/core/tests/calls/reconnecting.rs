//! Connections come and go, and anybody can register a plain id.

use crate::wire::{accept, accepted, candidate, end, ended, incoming};
use crate::world::{GRACE, MOMENT, SILENCE, WAITING_BYTES_MAX, World};

#[test]
fn a_callee_that_reconnects_is_rung_again() {
    let (mut world, alice, bob) = World::pair();
    let call = world.ring(alice, bob);
    world.lose(bob);
    let (bob, received) = world.come_back("bob");
    assert_eq!(received, [incoming(&call, "alice", "offer")]);
    world.send(bob, &accept(&call, "answer"));
    assert_eq!(world.received(alice), [accepted(&call, "answer")]);
    world.assert_talks(&call, bob, alice);
}

#[test]
fn a_callee_that_registers_on_another_connection_is_rung_there() {
    let (mut world, alice, bob) = World::pair();
    let call = world.ring(alice, bob);
    let (bob_elsewhere, received) = world.come_back("bob");
    assert_eq!(received, [incoming(&call, "alice", "offer")]);
    world.send(bob_elsewhere, &accept(&call, "answer"));
    assert_eq!(world.received(alice), [accepted(&call, "answer")]);
    assert_eq!(world.received(bob), SILENCE);
}

#[test]
fn a_callee_that_has_answered_is_not_rung_again() {
    let (mut world, _, bob, _) = World::pair_in_a_call();
    world.lose(bob);
    world.register("bob");
}

#[test]
fn a_caller_that_reconnects_while_it_rings_gets_the_answer() {
    let (mut world, alice, bob) = World::pair();
    let call = world.ring(alice, bob);
    world.lose(alice);
    let alice = world.register("alice");
    world.send(bob, &accept(&call, "answer"));
    assert_eq!(world.received(alice), [accepted(&call, "answer")]);
}

#[test]
fn a_caller_that_was_away_when_it_was_answered_gets_everything_in_order() {
    let (mut world, alice, bob) = World::pair();
    let call = world.ring(alice, bob);
    world.send(bob, &candidate(&call, "one"));
    world.lose(alice);
    world.send(bob, &candidate(&call, "two"));
    world.send(bob, &accept(&call, "answer"));
    world.send(bob, &candidate(&call, "three"));
    let (alice, received) = world.come_back("alice");
    let [one, two, three] = ["one", "two", "three"].map(|each| candidate(&call, each));
    assert_eq!(received, [accepted(&call, "answer"), one, two, three]);
    world.assert_talks(&call, alice, bob);
}

#[test]
fn a_client_that_takes_over_an_id_gets_nothing_of_a_running_call_until_it_presents_the_call_id() {
    let (mut world, alice, bob, call) = World::pair_in_a_call();
    let stranger = world.register("bob");
    world.send(alice, &candidate(&call, "one"));
    world.send(alice, &candidate(&call, "two"));
    assert_eq!((world.received(stranger), world.received(bob)), (vec![], vec![]));
    let bob = world.register("bob");
    world.send(bob, &candidate(&call, "back"));
    let [one, two, back] = ["one", "two", "back"].map(|each| candidate(&call, each));
    assert_eq!(world.received(bob), [one, two], "what waited, in order");
    assert_eq!(world.received(alice), [back]);
    assert_eq!(world.received(stranger), SILENCE);
    world.assert_talks(&call, alice, bob);
}

#[test]
fn who_takes_over_the_callers_id_gets_nothing_either() {
    let (mut world, alice, bob, call) = World::pair_in_a_call();
    world.assert_talks(&call, alice, bob);
    let stranger = world.register("alice");
    world.send(bob, &candidate(&call, "one"));
    assert_eq!(world.received(stranger), SILENCE);
    let alice = world.register("alice");
    world.send(alice, &candidate(&call, "back"));
    assert_eq!(world.received(alice), [candidate(&call, "one")]);
}

#[test]
fn a_client_that_takes_over_an_id_is_sent_the_end_of_a_running_call_and_nothing_else() {
    let (mut world, alice, _, call) = World::pair_in_a_call();
    let stranger = world.register("bob");
    world.send(alice, &candidate(&call, "secret"));
    world.send(alice, &end(&call));
    assert_eq!(world.received(stranger), [ended(&call)]);
}

#[test]
fn a_call_that_follows_an_id_does_so_while_it_is_set_up_only() {
    let (mut world, alice, bob) = World::pair();
    let call = world.ring(alice, bob);
    let (bob, _) = world.come_back("bob");
    world.send(bob, &accept(&call, "answer"));
    world.received(alice);
    let stranger = world.register("bob");
    world.send(alice, &candidate(&call, "secret"));
    assert_eq!(world.received(stranger), SILENCE);
}

#[test]
fn mail_for_a_client_that_is_away_is_deferred_until_it_presents_the_call_id() {
    let (mut world, alice, bob, call) = World::pair_in_a_call();
    world.lose(bob);
    world.send(alice, &candidate(&call, "one"));
    world.pass(GRACE - MOMENT);
    let bob = world.register("bob");
    world.send(alice, &candidate(&call, "two"));
    world.send(bob, &candidate(&call, "back"));
    let [one, two] = ["one", "two"].map(|each| candidate(&call, each));
    assert_eq!(world.received(bob), [one, two]);
}

#[test]
fn an_end_that_comes_while_a_client_is_away_is_sent_once_on_its_return() {
    let (mut world, alice, bob, call) = World::pair_in_a_call();
    world.lose(bob);
    world.send(alice, &candidate(&call, "one"));
    world.send(alice, &end(&call));
    let (bob, received) = world.come_back("bob");
    assert_eq!(received, [ended(&call)]);
    world.lose(bob);
    world.register("bob");
}

#[test]
fn an_end_that_could_not_be_sent_is_forgotten_after_the_grace() {
    let (mut world, alice, bob, call) = World::pair_in_a_call();
    world.lose(bob);
    world.send(alice, &end(&call));
    world.pass(GRACE);
    assert_eq!(world.records("bob"), None);
    world.register("bob");
}

#[test]
fn deferred_mail_over_its_bound_ends_the_call_for_both() {
    let (mut world, alice, bob, call) = World::pair_in_a_call();
    world.lose(bob);
    let half = "x".repeat(WAITING_BYTES_MAX / 2);
    world.send(alice, &candidate(&call, &half));
    assert_eq!(world.received(alice), SILENCE);
    world.send(alice, &candidate(&call, &half));
    assert_eq!(world.received(alice), [ended(&call)]);
    let (_, received) = world.come_back("bob");
    assert_eq!(received, [ended(&call)], "a call with a hole in it is worse than none");
}

#[test]
fn early_candidates_over_the_bound_end_the_ringing_for_both() {
    let (mut world, alice, bob) = World::pair();
    let call = world.ring(alice, bob);
    world.send(bob, &candidate(&call, &"x".repeat(WAITING_BYTES_MAX)));
    assert_eq!(world.received(alice), [ended(&call)]);
    assert_eq!(world.received(bob), [ended(&call)]);
}

#[test]
fn the_bound_of_deferred_mail_is_the_sessions_not_the_calls() {
    let (mut world, alice, bob, first) = World::pair_in_a_call();
    let carol = world.register("carol");
    let second = world.call(carol, bob);
    world.lose(bob);
    let most = "x".repeat(WAITING_BYTES_MAX * 2 / 3);
    world.send(alice, &candidate(&first, &most));
    world.send(carol, &candidate(&second, &most));
    assert_eq!(world.received(carol), [ended(&second)]);
    assert_eq!(world.received(alice), SILENCE, "what waits already is not touched");
}

#[test]
fn deferred_mail_makes_room_when_it_is_sent() {
    let (mut world, alice, mut bob, call) = World::pair_in_a_call();
    let most = candidate(&call, &"x".repeat(WAITING_BYTES_MAX * 2 / 3));
    for _ in 0..5 {
        world.lose(bob);
        world.send(alice, &most);
        bob = world.register("bob");
        world.send(bob, &candidate(&call, "back"));
        assert_eq!(world.received(bob), [most.as_str()]);
    }
}
