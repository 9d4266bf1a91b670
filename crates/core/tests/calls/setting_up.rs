//! A call begins, is answered and ends.

use std::time::Duration;

use securecall_core::{NameKey, Turn, TurnRest};
use zeroize::Zeroizing;

use crate::wire::{
    accept, accepted, assert_error, candidate, end, ended, field, incoming, initiate, reject,
    rejected, with_id,
};
use crate::world::{SILENCE, World};

#[test]
fn a_call_is_set_up_talked_over_and_hung_up() {
    let (mut world, alice, bob) = World::pair();
    let call = world.ring(alice, bob);
    world.send(bob, &accept(&call, "answer"));
    assert_eq!(world.received(alice), [accepted(&call, "answer")]);
    world.assert_talks(&call, alice, bob);
    world.send(alice, &end(&call));
    assert_eq!(world.received(bob), [ended(&call)]);
    assert_eq!(world.received(alice), SILENCE, "the client that ends a call is not sent its end");
    assert_eq!((world.records("alice"), world.records("bob")), (Some(0), Some(0)));
}

#[test]
fn the_callee_may_hang_up_too() {
    let (mut world, alice, bob, call) = World::pair_in_a_call();
    world.send(bob, &end(&call));
    assert_eq!(world.received(alice), [ended(&call)]);
    assert_eq!(world.received(bob), SILENCE);
}

#[test]
fn what_clients_seal_arrives_byte_for_byte() {
    let (mut world, alice, bob) = World::pair();
    let odd = r"\u0041\/\n\ud83d\ude00 \u0000 é 🦀 \\\";
    let odd = odd.strip_suffix('\\').unwrap();
    world.send(alice, &initiate("bob", odd));
    let received = world.received(bob);
    let call = field(&received[0], "callId");
    assert_eq!(received, [incoming(&call, "alice", odd)]);
    world.send(bob, &accept(&call, odd));
    assert_eq!(world.received(alice), [accepted(&call, odd)]);
    world.send(alice, &candidate(&call, odd));
    assert_eq!(world.received(bob), [candidate(&call, odd)]);
}

