//! The bounds of a session.

use securecall_core::UNANSWERED_PER_CALLER_MAX;

use crate::wire::{accept, assert_error, candidate, end, field, initiate, reject};
use crate::world::{CALLS_MAX, Device, RING_TIMEOUT, SILENCE, UNANSWERED_MAX, World};

const CALLERS: [&str; CALLS_MAX] = ["carol", "dave", "erin"];

/// A world in which bob is in as many calls as he may be.
fn world_with_a_busy_bob() -> (World, Device, Vec<(Device, String)>) {
    let mut world = World::new();
    let bob = world.register("bob");
    let calls = CALLERS.map(|caller| {
        let caller = world.register(caller);
        (caller, world.call(caller, bob))
    });
    (world, bob, calls.into())
}

#[test]
fn one_call_more_than_a_session_may_have_finds_it_busy() {
    let (mut world, bob, calls) = world_with_a_busy_bob();
    let alice = world.register("alice");
    world.send(alice, &initiate("bob", "offer"));
    let received = world.received(alice);
    assert_eq!(received.len(), 1);
    assert_eq!(field(&received[0], "type"), "CALL_REJECTED");
    assert_eq!(world.received(bob), SILENCE);
    let (carol, call) = &calls[0];
    world.send(*carol, &end(call));
    world.received(bob);
    world.ring(alice, bob);
}

