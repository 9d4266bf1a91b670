//! The pace: nothing that the server would refuse, and nothing without a bound.

use std::time::Duration;

use serde_json::json;

use super::stage::{Stage, id};
use crate::command::Command;
use crate::{CallId, Error};

const SECOND: Duration = Duration::from_secs(1);

/// Answers every question that was asked, and forgets what was sent before.
fn confirm(stage: &mut Stage) {
    let asked: Vec<_> = stage
        .sent
        .iter()
        .filter(|message| message["type"] == "HEARTBEAT")
        .map(|message| message["id"].clone())
        .collect();
    for id in asked {
        stage.answer(&id, "HEARTBEAT_ACK", json!({}));
    }
}

#[test]
fn more_than_a_full_gather_goes_out_in_the_servers_pace() {
    let mut stage = Stage::registered();
    let call = stage.talk_to_bob();
    stage.forget();
    for number in 0..500 {
        stage.candidate(call, &number.to_string()).unwrap();
        if number % 50 == 0 {
            confirm(&mut stage);
        }
    }
    confirm(&mut stage);
    let at_once = stage.count("ICE_CANDIDATE");
    assert!((250..=300).contains(&at_once), "{at_once}");
    let mut seconds = 0;
    while stage.count("ICE_CANDIDATE") < 500 {
        stage.pass(SECOND);
        confirm(&mut stage);
        seconds += 1;
        assert!(seconds < 20);
    }
    assert!(seconds >= 4, "at 40 a second, not {seconds} seconds for 200");
}

#[test]
fn without_a_sign_that_anything_arrives_little_is_sent() {
    let mut stage = Stage::registered();
    let call = stage.talk_to_bob();
    stage.forget();
    for number in 0..300 {
        stage.candidate(call, &number.to_string()).unwrap();
    }
    assert!(stage.count("ICE_CANDIDATE") <= 256);
    assert!(stage.count("HEARTBEAT") >= 1, "it asks");
}

#[test]
fn what_waits_is_bounded_and_the_application_told() {
    let mut stage = Stage::registered();
    let (call, _) = stage.call_bob();
    for number in 0..256 {
        stage.candidate(call, &number.to_string()).unwrap();
    }
    assert!(matches!(stage.candidate(call, "one more"), Err(Error::TooMuchWaits)));

    let mut stage = Stage::registered();
    let call = stage.talk_to_bob();
    stage.lose(crate::Disconnect::Silent, None);
    let taken = (0..2000).take_while(|_| stage.candidate(call, "candidate").is_ok()).count();
    assert_eq!(taken, 1024);
}

#[test]
fn a_refused_candidate_waits_as_long_as_the_server_says_and_is_sealed_anew() {
    let mut stage = Stage::registered();
    let call = stage.talk_to_bob();
    stage.candidate(call, "candidate").unwrap();
    let refused = stage.last("ICE_CANDIDATE").clone();
    stage.refuse(&refused["id"], "RATE_LIMITED", Some(700));
    stage.forget();
    stage.pass(Duration::from_millis(690));
    assert_eq!(stage.count("ICE_CANDIDATE"), 0);
    stage.pass(Duration::from_millis(20));
    let again = stage.last("ICE_CANDIDATE").clone();
    assert_ne!(again["payload"]["candidate"], refused["payload"]["candidate"]);
}

#[test]
fn a_refused_question_to_the_directory_is_asked_again() {
    let mut stage = Stage::registered();
    let client_id = id("bob");
    let mut result = stage.ask(|reply| Command::Lookup { client_id, reply });
    for code in ["RATE_LIMITED", "UNAVAILABLE"] {
        let lookup = stage.id_of("PKD_LOOKUP");
        stage.refuse(&lookup, code, Some(500));
        stage.forget();
        stage.pass(Duration::from_millis(400));
        assert_eq!(stage.count("PKD_LOOKUP"), 0);
        stage.pass(Duration::from_millis(200));
        assert_eq!(stage.count("PKD_LOOKUP"), 1);
    }
    let lookup = stage.id_of("PKD_LOOKUP");
    stage.answer(&lookup, "PKD_RESULT", json!({"clientId": "bob", "publicKey": null}));
    assert!(result.try_recv().unwrap().is_ok());
}

#[test]
fn a_call_that_is_over_says_no_more() {
    let mut stage = Stage::registered();
    let call = stage.talk_to_bob();
    for number in 0..400 {
        stage.candidate(call, &number.to_string()).unwrap();
    }
    let before = stage.count("ICE_CANDIDATE");
    drop(stage.ask(|reply| Command::End { call, reply }));
    confirm(&mut stage);
    stage.pass(3 * SECOND);
    assert_eq!(stage.count("ICE_CANDIDATE"), before, "400 less those have nowhere to go");
    assert_eq!(stage.count("CALL_END"), 1);
    assert!(matches!(stage.candidate(call, "late"), Err(Error::NoSuchCall)));
    assert!(matches!(stage.candidate(CallId(99), "of none"), Err(Error::NoSuchCall)));
}

