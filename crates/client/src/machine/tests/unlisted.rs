//! A client that the directory does not know of, and a directory that cannot keep a key.

use std::time::Duration;

use securecall_protocol::ErrorCode;
use serde_json::json;

use super::stage::Stage;
use crate::Event;

fn rings(stage: &Stage) -> usize {
    stage.events.iter().filter(|event| matches!(event, Event::Incoming { .. })).count()
}

#[test]
fn an_unlisted_client_publishes_nothing_and_rings_for_the_keys_it_was_given_alone() {
    let mut stage = Stage::unlisted();
    stage.open();
    stage.register(&json!({"resumed": false}));
    let (bob, carol) = (stage.bob.clone(), stage.carol());
    let offers =
        [("bob", "c1", stage.offer_of(&bob, 0)), ("carol", "c2", stage.offer_of(&carol, 0))];
    for (caller, call_id, offer) in offers {
        let payload = json!({"callId": call_id, "callerId": caller, "sdpOffer": offer});
        stage.hear_next("INCOMING_CALL", payload);
    }
    assert_eq!(rings(&stage), 1);
    assert_eq!((stage.count("PKD_REGISTER"), stage.count("PKD_LOOKUP")), (0, 0));
    assert_eq!(stage.count("CALL_REJECT"), 1);
}

#[test]
fn a_directory_that_cannot_keep_a_key_is_told_once_and_asked_again() {
    let told = |stage: &Stage| {
        let full =
            |event: &&Event| matches!(event, Event::KeyRefused { code: ErrorCode::Unavailable });
        stage.events.iter().filter(full).count()
    };
    let mut stage = Stage::new();
    stage.open();
    stage.register(&json!({"resumed": false}));
    for asked in 1..4 {
        assert_eq!(stage.count("PKD_REGISTER"), asked);
        let publishes = stage.id_of("PKD_REGISTER");
        stage.refuse(&publishes, "UNAVAILABLE", Some(1000));
        assert_eq!(told(&stage), 1);
        stage.pass(Duration::from_secs(1));
    }
    let publishes = stage.id_of("PKD_REGISTER");
    stage.answer(&publishes, "PKD_RESULT", json!({"clientId": "alice", "publicKey": "k"}));
    stage.pass(Duration::from_secs(5));
    assert_eq!(stage.count("PKD_REGISTER"), 4);
}
