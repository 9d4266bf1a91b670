//! Messages that are sent again after a loss, and those that are not.

use std::time::Duration;

use serde_json::json;

use super::stage::{Stage, id};
use crate::command::Command;
use crate::{Ending, Error, Event};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn it_registers_with_its_token_its_number_and_its_calls() {
    let mut stage = Stage::registered();
    stage.talk_to_bob();
    stage.reconnect();
    let register = stage.last("REGISTER")["payload"].clone();
    assert_eq!(register["resumeToken"], "token");
    // PKD_RESULT twice, CALL_INITIATED, CALL_ACCEPTED.
    assert_eq!(register["lastSeq"], 4);
    assert_eq!(register["calls"], json!([{"callId": "c1", "answered": true}]));
}

#[test]
fn a_new_beginning_forgets_the_numbers_and_publishes_the_key_again() {
    let mut stage = Stage::registered();
    stage.reconnect();
    stage.register(&json!({"resumed": false, "resumeToken": "another"}));
    assert_eq!(stage.types(), ["REGISTER", "PKD_REGISTER"]);
    stage.reconnect();
    assert_eq!(stage.last("REGISTER")["payload"]["lastSeq"], 0);
    assert_eq!(stage.last("REGISTER")["payload"]["resumeToken"], "another");
}

#[test]
fn a_numbered_message_is_dealt_with_once() {
    let mut stage = Stage::registered();
    stage.talk_to_bob();
    stage.forget();
    let ended =
        json!({"type": "CALL_ENDED", "payload": {"callId": "c1", "reason": "hangup"}, "seq": 3});
    stage.hear(ended);
    assert!(stage.events.is_empty(), "number 3 was here before");
}

fn number(stage: &mut Stage, seq: u64) {
    stage.hear(json!({"type": "HEARTBEAT_ACK", "payload": {}, "seq": seq}));
}

#[test]
fn a_number_that_is_left_out_is_asked_for_on_the_next_connection() {
    let mut stage = Stage::registered();
    number(&mut stage, 2);
    let ended =
        json!({"type": "CALL_ENDED", "payload": {"callId": "c1", "reason": "hangup"}, "seq": 4});
    stage.hear(ended);
    assert_eq!(stage.hangups, [None]);
    let cause = stage.events.iter().find_map(|event| match event {
        Event::Disconnected { cause, .. } => Some(cause.clone()),
        _ => None,
    });
    assert_eq!(cause, Some(crate::Disconnect::MessageMissing));
    stage.pass(2 * SECOND);
    stage.forget();
    stage.open();
    assert_eq!(stage.last("REGISTER")["payload"]["lastSeq"], 2);
    stage.register(&json!({"resumed": true}));
    number(&mut stage, 3);
    number(&mut stage, 4);
    assert!(stage.hangups.is_empty(), "nothing is missing any more");
}

#[test]
fn what_stays_missing_is_given_up_by_beginning_anew() {
    let mut stage = Stage::registered();
    for gap in 1..=3 {
        number(&mut stage, 9);
        stage.pass(30 * SECOND);
        stage.forget();
        stage.open();
        let register = stage.last("REGISTER")["payload"].clone();
        let resumes = register["resumeToken"] == "token";
        assert_eq!(resumes, gap < 3, "{register}");
        stage.register(&json!({"resumed": resumes}));
    }
    number(&mut stage, 1);
    assert!(stage.hangups.is_empty());
}

#[test]
fn a_number_at_the_end_of_all_numbers_is_a_gap_like_any_other() {
    let mut stage = Stage::registered();
    number(&mut stage, u64::MAX);
    assert_eq!(stage.hangups, [None]);
}

