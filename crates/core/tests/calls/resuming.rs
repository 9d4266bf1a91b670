//! Dialect 2: a lost connection is taken up again where it broke off.

use crate::wire::{
    accept, accepted, assert_error, candidate, end, ended_as, incoming, initiate, initiated,
    presented, presented_with, reject, rejected_as, ringing, signal,
};
use crate::world::{
    GRACE, MOMENT, Phone, SILENCE, WAITING_AGE_MAX, WAITING_BYTES_MAX, WAITING_COUNT_MAX, World,
};

#[track_caller]
fn assert_resumes(world: &mut World, phone: &Phone, expected: &[String]) -> Phone {
    let (phone, resumed, received) = world.resume(phone);
    assert!(resumed);
    assert_eq!(received, expected);
    phone
}

#[track_caller]
fn assert_does_not_resume(world: &mut World, phone: &Phone) -> (Phone, Vec<String>) {
    let (again, resumed, received) = world.resume(phone);
    assert!(!resumed);
    assert_ne!(again.token, phone.token, "a new beginning has a new token");
    (again, received)
}

#[test]
fn what_was_sent_and_did_not_arrive_comes_again_once_and_in_order() {
    let (mut world, alice, bob, call) = World::pair_in_a_call_in_two();
    let [one, two, three] = ["one", "two", "three"].map(|each| candidate(&call, each));
    world.send(alice.device, &one);
    world.send(alice.device, &two);
    world.received(bob.device);
    world.lose(bob.device);
    world.send(alice.device, &three);
    let mut bob = assert_resumes(&mut world, &bob, &[one, two, three]);
    let mut alice = alice;
    world.assert_talks_in_two(&call, &mut alice, &mut bob);
    assert_resumes(&mut world, &bob, &[]);
}

#[test]
fn a_client_that_missed_nothing_resumes_in_silence() {
    let (mut world, alice, mut bob, call) = World::pair_in_a_call_in_two();
    world.lose(bob.device);
    bob = assert_resumes(&mut world, &bob, &[]);
    let mut alice = alice;
    world.assert_talks_in_two(&call, &mut alice, &mut bob);
}

#[test]
fn a_connection_is_resumed_before_the_server_knows_that_it_is_lost() {
    let (mut world, mut alice, bob, call) = World::pair_in_a_call_in_two();
    world.send(alice.device, &candidate(&call, "into-a-dead-socket"));
    let mut bob = assert_resumes(&mut world, &bob, &[candidate(&call, "into-a-dead-socket")]);
    world.assert_talks_in_two(&call, &mut alice, &mut bob);
}

#[test]
fn a_resumption_that_is_lost_itself_is_resumed() {
    let (mut world, alice, bob, call) = World::pair_in_a_call_in_two();
    world.lose(bob.device);
    world.send(alice.device, &candidate(&call, "one"));
    let (lost, resumed, _) = world.resume(&bob);
    assert!(resumed);
    world.lose(lost.device);
    assert_resumes(&mut world, &bob, &[candidate(&call, "one")]);
}

#[test]
fn a_caller_resumes_in_every_moment_of_a_call() {
    type Moment<'a> = &'a dyn Fn(&mut World, &Phone, &str) -> Vec<String>;
    let moments: [Moment<'_>; 6] = [
        &|_, _, _| vec![],
        &|world, bob, call| {
            world.send(bob.device, &ringing(call));
            vec![ringing(call)]
        },
        &|world, bob, call| {
            world.send(bob.device, &candidate(call, "early"));
            vec![candidate(call, "early")]
        },
        &|world, bob, call| {
            world.send(bob.device, &accept(call, "answer"));
            world.send(bob.device, &signal(call, "mute"));
            vec![accepted(call, "answer"), signal(call, "mute")]
        },
        &|world, bob, call| {
            world.send(bob.device, &reject(call));
            vec![rejected_as(call, "declined")]
        },
        &|world, bob, call| {
            world.send(bob.device, &accept(call, "answer"));
            world.send(bob.device, &end(call));
            vec![accepted(call, "answer"), ended_as(call, "hangup")]
        },
    ];
    for happens in moments {
        let (mut world, mut alice, mut bob) = World::pair_in_two();
        let call = world.ring_in_two(&mut alice, &mut bob);
        world.lose(alice.device);
        let expected = happens(&mut world, &bob, &call);
        world.pass(GRACE - MOMENT);
        assert_resumes(&mut world, &alice, &expected);
    }
}

