//! An address with one thing wrong, and what an application learns of it in bounded time.

use std::time::{Duration, Instant};

use securecall_client::{Disconnect, Error};
use securecall_testkit::free_address;

use crate::phone::{Phone, identity};
use securecall_testkit::Server;

const PATIENCE: Duration = Duration::from_secs(2);

async fn cause(url: &str) -> Option<Disconnect> {
    let alice = Phone::connecting(url, identity("alice"));
    let began = Instant::now();
    let error = alice.client.registered_within(PATIENCE).await.unwrap_err();
    assert!(began.elapsed() < 2 * PATIENCE, "{:?}", began.elapsed());
    let Error::NotRegistered { cause } = error else { panic!("{error}") };
    cause
}

#[tokio::test]
async fn a_port_at_which_nobody_listens_is_named() {
    let said = cause(&format!("ws://{}/signal", free_address())).await;
    assert!(
        matches!(&said, Some(Disconnect::Network(text)) if text.contains("refused")),
        "{said:?}"
    );
}

#[tokio::test]
async fn a_path_that_the_server_does_not_have_is_named() {
    let server = Server::start(&[]);
    let said = cause(&format!("ws://{}/call", server.address())).await;
    assert_eq!(said, Some(Disconnect::Http(404)));
}

#[tokio::test]
async fn a_scheme_that_the_port_does_not_speak_ends_the_wait_with_a_cause() {
    let server = Server::start(&[]);
    assert!(cause(&format!("wss://{}/signal", server.address())).await.is_some());
}

#[tokio::test]
async fn a_right_address_is_registered_within_the_time() {
    let server = Server::start(&[]);
    let alice = Phone::connecting(&server.url(), identity("alice"));
    alice.client.registered_within(10 * PATIENCE).await.unwrap();
}