#[test]
fn an_answer_of_another_type_leaves_the_question_open() {
    let mut stage = Stage::registered();
    let client_id = id("bob");
    let mut lookup = stage.ask(|reply| Command::Lookup { client_id, reply });
    let mut relays = stage.ask(|reply| Command::TurnCredentials { reply });
    let (of_lookup, of_relays) = (stage.id_of("PKD_LOOKUP"), stage.id_of("TURN_CREDENTIALS"));
    let credentials = json!({"iceServers": [], "ttlSeconds": 60});
    let key = json!({"clientId": "bob", "publicKey": null});
    stage.answer(&of_lookup, "TURN_CREDENTIALS", credentials.clone());
    stage.answer(&of_relays, "PKD_RESULT", key.clone());
    assert!(lookup.try_recv().is_err() && relays.try_recv().is_err(), "both wait");
    stage.answer(&of_lookup, "PKD_RESULT", key);
    stage.answer(&of_relays, "TURN_CREDENTIALS", credentials);
    assert!(lookup.try_recv().unwrap().is_ok() && relays.try_recv().unwrap().is_ok());
}

#[test]
fn it_acknowledges_after_a_hundred_messages_or_half_a_minute() {
    let mut stage = Stage::registered();
    for _ in 0..98 {
        stage.hear_next("UNKNOWN", json!({}));
    }
    assert_eq!(stage.count("ACK"), 0);
    stage.hear_next("UNKNOWN", json!({}));
    assert_eq!(stage.last("ACK")["payload"]["seq"], 100);
    stage.hear_next("UNKNOWN", json!({}));
    for _ in 0..4 {
        stage.pass(8 * SECOND);
        stage.hear_pong();
    }
    assert_eq!(stage.last("ACK")["payload"]["seq"], 101);
    assert_eq!(stage.count("ACK"), 2);
}

#[test]
fn resumed_it_repeats_what_is_not_known_to_have_arrived() {
    let mut stage = Stage::registered();
    let call = stage.talk_to_bob();
    stage.candidate(call, "first").unwrap();
    stage.pass(SECOND);
    let heartbeat = stage.id_of("HEARTBEAT");
    stage.answer(&heartbeat, "HEARTBEAT_ACK", json!({}));
    stage.candidate(call, "second").unwrap();
    let second = stage.last("ICE_CANDIDATE")["payload"]["candidate"].clone();
    stage.reconnect();
    stage.register(&json!({"resumed": true}));
    assert_eq!(stage.types(), ["REGISTER", "ICE_CANDIDATE"]);
    assert_eq!(stage.last("ICE_CANDIDATE")["payload"]["candidate"], second);
}

#[test]
fn in_a_new_beginning_it_repeats_everything_of_a_running_call() {
    let mut stage = Stage::registered();
    let call = stage.talk_to_bob();
    for text in ["first", "second"] {
        stage.candidate(call, text).unwrap();
    }
    stage.pass(SECOND);
    let heartbeat = stage.id_of("HEARTBEAT");
    stage.answer(&heartbeat, "HEARTBEAT_ACK", json!({}));
    stage.reconnect();
    stage.register(&json!({"resumed": false}));
    // The empty one that the caller began with, and the two.
    assert_eq!(stage.count("ICE_CANDIDATE"), 3);
}

#[test]
fn an_answer_is_repeated_until_the_caller_is_heard_or_it_is_refused() {
    let mut stage = Stage::registered();
    let call = stage.bob_calls();
    stage.accept(call);
    for _ in 0..2 {
        stage.reconnect();
        stage.register(&json!({"resumed": true}));
        assert_eq!(stage.count("CALL_ACCEPT"), 1);
    }
    let accept = stage.id_of("CALL_ACCEPT");
    stage.refuse(&accept, "INVALID_STATE", None);
    assert!(!stage.events.iter().any(|event| matches!(event, Event::Ended { .. })));
}

#[test]
fn an_answered_call_that_rings_again_is_answered_again() {
    let mut stage = Stage::registered();
    let call = stage.bob_calls();
    stage.accept(call);
    stage.forget();
    let again = json!({"callId": "c1", "callerId": "bob", "sdpOffer": "whatever"});
    stage.hear_next("INCOMING_CALL", again);
    assert_eq!(stage.types(), ["CALL_ACCEPT"]);
    assert!(stage.events.is_empty());
}

