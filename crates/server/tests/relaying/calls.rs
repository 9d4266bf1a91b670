//! Calls from ring to end, and clients that are not there.

use securecall_testkit::Server;
use serde_json::json;

use crate::client::{Client, call, candidate, ring};

#[test]
fn a_call_is_relayed_from_ring_to_end() {
    let server = Server::start(&[]);
    let mut alice = Client::register(&server, "alice");
    let mut bob = Client::register(&server, "bob");
    let call_id = call(&mut alice, &mut bob, "bob");
    for (text, from_alice) in [("first \\u00e9", true), ("second", false)] {
        let (from, to) = if from_alice { (&mut alice, &mut bob) } else { (&mut bob, &mut alice) };
        from.send("ICE_CANDIDATE", candidate(&call_id, text));
        assert_eq!(to.expect("ICE_CANDIDATE"), candidate(&call_id, text));
    }
    alice.send("CALL_END", json!({"callId": call_id}));
    assert_eq!(bob.expect("CALL_ENDED"), json!({"callId": call_id}));
    assert_eq!(bob.refused("CALL_END", json!({"callId": call_id})), "CALL_NOT_FOUND");
    alice.expect_nothing();
}

#[test]
fn a_callee_declines() {
    let server = Server::start(&[]);
    let mut alice = Client::register(&server, "alice");
    let mut bob = Client::register(&server, "bob");
    let call_id = ring(&mut alice, &mut bob, "bob");
    bob.send("CALL_REJECT", json!({"callId": call_id}));
    assert_eq!(alice.expect("CALL_REJECTED"), json!({"callId": call_id}));
}

#[test]
fn a_callee_that_is_offline_is_not_found() {
    let server = Server::start(&[]);
    let mut alice = Client::register(&server, "alice");
    let ring_bob = json!({"targetId": "bob", "sdpOffer": "an offer"});
    assert_eq!(alice.refused("CALL_INITIATE", ring_bob.clone()), "TARGET_NOT_FOUND");

    // Neither is one that has left, nor one that has lost its connection.
    Client::register(&server, "bob").vanish();
    server.wait_for_metric("securecall_connections", 1);
    assert_eq!(alice.refused("CALL_INITIATE", ring_bob), "TARGET_NOT_FOUND");
}

#[test]
fn a_candidate_for_a_client_that_is_away_waits_until_it_has_presented_the_call() {
    let server = Server::start(&[]);
    let mut alice = Client::register(&server, "alice");
    let mut bob = Client::register(&server, "bob");
    let call_id = call(&mut alice, &mut bob, "bob");
    bob.vanish();
    server.wait_for_metric("securecall_connections", 1);
    for text in ["first", "second"] {
        alice.send("ICE_CANDIDATE", candidate(&call_id, text));
    }
    alice.expect_nothing();

    let mut bob = Client::register(&server, "bob");
    bob.expect_nothing();
    bob.send("ICE_CANDIDATE", candidate(&call_id, "back"));
    for text in ["first", "second"] {
        assert_eq!(bob.expect("ICE_CANDIDATE"), candidate(&call_id, text));
    }
    assert_eq!(alice.expect("ICE_CANDIDATE"), candidate(&call_id, "back"));
}

#[test]
fn a_client_that_does_not_come_back_within_the_grace_ends_its_calls() {
    let server = Server::start(&["--grace=200ms"]);
    let mut alice = Client::register(&server, "alice");
    let mut bob = Client::register(&server, "bob");
    let call_id = call(&mut alice, &mut bob, "bob");
    bob.vanish();
    assert_eq!(alice.expect("CALL_ENDED"), json!({"callId": call_id}));
}

#[test]
fn a_call_that_nobody_answers_ends_at_both_ends() {
    let server = Server::start(&["--ring-timeout=200ms"]);
    let mut alice = Client::register(&server, "alice");
    let mut bob = Client::register(&server, "bob");
    let call_id = ring(&mut alice, &mut bob, "bob");
    for end in [&mut alice, &mut bob] {
        assert_eq!(end.expect("CALL_ENDED"), json!({"callId": call_id}));
    }
}

#[test]
fn an_outsider_cannot_touch_a_call() {
    let server = Server::start(&[]);
    let mut alice = Client::register(&server, "alice");
    let mut bob = Client::register(&server, "bob");
    let mut mallory = Client::register(&server, "mallory");
    let call_id = call(&mut alice, &mut bob, "bob");
    let end = json!({"callId": call_id});
    assert_eq!(mallory.refused("CALL_END", end), "CALL_NOT_FOUND");
    assert_eq!(mallory.refused("ICE_CANDIDATE", candidate(&call_id, "x")), "CALL_NOT_FOUND");
    alice.expect_nothing();
    bob.expect_nothing();
}

#[test]
fn a_caller_of_dialect_2_knows_its_call_at_once_and_learns_the_reason_of_its_end() {
    let server = Server::start(&[]);
    let register = |id| Client::register_with(&server, json!({"clientId": id, "protocol": 2})).0;
    let (mut alice, mut bob) = (register("alice"), register("bob"));
    alice.send("CALL_INITIATE", json!({"targetId": "bob", "sdpOffer": "an offer"}));
    let call_id = alice.expect("CALL_INITIATED")["callId"].take();
    assert_eq!(bob.expect("INCOMING_CALL")["callId"], call_id);
    bob.send("CALL_RINGING", json!({"callId": call_id}));
    assert_eq!(alice.expect("CALL_RINGING"), json!({"callId": call_id}));
    bob.send("CALL_REJECT", json!({"callId": call_id, "reason": "busy"}));
    let rejected = alice.receive();
    assert_eq!(rejected["payload"], json!({"callId": call_id, "reason": "busy"}), "{rejected}");
    assert_eq!(rejected["seq"], 3);
}

#[test]
fn a_lost_connection_of_dialect_2_is_resumed_without_loss() {
    let server = Server::start(&[]);
    let mut alice = Client::register(&server, "alice");
    let two = json!({"clientId": "bob", "protocol": 2});
    let (mut bob, registered) = Client::register_with(&server, two);
    let call_id = call(&mut alice, &mut bob, "bob");
    for text in ["read", "not read"] {
        alice.send("ICE_CANDIDATE", candidate(&call_id, text));
    }
    assert_eq!(bob.receive()["seq"], 2);
    bob.vanish();

    let resume = json!({"clientId": "bob", "protocol": 2, "lastSeq": 2,
        "resumeToken": registered["resumeToken"]});
    let (mut bob, registered) = Client::register_with(&server, resume);
    assert_eq!(registered["resumed"], true);
    let missed = bob.receive();
    assert_eq!((&missed["seq"], &missed["payload"]["candidate"]), (&json!(3), &json!("not read")));
}
