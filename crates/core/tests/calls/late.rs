//! Late messages: an ended call stays ended, and is ended once.

use crate::wire::{accept, assert_error, candidate, end, ended, reject};
use crate::world::{GRACE, MOMENT, SILENCE, World};

#[test]
fn a_late_message_about_an_ended_call_is_about_no_call() {
    let (mut world, alice, bob, call) = World::pair_in_a_call();
    world.send(alice, &end(&call));
    assert_eq!(world.received(bob), [ended(&call)]);
    for client in [alice, bob] {
        for request in [accept(&call, "a"), reject(&call), end(&call), candidate(&call, "c")] {
            world.send(client, &request);
            assert_error(&world.received(client), "CALL_NOT_FOUND");
        }
    }
    assert_eq!((world.received(alice), world.received(bob)), (vec![], vec![]));
}

#[test]
fn two_ends_that_hang_up_at_the_same_time_are_sent_nothing() {
    let (mut world, alice, bob, call) = World::pair_in_a_call();
    world.hold_post();
    world.send(alice, &end(&call));
    world.send(bob, &end(&call));
    world.deliver_post();
    assert_eq!((world.received(alice), world.received(bob)), (vec![], vec![]));
}

#[test]
fn the_sender_of_a_candidate_that_crosses_the_end_is_notified_once() {
    for candidate_first in [false, true] {
        let (mut world, alice, bob, call) = World::pair_in_a_call();
        world.hold_post();
        world.send(alice, &end(&call));
        world.send(bob, &candidate(&call, "late"));
        if candidate_first {
            world.deliver_from(bob);
        }
        world.deliver_post();
        assert_eq!(world.received(bob), [ended(&call)], "candidate first: {candidate_first}");
        assert_eq!(world.received(alice), SILENCE);
    }
}

#[test]
fn a_late_candidate_of_the_last_call_does_not_touch_the_next_one() {
    let (mut world, alice, bob, last) = World::pair_in_a_call();
    world.send(alice, &end(&last));
    world.received(bob);
    let next = world.call(alice, bob);
    world.send(bob, &candidate(&last, "late"));
    assert_error(&world.received(bob), "CALL_NOT_FOUND");
    world.assert_talks(&next, alice, bob);
}

#[test]
fn a_late_candidate_revives_nothing_after_its_sender_has_registered_again() {
    let (mut world, alice, bob, call) = World::pair_in_a_call();
    world.send(alice, &end(&call));
    world.received(bob);
    world.leave(alice);
    world.pass(MOMENT);
    let alice = world.register("alice");
    world.send(alice, &candidate(&call, "late"));
    assert_error(&world.received(alice), "CALL_NOT_FOUND");
    assert_eq!(world.received(bob), SILENCE);
    assert_eq!((world.records("alice"), world.records("bob")), (Some(0), Some(0)));
}

#[test]
fn a_call_that_was_given_up_as_unreachable_stays_ended_when_the_lost_end_returns() {
    let (mut world, alice, bob, call) = World::pair_in_a_call();
    world.lose(bob);
    world.pass(GRACE);
    assert_eq!(world.received(alice), [ended(&call)]);
    let bob = world.register("bob");
    world.send(bob, &candidate(&call, "late"));
    assert_error(&world.received(bob), "CALL_NOT_FOUND");
    assert_eq!((world.records("alice"), world.records("bob")), (Some(0), Some(0)));
}

#[test]
fn a_late_candidate_revives_nothing_after_both_ends_have_registered_again() {
    let (mut world, alice, bob, call) = World::pair_in_a_call();
    world.send(alice, &end(&call));
    world.received(bob);
    world.leave(alice);
    world.leave(bob);
    assert!(world.is_empty());
    world.pass(MOMENT);
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    for client in [alice, bob] {
        world.send(client, &candidate(&call, "late"));
        assert_error(&world.received(client), "CALL_NOT_FOUND");
        assert_eq!((world.records("alice"), world.records("bob")), (Some(0), Some(0)));
    }
}

#[test]
fn a_late_candidate_that_is_under_way_while_its_receiver_registers_again_revives_nothing() {
    let (mut world, alice, bob, call) = World::pair_in_a_call();
    world.hold_post();
    world.send(bob, &candidate(&call, "late"));
    world.send(alice, &end(&call));
    world.deliver_from(alice);
    world.leave(alice);
    world.pass(MOMENT);
    world.register("alice");
    world.deliver_post();
    assert_eq!(world.received(bob), [ended(&call)]);
    assert_eq!((world.records("alice"), world.records("bob")), (Some(0), Some(0)));
}

#[test]
fn an_answer_that_is_under_way_while_its_caller_leaves_and_returns_revives_nothing() {
    let (mut world, alice, bob) = World::pair();
    let call = world.ring(alice, bob);
    world.hold_post();
    world.send(bob, &accept(&call, "late"));
    world.leave(alice);
    world.deliver_from(alice);
    world.pass(MOMENT);
    let alice = world.register("alice");
    world.deliver_post();
    assert_eq!(world.received(alice), SILENCE);
    assert_eq!(world.received(bob), [ended(&call)]);
    assert_eq!((world.records("alice"), world.records("bob")), (Some(0), Some(0)));
}

#[test]
fn the_end_of_a_call_is_sent_even_when_it_is_found_out_while_a_client_is_away() {
    let (mut world, alice, bob, call) = World::pair_in_a_call();
    world.hold_post();
    world.send(bob, &candidate(&call, "late"));
    world.lose(bob);
    world.send(alice, &end(&call));
    world.deliver_from(bob);
    world.deliver_post();
    let (_, received) = world.come_back("bob");
    assert_eq!(received, [ended(&call)]);
}

#[test]
fn a_call_that_ended_is_not_revived_where_the_wall_clock_was_set_back() {
    let (mut world, alice, bob) = World::pair();
    world.set_clock_back(10 * GRACE);
    let call = world.call(alice, bob);
    world.send(alice, &end(&call));
    world.received(bob);
    for client in [alice, bob] {
        world.send(client, &candidate(&call, "late"));
        assert_error(&world.received(client), "CALL_NOT_FOUND");
    }
    assert_eq!((world.records("alice"), world.records("bob")), (Some(0), Some(0)));
}
