//! Dialect 2: messages about the progress of a call, and the reason of its end.

use crate::wire::{
    accept, accepted, assert_error, candidate, end, ended_as, field, initiate, initiated, reject,
    reject_as, rejected_as, ringing, signal, with_id,
};
use crate::world::{CALLS_MAX, Device, GRACE, MOMENT, RING_TIMEOUT, SILENCE, World};

#[test]
fn a_caller_is_sent_the_call_id_at_once_and_then_that_the_callee_alerts() {
    let (mut world, mut alice, mut bob) = World::pair_in_two();
    world.send(alice.device, &with_id(&initiate("bob", "offer"), "r-1"));
    let received = world.received(alice.device);
    assert!(received[0].ends_with(r#","seq":1,"replyTo":"r-1"}"#), "{received:?}");
    alice.seq = 1;
    let call = field(&received[0], "callId");
    world.receives(&mut bob);
    world.send(bob.device, &ringing(&call));
    assert_eq!(world.receives(&mut alice), [ringing(&call)]);
    world.send(bob.device, &accept(&call, "answer"));
    assert_eq!(world.receives(&mut alice), [accepted(&call, "answer")]);
    world.assert_talks_in_two(&call, &mut alice, &mut bob);
}

#[test]
fn early_candidates_go_through_at_once_in_both_directions() {
    let (mut world, mut alice, mut bob) = World::pair_in_two();
    let call = world.ring_in_two(&mut alice, &mut bob);
    world.assert_talks_in_two(&call, &mut alice, &mut bob);
}

#[test]
fn a_caller_that_hangs_up_before_the_answer_has_cancelled() {
    let (mut world, mut alice, mut bob) = World::pair_in_two();
    let call = world.ring_in_two(&mut alice, &mut bob);
    world.send(alice.device, &end(&call));
    assert_eq!(world.receives(&mut bob), [ended_as(&call, "cancelled")]);
    assert_eq!(world.receives(&mut alice), SILENCE);
    world.send(bob.device, &accept(&call, "too-late"));
    assert_error(&world.receives(&mut bob), "CALL_NOT_FOUND");
}

#[test]
fn a_cancel_that_crosses_the_answer_ends_the_call_once_for_both() {
    for cancel_first in [true, false] {
        let (mut world, mut alice, mut bob) = World::pair_in_two();
        let call = world.ring_in_two(&mut alice, &mut bob);
        world.hold_post();
        world.send(alice.device, &end(&call));
        world.send(bob.device, &accept(&call, "answer"));
        world.deliver_from(if cancel_first { alice.device } else { bob.device });
        world.deliver_post();
        assert_eq!(world.receives(&mut alice), SILENCE);
        let received = world.receives(&mut bob);
        assert_eq!(received.len(), 1, "cancel first: {cancel_first}: {received:?}");
        assert_eq!(field(&received[0], "type"), "CALL_ENDED");
        assert_eq!((world.records("alice"), world.records("bob")), (Some(0), Some(0)));
    }
}

#[test]
fn a_hang_up_after_the_answer_is_one() {
    let (mut world, mut alice, mut bob, call) = World::pair_in_a_call_in_two();
    world.send(bob.device, &end(&call));
    assert_eq!(world.receives(&mut alice), [ended_as(&call, "hangup")]);
    assert_eq!(world.receives(&mut bob), SILENCE);
}

#[test]
fn a_callee_that_hangs_up_before_the_answer_has_hung_up() {
    let (mut world, mut alice, mut bob) = World::pair_in_two();
    let call = world.ring_in_two(&mut alice, &mut bob);
    world.send(bob.device, &end(&call));
    assert_eq!(world.receives(&mut alice), [ended_as(&call, "hangup")]);
}

#[test]
fn a_call_is_declined_or_its_callee_is_busy() {
    let (mut world, mut alice, mut bob) = World::pair_in_two();
    for reason in ["declined", "busy"] {
        let call = world.ring_in_two(&mut alice, &mut bob);
        world.send(bob.device, &reject_as(&call, reason));
        assert_eq!(world.receives(&mut alice), [rejected_as(&call, reason)]);
    }
    let call = world.ring_in_two(&mut alice, &mut bob);
    world.send(bob.device, &reject(&call));
    assert_eq!(world.receives(&mut alice), [rejected_as(&call, "declined")], "without a reason");
}

#[test]
fn a_callee_in_as_many_calls_as_it_may_be_is_busy() {
    let (mut world, alice, mut bob) = World::pair_in_two();
    let mut carol = world.register_in_two("carol");
    for _ in 0..CALLS_MAX {
        world.call_in_two(&mut carol, &mut bob);
    }
    world.send(alice.device, &with_id(&initiate("bob", "offer"), "r-1"));
    let received = world.received(alice.device);
    let call = field(&received[0], "callId");
    assert_eq!(field(&received[1], "type"), "CALL_REJECTED");
    assert_eq!(field(&received[1], "reason"), "busy");
    assert_eq!(field(&received[1], "callId"), call);
    assert!(received[1].ends_with(r#","replyTo":"r-1"}"#), "{received:?}");
    assert_eq!(world.receives(&mut bob), SILENCE);
}

#[test]
fn a_target_that_is_not_there_is_an_error_and_the_end_of_the_call_that_was_initiated() {
    let mut world = World::new();
    let mut alice = world.register_in_two("alice");
    world.send(alice.device, &initiate("bob", "offer"));
    let received = world.receives(&mut alice);
    let call = field(&received[0], "callId");
    assert_eq!(received[0], initiated(&call, "bob"));
    assert_error(&received[1..2], "TARGET_NOT_FOUND");
    assert_eq!(received[2..], [ended_as(&call, "unreachable")]);
}

#[test]
fn nobody_answers_and_both_are_notified() {
    let (mut world, mut alice, mut bob) = World::pair_in_two();
    let call = world.ring_in_two(&mut alice, &mut bob);
    world.pass(RING_TIMEOUT);
    assert_eq!(world.receives(&mut alice), [ended_as(&call, "timeout")]);
    assert_eq!(world.receives(&mut bob), [ended_as(&call, "timeout")]);
}

#[test]
fn an_end_that_does_not_come_back_is_unreachable() {
    let (mut world, mut alice, bob, call) = World::pair_in_a_call_in_two();
    world.lose(bob.device);
    world.pass(GRACE - MOMENT);
    assert_eq!(world.receives(&mut alice), SILENCE);
    world.pass(MOMENT);
    assert_eq!(world.receives(&mut alice), [ended_as(&call, "unreachable")]);
    assert_eq!(world.records("bob"), None, "nothing outlives the grace");
}

#[test]
fn a_caller_that_closes_normally_cancels_what_rings() {
    let (mut world, mut alice, mut bob) = World::pair_in_two();
    let call = world.ring_in_two(&mut alice, &mut bob);
    world.leave(alice.device);
    assert_eq!(world.receives(&mut bob), [ended_as(&call, "cancelled")]);
    assert_eq!(world.records("alice"), None);
}

#[test]
fn signals_pass_inside_an_answered_call_byte_for_byte() {
    let (mut world, mut alice, mut bob, call) = World::pair_in_a_call_in_two();
    let odd = signal(&call, r"\u0041\/ \ud83d\ude00 é");
    world.send(alice.device, &odd);
    assert_eq!(world.receives(&mut bob), std::slice::from_ref(&odd));
    world.send(bob.device, &odd);
    assert_eq!(world.receives(&mut alice), [odd]);
}

#[test]
fn signals_are_refused_before_the_answer() {
    let (mut world, mut alice, mut bob) = World::pair_in_two();
    let call = world.ring_in_two(&mut alice, &mut bob);
    for phone in [&mut alice, &mut bob] {
        world.send(phone.device, &signal(&call, "too-early"));
        assert_error(&world.receives(phone), "INVALID_STATE");
    }
    world.send(bob.device, &accept(&call, "answer"));
    assert_eq!(world.receives(&mut alice), [accepted(&call, "answer")]);
}

#[test]
fn only_the_callee_can_send_that_a_call_rings_and_only_before_the_answer() {
    let (mut world, mut alice, mut bob) = World::pair_in_two();
    let call = world.ring_in_two(&mut alice, &mut bob);
    world.send(alice.device, &ringing(&call));
    assert_error(&world.receives(&mut alice), "INVALID_STATE");
    world.send(bob.device, &accept(&call, "answer"));
    world.send(bob.device, &ringing(&call));
    assert_error(&world.receives(&mut bob), "INVALID_STATE");
    assert_eq!(world.receives(&mut alice), [accepted(&call, "answer")]);
}

#[test]
fn outsiders_have_no_use_for_the_messages_of_dialect_2() {
    let (mut world, mut alice, mut bob, call) = World::pair_in_a_call_in_two();
    let mut mallory = world.register_in_two("mallory");
    for request in [ringing(&call), signal(&call, "x"), candidate(&call, "x"), end(&call)] {
        world.send(mallory.device, &request);
        assert_error(&world.receives(&mut mallory), "CALL_NOT_FOUND");
    }
    world.assert_talks_in_two(&call, &mut alice, &mut bob);
}

#[test]
fn a_connection_that_is_superseded_takes_the_numbers_with_it() {
    let (mut world, _, mut bob, call) = World::pair_in_a_call_in_two();
    let mut alice: Device = world.register_in_two("alice").device;
    for _ in 0..3 {
        world.send(bob.device, &candidate(&call, "secret"));
        assert_eq!(world.received(alice), SILENCE, "a running call does not follow the id");
        alice = world.register_in_two("alice").device;
    }
    assert_eq!(world.receives(&mut bob), SILENCE);
}
