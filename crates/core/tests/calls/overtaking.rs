//! Mail of one session that is handed over by several threads: an end may overtake its ring.

use crate::wire::{accept, accepted, ended_as, initiate};
use crate::world::{SILENCE, World};

#[test]
fn a_call_that_ends_while_its_ring_is_under_way_does_not_ring() {
    let (mut world, mut alice, mut bob) = World::pair_in_two();
    world.hold_post();
    world.send(alice.device, &initiate("bob", "offer"));
    let call = crate::wire::field(&world.receives(&mut alice)[0], "callId");
    world.send(alice.device, &crate::wire::end(&call));
    world.deliver_newest_first();
    assert_eq!(world.records("bob"), Some(0), "no ghost rings");
    let received = world.receives(&mut bob);
    assert_eq!(received[1..], [ended_as(&call, "cancelled")], "{received:?}");
}

#[test]
fn the_loser_of_glare_does_not_ring_on_at_a_client_of_dialect_1() {
    for in_two in [false, true] {
        let mut world = World::new();
        let mut alice = world.register_in_two("alice");
        let bob = match in_two {
            true => world.register_in_two("bob").device,
            false => world.register("bob"),
        };
        world.nonce();
        world.hold_post();
        world.send(bob, &initiate("alice", "offer"));
        world.send(alice.device, &initiate("bob", "offer"));
        // Bob's ring decides at alice's, and what it makes of her call overtakes her own ring.
        world.deliver_from(bob);
        world.deliver_newest_first();
        world.receives(&mut alice);
        world.received(bob);
        assert_eq!((world.records("alice"), world.records("bob")), (Some(1), Some(1)));
    }
}

#[test]
fn calling_back_while_the_others_line_is_lost_leaves_its_call_ringing() {
    for turn in 0..20 {
        let (mut world, mut alice, mut bob) = World::pair_in_two();
        (0..turn).for_each(|_| world.nonce());
        let call = world.ring_in_two(&mut alice, &mut bob);
        world.lose(alice.device);
        world.send(bob.device, &initiate("alice", "offer"));
        let received = world.receives(&mut bob);
        assert!(received[1].contains("TARGET_NOT_FOUND"), "{received:?}");
        let again = crate::wire::field(&received[0], "callId");
        assert_eq!(received[2..], [ended_as(&again, "unreachable")]);
        let (mut alice, resumed, _) = world.resume(&alice);
        assert!(resumed);
        world.send(bob.device, &accept(&call, "answer"));
        assert_eq!(world.receives(&mut alice), [accepted(&call, "answer")]);
        world.assert_talks_in_two(&call, &mut alice, &mut bob);
    }
}

#[test]
fn a_ring_that_cannot_be_delivered_leaves_no_end_behind() {
    let (mut world, mut alice, _) = World::pair_in_two();
    world.hold_post();
    world.send(alice.device, &initiate("nobody", "offer"));
    let call = crate::wire::field(&world.receives(&mut alice)[0], "callId");
    world.send(alice.device, &crate::wire::end(&call));
    world.deliver_post();
    assert_eq!(world.receives(&mut alice), SILENCE);
    world.leave(alice.device);
    assert_eq!(world.records("alice"), None, "and nothing is held");
}

#[test]
fn a_client_that_leaves_while_its_ring_is_under_way_cancels_it() {
    let (mut world, mut alice, mut bob) = World::pair_in_two();
    world.hold_post();
    world.send(alice.device, &initiate("bob", "offer"));
    let call = crate::wire::field(&world.receives(&mut alice)[0], "callId");
    world.leave(alice.device);
    world.deliver_post();
    let received = world.receives(&mut bob);
    assert_eq!(received[1..], [ended_as(&call, "cancelled")], "{received:?}");
    world.pass(crate::world::GRACE);
    assert_eq!(world.records("alice"), None);
}

#[test]
fn a_callee_that_declines_while_a_candidate_is_under_way_has_declined() {
    let (mut world, mut alice, mut bob) = World::pair_in_two();
    let call = world.ring_in_two(&mut alice, &mut bob);
    world.hold_post();
    world.send(alice.device, &crate::wire::candidate(&call, "late"));
    world.send(bob.device, &crate::wire::reject(&call));
    world.deliver_from(alice.device);
    assert_eq!(world.receives(&mut alice), SILENCE, "the last word is under way");
    world.deliver_post();
    assert_eq!(world.receives(&mut alice), [crate::wire::rejected_as(&call, "declined")]);
    assert_eq!(world.records("alice"), Some(0));
}
