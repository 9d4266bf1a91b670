//! kill -9: every session is gone, the key for call ids is not.

use crate::wire::{
    accept, accepted, assert_error, candidate, end, ended, initiate, reject, rejected,
};
use crate::world::{CALLS_MAX, GRACE, MOMENT, RING_TIMEOUT, SILENCE, WAITING_BYTES_MAX, World};

#[test]
fn a_call_that_rang_before_a_restart_is_answered_after_it() {
    let (mut world, alice, bob) = World::pair();
    let call = world.ring(alice, bob);
    world.restart();
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    world.send(bob, &candidate(&call, "early"));
    world.send(bob, &accept(&call, "answer"));
    assert_eq!(world.received(alice), [accepted(&call, "answer"), candidate(&call, "early")]);
    world.assert_talks(&call, alice, bob);
}

#[test]
fn a_call_that_rang_before_a_restart_is_rejected_after_it() {
    let (mut world, alice, bob) = World::pair();
    let call = world.ring(alice, bob);
    world.restart();
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    world.send(bob, &reject(&call));
    assert_eq!(world.received(alice), [rejected(&call)]);
}

#[test]
fn an_answer_is_deferred_for_a_caller_that_is_not_back_yet() {
    let (mut world, alice, bob) = World::pair();
    let call = world.ring(alice, bob);
    world.restart();
    let bob = world.register("bob");
    world.send(bob, &accept(&call, "answer"));
    world.send(bob, &candidate(&call, "one"));
    world.pass(GRACE - MOMENT);
    let (alice, received) = world.come_back("alice");
    assert_eq!(received, [accepted(&call, "answer"), candidate(&call, "one")]);
    world.assert_talks(&call, alice, bob);
}

#[test]
fn a_running_call_goes_on_after_a_restart() {
    let (mut world, _, _, call) = World::pair_in_a_call();
    world.restart();
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    world.send(alice, &candidate(&call, "one"));
    assert_eq!(
        world.received(bob),
        SILENCE,
        "the client that has the id now must present the call"
    );
    world.send(bob, &candidate(&call, "two"));
    assert_eq!(world.received(bob), [candidate(&call, "one")]);
    assert_eq!(world.received(alice), [candidate(&call, "two")]);
    world.assert_talks(&call, alice, bob);
    world.pass(10 * RING_TIMEOUT);
    world.assert_talks(&call, alice, bob);
}

#[test]
fn mail_is_deferred_for_an_end_that_is_not_back_yet_and_then_it_is_unreachable() {
    let (mut world, _, _, call) = World::pair_in_a_call();
    world.restart();
    let alice = world.register("alice");
    world.send(alice, &candidate(&call, "one"));
    world.pass(GRACE - MOMENT);
    assert_eq!(world.received(alice), SILENCE);
    world.pass(MOMENT);
    assert_eq!(world.received(alice), [ended(&call)]);
    let bob = world.register("bob");
    world.send(bob, &candidate(&call, "too-late"));
    assert_error(&world.received(bob), "CALL_NOT_FOUND");
}

#[test]
fn an_end_that_is_back_but_does_not_present_the_call_loses_it() {
    let (mut world, _, _, call) = World::pair_in_a_call();
    world.restart();
    let (alice, stranger) = (world.register("alice"), world.register("bob"));
    world.send(alice, &candidate(&call, "secret"));
    world.pass(RING_TIMEOUT);
    assert_eq!(world.received(stranger), [ended(&call)]);
    assert_eq!(world.received(alice), [ended(&call)]);
    assert_eq!((world.records("alice"), world.records("bob")), (Some(0), Some(0)));
}

#[test]
fn a_call_that_nobody_presents_leaves_nothing_behind() {
    let (mut world, _, _, _) = World::pair_in_a_call();
    world.restart();
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    world.pass(10 * RING_TIMEOUT);
    assert_eq!((world.received(alice), world.received(bob)), (vec![], vec![]));
    assert_eq!((world.records("alice"), world.records("bob")), (Some(0), Some(0)));
}

#[test]
fn hanging_up_after_a_restart_notifies_the_other_end_now_or_on_its_return() {
    for other_is_back in [true, false] {
        let (mut world, _, _, call) = World::pair_in_a_call();
        world.restart();
        let alice = world.register("alice");
        let early_bob = other_is_back.then(|| world.register("bob"));
        world.send(alice, &end(&call));
        let received = match early_bob {
            Some(bob) => world.received(bob),
            None => world.come_back("bob").1,
        };
        assert_eq!(received, [ended(&call)], "other end is back: {other_is_back}");
    }
}

