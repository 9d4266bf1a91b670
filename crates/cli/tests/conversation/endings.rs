//! What ends a conversation, and what its exit code says.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use serde_json::json;

use crate::dishonest_server::lying;
use crate::middle::Way;
use crate::server::Server;
use crate::terminal::{Person, Terminal};

fn listening(bob: &Person, url: &str) -> Terminal {
    let mut at_bob = bob.run(url, &["listen", "--accept-all", "--once", "--commands"]);
    at_bob.waits_for("waiting for calls");
    at_bob
}

#[test]
fn a_server_that_says_it_is_over_does_not_end_a_conversation() {
    let server = Server::start();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let mut at_bob = listening(&bob, &server.url());
    let lies = Arc::new(AtomicBool::new(false));
    let tells = lies.clone();
    let mut call_id = json!(null);
    // Each message to alice becomes the news that bob hung up.
    let url = lying(&server, move |way, message| {
        if way == Way::ToClient && message["type"] == "CALL_ACCEPTED" {
            call_id = message["payload"]["callId"].clone();
        }
        if way == Way::ToClient && tells.load(Ordering::Relaxed) {
            let payload = json!({"callId": call_id, "reason": "hangup"});
            let ended = json!({"type": "CALL_ENDED", "payload": payload});
            return vec![ended, message];
        }
        vec![message]
    });
    let mut at_alice = alice.run(&url, &["call", "bob"]);
    at_alice.waits_for("connected to bob");
    lies.store(true, Ordering::Relaxed);
    // A candidate or a keepalive's answer is told within eight seconds.
    at_alice.waits_for("the server says");
    at_alice.types("still there?");
    at_bob.waits_for("alice: still there?");
    at_alice.ends_with(0);
    at_bob.ends_with(0);
}

#[test]
fn a_script_whose_listener_leaves_before_its_end_fails() {
    let server = Server::start();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let mut at_bob = listening(&bob, &server.url());
    let mut at_alice = alice.run(&server.url(), &["call", "bob"]);
    at_alice.types("one");
    at_bob.waits_for("alice: one");
    at_bob.types("/quit");
    at_bob.ends_by_itself_with(0);
    at_alice.ends_by_itself_with(1);
    assert!(at_alice.stderr().contains("before everything was said"), "{}", at_alice.stderr());
}

#[test]
fn a_person_whose_listener_leaves_does_not_fail() {
    let server = Server::start();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let mut at_bob = listening(&bob, &server.url());
    let mut at_alice = alice.run_at_a_terminal(&server.url(), &["call", "bob"]);
    at_alice.types("one");
    at_bob.waits_for("alice: one");
    at_bob.types("/quit");
    at_bob.ends_by_itself_with(0);
    at_alice.ends_by_itself_with(0);
}

#[test]
fn what_is_not_utf_8_is_said_as_far_as_it_can_be() {
    let server = Server::start();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let mut at_bob = listening(&bob, &server.url());
    let mut at_alice = alice.run(&server.url(), &["call", "bob"]);
    at_alice.types_bytes(b"caf\xe9\nand more\n");
    at_alice.ends_with(0);
    at_bob.ends_with(0);
    assert_eq!(at_bob.stdout(), "alice: caf\u{fffd}\nalice: and more\n");
}

#[test]
fn an_input_that_cannot_be_read_fails() {
    let server = Server::start();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let _at_bob = listening(&bob, &server.url());
    let folder = std::fs::File::open(alice.folder()).unwrap();
    let mut at_alice = alice.run_reading(&server.url(), &["call", "bob"], folder);
    at_alice.ends_with(1);
    assert!(at_alice.stderr().contains("standard input: "), "{}", at_alice.stderr());
}

#[test]
fn an_address_that_is_wrong_fails_at_once_and_says_why() {
    let server = Server::start();
    let alice = Person::new("alice");
    let began = Instant::now();
    let mut at_alice = alice.run(&server.url().replace("signal", "sgnal"), &["call", "bob"]);
    at_alice.ends_with(1);
    assert!(at_alice.stderr().contains("is the path right?"), "{}", at_alice.stderr());
    assert!(began.elapsed().as_secs() < 15, "{:?}", began.elapsed());
}

#[test]
fn everything_is_said_however_much_it_is() {
    let server = Server::start();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let mut at_bob = listening(&bob, &server.url());
    let mut at_alice = alice.run(&server.url(), &["call", "bob"]);
    let lines: Vec<_> = (0..1000).map(|n| format!("/line {n}")).collect();
    at_alice.types(&lines.join("\n"));
    at_alice.ends_with(0);
    at_bob.ends_with(0);
    assert_eq!(
        at_bob.stdout(),
        lines.join("\nalice: ").replacen("/line", "alice: /line", 1) + "\n"
    );
}

#[test]
fn what_nobody_can_read_fails() {
    let server = Server::start();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let mut at_bob =
        bob.run_at_a_terminal(&server.url(), &["listen", "--accept-all", ">/dev/full"]);
    at_bob.waits_for("waiting for calls");
    let _at_alice = alice.run(&server.url(), &["call", "bob", "--message", "is anybody there?"]);
    at_bob.waits_for("standard output: ");
    at_bob.ends_by_itself_with(1);
}

#[test]
fn a_second_quit_gives_a_file_up_and_both_ends_say_so() {
    let server = Server::start();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let mut at_bob = listening(&bob, &server.url());
    // Longer than the test waits, and no disk is needed for it.
    let film = std::fs::File::create(alice.folder().join("film.bin")).unwrap();
    film.set_len(1 << 30).unwrap();
    let mut at_alice = alice.run(&server.url(), &["call", "bob", "--commands"]);
    at_alice.types("/send film.bin\n/quit");
    at_alice.waits_for("/quit again");
    at_alice.types("/quit");
    at_alice.ends_by_itself_with(1);
    assert!(at_alice.stderr().contains("not every file got through"), "{}", at_alice.stderr());
    at_bob.waits_for("not received: film.bin");
    at_bob.ends_by_itself_with(1);
}

#[test]
fn a_folder_for_files_that_is_not_there_is_said_at_once() {
    let alice = Person::new("alice");
    let mut at_alice =
        alice.run("ws://127.0.0.1:9/", &["call", "bob", "--receive-into", "nowhere"]);
    at_alice.ends_with(2);
    assert!(at_alice.stderr().contains("--receive-into"), "{}", at_alice.stderr());
}
