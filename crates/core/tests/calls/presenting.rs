//! Dialect 2: calls that a client presents when it registers, after a restart or without a token.

use crate::wire::{
    accept, accepted, assert_error, candidate, end, ended, ended_as, incoming, initiate, presented,
    presented_with, signal,
};
use crate::world::{CALLS_MAX, GRACE, MOMENT, Phone, RING_TIMEOUT, SILENCE, World};

/// Both come back after a restart, with what they believe of the call.
fn restarted(world: &mut World, call: &str, alice: bool, bob: bool) -> (Phone, Phone) {
    world.restart();
    let (alice, resumed, received) = world.come_back_in_two("alice", &presented(&[(call, alice)]));
    assert_eq!((resumed, received), (false, vec![]));
    let (bob, resumed, received) = world.come_back_in_two("bob", &presented(&[(call, bob)]));
    assert_eq!((resumed, received), (false, vec![]));
    (alice, bob)
}

#[test]
fn a_call_that_rang_before_a_restart_is_answered_after_it() {
    let (mut world, mut alice, mut bob) = World::pair_in_two();
    let call = world.ring_in_two(&mut alice, &mut bob);
    let (mut alice, mut bob) = restarted(&mut world, &call, false, false);
    world.assert_talks_in_two(&call, &mut alice, &mut bob);
    world.send(bob.device, &accept(&call, "answer"));
    assert_eq!(world.receives(&mut alice), [accepted(&call, "answer")]);
    world.pass(10 * RING_TIMEOUT);
    world.assert_talks_in_two(&call, &mut alice, &mut bob);
}

#[test]
fn a_call_that_rang_before_a_restart_and_is_not_answered_ends_for_both() {
    let (mut world, mut alice, mut bob) = World::pair_in_two();
    let call = world.ring_in_two(&mut alice, &mut bob);
    let (mut alice, mut bob) = restarted(&mut world, &call, false, false);
    world.pass(RING_TIMEOUT);
    assert_eq!(world.receives(&mut alice), [ended_as(&call, "timeout")]);
    assert_eq!(world.receives(&mut bob), [ended_as(&call, "timeout")]);
}

#[test]
fn a_call_that_ran_before_a_restart_goes_on_and_never_times_out() {
    let (mut world, _, _, call) = World::pair_in_a_call_in_two();
    let (mut alice, mut bob) = restarted(&mut world, &call, true, true);
    world.pass(10 * RING_TIMEOUT);
    world.assert_talks_in_two(&call, &mut alice, &mut bob);
    world.send(alice.device, &signal(&call, "mute"));
    assert_eq!(world.receives(&mut bob), [signal(&call, "mute")]);
}

#[test]
fn an_answer_that_a_restart_swallowed_is_given_again() {
    let (mut world, mut alice, mut bob) = World::pair_in_two();
    let call = world.ring_in_two(&mut alice, &mut bob);
    world.hold_post();
    world.send(bob.device, &accept(&call, "answer"));
    let (mut alice, mut bob) = restarted(&mut world, &call, false, true);
    world.deliver_post();
    world.send(bob.device, &accept(&call, "answer"));
    assert_eq!(world.receives(&mut alice), [accepted(&call, "answer")]);
    world.assert_talks_in_two(&call, &mut alice, &mut bob);
    world.pass(10 * RING_TIMEOUT);
    world.assert_talks_in_two(&call, &mut alice, &mut bob);
}

#[test]
fn an_answer_that_is_given_again_and_had_arrived_is_not_sent_twice() {
    let (mut world, _, _, call) = World::pair_in_a_call_in_two();
    let (mut alice, mut bob) = restarted(&mut world, &call, true, true);
    world.send(bob.device, &accept(&call, "answer"));
    assert_eq!(world.receives(&mut alice), SILENCE);
    assert_eq!(world.receives(&mut bob), SILENCE);
    world.send(bob.device, &accept(&call, "answer"));
    assert_error(&world.receives(&mut bob), "INVALID_STATE");
}

#[test]
fn an_answer_that_a_restart_swallowed_and_is_not_given_again_ends_the_call() {
    let (mut world, mut alice, mut bob) = World::pair_in_two();
    let call = world.ring_in_two(&mut alice, &mut bob);
    let (mut alice, mut bob) = restarted(&mut world, &call, false, true);
    world.pass(RING_TIMEOUT);
    assert_eq!(world.receives(&mut alice), [ended_as(&call, "timeout")]);
    assert_eq!(world.receives(&mut bob), [ended_as(&call, "timeout")]);
}

