//! Dialect 2: a registration that goes on after its connection is lost.

use serde_json::{Value, json};

use crate::client::{Client, establish};
use crate::rig::Server;

fn register(server: &Server, client_id: &str, resumption: Value) -> (Client, Value) {
    let mut client = Client::connect(server);
    let mut payload = json!({"clientId": client_id, "protocol": 2});
    payload.as_object_mut().unwrap().extend(resumption.as_object().unwrap().clone());
    client.send("REGISTER", payload);
    let registered = client.expect("REGISTERED");
    (client, registered)
}

#[test]
fn what_was_missed_is_sent_again_to_whoever_has_the_token() {
    let server = Server::start([]);
    let mut alice = Client::register(&server, "alice");
    let (mut bob, registered) = register(&server, "bob", json!({}));
    assert_eq!(registered["resumed"], false);
    let call_id = establish(&mut alice, &mut bob, "bob");
    bob.lose();
    alice.send("ICE_CANDIDATE", json!({"callId": call_id, "candidate": "missed"}));
    alice.expect_nothing();
    let token = &registered["resumeToken"];
    let (mut bob, registered) =
        register(&server, "bob", json!({"resumeToken": token, "lastSeq": 1}));
    assert_eq!(registered["resumed"], true);
    assert_eq!(bob.expect("ICE_CANDIDATE")["candidate"], "missed");
    assert_eq!(&registered["resumeToken"], token, "the registration goes on");
}

#[test]
fn a_wrong_token_resumes_nothing() {
    let server = Server::start([]);
    let mut alice = Client::register(&server, "alice");
    let (mut bob, registered) = register(&server, "bob", json!({}));
    establish(&mut alice, &mut bob, "bob");
    bob.lose();
    let wrong = registered["resumeToken"].as_str().unwrap().chars().rev().collect::<String>();
    let (mut bob, registered) =
        register(&server, "bob", json!({"resumeToken": wrong, "lastSeq": 1}));
    assert_eq!(registered["resumed"], false);
    bob.expect_nothing();
}
