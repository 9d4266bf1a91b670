//! An offer that its callee cannot take: the library closes the connection over it, and the client
//! comes back and is rung again.

use crate::wire::{accept, accepted, candidate, ended, ended_as, field, incoming, initiate};
use crate::world::{Device, MOMENT, RING_TIMEOUT, SILENCE, World};
use std::time::Duration;

const SETTLING: Duration = Duration::from_secs(5);
const LOSSES_MAX: usize = 3;

/// Rings until the callee is not rung any more, losing its line each time. Returns the number of
/// rings.
fn rings_until_given_up(
    world: &mut World,
    mut comes_back: impl FnMut(&mut World) -> (Device, Vec<String>),
    loses: fn(&mut World, Device),
) -> usize {
    let mut rings = 1;
    loop {
        let (device, received) = comes_back(world);
        if !received.iter().any(|text| text.contains("INCOMING_CALL")) {
            return rings;
        }
        rings += 1;
        assert!(rings < 10, "it rings for ever");
        loses(world, device);
    }
}

#[test]
fn an_offer_that_costs_connection_after_connection_is_given_up() {
    let losses: [fn(&mut World, Device); 3] =
        [World::lose, World::leave, |_, _| { /* the client is back before that is noticed */ }];
    for loses in losses {
        let mut world = World::new();
        let (mut alice, bob) = (world.register_in_two("alice"), world.register("bob"));
        let call = world.ring_one_from_two(&mut alice, bob);
        loses(&mut world, bob);
        let rings = rings_until_given_up(&mut world, |world| world.come_back("bob"), loses);
        assert_eq!(rings, LOSSES_MAX);
        assert_eq!(world.receives(&mut alice), [ended_as(&call, "unreachable")]);
        assert_eq!((world.records("alice"), world.records("bob")), (Some(0), Some(0)));
        let another = world.last("bob");
        world.ring_one_from_two(&mut alice, another);
    }
}

#[test]
fn a_caller_of_dialect_1_is_sent_the_end_of_the_call() {
    let (mut world, alice, bob) = World::pair();
    let call = world.ring(alice, bob);
    world.lose(bob);
    rings_until_given_up(&mut world, |world| world.come_back("bob"), World::lose);
    assert_eq!(world.received(alice), [ended(&call)]);
}

#[test]
fn a_client_of_dialect_2_that_resumes_is_not_sent_the_offer_for_ever_either() {
    let (mut world, mut alice, bob) = World::pair_in_two();
    world.send(alice.device, &initiate("bob", "offer"));
    let call = field(&world.receives(&mut alice)[0], "callId");
    world.lose(bob.device);
    let mut last_resumed = true;
    let rings = rings_until_given_up(
        &mut world,
        |world| {
            let (again, resumed, received) = world.resume(&bob);
            last_resumed = resumed;
            (again.device, received)
        },
        World::lose,
    );
    assert_eq!((rings, last_resumed), (LOSSES_MAX, false), "the stream had it, and is given up");
    assert_eq!(world.receives(&mut alice), [ended_as(&call, "unreachable")]);
}

#[test]
fn a_line_that_lives_for_a_while_or_sends_something_about_the_call_is_not_lost_to_the_offer() {
    let survives: [fn(&mut World, Device, &str); 2] = [
        |world, _, _| world.pass(SETTLING),
        |world, bob, call| world.send(bob, &candidate(call, "early")),
    ];
    for survive in survives {
        let (mut world, alice, mut bob) = World::pair();
        let call = world.ring(alice, bob);
        for _ in 0..2 * LOSSES_MAX {
            survive(&mut world, bob, &call);
            world.lose(bob);
            let (again, received) = world.come_back("bob");
            assert!(received.contains(&incoming(&call, "alice", "offer")), "{received:?}");
            bob = again;
        }
        world.send(bob, &accept(&call, "answer"));
        assert_eq!(world.received(alice)[0], accepted(&call, "answer"));
    }
}

#[test]
fn what_is_acknowledged_has_been_taken() {
    let (mut world, mut alice, mut bob) = World::pair_in_two();
    let call = world.ring_in_two(&mut alice, &mut bob);
    for _ in 0..2 * LOSSES_MAX {
        world.acknowledge(&bob);
        world.lose(bob.device);
        let (again, resumed, received) = world.resume(&bob);
        assert_eq!((resumed, received), (true, vec![]));
        bob = again;
    }
    world.send(bob.device, &accept(&call, "answer"));
    assert_eq!(world.receives(&mut alice), [accepted(&call, "answer")]);
}

#[test]
fn of_several_offers_the_longest_is_blamed() {
    let (mut world, alice, bob) = World::pair();
    let mut carol = world.register_in_two("carol");
    let small = world.ring(alice, bob);
    world.send(carol.device, &initiate("bob", &"x".repeat(500)));
    let fatal = field(&world.receives(&mut carol)[0], "callId");
    world.lose(bob);
    for _ in 1..LOSSES_MAX {
        let (again, received) = world.come_back("bob");
        assert_eq!(received.len(), 2, "{received:?}");
        world.lose(again);
    }
    assert_eq!(world.receives(&mut carol), [ended_as(&fatal, "unreachable")]);
    let (bob, received) = world.come_back("bob");
    assert_eq!(received, [ended(&fatal), incoming(&small, "alice", "offer")]);
    world.pass(RING_TIMEOUT - MOMENT);
    assert_eq!(world.received(alice), SILENCE);
    world.send(bob, &accept(&small, "answer"));
    assert_eq!(world.received(alice), [accepted(&small, "answer")]);
}
