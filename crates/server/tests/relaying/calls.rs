//! Calls, from ring to end.

use serde_json::json;

use crate::client::{Client, establish, ring};
use crate::rig::Server;

#[test]
fn a_call_goes_from_ring_to_end() {
    let server = Server::start([]);
    let (mut alice, mut bob) =
        (Client::register(&server, "alice"), Client::register(&server, "bob"));
    let call_id = establish(&mut alice, &mut bob, "bob");
    bob.send("ICE_CANDIDATE", json!({"callId": call_id, "candidate": "host"}));
    assert_eq!(alice.expect("ICE_CANDIDATE"), json!({"callId": call_id, "candidate": "host"}));
    alice.send("CALL_END", json!({"callId": call_id}));
    assert_eq!(bob.expect("CALL_ENDED"), json!({"callId": call_id}));
    alice.expect_nothing();
    bob.send("CALL_END", json!({"callId": call_id}));
    assert_eq!(bob.expect_error(), "CALL_NOT_FOUND");
}

#[test]
fn an_offline_callee_is_target_not_found() {
    let server = Server::start([]);
    let mut alice = Client::register(&server, "alice");
    alice.send("CALL_INITIATE", json!({"targetId": "bob", "sdpOffer": "offer"}));
    assert_eq!(alice.expect_error(), "TARGET_NOT_FOUND");
    // Bob was there once, and left.
    Client::register(&server, "bob").close(1000);
    alice.send("CALL_INITIATE", json!({"targetId": "bob", "sdpOffer": "offer"}));
    assert_eq!(alice.expect_error(), "TARGET_NOT_FOUND");
}

#[test]
fn a_callee_declines() {
    let server = Server::start([]);
    let (mut alice, mut bob) =
        (Client::register(&server, "alice"), Client::register(&server, "bob"));
    let call_id = ring(&mut alice, &mut bob, "bob");
    bob.send("CALL_REJECT", json!({"callId": call_id}));
    assert_eq!(alice.expect("CALL_REJECTED"), json!({"callId": call_id}));
    bob.send("CALL_ACCEPT", json!({"callId": call_id, "sdpAnswer": "too late"}));
    assert_eq!(bob.expect_error(), "CALL_NOT_FOUND");
}

#[test]
fn opaque_fields_are_relayed_byte_for_byte() {
    let server = Server::start([]);
    let (mut alice, mut bob) =
        (Client::register(&server, "alice"), Client::register(&server, "bob"));
    let call_id = establish(&mut alice, &mut bob, "bob");
    let candidate = r#""\u0041\/ \\ \"é\ud83d\ude00""#;
    alice.send_text(&format!(
        r#"{{"type":"ICE_CANDIDATE","payload":{{"candidate":{candidate},"callId":"{call_id}"}}}}"#
    ));
    let relayed = bob.next_text();
    assert!(relayed.contains(&format!(r#""candidate":{candidate}"#)), "{relayed}");
}

#[test]
fn the_callees_candidates_follow_its_answer() {
    let server = Server::start([]);
    let (mut alice, mut bob) =
        (Client::register(&server, "alice"), Client::register(&server, "bob"));
    let call_id = ring(&mut alice, &mut bob, "bob");
    for number in 0..3 {
        bob.send("ICE_CANDIDATE", json!({"callId": call_id, "candidate": number.to_string()}));
    }
    bob.send("CALL_ACCEPT", json!({"callId": call_id, "sdpAnswer": "answer"}));
    alice.expect("CALL_ACCEPTED");
    for number in 0..3 {
        assert_eq!(alice.expect("ICE_CANDIDATE")["candidate"], number.to_string());
    }
}

#[test]
fn a_caller_who_closes_with_1000_stops_the_ringing() {
    let server = Server::start([]);
    let (mut alice, mut bob) =
        (Client::register(&server, "alice"), Client::register(&server, "bob"));
    let call_id = ring(&mut alice, &mut bob, "bob");
    alice.close(1000);
    assert_eq!(bob.expect("CALL_ENDED"), json!({"callId": call_id}));
}

#[test]
fn a_call_that_nobody_answers_ends_at_both_ends() {
    let server = Server::start(["--ring-timeout=1s".to_owned()]);
    let (mut alice, mut bob) =
        (Client::register(&server, "alice"), Client::register(&server, "bob"));
    let call_id = ring(&mut alice, &mut bob, "bob");
    assert_eq!(alice.expect("CALL_ENDED"), json!({"callId": call_id}));
    assert_eq!(bob.expect("CALL_ENDED"), json!({"callId": call_id}));
}

#[test]
fn an_outsider_cannot_tell_a_call_of_others_from_none() {
    let server = Server::start([]);
    let (mut alice, mut bob) =
        (Client::register(&server, "alice"), Client::register(&server, "bob"));
    let call_id = establish(&mut alice, &mut bob, "bob");
    let mut mallory = Client::register(&server, "mallory");
    for call_id in [call_id.as_str(), "made-up"] {
        mallory.send("ICE_CANDIDATE", json!({"callId": call_id, "candidate": "x"}));
        assert_eq!(mallory.expect_error(), "CALL_NOT_FOUND");
        mallory.send("CALL_END", json!({"callId": call_id}));
        assert_eq!(mallory.expect_error(), "CALL_NOT_FOUND");
    }
    alice.expect_nothing();
    bob.expect_nothing();
}
