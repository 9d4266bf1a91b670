//! Connections: who they are, how they are superseded and lost.

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::client::{Client, establish};
use crate::rig::Server;

#[test]
fn nothing_but_register_is_taken_before_registered() {
    let server = Server::start([]);
    let mut nobody = Client::connect(&server);
    nobody.send("CALL_INITIATE", json!({"targetId": "bob", "sdpOffer": "offer"}));
    assert_eq!(nobody.expect_error(), "NOT_REGISTERED");
    nobody.send_text("not JSON");
    assert_eq!(nobody.expect_error(), "INVALID_MESSAGE");
    nobody.send("REGISTER", json!({"clientId": "alice"}));
    nobody.expect("REGISTERED");
    nobody.send("REGISTER", json!({"clientId": "bob"}));
    assert_eq!(nobody.expect_error(), "INVALID_STATE");
}

#[test]
fn a_superseded_connection_is_closed_and_does_no_harm() {
    let server = Server::start([]);
    let (mut old, mut bob) = (Client::register(&server, "alice"), Client::register(&server, "bob"));
    let call_id = establish(&mut old, &mut bob, "bob");
    // A caller that has said nothing of an answered call is sent the answer again.
    old.send("ICE_CANDIDATE", json!({"callId": call_id, "candidate": "confirms the answer"}));
    bob.expect("ICE_CANDIDATE");
    let mut new = Client::register(&server, "alice");
    // It has not read its close frame yet, and goes on.
    old.send("CALL_END", json!({"callId": call_id}));
    assert_eq!(old.expect_close(), 4001);
    old.lose();
    new.send("ICE_CANDIDATE", json!({"callId": call_id, "candidate": "from the new connection"}));
    assert_eq!(bob.expect("ICE_CANDIDATE")["candidate"], "from the new connection");
    bob.send("ICE_CANDIDATE", json!({"callId": call_id, "candidate": "to the new connection"}));
    assert_eq!(new.expect("ICE_CANDIDATE")["candidate"], "to the new connection");
}

#[test]
fn a_candidate_for_a_client_that_is_away_arrives_when_it_presents_the_call() {
    let server = Server::start([]);
    let (mut alice, mut bob) =
        (Client::register(&server, "alice"), Client::register(&server, "bob"));
    let call_id = establish(&mut alice, &mut bob, "bob");
    bob.lose();
    server.wait_for_metric("securecall_connections", 1);
    alice.send("ICE_CANDIDATE", json!({"callId": call_id, "candidate": "while away"}));
    alice.expect_nothing();
    let mut bob = Client::register(&server, "bob");
    // An id alone proves nothing, so nothing of the call arrives yet.
    bob.expect_nothing();
    bob.send("ICE_CANDIDATE", json!({"callId": call_id, "candidate": "presented"}));
    assert_eq!(bob.expect("ICE_CANDIDATE")["candidate"], "while away");
    assert_eq!(alice.expect("ICE_CANDIDATE")["candidate"], "presented");
}

#[test]
fn a_client_that_does_not_come_back_has_hung_up() {
    let server = Server::start(["--grace=1s".to_owned()]);
    let (mut alice, mut bob) =
        (Client::register(&server, "alice"), Client::register(&server, "bob"));
    let call_id = establish(&mut alice, &mut bob, "bob");
    bob.lose();
    assert_eq!(alice.expect("CALL_ENDED"), json!({"callId": call_id}));
}

#[test]
fn a_connection_that_does_not_register_is_closed() {
    let server = Server::start(["--register-timeout=1s".to_owned()]);
    assert_eq!(Client::connect(&server).expect_close(), 4101);
}

#[test]
fn a_client_is_pinged_before_it_is_taken_for_lost() {
    let server = Server::start(["--ping-after=1s".to_owned(), "--silence-timeout=3s".to_owned()]);
    let mut alice = Client::register(&server, "alice");
    assert!(matches!(alice.next_frame(), Message::Ping(_)), "it is asked whether it is there");
    // Its next read answers that.
    assert!(matches!(alice.next_frame(), Message::Ping(_)));
    // A connection whose client reads nothing answers nothing.
    let mut asleep = Client::register(&server, "bob");
    std::thread::sleep(std::time::Duration::from_millis(3_500));
    assert_eq!(asleep.expect_close(), 4102);
}
