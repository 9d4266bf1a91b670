//! An address that starts handshakes too fast is disconnected before it costs a signature.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use rustls::version::TLS13;
use rustls::{ClientConfig, ClientConnection};

use crate::authority::Authority;
use crate::client::{Client, config};
use securecall_testkit::Server;

const TOO_FAST: &str = "securecall_connections_refused_total{reason=\"handshakes_too_fast\"}";
const UPGRADE: &[u8] = b"GET /signal HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// Starts a server with four connections and eight handshakes for each address.
fn start(authority: &Authority, flags: &[&str]) -> Server {
    let rate = ["--connection-burst=4", "--connection-rate=0.001"];
    let flags = rate.iter().chain(flags).map(ToString::to_string);
    crate::serve_with(authority.issue("server").flags().into_iter().chain(flags))
}

/// Returns the first line of the response to an upgrade.
fn status(mut client: Client) -> String {
    client.write(UPGRADE);
    let mut answer = Vec::new();
    client.read(&mut answer).unwrap();
    String::from_utf8(answer).unwrap().lines().next().unwrap().to_owned()
}

/// Starts a handshake that must fail. Returns whether the server sent anything, and the error.
fn refused(address: SocketAddr, config: &Arc<ClientConfig>) -> (bool, ErrorKind) {
    let mut tls = ClientConnection::new(config.clone(), "localhost".try_into().unwrap()).unwrap();
    let mut hello = Vec::new();
    tls.write_tls(&mut hello).unwrap();
    let answer = TcpStream::connect(address).and_then(|mut socket| {
        socket.write_all(&hello)?;
        socket.read(&mut [0])
    });
    // The reset may arrive before the hello is written, or before `connect` returns; it is reported
    // once.
    match answer {
        Ok(bytes) => (bytes > 0, ErrorKind::UnexpectedEof),
        Err(error) => (false, error.kind()),
    }
}

#[test]
fn an_address_that_is_too_fast_is_answered_at_first_and_then_hung_up_on() {
    let authority = Authority::new();
    let server = start(&authority, &[]);
    let config = config(&authority, &[&TLS13]);
    for _ in 0..4 {
        assert!(status(Client::connect(server.address(), &config)).contains(" 101 "));
    }
    for _ in 0..4 {
        assert!(status(Client::connect(server.address(), &config)).contains(" 429 "));
    }
    assert_eq!(server.metric(TOO_FAST), 0);
    let handshakes = || server.metric("securecall_tls_handshakes_total{outcome=\"full\"}");
    let before = handshakes();
    for _ in 0..20 {
        let (said, how) = refused(server.address(), &config);
        assert!(!said, "no byte of TLS should come");
        assert_eq!(how, ErrorKind::ConnectionReset);
    }
    assert_eq!((server.metric(TOO_FAST), handshakes()), (20, before));
    Client::connect_from([127, 0, 0, 2], server.address(), &config).register("bob");
}

#[test]
fn what_is_hung_up_on_costs_no_place_among_requests() {
    let authority = Authority::new();
    let server = start(&authority, &[]);
    let config = config(&authority, &[&TLS13]);
    // More than may be in progress at once.
    for _ in 0..600 {
        let _ = refused(server.address(), &config);
    }
    assert!(server.metric(TOO_FAST) > 500);
    Client::connect_from([127, 0, 0, 2], server.address(), &config).register("bob");
}

#[test]
fn a_trusted_proxy_shakes_hands_for_many() {
    let authority = Authority::new();
    let server = start(&authority, &["--trusted-proxies=127.0.0.1"]);
    let config = config(&authority, &[&TLS13]);
    for _ in 0..20 {
        drop(Client::connect(server.address(), &config));
    }
    assert_eq!(server.metric(TOO_FAST), 0);
}