#[test]
fn an_end_that_does_not_come_back_after_a_restart_is_unreachable() {
    let (mut world, _, _, call) = World::pair_in_a_call_in_two();
    world.restart();
    let (mut alice, _, _) = world.come_back_in_two("alice", &presented(&[(&call, true)]));
    world.pass(GRACE - MOMENT);
    assert_eq!(world.receives(&mut alice), SILENCE);
    world.pass(MOMENT);
    assert_eq!(world.receives(&mut alice), [ended_as(&call, "unreachable")]);
    let (_, _, received) = world.come_back_in_two("bob", &presented(&[(&call, true)]));
    assert_eq!(received, [ended_as(&call, "unreachable")], "and so is it for the other");
}

#[test]
fn an_end_that_comes_back_without_the_call_is_superseded() {
    let (mut world, _, _, call) = World::pair_in_a_call_in_two();
    world.restart();
    let mut alice = world.come_back_in_two("alice", &presented(&[(&call, true)])).0;
    let mut stranger = world.register_in_two("bob");
    world.pass(RING_TIMEOUT);
    assert_eq!(world.receives(&mut alice), [ended_as(&call, "superseded")]);
    assert_eq!(world.receives(&mut stranger), [ended_as(&call, "superseded")]);
}

#[test]
fn a_client_of_dialect_1_shows_a_presented_call_with_any_message_of_it() {
    let (mut world, _, _, call) = World::pair_in_a_call_in_two();
    world.restart();
    let mut alice = world.come_back_in_two("alice", &presented(&[(&call, true)])).0;
    let bob = world.register("bob");
    world.send(bob, &candidate(&call, "back"));
    assert_eq!(world.receives(&mut alice), [candidate(&call, "back")]);
    world.pass(10 * RING_TIMEOUT);
    world.send(alice.device, &end(&call));
    assert_eq!(world.received(bob), [ended(&call)]);
}

#[test]
fn a_client_that_presents_calls_that_are_over_is_sent_their_ends() {
    let (mut world, alice, mut bob, call) = World::pair_in_a_call_in_two();
    world.leave(bob.device);
    world.send(alice.device, &end(&call));
    let (again, _, received) = world.come_back_in_two("bob", "");
    assert_eq!(received, [ended_as(&call, "hangup")], "it waited");
    bob = again;
    world.lose(bob.device);
    let (_, _, received) =
        world.come_back_in_two("bob", &presented(&[(&call, true), (&call, true)]));
    assert_eq!(received, [ended_as(&call, "unreachable")], "once");
}

#[test]
fn an_end_that_was_missed_is_sent_once_to_a_client_that_presents_the_call() {
    let (mut world, alice, bob, call) = World::pair_in_a_call_in_two();
    world.leave(bob.device);
    world.send(alice.device, &end(&call));
    let (_, _, received) = world.come_back_in_two("bob", &presented(&[(&call, true)]));
    assert_eq!(received, [ended_as(&call, "hangup")]);
}

#[test]
fn calls_of_another_key_are_over_and_what_is_no_call_id_is_not_repeated() {
    let (mut world, _, _, call) = World::pair_in_a_call_in_two();
    world.restart_with_another_key();
    let odd = format!("{call}\\u0022,");
    let (_, _, received) =
        world.come_back_in_two("alice", &presented(&[(&call, true), (&odd, true), ("", true)]));
    assert_eq!(received, [ended_as(&call, "unreachable")]);
}

#[test]
fn an_outsider_that_presents_a_call_learns_nothing_and_changes_nothing() {
    let (mut world, mut alice, mut bob, call) = World::pair_in_a_call_in_two();
    let (_, _, received) = world.come_back_in_two("mallory", &presented(&[(&call, true)]));
    assert_eq!(received, [ended_as(&call, "unreachable")]);
    world.assert_talks_in_two(&call, &mut alice, &mut bob);
}

#[test]
fn more_calls_than_a_session_may_have_end_for_both() {
    let mut world = World::new();
    let mut bob = world.register_in_two("bob");
    let callers = ["carol", "dave", "erin", "frank"];
    let calls: Vec<String> = callers[..CALLS_MAX]
        .iter()
        .map(|caller| {
            let mut caller = world.register_in_two(caller);
            world.call_in_two(&mut caller, &mut bob)
        })
        .collect();
    world.restart();
    let mut frank = world.register_in_two("frank");
    bob = world.register_in_two("bob");
    let more = world.call_in_two(&mut frank, &mut bob);
    let all: Vec<(&str, bool)> = calls.iter().map(|call| (&**call, true)).collect();
    let mut carol = world.come_back_in_two("carol", &presented(&all[..1])).0;
    let (_, _, received) = world.come_back_in_two("bob", &presented(&all));
    assert_eq!(received, [ended_as(&calls[CALLS_MAX - 1], "unreachable")], "and not {more}");
    assert_eq!(world.receives(&mut carol), SILENCE);
}