#[test]
fn an_end_that_may_be_lost_is_repeated_and_news_of_the_call_end_it_again() {
    let mut stage = Stage::registered();
    let call = stage.talk_to_bob();
    drop(stage.ask(|reply| Command::End { call, reply }));
    stage.reconnect();
    stage.register(&json!({"resumed": true}));
    assert_eq!(stage.count("CALL_END"), 1);
    let end = stage.id_of("CALL_END");
    stage.refuse(&end, "CALL_NOT_FOUND", None);
    stage.forget();
    for _ in 0..10 {
        stage.hear_next("ICE_CANDIDATE", json!({"callId": "c1", "candidate": "x"}));
    }
    assert_eq!(stage.types(), ["CALL_END"; 3], "a server that does not listen is not shouted at");
    assert!(stage.events.is_empty());
}

#[test]
fn a_call_is_begun_again_only_when_its_beginning_was_lost() {
    let mut stage = Stage::registered();
    let (_, first) = stage.call_bob();
    stage.reconnect();
    stage.register(&json!({"resumed": true}));
    assert_eq!(stage.types(), ["REGISTER", "HEARTBEAT"], "it asks before it calls again");
    let probe = stage.id_of("HEARTBEAT");
    stage.answer(&probe, "HEARTBEAT_ACK", json!({}));
    let second = stage.last("CALL_INITIATE").clone();
    assert_ne!(first["id"], second["id"]);
    assert_ne!(first["payload"]["sdpOffer"], second["payload"]["sdpOffer"], "sealed anew");
}

#[test]
fn a_call_whose_beginning_arrived_is_not_begun_again() {
    for told_again in [false, true] {
        let mut stage = Stage::registered();
        let (call, first) = stage.call_bob();
        stage.reconnect();
        stage.register(&json!({"resumed": !told_again}));
        let initiated = json!({"callId": "c1", "targetId": "bob"});
        match told_again {
            // Resumed: the answer itself. Otherwise the server names the call once more.
            false => stage.answer(&first["id"], "CALL_INITIATED", initiated),
            true => stage.hear_next("CALL_INITIATED", initiated),
        }
        let probe = stage.id_of("HEARTBEAT");
        stage.answer(&probe, "HEARTBEAT_ACK", json!({}));
        assert_eq!(stage.count("CALL_INITIATE"), 0);
        drop(stage.ask(|reply| Command::End { call, reply }));
        assert_eq!(stage.last("CALL_END")["payload"]["callId"], "c1");
    }
}

#[test]
fn directory_requests_are_asked_again_until_they_expire() {
    let mut stage = Stage::registered();
    let client_id = id("bob");
    let mut result = stage.ask(|reply| Command::Lookup { client_id, reply });
    let first = stage.id_of("PKD_LOOKUP");
    stage.lose(crate::Disconnect::Network("cut".into()), None);
    stage.pass(2 * SECOND);
    stage.open();
    stage.forget();
    assert!(result.try_recv().is_err(), "it waits");
    stage.pass(30 * SECOND);
    assert!(matches!(result.try_recv(), Ok(Err(Error::TimedOut))));

    let client_id = id("bob");
    let mut result = stage.ask(|reply| Command::Lookup { client_id, reply });
    stage.open();
    stage.register(&json!({"resumed": true}));
    let again = stage.id_of("PKD_LOOKUP");
    assert_ne!(first, again);
    stage.answer(&again, "PKD_RESULT", json!({"clientId": "bob", "publicKey": null}));
    assert!(matches!(result.try_recv(), Ok(Ok(crate::LookedUp::Nothing))));
}

#[test]
fn a_call_that_is_gone_at_the_server_is_over() {
    let mut stage = Stage::registered();
    let call = stage.talk_to_bob();
    stage.candidate(call, "candidate").unwrap();
    let candidate = stage.id_of("ICE_CANDIDATE");
    stage.refuse(&candidate, "CALL_NOT_FOUND", None);
    let ended = stage.events.iter().any(|event| {
        matches!(event, Event::Ended { reason: Ending::Ended(crate::EndReason::Unreachable), .. })
    });
    assert!(ended);
}
