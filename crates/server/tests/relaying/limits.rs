//! Messages that are too many, too long, or wrong.

use securecall_testkit::Server;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::client::{Client, call, candidate};

#[test]
fn messages_above_a_rate_are_refused_and_the_connection_stays() {
    let server = Server::start(&["--candidates-rate=3/0.1"]);
    let mut alice = Client::register(&server, "alice");
    let mut bob = Client::register(&server, "bob");
    let call_id = call(&mut alice, &mut bob, "bob");
    for text in ["1", "2", "3"] {
        alice.send("ICE_CANDIDATE", candidate(&call_id, text));
        bob.expect("ICE_CANDIDATE");
    }
    assert_eq!(alice.refused("ICE_CANDIDATE", candidate(&call_id, "4")), "RATE_LIMITED");
    bob.expect_nothing();
    alice.send("CALL_END", json!({"callId": call_id}));
    bob.expect("CALL_ENDED");
}

#[test]
fn a_message_that_is_wrong_costs_nobody_the_connection() {
    let server = Server::start(&[]);
    let mut alice = Client::connect(&server);
    assert_eq!(alice.refused("HEARTBEAT", json!({})), "NOT_REGISTERED");
    for text in ["", "{", "[]", r#"{"type":"NO_SUCH","payload":{}}"#, r#"{"type":"REGISTER"}"#] {
        alice.send_text(text);
        assert_eq!(alice.expect("ERROR")["code"], "INVALID_MESSAGE", "{text}");
    }
    alice.send("REGISTER", json!({"clientId": "alice"}));
    alice.expect("REGISTERED");
}

#[test]
fn a_message_that_is_too_long_closes_with_1009_and_a_binary_one_with_1003() {
    let server = Server::start(&["--message-bytes-max=16384"]);
    let mut alice = Client::register(&server, "alice");
    alice.send_text(&"x".repeat(16_385));
    assert_eq!(alice.expect_close(), 1009);

    let mut alice = Client::register(&server, "alice");
    alice.socket.send(Message::binary(vec![1])).unwrap();
    assert_eq!(alice.expect_close(), 1003);
}

#[test]
fn a_callee_at_which_too_many_calls_ring_rejects_the_next() {
    let server = Server::start(&["--calls-unanswered-max=1"]);
    let mut bob = Client::register(&server, "bob");
    let mut alice = Client::register(&server, "alice");
    crate::client::ring(&mut alice, &mut bob, "bob");
    let mut carol = Client::register(&server, "carol");
    carol.send("CALL_INITIATE", json!({"targetId": "bob", "sdpOffer": "an offer"}));
    carol.expect("CALL_REJECTED");
    bob.expect_nothing();
}