#[test]
fn a_ringing_call_that_is_known_rings_again_and_can_be_presented_beside() {
    let (mut world, mut alice, mut bob) = World::pair_in_two();
    let call = world.ring_in_two(&mut alice, &mut bob);
    let (bob, _, received) = world.come_back_in_two("bob", &presented(&[(&call, false)]));
    assert_eq!(received, [incoming(&call, "alice", "offer")]);
    world.send(bob.device, &accept(&call, "answer"));
    assert_eq!(world.receives(&mut alice), [accepted(&call, "answer")]);
}

#[test]
fn a_ring_deadline_survives_another_registration() {
    let (mut world, mut alice, mut bob) = World::pair_in_two();
    let call = world.ring_in_two(&mut alice, &mut bob);
    let (_, mut bob) = restarted(&mut world, &call, false, false);
    let alice = world.register("alice");
    world.pass(RING_TIMEOUT);
    assert_eq!(world.received(alice), [ended(&call)]);
    assert_eq!(world.receives(&mut bob), [ended_as(&call, "timeout")]);
}

#[test]
fn a_running_call_that_a_client_of_dialect_2_does_not_present_is_given_up() {
    let (mut world, mut alice, _, call) = World::pair_in_a_call_in_two();
    let mut bob = world.register_in_two("bob");
    world.pass(RING_TIMEOUT - MOMENT);
    assert_eq!((world.receives(&mut alice), world.receives(&mut bob)), (vec![], vec![]));
    world.pass(MOMENT);
    assert_eq!(world.receives(&mut alice), [ended_as(&call, "superseded")]);
    assert_eq!(world.receives(&mut bob), [ended_as(&call, "superseded")]);
    assert_eq!((world.records("alice"), world.records("bob")), (Some(0), Some(0)));
}

#[test]
fn registering_again_does_not_put_that_off_and_presenting_the_call_does() {
    for presents in [false, true] {
        let (mut world, mut alice, bob, call) = World::pair_in_a_call_in_two();
        world.register_in_two("bob");
        world.pass(RING_TIMEOUT - MOMENT);
        let calls: &[(&str, bool)] = if presents { &[(&call, true)] } else { &[] };
        let mut bob = world.come_back_in_two("bob", &presented_with(&bob.token, calls)).0;
        world.pass(MOMENT);
        if presents {
            world.assert_talks_in_two(&call, &mut alice, &mut bob);
        } else {
            assert_eq!(world.receives(&mut alice), [ended_as(&call, "superseded")]);
        }
    }
}

#[test]
fn a_client_of_dialect_1_may_present_a_running_call_at_any_time() {
    let mut world = World::new();
    let (mut alice, bob) = (world.register_in_two("alice"), world.register("bob"));
    let call = world.ring_one_from_two(&mut alice, bob);
    world.send(bob, &accept(&call, "answer"));
    world.receives(&mut alice);
    let bob = world.register("bob");
    world.pass(10 * RING_TIMEOUT);
    world.send(bob, &candidate(&call, "back"));
    assert_eq!(world.receives(&mut alice), [candidate(&call, "back")]);
}

#[test]
fn calls_that_their_client_has_not_presented_yet_count_against_the_bound() {
    let mut world = World::new();
    let (mut bob, mut carol) = (world.register_in_two("bob"), world.register_in_two("carol"));
    for _ in 0..CALLS_MAX {
        world.call_in_two(&mut carol, &mut bob);
    }
    for _ in 0..5 {
        let mut bob = world.register_in_two("bob");
        world.send(bob.device, &initiate("carol", "offer"));
        assert_error(&world.receives(&mut bob), "RATE_LIMITED");
    }
    assert_eq!(world.records("bob"), Some(CALLS_MAX));
}

/// Two ends, two timers: both give the same reason, whichever fires first.
#[test]
fn a_call_that_one_end_presents_as_unanswered_times_out_for_both() {
    for first in ["alice", "bob"] {
        let (mut world, mut alice, mut bob) = World::pair_in_two();
        let call = world.ring_in_two(&mut alice, &mut bob);
        world.restart();
        let bob = world.register_in_two("bob");
        let alice = world.come_back_in_two("alice", &presented(&[(&call, false)])).0;
        let mut phones = [("alice", alice), ("bob", bob)];
        world.hold_post();
        world.pass_unattended(RING_TIMEOUT);
        world.fire_in_order([first, if first == "alice" { "bob" } else { "alice" }]);
        world.deliver_post();
        for (client, phone) in &mut phones {
            assert_eq!(world.receives(phone), [ended_as(&call, "timeout")], "{client}");
        }
    }
}
