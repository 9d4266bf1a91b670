//! A call that takes the place of another one with the same person.

use std::time::Duration;

use securecall_protocol::EndReason;
use serde_json::json;

use super::stage::{Stage, id};
use crate::command::Command;
use crate::{CallId, Ending, Event};

/// The call whose place the last call that rang takes.
fn replaced(stage: &Stage) -> Option<CallId> {
    let incoming = stage.events.iter().rev().find_map(|event| match event {
        Event::Incoming { replaces, .. } => Some(*replaces),
        _ => None,
    });
    incoming.expect("it should ring")
}

/// Alice calls bob as `c2`, and loses against his call.
fn lose_to_bob(stage: &mut Stage) -> CallId {
    let (own, initiate) = stage.call_bob();
    let initiated = json!({"callId": "c2", "targetId": "bob"});
    stage.answer(&initiate["id"], "CALL_INITIATED", initiated);
    stage.hear_next("CALL_ENDED", json!({"callId": "c2", "reason": "glare"}));
    let ended = stage.events.iter().any(|event| {
        let glare = Ending::Ended(EndReason::Glare);
        matches!(event, Event::Ended { call, reason } if *call == own && *reason == glare)
    });
    assert!(ended);
    own
}

#[test]
fn the_call_that_is_left_of_a_glare_names_the_one_that_lost() {
    let mut stage = Stage::registered();
    let own = lose_to_bob(&mut stage);
    let call = stage.bob_calls();
    assert_eq!(replaced(&stage), Some(own));
    stage.accept(call);
    assert_eq!(stage.count("CALL_ACCEPT"), 1);
    // Once: the next call is a call of its own.
    stage.hear_next("CALL_ENDED", json!({"callId": "c1", "reason": "hangup"}));
    stage.bob_calls_as("c3");
    assert_eq!(replaced(&stage), None);
}

fn rung(stage: &Stage) -> usize {
    stage.events.iter().filter(|event| matches!(event, Event::Incoming { .. })).count()
}

/// Alice calls bob; his call was on its way before hers is known to the server.
fn cross() -> (Stage, CallId) {
    let mut stage = Stage::registered();
    let (own, initiate) = stage.call_bob();
    let bob = stage.bob.clone();
    let offer = stage.offer_of(&bob, 0);
    let payload = json!({"callId": "c1", "callerId": "bob", "sdpOffer": offer});
    stage.hear_next("INCOMING_CALL", payload);
    let (lookup, key) = (stage.id_of("PKD_LOOKUP"), bob.directory_key().as_str().to_owned());
    stage.answer(&lookup, "PKD_RESULT", json!({"clientId": "bob", "publicKey": key}));
    let initiated = json!({"callId": "c2", "targetId": "bob"});
    stage.answer(&initiate["id"], "CALL_INITIATED", initiated);
    (stage, own)
}

#[test]
fn a_call_that_crosses_with_an_own_one_rings_when_it_is_the_one_that_is_left() {
    let (mut stage, own) = cross();
    assert_eq!((rung(&stage), stage.count("CALL_RINGING")), (0, 0), "the server has not decided");
    stage.hear_next("CALL_ENDED", json!({"callId": "c2", "reason": "glare"}));
    assert_eq!((rung(&stage), replaced(&stage)), (1, Some(own)));
    assert_eq!(stage.count("CALL_RINGING"), 1);
}

#[test]
fn a_call_that_crosses_with_an_own_one_that_is_left_is_not_heard_of() {
    let (mut stage, own) = cross();
    stage.hear_next("CALL_ENDED", json!({"callId": "c1", "reason": "glare"}));
    stage.ask(|reply| Command::End { call: own, reply }).try_recv().unwrap().unwrap();
    let told = |event: &Event| matches!(event, Event::Incoming { .. } | Event::Ended { .. });
    assert!(!stage.events.iter().any(told), "{:?}", stage.events);
}

#[test]
fn a_call_that_crosses_with_an_own_one_rings_when_that_is_over_for_another_reason() {
    let (mut stage, own) = cross();
    stage.ask(|reply| Command::End { call: own, reply }).try_recv().unwrap().unwrap();
    assert_eq!((rung(&stage), replaced(&stage)), (1, None));
}

#[test]
fn a_lost_call_is_not_brought_up_again_much_later() {
    let mut stage = Stage::registered();
    lose_to_bob(&mut stage);
    for _ in 0..4 {
        stage.pass(Duration::from_secs(8));
        stage.hear_pong();
    }
    stage.bob_calls();
    assert_eq!(replaced(&stage), None);
}

#[test]
fn somebody_else_takes_no_place_of_a_lost_call() {
    let mut stage = Stage::registered();
    lose_to_bob(&mut stage);
    let carol = stage.carol();
    let offer = stage.offer_of(&carol, 0);
    let payload = json!({"callId": "c4", "callerId": "carol", "sdpOffer": offer});
    stage.hear_next("INCOMING_CALL", payload);
    let (lookup, key) = (stage.id_of("PKD_LOOKUP"), carol.directory_key().as_str().to_owned());
    stage.answer(&lookup, "PKD_RESULT", json!({"clientId": "carol", "publicKey": key}));
    assert_eq!(replaced(&stage), None);
}

#[test]
fn who_calls_back_out_of_a_running_call_names_it() {
    for alice_called in [true, false] {
        let mut stage = Stage::registered();
        let running = match alice_called {
            true => stage.talk_to_bob(),
            false => {
                let call = stage.bob_calls();
                stage.accept(call);
                call
            }
        };
        stage.bob_calls_as("c5");
        assert_eq!(replaced(&stage), Some(running));
        // It runs on until the application ends it.
        assert!(stage.candidate(running, "candidate").is_ok());
        stage.ask(|reply| Command::End { call: running, reply }).try_recv().unwrap().unwrap();
        stage.bob_calls_as("c6");
        assert_eq!(replaced(&stage), None);
    }
}

#[test]
fn an_offer_from_before_the_running_call_takes_no_place() {
    let mut stage = Stage::registered();
    let bob = stage.bob.clone();
    // The server kept it back.
    let old = stage.offer_of(&bob, -60);
    let running = stage.bob_calls();
    stage.accept(running);
    stage.hear_next("INCOMING_CALL", json!({"callId": "c7", "callerId": "bob", "sdpOffer": old}));
    let (lookup, key) = (stage.id_of("PKD_LOOKUP"), bob.directory_key().as_str().to_owned());
    stage.answer(&lookup, "PKD_RESULT", json!({"clientId": id("bob").as_str(), "publicKey": key}));
    assert_eq!(replaced(&stage), None);
}
