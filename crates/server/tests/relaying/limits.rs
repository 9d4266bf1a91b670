//! Limits of a connection and of an address.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::json;

use crate::client::Client;
use crate::rig::Server;

#[test]
fn each_class_of_messages_has_a_rate_of_its_own() {
    let server = Server::start(["--directory-rate=2/0.001".to_owned()]);
    let mut alice = Client::register(&server, "alice");
    for _ in 0..3 {
        alice.send("PKD_LOOKUP", json!({"clientId": "bob"}));
    }
    // Those that are let through are answered by another thread, after the refusal perhaps.
    let mut answers: Vec<_> = (0..3).map(|_| alice.next_text()).collect();
    answers.retain(|answer| answer.contains("RATE_LIMITED"));
    assert_eq!(answers.len(), 1);
    alice.expect_nothing();
}

#[test]
fn a_message_that_is_too_long_closes_the_connection() {
    let server = Server::start([]);
    let mut alice = Client::register(&server, "alice");
    alice.send_text(&"x".repeat(65_537));
    assert_eq!(alice.expect_close(), 1009);
}

#[test]
fn an_address_has_so_many_connections_and_health_is_none_of_them() {
    let server = Server::start(["--connections-per-address-max=1".to_owned()]);
    let first = Client::register(&server, "alice");
    server.wait_for_metric("securecall_connections", 1);
    let upgrade = "GET /signal HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let refused = answer(&server, upgrade);
    assert!(refused.starts_with("HTTP/1.1 429 "), "{refused}");
    assert!(refused.to_lowercase().contains("retry-after: "), "{refused}");
    let health = answer(&server, "GET /health HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(
        health.starts_with("HTTP/1.1 200 ") && health.ends_with(r#"{"status":"ok"}"#),
        "{health}"
    );
    first.close(1000);
}

/// Sends a request, and returns the response when the server has closed the socket.
fn answer(server: &Server, request: &str) -> String {
    let mut socket = TcpStream::connect(server.address).unwrap();
    socket.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer
}
