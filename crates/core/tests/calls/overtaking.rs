//! Mail of one session that is handed over by several threads: an end may overtake its ring.

use crate::wire::{accept, accepted, ended_as, initiate};
use crate::world::{SILENCE, World};

#[test]
fn a_call_that_ends_while_its_ring_is_under_way_does_not_ring() {
    let (mut world, mut alice, mut bob) = World::pair_in_two();
    world.hold_post();
    world.say(alice.device, &initiate("bob", "offer"));
    let call = crate::wire::field(&world.hears(&mut alice)[0], "callId");
    world.say(alice.device, &crate::wire::end(&call));
    world.deliver_newest_first();
    assert_eq!(world.records("bob"), Some(0), "no ghost rings");
    let heard = world.hears(&mut bob);
    assert_eq!(heard[1..], [ended_as(&call, "cancelled")], "{heard:?}");
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
        world.say(bob, &initiate("alice", "offer"));
        world.say(alice.device, &initiate("bob", "offer"));
        // Bob's ring decides at alice's, and what it makes of her call overtakes her own ring.
        world.deliver_from(bob);
        world.deliver_newest_first();
        world.hears(&mut alice);
        world.heard(bob);
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
        world.say(bob.device, &initiate("alice", "offer"));
        let heard = world.hears(&mut bob);
        assert!(heard[1].contains("TARGET_NOT_FOUND"), "{heard:?}");
        let again = crate::wire::field(&heard[0], "callId");
        assert_eq!(heard[2..], [ended_as(&again, "unreachable")]);
        let (mut alice, resumed, _) = world.resume(&alice);
        assert!(resumed);
        world.say(bob.device, &accept(&call, "answer"));
        assert_eq!(world.hears(&mut alice), [accepted(&call, "answer")]);
        world.assert_talks_in_two(&call, &mut alice, &mut bob);
    }
}

#[test]
fn a_ring_that_cannot_be_delivered_leaves_no_end_behind() {
    let (mut world, mut alice, _) = World::pair_in_two();
    world.hold_post();
    world.say(alice.device, &initiate("nobody", "offer"));
    let call = crate::wire::field(&world.hears(&mut alice)[0], "callId");
    world.say(alice.device, &crate::wire::end(&call));
    world.deliver_post();
    assert_eq!(world.hears(&mut alice), SILENCE);
    world.leave(alice.device);
    assert_eq!(world.records("alice"), None, "and nothing is held");
}

#[test]
fn who_leaves_while_its_ring_is_under_way_cancels_it() {
    let (mut world, mut alice, mut bob) = World::pair_in_two();
    world.hold_post();
    world.say(alice.device, &initiate("bob", "offer"));
    let call = crate::wire::field(&world.hears(&mut alice)[0], "callId");
    world.leave(alice.device);
    world.deliver_post();
    let heard = world.hears(&mut bob);
    assert_eq!(heard[1..], [ended_as(&call, "cancelled")], "{heard:?}");
    world.pass(crate::world::GRACE);
    assert_eq!(world.records("alice"), None);
}

#[test]
fn a_callee_that_declines_while_a_candidate_is_under_way_is_heard_to_decline() {
    let (mut world, mut alice, mut bob) = World::pair_in_two();
    let call = world.ring_in_two(&mut alice, &mut bob);
    world.hold_post();
    world.say(alice.device, &crate::wire::candidate(&call, "late"));
    world.say(bob.device, &crate::wire::reject(&call));
    world.deliver_from(alice.device);
    assert_eq!(world.hears(&mut alice), SILENCE, "the last word is under way");
    world.deliver_post();
    assert_eq!(world.hears(&mut alice), [crate::wire::rejected_as(&call, "declined")]);
    assert_eq!(world.records("alice"), Some(0));
}
