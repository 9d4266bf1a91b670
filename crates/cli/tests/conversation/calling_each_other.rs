//! Two people who call each other at the same time, and one who lost the connection and calls
//! again.

use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::dishonest_server::tampering_proxy;
use crate::middle::Way;
use crate::server;
use crate::terminal::{Person, Terminal};
use securecall_testkit::Server;

/// Publishes everybody's key, and makes alice's and bob's known to each other.
fn acquaint(server: &Server, alice: &Person, bob: &Person) {
    let accept = ["listen", "--accept-from", &alice.contact(), "--once"];
    let mut at_bob = bob.run(&server.url(), &accept);
    at_bob.waits_for("waiting for calls");
    alice.run(&server.url(), &["call", "bob"]).ends_with(0);
    at_bob.ends_with(0);
}

fn exchange_messages(at_alice: &mut Terminal, at_bob: &mut Terminal, n: usize) {
    at_alice.types(&format!("{n} from alice"));
    at_bob.waits_for(&format!("alice: {n} from alice"));
    at_bob.types(&format!("{n} from bob"));
    at_alice.waits_for(&format!("bob: {n} from bob"));
}

#[test]
fn two_people_who_call_each_other_at_once_talk_over_the_call_that_is_left() {
    let server = server::start();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&server, &alice, &bob);
    alice.writes_lines("words", "good morning");
    for (n, apart) in [0, 0, 20, 50, 100, 150].into_iter().enumerate() {
        let mut at_alice = alice.run(&server.url(), &["call", "bob", "--message-file", "words"]);
        sleep(Duration::from_millis(apart));
        let mut at_bob = bob.run(&server.url(), &["call", "alice"]);
        at_alice.waits_for("connected to bob");
        at_bob.waits_for("alice: good morning");
        exchange_messages(&mut at_alice, &mut at_bob, n);
        at_alice.ends_with(0);
        // The side that is left with unread input has not sent everything.
        at_bob.ends_by_itself_with(1);
        assert_eq!(at_bob.stdout(), format!("alice: good morning\nalice: {n} from alice\n"));
    }
}

#[test]
fn a_caller_who_crashed_and_calls_back_gets_the_line_at_once() {
    let server = server::start();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let mut at_bob = bob.run(&server.url(), &["listen", "--accept-from", &alice.contact()]);
    at_bob.waits_for("waiting for calls");
    let mut crashes = alice.run(&server.url(), &["call", "bob"]);
    crashes.types("before");
    at_bob.waits_for("alice: before");
    drop(crashes);
    let began = Instant::now();
    let mut at_alice = alice.run(&server.url(), &["call", "bob"]);
    at_alice.types("after");
    at_bob.waits_for("alice: after");
    // A lost connection would be detected only after 40 seconds.
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    at_bob.types("welcome back");
    at_alice.waits_for("bob: welcome back");
    at_alice.ends_with(0);
    at_bob.waits_for("waiting for calls");
}

#[test]
fn a_callee_who_crashed_and_calls_back_gets_the_line_at_once() {
    let server = server::start();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let mut crashes = bob.run(&server.url(), &["listen", "--accept-from", &alice.contact()]);
    crashes.waits_for("waiting for calls");
    let mut at_alice = alice.run_at_a_terminal(&server.url(), &["call", "bob"]);
    at_alice.types("before");
    crashes.waits_for("alice: before");
    drop(crashes);
    let began = Instant::now();
    let mut at_bob = bob.run(&server.url(), &["call", "alice"]);
    at_bob.waits_for("connected to alice");
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    exchange_messages(&mut at_alice, &mut at_bob, 1);
    at_bob.ends_with(0);
    at_alice.ends_by_itself_with(0);
}

#[test]
fn another_caller_during_a_call_gets_busy() {
    let server = server::start();
    let (alice, bob, carol) = (Person::new("alice"), Person::new("bob"), Person::new("carol"));
    let accept = ["listen", "--accept-from", &alice.contact(), "--accept-from", &carol.contact()];
    let mut at_bob = bob.run(&server.url(), &accept);
    at_bob.waits_for("waiting for calls");
    let mut at_alice = alice.run(&server.url(), &["call", "bob"]);
    at_bob.waits_for("connected to alice");
    let mut at_carol = carol.run(&server.url(), &["call", "bob"]);
    at_carol.ends_with(1);
    assert!(at_carol.stderr().contains("bob is busy"), "{}", at_carol.stderr());
    at_alice.types("still here");
    at_bob.waits_for("alice: still here");
    at_alice.ends_with(0);
}

/// The offer is authentic and recent, but its caller is gone.
#[test]
fn a_delayed_offer_does_not_end_a_conversation() {
    let server = server::start();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let kept: Arc<Mutex<Option<Value>>> = Arc::default();
    let (keeps, gives) = (kept.clone(), Arc::new(Mutex::new(false)));
    let given = gives.clone();
    let mut is_first = true;
    let url = tampering_proxy(&server, move |way, mut message| {
        if way == Way::ToClient && message["type"] == "INCOMING_CALL" && is_first {
            is_first = false;
            let seq = message["seq"].take();
            *keeps.lock().unwrap() = Some(message);
            return vec![json!({"type": "NOTHING", "payload": {}, "seq": seq})];
        }
        let is_due = way == Way::ToClient && *gives.lock().unwrap();
        let late = is_due.then(|| keeps.lock().unwrap().take()).flatten();
        std::iter::once(message).chain(late).collect()
    });
    let mut at_bob = bob.run(&url, &["listen", "--accept-from", &alice.contact()]);
    at_bob.waits_for("waiting for calls");
    alice.run(&server.url(), &["call", "bob", "--ring-timeout", "1s"]).ends_with(1);
    let mut at_alice = alice.run(&server.url(), &["call", "bob"]);
    at_alice.types("before");
    at_bob.waits_for("alice: before");
    *given.lock().unwrap() = true;
    // The answer to a keepalive delivers it.
    at_bob.waits_for("alice calls again");
    sleep(Duration::from_secs(3));
    at_alice.types("after");
    at_bob.waits_for("alice: after");
    at_alice.ends_with(0);
    at_bob.waits_for("hung up");
    assert!(kept.lock().unwrap().is_none());
}