#[test]
fn a_caller_that_never_got_its_call_id_gets_it_when_it_resumes() {
    let (mut world, alice, mut bob) = World::pair_in_two();
    world.send(alice.device, &initiate("bob", "offer"));
    let call = crate::wire::field(&world.receives(&mut bob)[0], "callId");
    world.lose(alice.device);
    assert_resumes(&mut world, &alice, &[initiated(&call, "bob")]);
}

#[test]
fn a_callee_is_not_rung_twice_when_it_resumes() {
    let (mut world, mut alice, bob) = World::pair_in_two();
    world.send(alice.device, &initiate("bob", "offer"));
    let call = crate::wire::field(&world.receives(&mut alice)[0], "callId");
    world.lose(bob.device);
    let bob = assert_resumes(&mut world, &bob, &[incoming(&call, "alice", "offer")]);
    world.lose(bob.device);
    let bob = assert_resumes(&mut world, &bob, &[]);
    world.send(bob.device, &accept(&call, "answer"));
    assert_eq!(world.receives(&mut alice), [accepted(&call, "answer")]);
}

#[test]
fn an_answer_to_a_request_that_was_lost_comes_again_with_its_name() {
    let mut world = World::new();
    let alice = world.register_in_two("alice");
    world.send(alice.device, &crate::wire::with_id(&end("made-up"), "r-1"));
    world.lose(alice.device);
    let (_, resumed, received) = world.resume(&alice);
    assert!(resumed);
    assert!(received[0].ends_with(r#","replyTo":"r-1"}"#), "{received:?}");
}

#[test]
fn without_the_token_nothing_is_resumed() {
    let (mut world, alice, bob, call) = World::pair_in_a_call_in_two();
    world.lose(bob.device);
    world.send(alice.device, &candidate(&call, "secret"));
    let wrong = Phone { token: alice.token.clone(), ..bob.clone() };
    let (stranger, received) = assert_does_not_resume(&mut world, &wrong);
    assert_eq!(received, SILENCE);
    world.lose(stranger.device);
    let (_, received) = assert_does_not_resume(&mut world, &bob);
    assert_eq!(received, SILENCE, "the first token is of no use any more");
}

#[test]
fn after_the_grace_nothing_is_resumed() {
    let (mut world, mut alice, bob, call) = World::pair_in_a_call_in_two();
    world.lose(bob.device);
    world.pass(GRACE);
    assert_eq!(world.receives(&mut alice), [ended_as(&call, "unreachable")]);
    let (_, received) = assert_does_not_resume(&mut world, &bob);
    assert_eq!(received, SILENCE);
}

#[test]
fn after_a_restart_nothing_is_resumed() {
    let (mut world, _, bob, _) = World::pair_in_a_call_in_two();
    world.restart();
    let (_, received) = assert_does_not_resume(&mut world, &bob);
    assert_eq!(received, SILENCE);
}

#[test]
fn a_number_that_was_never_sent_or_is_forgotten_resumes_nothing() {
    let (mut world, _, bob, _) = World::pair_in_a_call_in_two();
    assert_does_not_resume(&mut world, &Phone { seq: bob.seq + 1, ..bob });
    let (mut world, _, bob, _) = World::pair_in_a_call_in_two();
    world.acknowledge(&bob);
    assert_does_not_resume(&mut world, &Phone { seq: 0, ..bob });
}

#[test]
fn a_client_that_was_resumed_in_between_is_not_resumed_from_before() {
    let (mut world, alice, bob, call) = World::pair_in_a_call_in_two();
    world.send(alice.device, &candidate(&call, "one"));
    assert_resumes(&mut world, &bob, &[candidate(&call, "one")]);
    assert_resumes(&mut world, &bob, &[candidate(&call, "one")]);
    let newer = Phone { seq: bob.seq + 1, ..bob.clone() };
    assert_resumes(&mut world, &newer, &[]);
    assert_does_not_resume(&mut world, &bob);
}

#[test]
fn a_running_call_that_is_not_resumed_is_presented_to_go_on() {
    let (mut world, mut alice, bob, call) = World::pair_in_a_call_in_two();
    let again = presented_with(&bob.token, &[(&call, true)]);
    let mut bob = world.come_back_in_two("bob", &again).0;
    world.assert_talks_in_two(&call, &mut alice, &mut bob);
    bob = world.come_back_in_two("bob", &presented_with(&bob.token, &[])).0;
    world.send(alice.device, &candidate(&call, "waits"));
    assert_eq!(world.receives(&mut bob), SILENCE);
    world.send(bob.device, &candidate(&call, "proof"));
    assert_eq!(world.receives(&mut bob), [candidate(&call, "waits")]);
}

#[test]
fn calls_in_setup_follow_the_id_to_a_client_that_is_not_resumed() {
    let (mut world, mut alice, mut bob) = World::pair_in_two();
    let call = world.ring_in_two(&mut alice, &mut bob);
    let (bob, resumed, received) = world.come_back_in_two("bob", "");
    assert_eq!((resumed, received), (false, vec![incoming(&call, "alice", "offer")]));
    let (mut alice, resumed, received) = world.come_back_in_two("alice", "");
    assert_eq!((resumed, received), (false, vec![initiated(&call, "bob")]));
    world.send(bob.device, &accept(&call, "answer"));
    assert_eq!(world.receives(&mut alice), [accepted(&call, "answer")]);
}

#[test]
fn an_answer_that_came_while_the_caller_was_away_follows_the_id_with_everything_behind_it() {
    for in_two in [true, false] {
        let (mut world, mut alice, mut bob) = World::pair_in_two();
        let call = world.ring_in_two(&mut alice, &mut bob);
        world.lose(alice.device);
        world.send(bob.device, &candidate(&call, "early"));
        world.send(bob.device, &accept(&call, "answer"));
        world.send(bob.device, &candidate(&call, "one"));
        let [early, one] = ["early", "one"].map(|each| candidate(&call, each));
        let received = match in_two {
            true => world.come_back_in_two("alice", &presented(&[(&call, false)])).2,
            false => world.come_back("alice").1,
        };
        let answer = accepted(&call, "answer");
        let expected = match in_two {
            true => [early, answer, one],
            // It learns the id from the answer.
            false => [answer, early, one],
        };
        assert_eq!(received, expected);
        assert_eq!(world.receives(&mut bob), SILENCE);
    }
}

#[test]
fn mail_for_a_running_call_whose_client_was_away_is_deferred_until_its_proof() {
    let (mut world, alice, bob, call) = World::pair_in_a_call_in_two();
    world.lose(bob.device);
    world.send(alice.device, &candidate(&call, "one"));
    let again = presented_with(&bob.token, &[(&call, true)]);
    let (_, resumed, received) = world.come_back_in_two("bob", &again);
    assert_eq!((resumed, received), (false, vec![candidate(&call, "one")]));
}

#[test]
fn a_caller_that_lost_the_answer_for_good_is_sent_the_end_of_the_call() {
    let (mut world, mut alice, mut bob) = World::pair_in_two();
    let call = world.ring_in_two(&mut alice, &mut bob);
    world.send(bob.device, &accept(&call, "into-a-dead-socket"));
    let again = presented_with(&alice.token, &[(&call, false)]);
    let (_, resumed, received) = world.come_back_in_two("alice", &again);
    assert_eq!((resumed, received), (false, vec![ended_as(&call, "unreachable")]));
    assert_eq!(world.receives(&mut bob), [ended_as(&call, "unreachable")]);
    assert_eq!((world.records("alice"), world.records("bob")), (Some(0), Some(0)));
}

#[test]
fn a_callee_that_has_forgotten_its_answer_is_sent_the_end_of_the_call() {
    let (mut world, mut alice, bob, call) = World::pair_in_a_call_in_two();
    let again = presented_with(&bob.token, &[(&call, false)]);
    let (_, resumed, received) = world.come_back_in_two("bob", &again);
    assert_eq!((resumed, received), (false, vec![ended_as(&call, "unreachable")]));
    assert_eq!(world.receives(&mut alice), [ended_as(&call, "unreachable")]);
}

#[test]
fn over_the_bound_on_bytes_a_call_whose_end_is_away_ends_for_both() {
    let (mut world, mut alice, bob, call) = World::pair_in_a_call_in_two();
    world.acknowledge(&bob);
    world.lose(bob.device);
    let half = candidate(&call, &"x".repeat(WAITING_BYTES_MAX / 2));
    world.send(alice.device, &half);
    world.send(alice.device, &half);
    assert_eq!(world.receives(&mut alice), [ended_as(&call, "unreachable")]);
    assert_resumes(&mut world, &bob, &[half, ended_as(&call, "unreachable")]);
}

#[test]
fn over_the_bound_on_messages_too() {
    let (mut world, mut alice, bob, call) = World::pair_in_a_call_in_two();
    world.lose(bob.device);
    for _ in 0..WAITING_COUNT_MAX {
        world.send(alice.device, &candidate(&call, "x"));
    }
    assert_eq!(world.receives(&mut alice), SILENCE);
    world.send(alice.device, &candidate(&call, "x"));
    assert_eq!(world.receives(&mut alice), [ended_as(&call, "unreachable")]);
    assert_eq!(world.kept("bob"), WAITING_COUNT_MAX + 1, "the end is kept all the same");
    let (_, resumed, received) = world.resume(&bob);
    assert!(resumed);
    assert_eq!(received.len(), WAITING_COUNT_MAX + 1);
}

#[test]
fn a_client_that_never_acknowledges_resumes_from_the_last_messages() {
    let (mut world, alice, mut bob, call) = World::pair_in_a_call_in_two();
    let before = bob.clone();
    for _ in 0..3 * WAITING_COUNT_MAX {
        world.send(alice.device, &candidate(&call, "x"));
        assert!(world.kept("bob") <= WAITING_COUNT_MAX);
    }
    world.receives(&mut bob);
    world.lose(bob.device);
    world.send(alice.device, &candidate(&call, "missed"));
    bob = assert_resumes(&mut world, &bob, &[candidate(&call, "missed")]);
    assert_does_not_resume(&mut world, &Phone { token: bob.token, ..before });
}

#[test]
fn messages_that_are_not_acknowledged_are_forgotten_when_they_are_old() {
    for (waited, resumes) in [(WAITING_AGE_MAX, true), (WAITING_AGE_MAX + MOMENT, false)] {
        let (mut world, alice, bob, call) = World::pair_in_a_call_in_two();
        world.send(alice.device, &candidate(&call, "one"));
        world.pass(waited);
        world.send(alice.device, &candidate(&call, "two"));
        let (_, resumed, _) = world.resume(&bob);
        assert_eq!(resumed, resumes, "after {waited:?}");
    }
}

#[test]
fn acknowledged_messages_make_room() {
    let (mut world, alice, mut bob, call) = World::pair_in_a_call_in_two();
    for _ in 0..3 * WAITING_COUNT_MAX {
        world.send(alice.device, &candidate(&call, "x"));
        world.receives(&mut bob);
        world.acknowledge(&bob);
        assert_eq!(world.kept("bob"), 0);
    }
}

#[test]
fn an_acknowledgement_of_everything_that_will_ever_come_harms_its_sender_alone() {
    let (mut world, mut alice, mut bob, call) = World::pair_in_a_call_in_two();
    world.acknowledge(&Phone { seq: u64::MAX, ..bob.clone() });
    world.assert_talks_in_two(&call, &mut alice, &mut bob);
    world.lose(bob.device);
    world.send(alice.device, &candidate(&call, "one"));
    assert_resumes(&mut world, &bob, &[candidate(&call, "one")]);
}

#[test]
fn calls_that_a_resumed_client_presents_are_known_already() {
    let (mut world, mut alice, bob, call) = World::pair_in_a_call_in_two();
    let more = format!(
        r#","resumeToken":"{}","lastSeq":{}{}"#,
        bob.token,
        bob.seq,
        presented(&[(&call, true), ("made-up", true)])
    );
    let (again, resumed, received) = world.come_back_in_two("bob", &more);
    assert_eq!((resumed, received), (true, vec![]));
    let mut bob = Phone { seq: bob.seq, ..again };
    world.assert_talks_in_two(&call, &mut alice, &mut bob);
}

#[test]
fn requests_that_may_be_lost_are_repeated_without_harm() {
    let (mut world, mut alice, mut bob, call) = World::pair_in_a_call_in_two();
    world.send(bob.device, &accept(&call, "answer"));
    assert_error(&world.receives(&mut bob), "INVALID_STATE");
    world.send(alice.device, &end(&call));
    world.send(alice.device, &end(&call));
    assert_error(&world.receives(&mut alice), "CALL_NOT_FOUND");
    assert_eq!(world.receives(&mut bob), [ended_as(&call, "hangup")]);
}

#[test]
fn an_answer_that_came_while_its_caller_was_away_is_sent_before_messages_deferred_for_proof() {
    let (mut world, mut alice, mut bob) = World::pair_in_two();
    let call = world.ring_in_two(&mut alice, &mut bob);
    world.restart();
    let alice = world.register_in_two("alice");
    let bob = world.come_back_in_two("bob", &presented(&[(&call, false)])).0;
    world.send(bob.device, &candidate(&call, "early"));
    world.lose(alice.device);
    world.send(bob.device, &accept(&call, "answer"));
    world.send(bob.device, &end(&call));
    let answer = accepted(&call, "answer");
    let expected = [answer, candidate(&call, "early"), ended_as(&call, "hangup")];
    assert_resumes(&mut world, &alice, &expected);
}
