//! Connections: superseded, silent, refused, and drained.

use securecall_testkit::{Server, get};
use serde_json::json;

use crate::client::{Client, call, candidate};

#[test]
fn a_superseded_connection_is_closed_and_can_do_no_harm() {
    let server = Server::start(&[]);
    let mut old = Client::register(&server, "alice");
    let mut bob = Client::register(&server, "bob");
    let call_id = call(&mut old, &mut bob, "bob");
    // From here on the answer has arrived, and need not be sent again.
    old.send("ICE_CANDIDATE", candidate(&call_id, "in time"));
    bob.expect("ICE_CANDIDATE");

    let mut new = Client::register(&server, "alice");
    // What the old connection still sends, before it has read that it is closed, reaches nobody.
    old.send("ICE_CANDIDATE", candidate(&call_id, "late"));
    old.send("CALL_END", json!({"callId": call_id}));
    assert_eq!(old.expect_close(), 4001);
    old.vanish();
    server.wait_for_metric("securecall_connections", 2);

    bob.expect_nothing();
    new.send("ICE_CANDIDATE", candidate(&call_id, "of the successor"));
    assert_eq!(bob.expect("ICE_CANDIDATE"), candidate(&call_id, "of the successor"));
    bob.send("ICE_CANDIDATE", candidate(&call_id, "for the successor"));
    assert_eq!(new.expect("ICE_CANDIDATE"), candidate(&call_id, "for the successor"));
}

#[test]
fn a_connection_that_does_not_register_is_closed() {
    let server = Server::start(&["--register-timeout=200ms"]);
    assert_eq!(Client::connect(&server).expect_close(), 4101);
}

#[test]
fn a_client_that_is_silent_is_pinged_and_then_closed() {
    let server = Server::start(&["--ping-after=100ms", "--silence-timeout=500ms"]);
    let mut alice = Client::register(&server, "alice");
    // Each read answers the ping before it, so that alice outlives the silence timeout.
    for _ in 0..8 {
        assert!(alice.socket.read().unwrap().is_ping());
    }
    alice.expect_nothing();
    server.wait_for_metric("securecall_closes_total{code=\"4102\"}", 1);
}

#[test]
fn an_address_that_has_too_many_connections_is_refused_with_429() {
    let server = Server::start(&["--connections-per-address-max=1"]);
    let first = Client::register(&server, "alice");
    let Err(refused) = Client::try_connect(&server) else { panic!("a second was let in") };
    assert_eq!(refused.status(), 429);
    assert!(refused.headers().contains_key("retry-after"));
    first.vanish();
    server.wait_for_metric("securecall_connections", 0);
    Client::register(&server, "alice");
}

#[test]
fn a_server_that_drains_closes_with_1012_and_ends() {
    let mut server = Server::start(&["--drain-period=100ms"]);
    let mut clients = ["alice", "bob"].map(|id| Client::register(&server, id));
    server.terminate();
    for client in &mut clients {
        assert_eq!(client.expect_close(), 1012);
        // The answer to the close frame.
        let _ = client.socket.flush();
    }
    drop(clients);
    assert!(server.ended_well());
}

#[test]
fn health_is_ok_and_draining_while_the_server_stops() {
    let server = Server::start(&["--drain-period=2s"]);
    let _alice = Client::register(&server, "alice");
    let healthy = get(server.address(), "/health");
    assert!(
        healthy.starts_with("HTTP/1.1 200 ") && healthy.ends_with("{\"status\":\"ok\"}"),
        "{healthy}"
    );
    server.terminate();
    let draining = securecall_testkit::wait_for(
        || Some(get(server.address(), "/health")).filter(|response| !response.contains("ok\"}")),
        "it should drain",
    );
    assert!(draining.starts_with("HTTP/1.1 503 "), "{draining}");
    assert!(draining.ends_with("{\"status\":\"draining\"}"), "{draining}");
}
