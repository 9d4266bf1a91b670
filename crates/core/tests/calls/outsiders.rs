//! A call id is a capability: it opens its own call, to its own two clients, and nothing else.

use securecall_core::{CallIdKey, Content, Mail, Outcome, Parties, UnixTime};
use securecall_protocol::{EndReason, RejectReason};

use crate::wire::{accept, accepted, assert_error, candidate, end, reject};
use crate::world::{Device, SILENCE, World, id};

/// A message of each kind about a call.
fn requests(call: &str) -> [String; 4] {
    [accept(call, "answer"), reject(call), end(call), candidate(call, "candidate")]
}

#[track_caller]
fn assert_unknown_to(world: &mut World, client: Device, call: &str) {
    for request in requests(call) {
        world.send(client, &request);
        assert_error(&world.received(client), "CALL_NOT_FOUND");
    }
}

#[test]
fn outsiders_get_call_not_found_and_nobody_learns_of_it() {
    let (mut world, alice, bob, call) = World::pair_in_a_call();
    let mallory = world.register("mallory");
    assert_unknown_to(&mut world, mallory, &call);
    assert_eq!((world.received(alice), world.received(bob)), (vec![], vec![]));
    assert_eq!(world.records("mallory"), Some(0));
    world.assert_talks(&call, alice, bob);
}

#[test]
fn outsiders_cannot_answer_a_ringing_call() {
    let (mut world, alice, bob) = World::pair();
    let mallory = world.register("mallory");
    let call = world.ring(alice, bob);
    assert_unknown_to(&mut world, mallory, &call);
    assert_eq!((world.received(alice), world.received(bob)), (vec![], vec![]));
    world.send(bob, &accept(&call, "answer"));
    assert_eq!(world.received(alice), [accepted(&call, "answer")]);
}

#[test]
fn outsiders_get_nothing_with_an_id_from_before_a_restart() {
    let (mut world, _, _, call) = World::pair_in_a_call();
    world.restart();
    let mallory = world.register("mallory");
    assert_unknown_to(&mut world, mallory, &call);
    assert_eq!((world.records("alice"), world.records("bob")), (None, None));
}

#[test]
fn a_forged_id_is_no_call() {
    let (mut world, alice, bob, call) = World::pair_in_a_call();
    let middle = call.len() / 2;
    let swapped = if &call[middle..=middle] == "A" { "B" } else { "A" };
    let flipped = format!("{}{swapped}{}", &call[..middle], &call[middle + 1..]);
    let lowercase = call.to_lowercase();
    let forgeries = [
        "",
        "made-up",
        &flipped,
        &lowercase,
        &call[1..],
        &call[..call.len() - 1],
        &format!("{call}A"),
        &format!("{call}="),
        &format!(" {call}"),
        &call.repeat(2),
        &"A".repeat(10_000),
    ];
    for forged in forgeries {
        assert_unknown_to(&mut world, alice, forged);
        assert_unknown_to(&mut world, bob, forged);
    }
    world.assert_talks(&call, alice, bob);
}

#[test]
fn an_id_that_another_server_made_is_no_call() {
    let mut world = World::new();
    let bob = world.register("bob");
    let born = UnixTime::from_millis(0);
    let parties = Parties { caller: id("alice"), callee: id("bob"), born };
    let foreign = CallIdKey::new(&[9; 32]).seal([1; 24], &parties);
    assert_unknown_to(&mut world, bob, &foreign);
}

#[test]
fn mail_from_a_session_that_is_not_in_the_call_is_refused() {
    let (mut world, alice, bob, call) = World::pair_in_a_call();
    let end = Content::End { reason: EndReason::Hangup };
    let declined = Content::Reject { reason: RejectReason::Declined };
    for content in [end, declined] {
        let mail = Mail { call_id: call.as_str().into(), content };
        assert_eq!(world.forge_mail("mallory", alice, &mail), Outcome::NoSuchCall);
    }
    assert_eq!(world.received(alice), SILENCE);
    world.assert_talks(&call, alice, bob);
}

#[test]
fn mail_with_somebody_elses_old_call_is_refused() {
    let (mut world, _, _, call) = World::pair_in_a_call();
    world.restart();
    let (alice, carol) = (world.register("alice"), world.register("carol"));
    let mail = Mail { call_id: call.as_str().into(), content: Content::Present { answered: true } };
    assert_eq!(world.forge_mail("mallory", alice, &mail), Outcome::NoSuchCall, "not from its end");
    assert_eq!(world.forge_mail("bob", carol, &mail), Outcome::NoSuchCall, "not to its end");
    assert_eq!((world.records("alice"), world.records("carol")), (Some(0), Some(0)));
}