#[test]
fn a_text_longer_than_the_server_takes_is_not_sent() {
    let mut stage = Stage::new();
    stage.open();
    stage.register(&json!({"resumed": false, "maxMessageBytes": 4096}));
    let (target, offer) = (id("bob"), "x".repeat(8000));
    let mut result = stage.ask(|reply| Command::Call { target, offer, reply });
    let lookup = stage.id_of("PKD_LOOKUP");
    let key = stage.bob.directory_key().as_str().to_owned();
    stage.answer(&lookup, "PKD_RESULT", json!({"clientId": "bob", "publicKey": key}));
    assert!(matches!(result.try_recv(), Ok(Err(Error::TooLong))));
}

#[test]
fn the_own_key_is_asked_to_be_kept_for_as_long_as_it_takes_and_before_anything_else() {
    let mut stage = Stage::new();
    let (target, offer) = (id("bob"), "offer".to_owned());
    drop(stage.ask(|reply| Command::Call { target, offer, reply }));
    stage.open();
    stage.register(&json!({"resumed": false}));
    assert_eq!(stage.types(), ["REGISTER", "PKD_REGISTER", "PKD_LOOKUP"]);
    let mut registered = stage.ask(|reply| Command::Registered { within: None, reply });
    for _ in 0..60 {
        let publish = stage.id_of("PKD_REGISTER");
        stage.refuse(&publish, "UNAVAILABLE", Some(1000));
        stage.pass(SECOND);
        stage.hear_pong();
    }
    assert!(registered.try_recv().is_err(), "it waits");
    let publish = stage.id_of("PKD_REGISTER");
    stage.answer(&publish, "PKD_RESULT", json!({"clientId": "alice", "publicKey": "k"}));
    assert!(matches!(registered.try_recv(), Ok(Ok(()))));
}

/// Registered at a server whose operator has set the rate of a class.
fn registered_at_rate(class: &str, burst: u64, interval_ms: u64) -> Stage {
    let mut stage = Stage::registered();
    stage.reconnect();
    let rates = json!({class: {"burst": burst, "intervalMs": interval_ms}});
    stage.register(&json!({"resumed": true, "rates": rates}));
    stage
}

#[test]
fn candidates_go_out_in_the_pace_that_the_server_announces() {
    for (burst, interval_ms, at_once, after_ten_seconds) in
        [(4, 1_000, 3, 3 + 8), (800, 10, 400, 400)]
    {
        let mut stage = registered_at_rate("candidates", burst, interval_ms);
        let call = stage.talk_to_bob();
        // The first message of a call confirms the answer; it is forgotten once its token is back.
        stage.pass(2 * SECOND);
        stage.forget();
        for number in 0..400 {
            stage.candidate(call, &number.to_string()).unwrap();
            if number % 50 == 0 {
                confirm(&mut stage);
            }
        }
        confirm(&mut stage);
        assert_eq!(stage.count("ICE_CANDIDATE"), at_once, "{burst} at once");
        for _ in 0..10 {
            stage.pass(SECOND);
            confirm(&mut stage);
        }
        assert_eq!(stage.count("ICE_CANDIDATE"), after_ten_seconds, "then one in {interval_ms} ms");
    }
}

#[test]
fn another_connection_has_the_rates_of_its_own_server() {
    let mut stage = registered_at_rate("candidates", 4, 1_000);
    stage.reconnect();
    stage.register(&json!({"resumed": true}));
    let call = stage.talk_to_bob();
    stage.forget();
    for number in 0..50 {
        stage.candidate(call, &number.to_string()).unwrap();
    }
    assert_eq!(stage.count("ICE_CANDIDATE"), 50);
}

#[test]
fn register_is_the_first_message_of_its_class() {
    let mut stage = registered_at_rate("other", 1, 2_000);
    let mut credentials = stage.ask(|reply| Command::TurnCredentials { reply });
    stage.pass(2 * SECOND);
    assert_eq!(stage.count("TURN_CREDENTIALS"), 0, "the server would refuse it");
    stage.pass(SECOND);
    assert_eq!(stage.count("TURN_CREDENTIALS"), 1);
    assert!(credentials.try_recv().is_err());
}

#[test]
fn acknowledgements_keep_their_pace_too() {
    let mut stage = registered_at_rate("acks", 1, 60_000);
    for number in 0..150 {
        stage.hear_next("HEARTBEAT_ACK", json!({ "number": number }));
    }
    assert_eq!(stage.count("ACK"), 1);
    for seconds in 0..75 {
        assert_eq!(stage.count("ACK"), 1, "after {seconds} seconds");
        stage.pass(SECOND);
        stage.hear_pong();
    }
    assert_eq!(stage.count("ACK"), 2);
}
