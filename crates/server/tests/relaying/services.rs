//! The directory, TURN credentials, and heartbeats.

use std::fs;

use securecall_testkit::Server;
use serde_json::json;

use crate::client::{Client, call};

#[test]
fn the_first_key_of_an_id_is_kept_through_a_crash() {
    let mut server = Server::start(&[]);
    let alices = json!({"clientId": "alice", "publicKey": "alice's key"});
    let mut alice = Client::register(&server, "alice");
    alice.send("PKD_LOOKUP", json!({"clientId": "alice"}));
    assert_eq!(alice.expect("PKD_RESULT"), json!({"clientId": "alice", "publicKey": null}));
    alice.send("PKD_REGISTER", alices.clone());
    assert_eq!(alice.expect("PKD_RESULT"), alices);

    server.kill_and_restart();
    let mut thief = Client::register(&server, "alice");
    let another = json!({"clientId": "alice", "publicKey": "a thief's key"});
    assert_eq!(thief.refused("PKD_REGISTER", another), "KEY_PINNED");
    let of_bob = json!({"clientId": "bob", "publicKey": "not bob's key"});
    assert_eq!(thief.refused("PKD_REGISTER", of_bob), "UNAUTHORIZED");
    let mut bob = Client::register(&server, "bob");
    bob.send("PKD_LOOKUP", json!({"clientId": "alice"}));
    assert_eq!(bob.expect("PKD_RESULT"), alices);
}

#[test]
fn both_ends_of_a_call_get_turn_credentials() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    fs::write(&secret, "north").unwrap();
    let secret = format!("--turn-secret-file={}", secret.display());
    let server =
        Server::start(&["--turn-urls=turn:turn.example.org:3478", "--turn-ttl=10m", &secret]);
    let mut alice = Client::register(&server, "alice");
    alice.send("TURN_CREDENTIALS", json!({}));
    let credentials = alice.expect("TURN_CREDENTIALS");
    assert_eq!(credentials["ttlSeconds"], 600);
    let of_alice = &credentials["iceServers"][0];
    assert_eq!(of_alice["urls"], json!(["turn:turn.example.org:3478"]));
    assert!(!of_alice["credential"].as_str().unwrap().contains("north"));

    let mut bob = Client::register(&server, "bob");
    alice.send("CALL_INITIATE", json!({"targetId": "bob", "sdpOffer": "an offer"}));
    let incoming = bob.expect("INCOMING_CALL");
    let of_bob = &incoming["iceServers"][0];
    assert_ne!(of_bob["username"], of_alice["username"]);
    assert!(!of_bob["username"].as_str().unwrap().contains("bob"), "a TURN server learns no id");
}

#[test]
fn a_server_without_turn_says_so() {
    let server = Server::start(&[]);
    let mut alice = Client::register(&server, "alice");
    alice.send("TURN_CREDENTIALS", json!({}));
    assert_eq!(alice.expect("TURN_CREDENTIALS"), json!({"iceServers": [], "ttlSeconds": 0}));
    let mut bob = Client::register(&server, "bob");
    call(&mut alice, &mut bob, "bob");
}

#[test]
fn an_answer_has_the_id_of_its_message() {
    let server = Server::start(&[]);
    let mut alice = Client::register(&server, "alice");
    alice.send_text(r#"{"type":"HEARTBEAT","payload":{},"id":"7"}"#);
    let answer = json!({"type": "HEARTBEAT_ACK", "payload": {}, "replyTo": "7"});
    assert_eq!(alice.receive(), answer);
}