#[test]
fn a_busy_target_answers_the_request_by_its_id() {
    let (mut world, _, _) = world_with_a_busy_bob();
    let alice = world.register("alice");
    world.send(alice, &crate::wire::with_id(&initiate("bob", "offer"), "r-1"));
    let received = world.received(alice);
    assert!(received[0].ends_with(r#","replyTo":"r-1"}"#), "{received:?}");
}

#[test]
fn a_client_in_as_many_calls_as_it_may_be_starts_no_other() {
    let (mut world, bob, _) = world_with_a_busy_bob();
    let alice = world.register("alice");
    world.send(bob, &initiate("alice", "offer"));
    assert_error(&world.received(bob), "RATE_LIMITED");
    assert_eq!(world.received(alice), SILENCE);
}

#[test]
fn own_ringing_calls_count_until_they_are_over() {
    let mut world = World::new();
    let alice = world.register("alice");
    for callee in CALLERS {
        let callee = world.register(callee);
        world.ring(alice, callee);
    }
    let bob = world.register("bob");
    world.send(alice, &initiate("bob", "offer"));
    assert_error(&world.received(alice), "RATE_LIMITED");
    world.pass(RING_TIMEOUT);
    world.received(alice);
    world.ring(alice, bob);
}

#[track_caller]
fn assert_busy(world: &mut World, caller: Device, callee: Device) {
    world.send(caller, &initiate(callee.id().as_str(), "offer"));
    let received = world.received(caller);
    assert_eq!(received.len(), 1, "{received:?}");
    assert_eq!(field(&received[0], "type"), "CALL_REJECTED");
    assert_eq!(world.received(callee), SILENCE);
}

#[test]
fn one_caller_rings_twice_at_once_and_others_still_ring() {
    let (mut world, alice, bob) = World::pair();
    let calls = [(); UNANSWERED_PER_CALLER_MAX].map(|()| world.ring(alice, bob));
    assert_busy(&mut world, alice, bob);
    let carol = world.register("carol");
    world.ring(carol, bob);
    world.send(bob, &reject(&calls[0]));
    world.received(alice);
    world.ring(alice, bob);
}

/// As many calls ring at bob as may.
fn world_in_which_bob_is_rung_by_many() -> (World, Device, Vec<(Device, String)>) {
    let mut world = World::new();
    let bob = world.register("bob");
    let calls = ["carol", "dave"].map(|caller| {
        let caller = world.register(caller);
        [(); UNANSWERED_PER_CALLER_MAX].map(|()| (caller, world.ring(caller, bob)))
    });
    assert_eq!(calls.as_flattened().len(), UNANSWERED_MAX);
    (world, bob, calls.concat())
}

#[test]
fn one_more_than_may_ring_finds_the_client_busy() {
    let (mut world, bob, calls) = world_in_which_bob_is_rung_by_many();
    let alice = world.register("alice");
    assert_busy(&mut world, alice, bob);
    world.send(bob, &reject(&calls[0].1));
    world.ring(alice, bob);
}

#[test]
fn whoever_is_rung_by_many_makes_calls_of_its_own() {
    let (mut world, bob, calls) = world_in_which_bob_is_rung_by_many();
    for callee in ["erin", "frank"] {
        let callee = world.register(callee);
        world.call(bob, callee);
    }
    let (dave, answered) = &calls[3];
    world.send(bob, &accept(answered, "answer"));
    assert_eq!(world.received(*dave).len(), 1);
    assert_eq!(world.records("bob"), Some(CALLS_MAX + UNANSWERED_MAX - 1));
    world.assert_talks(answered, *dave, bob);
}

#[test]
fn nobody_rings_where_the_call_could_not_be_accepted() {
    let (mut world, bob, calls) = world_with_a_busy_bob();
    let alice = world.register("alice");
    assert_busy(&mut world, alice, bob);
    let (carol, call) = &calls[0];
    world.send(bob, &end(call));
    world.received(*carol);
    world.ring(alice, bob);
}

#[test]
fn a_ringing_call_is_accepted_when_there_is_room_for_it_again() {
    let (mut world, alice, bob) = World::pair();
    let call = world.ring(alice, bob);
    let others = CALLERS.map(|callee| {
        let callee = world.register(callee);
        (callee, world.call(bob, callee))
    });
    world.send(bob, &accept(&call, "answer"));
    assert_error(&world.received(bob), "RATE_LIMITED");
    assert_eq!(world.received(alice), SILENCE, "it goes on ringing");
    world.send(bob, &end(&others[0].1));
    world.send(bob, &accept(&call, "answer"));
    assert_eq!(world.received(alice).len(), 1);
    world.assert_talks(&call, alice, bob);
}

#[test]
fn the_long_offers_of_one_caller_leave_room_for_others() {
    let (mut world, alice, bob) = World::pair();
    let long = "x".repeat(700);
    world.send(alice, &initiate("bob", &long));
    assert_eq!(world.received(bob).len(), 1);
    world.send(alice, &initiate("bob", &long));
    assert_eq!(field(&world.received(alice)[0], "type"), "CALL_REJECTED");
    let carol = world.register("carol");
    world.send(carol, &initiate("bob", &"y".repeat(200)));
    assert_eq!(world.received(bob).len(), 1, "another caller's is taken");
}

#[test]
fn a_caller_that_is_refused_for_its_own_bound_has_rung_nobody() {
    let (mut world, alice, bob) = World::pair();
    let call = world.ring(alice, bob);
    world.restart();
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|client| world.register(client));
    for _ in 0..CALLS_MAX {
        world.call(carol, bob);
    }
    world.send(bob, &accept(&call, "answer"));
    assert_error(&world.received(bob), "RATE_LIMITED");
    assert_eq!(world.received(alice), SILENCE);
}

#[test]
fn calls_whose_client_is_not_back_count_too() {
    let (mut world, _, _) = world_with_a_busy_bob();
    for _ in 0..5 {
        let bob = world.register("bob");
        world.send(bob, &initiate("carol", "offer"));
        assert_error(&world.received(bob), "RATE_LIMITED");
    }
    assert_eq!(world.records("bob"), Some(CALLS_MAX), "reconnecting makes no room for more");
}

/// Each caller has had so many calls with bob as fit; they are older than the server is now.
fn world_of_old_calls() -> (World, Vec<(&'static str, Vec<String>)>) {
    let mut world = World::new();
    let bob = world.register("bob");
    let calls = CALLERS.map(|name| {
        let caller = world.register(name);
        let calls: Vec<String> = (0..CALLS_MAX).map(|_| world.call(caller, bob)).collect();
        for call in &calls {
            world.send(caller, &end(call));
        }
        world.received(bob);
        (name, calls)
    });
    world.restart();
    (world, calls.into())
}

#[test]
fn old_calls_that_both_ends_take_up_again_count_too() {
    let (mut world, calls) = world_of_old_calls();
    let bob = world.register("bob");
    for (caller, calls) in calls {
        let caller = world.register(caller);
        for call in calls {
            world.send(caller, &candidate(&call, "one"));
            world.send(bob, &candidate(&call, "two"));
        }
    }
    let records = world.records("bob").unwrap();
    assert!(records <= 2 * CALLS_MAX, "{records}: as many proven ones, as many to be proven");
    world.pass(RING_TIMEOUT);
    assert_eq!(world.records("bob"), Some(CALLS_MAX));
}

#[test]
fn old_calls_that_are_answered_again_count_too() {
    let mut world = World::new();
    let alice = world.register("alice");
    let calls = CALLERS.map(|callee| {
        let device = world.register(callee);
        let calls = [(); 2].map(|()| {
            let call = world.call(alice, device);
            world.send(alice, &end(&call));
            world.received(device);
            call
        });
        (callee, calls)
    });
    world.restart();
    let alice = world.register("alice");
    for (callee, calls) in calls {
        let callee = world.register(callee);
        calls.iter().for_each(|call| world.send(callee, &accept(call, "replayed")));
    }
    assert_eq!(world.records("alice"), Some(CALLS_MAX));
    let messages = world.received(alice);
    let ended = messages.iter().filter(|text| field(text, "type") == "CALL_ENDED").count();
    assert_eq!(ended, CALLS_MAX, "those that there was no room for: {messages:?}");
}
