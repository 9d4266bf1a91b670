//! A dishonest server in front of the command: two different keys for one client, answers held
//! back, and forged calls.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::runtime::Builder;

use crate::middle::{Middle, Way};
use crate::server;
use crate::terminal::Person;
use securecall_testkit::Server;

/// Starts a proxy in front of an honest server that may change each message. Returns its URL.
pub(crate) fn tampering_proxy(
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

/// Starts a proxy that passes the first directory answer for `client_id`, and later returns
/// `later`.
fn changes_key_after_first_lookup(
    server: &Server,
    client_id: &'static str,
    later: String,
) -> String {
    let mut looks = 0;
    tampering_proxy(server, move |way, mut message| {
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
    let server = server::start();
    let (alice, bob, mallory) = (Person::new("alice"), Person::new("bob"), Person::new("alice"));
    let url = changes_key_after_first_lookup(&server, "alice", alice.directory_key());
    let mut at_bob = bob.run(&url, &["listen", "--accept-from", &alice.contact()]);
    at_bob.waits_for("waiting for calls");
    mallory.writes_lines("words", "I am alice");
    let arguments = ["call", "bob", "--message-file", "words"];
    let mut at_mallory = mallory.run(&server.url(), &arguments);
    at_mallory.ends_with(1);
    at_bob.waits_for("NOT THE ONE");
    assert!(at_bob.stderr().contains(&mallory.fingerprint()), "{}", at_bob.stderr());
    assert_eq!(at_bob.stdout(), "");
}

#[test]
fn the_key_that_is_shown_is_the_one_that_is_called() {
    let server = server::start();
    let (alice, bob, mallory) = (Person::new("alice"), Person::new("bob"), Person::new("bob"));
    let url = changes_key_after_first_lookup(&server, "bob", mallory.directory_key());
    let mut at_bob = bob.run(&server.url(), &["listen", "--accept-from", &alice.contact()]);
    at_bob.waits_for("waiting for calls");
    alice.writes_lines("words", "good morning");
    let mut at_alice = alice.run(&url, &["call", "bob", "--message-file", "words"]);
    at_bob.waits_for("alice: good morning");
    at_alice.ends_with(0);
    assert!(at_alice.stderr().contains(&bob.fingerprint()), "{}", at_alice.stderr());
}

/// Makes a call through a proxy that sends `lie` in place of a message. Returns the duration.
fn call_through(
    lie: impl FnMut(Way, Value) -> Vec<Value> + Send + 'static,
    flags: &[&str],
    code: i32,
) -> (String, Duration) {
    let server = server::start();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let mut at_bob = bob.run(&server.url(), &["listen", "--accept-from", &alice.contact()]);
    at_bob.waits_for("waiting for calls");
    let url = tampering_proxy(&server, lie);
    let began = Instant::now();
    let mut at_alice = alice.run(&url, &[&["call", "bob"], flags].concat());
    at_alice.ends_with(code);
    (at_alice.stderr(), began.elapsed())
}

/// Starts a proxy that drops the messages for which this returns true.
fn dropping_proxy(
    is_so: impl Fn(Way, &Value) -> bool + Send + 'static,
) -> impl FnMut(Way, Value) -> Vec<Value> + Send + 'static {
    move |way, message| if is_so(way, &message) { Vec::new() } else { vec![message] }
}

#[test]
fn whatever_a_server_does_not_answer_is_given_up_in_time() {
    for (dropped, waiting) in [
        ("REGISTERED", "127.0.0.1"),
        ("PKD_RESULT", "--connect-timeout"),
        ("TURN_CREDENTIALS", "--connect-timeout"),
    ] {
        let is_so = move |way, message: &Value| {
            // The own key is also confirmed with a PKD_RESULT.
            let is_asked = dropped != "PKD_RESULT" || message["payload"]["clientId"] == "bob";
            way == Way::ToClient && message["type"] == dropped && is_asked
        };
        let (stderr, took) = call_through(dropping_proxy(is_so), &["--connect-timeout", "3s"], 1);
        assert!(stderr.contains(waiting), "{dropped}: {stderr}");
        assert!(took < Duration::from_secs(20), "{dropped}: {took:?}");
    }
}

#[test]
fn a_lookup_that_is_answered_for_another_id_times_out() {
    let lie = |way, mut message: Value| {
        let is_key = message["type"] == "PKD_RESULT" && message["payload"]["clientId"] == "bob";
        if way == Way::ToClient && is_key {
            message["payload"]["clientId"] = "carol".into();
            message["replyTo"] = Value::Null;
        }
        vec![message]
    };
    let (stderr, took) = call_through(lie, &["--connect-timeout", "3s"], 1);
    assert!(stderr.contains("--connect-timeout"), "{stderr}");
    assert!(took < Duration::from_secs(20), "{took:?}");
}

#[test]
fn a_server_that_never_lets_it_ring_is_given_up_in_time() {
    let is_call = |way, message: &Value| way == Way::ToServer && message["type"] == "CALL_INITIATE";
    let (stderr, took) = call_through(dropping_proxy(is_call), &["--ring-timeout", "3s"], 1);
    assert!(stderr.contains("bob did not answer (3 s)"), "{stderr}");
    assert!(took < Duration::from_secs(20), "{took:?}");
}

#[test]
fn a_glare_that_was_made_up_ends_the_call_in_time() {
    let lie = |way, message: Value| {
        if way == Way::ToClient && message["type"] == "CALL_INITIATED" {
            let call_id = message["payload"]["callId"].clone();
            let payload = json!({"callId": call_id, "reason": "glare"});
            return vec![message, json!({"type": "CALL_ENDED", "payload": payload})];
        }
        vec![message]
    };
    let (stderr, took) = call_through(lie, &[], 1);
    assert!(stderr.contains("their call did not arrive"), "{stderr}");
    assert!(took < Duration::from_secs(40), "{took:?}");
}

#[test]
fn a_forged_answer_is_detected() {
    let lie = |way, mut message: Value| {
        if way == Way::ToClient && message["type"] == "CALL_ACCEPTED" {
            message["payload"]["sdpAnswer"] = "v=0".into();
        }
        vec![message]
    };
    let (stderr, _) = call_through(lie, &[], 3);
    assert!(stderr.contains("the call was tampered with"), "{stderr}");
}

#[test]
fn invalid_offers_do_not_block_an_honest_call() {
    let server = server::start();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let mut made_up = 0;
    let url = tampering_proxy(&server, move |way, message| {
        if way == Way::ToServer || made_up >= 200 {
            return vec![message];
        }
        let nonsense = (0..20).map(|_| {
            made_up += 1;
            let call_id = format!("made-up-{made_up}");
            let payload = json!({"callId": call_id, "callerId": "carol", "sdpOffer": "nonsense"});
            json!({"type": "INCOMING_CALL", "payload": payload})
        });
        std::iter::once(message).chain(nonsense).collect()
    });
    let mut at_bob = bob.run(&url, &["listen", "--accept-from", &alice.contact()]);
    at_bob.waits_for("waiting for calls");
    let mut at_alice = alice.run(&server.url(), &["call", "bob"]);
    at_alice.types("good morning");
    at_bob.waits_for("alice: good morning");
    at_alice.ends_with(0);
}
