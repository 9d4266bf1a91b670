//! A server that gives one key where it counts and another where somebody looks.

use std::sync::mpsc;
use std::thread;

use serde_json::Value;
use tokio::runtime::Builder;

use crate::middle::{Middle, Way};
use crate::server::Server;
use crate::terminal::Person;

/// The address of a server that stands before an honest one for as long as the test runs, and
/// makes something else of what passes.
pub(crate) fn lying(
    server: &Server,
    lie: impl FnMut(Way, Value) -> Vec<Value> + Send + 'static,
) -> String {
    let address = server.url().replace("ws://", "").replace("/signal", "").parse().unwrap();
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            tell.send(Middle::before(address, lie).await.url()).unwrap();
            std::future::pending::<()>().await;
        });
    });
    told.recv().unwrap()
}

/// What the directory says of `client_id` passes once; from then on it says `later`.
fn two_faced(server: &Server, client_id: &'static str, later: String) -> String {
    let mut looks = 0;
    lying(server, move |way, mut message| {
        let is_key = message["type"] == "PKD_RESULT" && message["payload"]["clientId"] == client_id;
        if way == Way::ToClient && is_key {
            looks += 1;
            if looks > 1 {
                message["payload"]["publicKey"] = later.clone().into();
            }
        }
        vec![message]
    })
}

#[test]
fn a_call_made_with_another_key_than_the_one_given_is_not_taken() {
    let server = Server::start();
    let (alice, bob, mallory) = (Person::new("alice"), Person::new("bob"), Person::new("alice"));
    let url = two_faced(&server, "alice", alice.directory_key());
    let fingerprint = alice.fingerprint();
    let flags = ["listen", "--accept-from", "alice", "--fingerprint", &fingerprint];
    let mut at_bob = bob.run(&url, &flags);
    at_bob.waits_for("waiting for calls");
    let mut at_mallory = mallory.run(&server.url(), &["call", "bob", "--message", "I am alice"]);
    at_mallory.ends_with(1);
    at_bob.waits_for("ANOTHER ONE");
    assert!(at_bob.stderr().contains(&mallory.fingerprint()), "{}", at_bob.stderr());
    assert_eq!(at_bob.stdout(), "");
}

#[test]
fn the_key_that_is_shown_is_the_one_that_is_called() {
    let server = Server::start();
    let (alice, bob, mallory) = (Person::new("alice"), Person::new("bob"), Person::new("bob"));
    let url = two_faced(&server, "bob", mallory.directory_key());
    let mut at_bob = bob.run(&server.url(), &["listen", "--accept-all"]);
    at_bob.waits_for("waiting for calls");
    let mut at_alice = alice.run(&url, &["call", "bob", "--message", "good morning"]);
    at_bob.waits_for("alice: good morning");
    at_alice.ends_with(0);
    assert!(at_alice.stderr().contains(&bob.fingerprint()), "{}", at_alice.stderr());
}