#[test]
fn fields_that_nobody_knows_are_not_forwarded() {
    let (mut world, alice, bob) = World::pair();
    let request = initiate("bob", "offer").replace(r#""sdpOffer""#, r#""video":true,"sdpOffer""#);
    world.send(alice, &request);
    let received = world.received(bob);
    let call = field(&received[0], "callId");
    assert_eq!(received, [incoming(&call, "alice", "offer")]);
}

#[test]
fn early_candidates_of_the_callee_arrive_after_call_accepted_in_order() {
    let (mut world, alice, bob) = World::pair();
    let call = world.ring(alice, bob);
    for early in ["one", "two", "three"] {
        world.send(bob, &candidate(&call, early));
    }
    assert_eq!(world.received(alice), SILENCE, "a caller of dialect 1 cannot place them yet");
    world.send(bob, &accept(&call, "answer"));
    world.send(bob, &candidate(&call, "four"));
    let candidates = ["one", "two", "three", "four"].map(|early| candidate(&call, early));
    let [one, two, three, four] = candidates;
    assert_eq!(world.received(alice), [accepted(&call, "answer"), one, two, three, four]);
}

#[test]
fn a_rejected_call_is_over_for_both() {
    let (mut world, alice, bob) = World::pair();
    let call = world.ring(alice, bob);
    world.send(bob, &reject(&call));
    assert_eq!(world.received(alice), [rejected(&call)]);
    assert_eq!(world.received(bob), SILENCE);
    assert_eq!((world.records("alice"), world.records("bob")), (Some(0), Some(0)));
}

#[test]
fn a_callee_that_ends_a_ringing_call_stops_it_as_well() {
    let (mut world, alice, bob) = World::pair();
    let call = world.ring(alice, bob);
    world.send(bob, &end(&call));
    assert_eq!(world.received(alice), [ended(&call)]);
}

#[test]
fn a_second_accept_is_refused_and_the_caller_gets_one_answer() {
    let (mut world, alice, bob, call) = World::pair_in_a_call();
    world.send(bob, &accept(&call, "another-answer"));
    assert_error(&world.received(bob), "INVALID_STATE");
    assert_eq!(world.received(alice), SILENCE);
    world.assert_talks(&call, alice, bob);
}

#[test]
fn a_caller_cannot_accept_or_reject_its_own_call() {
    let (mut world, alice, bob, call) = World::pair_in_a_call();
    for request in [accept(&call, "answer"), reject(&call)] {
        world.send(alice, &request);
        assert_error(&world.received(alice), "INVALID_STATE");
        assert_eq!(world.received(bob), SILENCE);
    }
    world.assert_talks(&call, alice, bob);
}

#[test]
fn a_caller_that_learned_the_id_elsewhere_cannot_answer_for_the_callee() {
    let (mut world, alice, bob) = World::pair();
    let call = world.ring(alice, bob);
    world.send(alice, &accept(&call, "answer"));
    assert_error(&world.received(alice), "INVALID_STATE");
    world.send(bob, &accept(&call, "answer"));
    assert_eq!(world.received(alice), [accepted(&call, "answer")]);
}

#[test]
fn an_answered_call_cannot_be_rejected() {
    let (mut world, alice, bob, call) = World::pair_in_a_call();
    world.send(bob, &reject(&call));
    assert_error(&world.received(bob), "INVALID_STATE");
    world.assert_talks(&call, alice, bob);
}

#[test]
fn a_target_that_is_not_there_is_not_found() {
    let mut world = World::new();
    let alice = world.register("alice");
    world.send(alice, &initiate("nobody", "offer"));
    assert_error(&world.received(alice), "TARGET_NOT_FOUND");
    assert_eq!(world.records("alice"), Some(0));
    assert_eq!(world.records("nobody"), None);
}

#[test]
fn a_target_that_is_away_is_not_found_either() {
    let (mut world, alice, bob, call) = World::pair_in_a_call();
    world.lose(bob);
    world.send(alice, &initiate("bob", "offer"));
    assert_error(&world.received(alice), "TARGET_NOT_FOUND");
    let (bob, _) = world.come_back("bob");
    world.send(bob, &end(&call));
    assert_eq!(world.received(alice), [ended(&call)], "the running call was not touched");
}

#[test]
fn a_client_cannot_call_itself() {
    let mut world = World::new();
    let alice = world.register("alice");
    world.send(alice, &initiate("alice", "offer"));
    assert_error(&world.received(alice), "INVALID_MESSAGE");
    assert_eq!(world.records("alice"), Some(0));
}

#[test]
fn an_answer_to_a_request_names_the_request() {
    let (mut world, alice, bob) = World::pair();
    for request in [initiate("nobody", "offer"), initiate("alice", "offer"), end("made-up")] {
        world.send(alice, &with_id(&request, "r-1"));
        let [error] = &world.received(alice)[..] else { panic!("not one answer") };
        assert!(error.ends_with(r#","replyTo":"r-1"}"#), "{error}");
    }
    world.send(alice, &with_id(&initiate("bob", "offer"), "r-2"));
    let [incoming] = &world.received(bob)[..] else { panic!("not one message") };
    assert!(!incoming.contains("r-2"), "an id is between a client and its server");
}

#[test]
fn two_clients_that_call_each_other_both_ring() {
    let (mut world, alice, bob) = World::pair();
    let theirs = world.ring(bob, alice);
    let ours = world.ring(alice, bob);
    world.send(bob, &accept(&ours, "answer"));
    world.send(bob, &end(&theirs));
    assert_eq!(world.received(alice), [accepted(&ours, "answer"), ended(&theirs)]);
    world.assert_talks(&ours, alice, bob);
}

#[test]
fn calls_of_the_same_two_clients_do_not_mix() {
    let (mut world, alice, bob) = World::pair();
    let (one, two) = (world.call(alice, bob), world.call(alice, bob));
    assert_ne!(one, two);
    world.send(alice, &end(&one));
    assert_eq!(world.received(bob), [ended(&one)]);
    world.assert_talks(&two, alice, bob);
}

#[test]
fn relay_servers_are_provisioned_to_both_ends_while_the_call_is_set_up() {
    let hour = Duration::from_secs(3_600);
    let rest = TurnRest::new(&["turn:turn.example".into()], Zeroizing::new("secret".into()), hour);
    let turn = Turn::new(rest, NameKey::new(&[7; 32]));
    let mut world = World::with_turn(Some(turn));
    let (alice, bob) = (world.register("alice"), world.register("bob"));
    world.send(alice, &initiate("bob", "offer"));
    let received = world.received(bob);
    assert!(received[0].contains(r#""iceServers":[{"#), "INCOMING_CALL: {received:?}");
    let of_the_callee = field(&received[0], "username");
    world.send(bob, &accept(&field(&received[0], "callId"), "answer"));
    let received = world.received(alice);
    assert!(received[0].contains(r#""iceServers":[{"#), "CALL_ACCEPTED: {received:?}");
    assert_ne!(field(&received[0], "username"), of_the_callee, "each in its own name");
}