#[test]
fn a_callee_that_forgot_its_answer_does_not_confuse_a_caller_that_remembers() {
    let (mut world, _, _, call) = World::pair_in_a_call();
    world.restart();
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    world.send(alice, &candidate(&call, "one"));
    world.send(bob, &accept(&call, "another-answer"));
    assert_eq!(world.received(alice), SILENCE, "one answer is enough");
    assert_eq!(world.received(bob), [candidate(&call, "one")]);
    world.assert_talks(&call, alice, bob);
}

#[test]
fn an_answer_is_given_once_after_a_restart_too() {
    let (mut world, alice, bob) = World::pair();
    let call = world.ring(alice, bob);
    world.restart();
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    world.send(bob, &accept(&call, "answer"));
    world.send(bob, &accept(&call, "another-answer"));
    assert_error(&world.received(bob), "INVALID_STATE");
    assert_eq!(world.received(alice), [accepted(&call, "answer")]);
}

#[test]
fn a_second_restart_is_as_harmless_as_the_first() {
    let (mut world, _, _, call) = World::pair_in_a_call();
    for _ in 0..3 {
        world.restart();
        let (alice, bob) = (world.register("alice"), world.register("bob"));
        world.send(alice, &candidate(&call, "one"));
        world.send(bob, &candidate(&call, "two"));
        world.received(alice);
        world.received(bob);
        world.assert_talks(&call, alice, bob);
    }
}

#[test]
fn an_expected_client_cannot_be_rung() {
    let (mut world, _, _, call) = World::pair_in_a_call();
    world.restart();
    let (alice, carol) = (world.register("alice"), world.register("carol"));
    world.send(alice, &candidate(&call, "one"));
    assert_eq!(world.records("bob"), Some(1), "it is expected");
    world.send(carol, &initiate("bob", "offer"));
    assert_error(&world.received(carol), "TARGET_NOT_FOUND");
}

#[test]
fn with_another_key_no_call_survives() {
    let (mut world, _, _, call) = World::pair_in_a_call();
    world.restart_with_another_key();
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    world.send(alice, &candidate(&call, "one"));
    assert_error(&world.received(alice), "CALL_NOT_FOUND");
    assert_eq!(world.received(bob), SILENCE);
}

/// Ends more calls between two clients than a session may have, then restarts.
fn world_with_ended_calls() -> (World, Vec<String>) {
    let (mut world, alice, bob) = World::pair();
    let calls = (0..3 * CALLS_MAX).map(|_| {
        let call = world.call(alice, bob);
        world.send(alice, &end(&call));
        world.received(bob);
        call
    });
    let calls = calls.collect();
    world.restart();
    (world, calls)
}

#[test]
fn ended_calls_that_are_replayed_after_a_restart_do_not_make_the_other_end_busy() {
    let (mut world, calls) = world_with_ended_calls();
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    for call in &calls {
        world.send(alice, &candidate(call, "replayed"));
    }
    assert!(world.records("bob").unwrap() <= CALLS_MAX);
    let carol = world.register("carol");
    world.call(carol, bob);
    world.pass(RING_TIMEOUT);
    assert_eq!((world.records("alice"), world.records("bob")), (Some(0), Some(1)));
}

#[test]
fn ended_calls_that_are_replayed_after_a_restart_do_not_keep_a_real_one_from_coming_back() {
    let (mut world, alice, bob) = World::pair();
    let ended_call = world.call(alice, bob);
    world.send(alice, &end(&ended_call));
    world.received(bob);
    let carol = world.register("carol");
    let real = world.call(carol, bob);
    world.restart();
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|client| world.register(client));
    world.send(alice, &candidate(&ended_call, "replayed"));
    world.send(carol, &candidate(&real, "one"));
    world.send(bob, &candidate(&real, "two"));
    assert_eq!(world.received(bob), [candidate(&real, "one")]);
    assert_eq!(world.received(carol), [candidate(&real, "two")]);
    world.pass(RING_TIMEOUT);
    assert_eq!(world.received(bob), [ended(&ended_call)]);
    assert_eq!(world.received(carol), SILENCE);
    world.assert_talks(&real, bob, carol);
}

#[test]
fn a_caller_that_accepts_its_old_calls_does_not_take_them_up() {
    let (mut world, calls) = world_with_ended_calls();
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    for call in &calls {
        for request in [accept(call, "answer"), reject(call)] {
            world.send(alice, &request);
            assert_error(&world.received(alice), "INVALID_STATE");
        }
    }
    assert_eq!(world.records("alice"), Some(0), "no mail went out that could end them");
    world.call(alice, bob);
}

