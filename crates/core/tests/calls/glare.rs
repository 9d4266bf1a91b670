//! Dialect 2: two clients call each other at once, and one call survives: the one with the lesser
//! id, whichever order the network chooses.

use crate::wire::{accept, accepted, ended, ended_as, field, initiate};
use crate::world::{Phone, SILENCE, World};

/// The orders of delivery, by the sender of the mail. Mail of one client stays in order.
const ORDERS: [&[usize]; 6] = [&[], &[0], &[1], &[0, 1], &[1, 0], &[0, 1, 0, 1]];

fn call_id(received: &[String]) -> String {
    let initiated = received.iter().find(|text| text.contains("CALL_INITIATED"));
    field(initiated.expect("an id"), "callId")
}

fn count(received: &[String], text: &str) -> usize {
    received.iter().filter(|received| *received == text).count()
}

#[test]
fn one_call_survives_and_the_other_ends_with_glare_in_every_order() {
    for first in [0, 1] {
        for order in ORDERS {
            assert_one_survives(first, order);
        }
    }
}

fn assert_one_survives(first: usize, order: &[usize]) {
    let (mut world, alice, bob) = World::pair_in_two();
    let mut phones = [alice, bob];
    world.hold_post();
    for caller in [first, 1 - first] {
        let target = ["bob", "alice"][caller];
        world.send(phones[caller].device, &initiate(target, "offer"));
    }
    for sender in order {
        world.deliver_from(phones[*sender].device);
    }
    world.deliver_post();
    let received = [0, 1].map(|phone| world.receives(&mut phones[phone]));
    let calls = [call_id(&received[0]), call_id(&received[1])];
    let winner = usize::from(calls[1] < calls[0]);
    let loser = 1 - winner;
    let glare = ended_as(&calls[loser], "glare");
    assert_eq!(
        count(&received[loser], &glare),
        1,
        "{order:?}: its caller is notified: {received:?}"
    );
    let rung = received[winner].iter().any(|text| text.contains("INCOMING_CALL"));
    assert_eq!(count(&received[winner], &glare), usize::from(rung), "{order:?}: {received:?}");
    assert_eq!((world.records("alice"), world.records("bob")), (Some(1), Some(1)), "{order:?}");
    assert_goes_on(&mut world, &mut phones, winner, &calls[winner]);
}

fn assert_goes_on(world: &mut World, phones: &mut [Phone; 2], caller: usize, call: &str) {
    world.send(phones[1 - caller].device, &accept(call, "answer"));
    assert_eq!(world.receives(&mut phones[caller]), [accepted(call, "answer")]);
    let [alice, bob] = phones;
    world.assert_talks_in_two(call, alice, bob);
}

#[test]
fn a_call_back_while_it_rings_is_glare_too() {
    // Ids are random: some runs are won by the first call, some by the second.
    let mut winners = [0, 0];
    for _ in 0..20 {
        let (mut world, mut alice, mut bob) = World::pair_in_two();
        for _ in 0..winners.iter().sum() {
            world.nonce();
        }
        let first = world.ring_in_two(&mut alice, &mut bob);
        world.send(bob.device, &initiate("alice", "offer"));
        let (heard_alice, heard_bob) = (world.receives(&mut alice), world.receives(&mut bob));
        let second = call_id(&heard_bob);
        let (winner, loser) = if first < second { (0, &second) } else { (1, &first) };
        winners[winner] += 1;
        let glare = ended_as(loser, "glare");
        assert_eq!(count(&heard_bob, &glare), 1, "{heard_bob:?}");
        assert_eq!(count(&heard_alice, &glare), winner, "the second never rang: {heard_alice:?}");
        let (caller, call) = if winner == 0 { (0, first) } else { (1, second) };
        assert_goes_on(&mut world, &mut [alice, bob], caller, &call);
    }
    assert!(winners.iter().all(|won| *won > 0), "{winners:?}");
}

#[test]
fn with_one_end_in_dialect_1_one_call_survives_as_well() {
    for first in [0, 1] {
        for order in ORDERS {
            let mut world = World::new();
            let (mut alice, bob) = (world.register_in_two("alice"), world.register("bob"));
            world.hold_post();
            for caller in [first, 1 - first] {
                let (device, target) = [(alice.device, "bob"), (bob, "alice")][caller];
                world.send(device, &initiate(target, "offer"));
            }
            for sender in order {
                world.deliver_from([alice.device, bob][*sender]);
            }
            world.deliver_post();
            let received = (world.receives(&mut alice), world.received(bob));
            assert_eq!((world.records("alice"), world.records("bob")), (Some(1), Some(1)));
            let ours = call_id(&received.0);
            let ours_lost = count(&received.0, &ended_as(&ours, "glare")) == 1;
            let ends = received.1.iter().filter(|text| text.contains("CALL_ENDED")).count();
            if ours_lost {
                assert_eq!(ends, count(&received.1, &ended(&ours)));
                let theirs = received.0.iter().find(|text| text.contains("INCOMING_CALL")).unwrap();
                world.send(alice.device, &accept(&field(theirs, "callId"), "answer"));
                let received = world.received(bob);
                assert_eq!(received, [accepted(&field(theirs, "callId"), "answer")]);
            } else {
                assert_eq!(ends, 1, "its own call is over: {:?}", received.1);
                world.send(bob, &accept(&ours, "answer"));
                assert_eq!(world.receives(&mut alice), [accepted(&ours, "answer")]);
            }
        }
    }
}

#[test]
fn a_call_to_somebody_else_is_no_glare() {
    let (mut world, mut alice, mut bob) = World::pair_in_two();
    let mut carol = world.register_in_two("carol");
    world.ring_in_two(&mut alice, &mut bob);
    world.ring_in_two(&mut bob, &mut carol);
    world.ring_in_two(&mut carol, &mut alice);
    for phone in [&mut alice, &mut bob, &mut carol] {
        assert_eq!(world.receives(phone), SILENCE);
    }
}

#[test]
fn a_second_call_the_other_way_beside_an_answered_one_is_no_glare() {
    let (mut world, mut alice, mut bob, _) = World::pair_in_a_call_in_two();
    world.ring_in_two(&mut bob, &mut alice);
    assert_eq!((world.records("alice"), world.records("bob")), (Some(2), Some(2)));
}

#[test]
fn an_offer_that_there_is_no_room_for_ends_no_call_the_other_way() {
    let (mut world, alice, mut bob) = World::pair_in_two();
    let mut carol = world.register_in_two("carol");
    world.ring_in_two(&mut carol, &mut bob);
    world.hold_post();
    world.send(bob.device, &initiate("alice", "offer"));
    let big = "x".repeat(crate::world::WAITING_BYTES_MAX / 2);
    world.send(alice.device, &initiate("bob", &big));
    world.deliver_from(alice.device);
    assert!(!world.receives(&mut bob).iter().any(|received| received.contains("glare")));
    world.deliver_post();
    assert_eq!(world.records("alice"), Some(1), "one call is left");
}
