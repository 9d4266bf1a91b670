//! Calls that do not ring, and floods of them.

use std::time::Duration;

use securecall_protocol::RejectReason;
use securecall_seal as seal;
use serde_json::{Value, json};

use super::stage::{Stage, id};
use crate::command::Command;
use crate::{CallId, Ending, Error, Event};

const SECOND: Duration = Duration::from_secs(1);

/// An INCOMING_CALL of `caller`.
fn rings(stage: &mut Stage, call_id: &str, caller: &str, offer: &Value) {
    let payload = json!({"callId": call_id, "callerId": caller, "sdpOffer": offer});
    stage.hear_next("INCOMING_CALL", payload);
}

/// Hears a message whose payload is no more JSON than it needs to be.
fn hear_raw(stage: &mut Stage, message_type: &str, payload: &str) {
    let text = format!(r#"{{"type":"{message_type}","payload":{payload}}}"#);
    stage.hear_text(&text);
}

fn refusals(stage: &Stage) -> Vec<&Error> {
    let refused = stage.events.iter().filter_map(|event| match event {
        Event::OfferRefused { why, .. } => Some(why),
        _ => None,
    });
    refused.collect()
}

fn call_with_key(stage: &mut Stage) -> Result<CallId, Error> {
    let (key, offer) = (Box::new(stage.bob.directory_key().clone()), "offer".to_owned());
    stage.ask(|reply| Command::CallWith { key, offer, reply }).try_recv().unwrap()
}

/// Confirms everything that was sent.
fn confirm(stage: &mut Stage) {
    let asked = stage.sent.iter().rev().find(|message| message["type"] == "HEARTBEAT");
    if let Some(id) = asked.map(|message| message["id"].clone()) {
        stage.answer(&id, "HEARTBEAT_ACK", json!({}));
    }
}

#[test]
fn an_offer_that_is_no_unicode_is_declined() {
    let mut stage = Stage::registered();
    hear_raw(
        &mut stage,
        "INCOMING_CALL",
        r#"{"callId":"c1","callerId":"bob","sdpOffer":"\ud800"}"#,
    );
    let declined = json!({"callId": "c1", "reason": "declined"});
    assert_eq!(stage.last("CALL_REJECT")["payload"], declined);
    assert!(matches!(refusals(&stage)[..], [Error::Seal(seal::Error::Malformed)]));
    hear_raw(&mut stage, "INCOMING_CALL", r#"{"callId":"c2","callerId":7,"sdpOffer":[]}"#);
    assert_eq!(stage.last("CALL_REJECT")["payload"]["callId"], "c2");
    assert_eq!(stage.types(), ["CALL_REJECT"; 2]);
}

#[test]
fn an_answer_that_is_no_unicode_ends_the_call() {
    let mut stage = Stage::registered();
    let (call, initiate) = stage.call_bob();
    let initiated = json!({"callId": "c1", "targetId": "bob"});
    stage.answer(&initiate["id"], "CALL_INITIATED", initiated);
    hear_raw(&mut stage, "CALL_ACCEPTED", r#"{"callId":"c1","sdpAnswer":"\udfff"}"#);
    assert_eq!(stage.last("CALL_END")["payload"]["callId"], "c1");
    let reason = Ending::Interference(seal::Error::Malformed);
    let ended = stage.events.iter().any(
        |event| matches!(event, Event::Ended { call: ended, reason: why } if *ended == call && *why == reason),
    );
    assert!(ended);
}

#[test]
fn a_candidate_that_is_no_unicode_is_told_and_the_call_goes_on() {
    let mut stage = Stage::registered();
    let call = stage.talk_to_bob();
    for (message_type, field) in [("ICE_CANDIDATE", "candidate"), ("CALL_SIGNAL", "data")] {
        stage.forget();
        hear_raw(&mut stage, message_type, &format!(r#"{{"callId":"c1","{field}":"\ud800"}}"#));
        let malformed = seal::Error::Malformed;
        let told = stage.events.iter().any(
            |event| matches!(event, Event::MessageRefused { error, .. } if *error == malformed),
        );
        assert!(told, "{message_type}");
    }
    assert!(stage.candidate(call, "candidate").is_ok());
}

#[test]
fn a_key_that_is_no_unicode_is_no_key_and_is_not_waited_for() {
    let mut stage = Stage::registered();
    let bob = stage.bob.clone();
    let offer = stage.offer_of(&bob, 0);
    rings(&mut stage, "c1", "bob", &json!(offer));
    let reply_to = stage.id_of("PKD_LOOKUP");
    stage.hear_text(&format!(
        r#"{{"type":"PKD_RESULT","payload":{{"clientId":"bob","publicKey":"\ud800"}},"replyTo":{reply_to}}}"#
    ));
    assert_eq!(stage.count("CALL_REJECT"), 1);
    assert!(matches!(refusals(&stage)[..], [Error::Seal(seal::Error::KeyMalformed)]));
}

#[test]
fn what_shows_without_the_callers_key_is_declined_without_a_look_up() {
    let mut stage = Stage::registered();
    for offer in ["", "v=0", "AAAA", "AQEBAAAA"] {
        rings(&mut stage, &format!("c{offer}"), "bob", &json!(offer));
    }
    assert_eq!(stage.types(), ["CALL_REJECT"; 4]);
}

/// The number of further calls that wait for an answer; the others are rejected as busy.
fn wait(stage: &mut Stage, callers: impl Iterator<Item = String>) -> usize {
    let bob = stage.bob.clone();
    let mut rung = 0;
    stage.forget();
    for caller in callers {
        rung += 1;
        let offer = stage.offer_of(&bob, 0);
        rings(stage, &format!("{caller}-{rung}"), &caller, &json!(offer));
    }
    let is_busy = |message: &&Value| message["payload"]["reason"] == "busy";
    rung - stage.sent.iter().filter(is_busy).count()
}

#[test]
fn two_calls_of_one_caller_wait_and_eight_in_all() {
    let mut stage = Stage::registered();
    assert_eq!(wait(&mut stage, (0..8).map(|_| "mallory".to_owned())), 2);
    assert_eq!(wait(&mut stage, (0..10).map(|number| format!("caller{number}"))), 6);
    // A look-up that is not answered gives its room back after half a minute.
    stage.pass(15 * SECOND);
    stage.hear_pong();
    stage.pass(16 * SECOND);
    assert_eq!(wait(&mut stage, (0..10).map(|number| format!("later{number}"))), 8);
}

#[test]
fn own_calls_have_room_beside_those_that_wait() {
    let mut stage = Stage::registered();
    let bob = stage.bob.clone();
    for number in 0..8 {
        let offer = stage.offer_of(&bob, 0);
        rings(&mut stage, &format!("c{number}"), &format!("caller{number}"), &json!(offer));
    }
    for _ in 0..16 {
        assert!(call_with_key(&mut stage).is_ok());
    }
    assert!(matches!(call_with_key(&mut stage), Err(Error::TooMuchWaits)));
}

#[test]
fn readable_garbage_is_declined_as_fast_as_anybody_rings_and_own_calls_go_on() {
    let mut stage = Stage::registered();
    for number in 0..20 {
        rings(&mut stage, &format!("first{number}"), "mallory", &json!("garbage"));
    }
    for second in 0..120 {
        rings(&mut stage, &format!("then{second}"), "mallory", &json!("garbage"));
        stage.pass(SECOND);
        stage.hear_pong();
        confirm(&mut stage);
        let rung = 20 + second + 1;
        let declined = stage.count("CALL_REJECT");
        assert!(declined + 1 >= rung, "{declined} of {rung} after {second} s");
    }
    let call = call_with_key(&mut stage).unwrap();
    assert_eq!(stage.count("CALL_INITIATE"), 1, "at once");
    drop(stage.ask(|reply| Command::End { call, reply }));
}

#[test]
fn a_server_that_floods_nonsense_holds_up_nothing_once_it_is_honest() {
    let mut stage = Stage::registered();
    for number in 0..5_000 {
        rings(&mut stage, &format!("c{number}"), &format!("caller{number}"), &json!("garbage"));
    }
    assert!(stage.count("CALL_REJECT") <= 75, "the burst that the server accepts, less a quarter");
    // An ACK for each 100, and a question now and then.
    assert!(stage.sent.len() <= 75 + 50 + 5, "{} messages", stage.sent.len());
    confirm(&mut stage);
    let call = stage.bob_calls_as("honest");
    stage.accept(call);
    assert_eq!(stage.count("CALL_ACCEPT"), 1, "at once");
    stage.candidate(call, "candidate").unwrap();
    assert_eq!(stage.count("ICE_CANDIDATE"), 1);
    drop(stage.ask(|reply| Command::End { call, reply }));
    stage.pass(2 * SECOND);
    assert_eq!(stage.last("CALL_END")["payload"]["callId"], "honest", "before the nonsense");
}

#[test]
fn a_server_that_confirms_nothing_is_asked_again() {
    let mut stage = Stage::registered();
    let call = stage.talk_to_bob();
    for number in 0..300 {
        stage.candidate(call, &number.to_string()).unwrap();
    }
    let sent = stage.count("ICE_CANDIDATE");
    for _ in 0..30 {
        stage.pass(8 * SECOND);
        stage.hear_pong();
    }
    assert_eq!(stage.count("ICE_CANDIDATE"), sent, "nothing was confirmed");
    confirm(&mut stage);
    assert_eq!(stage.count("ICE_CANDIDATE"), 301, "with the empty one that begins the call");
}

#[test]
fn callers_that_ring_and_ring_do_not_use_up_what_own_calls_need() {
    let mut stage = Stage::registered();
    for number in 0..60 {
        let call_id = format!("c{number}");
        stage.bob_calls_as(&call_id);
        stage.hear_next("CALL_ENDED", json!({"callId": call_id, "reason": "cancelled"}));
        confirm(&mut stage);
    }
    assert!(call_with_key(&mut stage).is_ok());
    assert_eq!(stage.count("CALL_INITIATE"), 1, "at once");
}

#[test]
fn a_wrong_clock_is_told_to_both_with_how_much() {
    for ahead in [-7_200, -301, 301, 86_400] {
        let mut stage = Stage::registered();
        let bob = stage.bob.clone();
        let offer = stage.offer_of(&bob, ahead);
        rings(&mut stage, "c1", "bob", &json!(offer));
        let (lookup, key) = (stage.id_of("PKD_LOOKUP"), bob.directory_key().as_str().to_owned());
        stage.answer(&lookup, "PKD_RESULT", json!({"clientId": "bob", "publicKey": key}));
        let told = json!({"callId": "c1", "reason": "clock", "clockAheadSeconds": ahead});
        assert_eq!(stage.last("CALL_REJECT")["payload"], told);
        let [Error::Seal(seal::Error::Stale(offset))] = refusals(&stage)[..] else {
            panic!("{:?}", stage.events)
        };
        assert_eq!(offset.seconds(), ahead);
    }
}

#[test]
fn the_caller_hears_whose_clock_is_how_far_off() {
    let mut stage = Stage::registered();
    let (call, initiate) = stage.call_bob();
    let initiated = json!({"callId": "c1", "targetId": id("bob").as_str()});
    stage.answer(&initiate["id"], "CALL_INITIATED", initiated);
    let rejected = json!({"callId": "c1", "reason": "clock", "clockAheadSeconds": -420});
    stage.hear_next("CALL_REJECTED", rejected);
    let reason = Ending::Rejected(RejectReason::Clock { ahead_seconds: -420 });
    let ended = stage.events.iter().any(
        |event| matches!(event, Event::Ended { call: ended, reason: why } if *ended == call && *why == reason),
    );
    assert!(ended);
}

#[test]
fn somebody_who_calls_with_old_keys_makes_us_publish_ours_once_a_minute_at_most() {
    let mut stage = Stage::registered();
    let bob = stage.bob.clone();
    let own = bob.directory_key().clone();
    let carol = stage.carol();
    let to_another = stage.offer_to(&carol, &own);
    for number in 0..30 {
        rings(&mut stage, &format!("c{number}"), "carol", &json!(to_another));
        stage.pass(SECOND);
    }
    assert_eq!(stage.count("PKD_REGISTER"), 1);
    assert!(
        refusals(&stage).iter().all(|why| matches!(why, Error::Seal(seal::Error::OwnKeyChanged)))
    );
}