#[test]
fn an_answer_that_is_under_way_when_its_caller_is_given_up_revives_nothing() {
    let (mut world, alice, bob) = World::pair();
    let call = world.ring(alice, bob);
    world.restart();
    let bob = world.register("bob");
    world.send(bob, &candidate(&call, "early"));
    world.hold_post();
    world.pass(GRACE - MOMENT);
    world.send(bob, &accept(&call, "late"));
    world.pass(MOMENT);
    world.deliver_from(alice);
    assert_eq!(world.received(bob), [ended(&call)]);
    let alice = world.register("alice");
    world.deliver_post();
    assert_eq!(world.received(alice), SILENCE);
    assert_eq!((world.records("alice"), world.records("bob")), (Some(0), Some(0)));
}

#[test]
fn a_candidate_that_is_under_way_while_its_receiver_leaves_and_returns_revives_nothing() {
    let (mut world, _, _, call) = World::pair_in_a_call();
    world.restart();
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    world.send(alice, &candidate(&call, "one"));
    world.send(bob, &candidate(&call, "two"));
    world.received(bob);
    world.hold_post();
    world.send(bob, &candidate(&call, "late"));
    world.send(alice, &end(&call));
    world.deliver_from(alice);
    world.leave(alice);
    world.register("alice");
    world.deliver_post();
    assert_eq!(world.received(bob), [ended(&call)]);
    assert_eq!((world.records("alice"), world.records("bob")), (Some(0), Some(0)));
}

#[test]
fn what_is_remembered_of_old_calls_is_forgotten_when_the_client_stays_away() {
    let (mut world, _, _, call) = World::pair_in_a_call();
    world.restart();
    let alice = world.register("alice");
    world.send(alice, &end(&call));
    world.leave(alice);
    world.pass(2 * GRACE);
    assert!(world.is_empty());
}

#[test]
fn an_end_that_is_lost_ends_the_call_for_an_end_that_comes_back_meanwhile() {
    let (mut world, _, _, call) = World::pair_in_a_call();
    world.restart();
    let bob = world.register("bob");
    world.send(bob, &candidate(&call, "one"));
    world.pass(GRACE - MOMENT);
    world.hold_post();
    world.send(bob, &candidate(&call, "two"));
    world.pass(MOMENT);
    world.deliver_post();
    assert_eq!(world.received(bob), [ended(&call)]);
    let (alice, received) = world.come_back("alice");
    world.send(alice, &candidate(&call, "back"));
    assert_error(&world.received(alice), "CALL_NOT_FOUND");
    assert_eq!(received, SILENCE);
    assert_eq!((world.records("alice"), world.records("bob")), (Some(0), Some(0)));
}

#[test]
fn an_answer_that_is_too_late_ends_the_call_for_a_caller_that_presents_it_meanwhile() {
    let (mut world, mut alice, mut bob) = World::pair_in_two();
    let call = world.ring_in_two(&mut alice, &mut bob);
    world.restart();
    world.pass(2 * RING_TIMEOUT);
    let bob = world.register("bob");
    world.hold_post();
    world.send(bob, &accept(&call, "too-late"));
    world.deliver_but_report_later();
    let presented = crate::wire::presented(&[(&call, false)]);
    let (mut alice, _, received) = world.come_back_in_two("alice", &presented);
    assert_eq!(received, SILENCE);
    world.deliver_post();
    assert_eq!(world.receives(&mut alice), [crate::wire::ended_as(&call, "unreachable")]);
    assert_eq!(world.received(bob), [ended(&call)]);
    assert_eq!((world.records("alice"), world.records("bob")), (Some(0), Some(0)));
}

#[test]
fn an_answer_without_room_takes_nothing_along_to_whoever_has_the_id() {
    let (mut world, mut alice, mut bob) = World::pair_in_two();
    let call = world.ring_in_two(&mut alice, &mut bob);
    world.restart();
    let somebody = world.register_in_two("alice");
    world.lose(somebody.device);
    let bob = world.register("bob");
    world.send(bob, &candidate(&call, "for-alice-alone"));
    world.send(bob, &accept(&call, &"x".repeat(WAITING_BYTES_MAX)));
    assert_eq!(world.received(bob), [ended(&call)]);
    let (_, resumed, received) = world.resume(&somebody);
    // Its end, and nothing else.
    let over = crate::wire::ended_as(&call, "unreachable");
    assert_eq!((resumed, received), (true, vec![over]));
}
