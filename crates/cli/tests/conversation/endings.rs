//! The ends of conversations, and their exit codes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::dishonest_server::tampering_proxy;
use crate::middle::Way;
use crate::server;
use crate::terminal::{Person, Terminal, signal};
use securecall_testkit::Server;

fn listening(bob: &Person, alice: &Person, url: &str) -> Terminal {
    let accept = ["listen", "--accept-from", &alice.contact(), "--receive-into", "."];
    let mut at_bob = bob.run(url, &[&accept[..], &["--once", "--commands"]].concat());
    at_bob.waits_for("waiting for calls");
    at_bob
}

#[test]
fn a_report_of_the_server_does_not_end_a_conversation() {
    let server = server::start();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let mut at_bob = listening(&bob, &alice, &server.url());
    let lies = Arc::new(AtomicBool::new(false));
    let tells = lies.clone();
    let mut call_id = json!(null);
    // Each message to alice becomes a report that bob hung up.
    let url = tampering_proxy(&server, move |way, message| {
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
    // A candidate or the answer to a keepalive arrives within eight seconds.
    at_alice.waits_for("bob is still connected: the conversation goes on");
    at_alice.types("still there?");
    at_bob.waits_for("alice: still there?");
    at_alice.ends_with(0);
    at_bob.ends_with(0);
}

#[test]
fn a_script_whose_listener_leaves_before_its_end_fails() {
    let server = server::start();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let mut at_bob = listening(&bob, &alice, &server.url());
    let mut at_alice = alice.run(&server.url(), &["call", "bob"]);
    at_alice.types("one");
    at_bob.waits_for("alice: one");
    at_bob.types("/quit");
    at_bob.ends_by_itself_with(0);
    at_alice.ends_by_itself_with(1);
    assert!(at_alice.stderr().contains("before everything was sent"), "{}", at_alice.stderr());
}

#[test]
fn a_person_whose_listener_leaves_does_not_fail() {
    let server = server::start();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let mut at_bob = listening(&bob, &alice, &server.url());
    let mut at_alice = alice.run_at_a_terminal(&server.url(), &["call", "bob"]);
    at_alice.types("one");
    at_bob.waits_for("alice: one");
    at_bob.types("/quit");
    at_bob.ends_by_itself_with(0);
    at_alice.ends_by_itself_with(0);
}

#[test]
fn invalid_utf_8_is_sent_with_replacement_characters() {
    let server = server::start();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let mut at_bob = listening(&bob, &alice, &server.url());
    let mut at_alice = alice.run(&server.url(), &["call", "bob"]);
    at_alice.types_bytes(b"caf\xe9\nand more\n");
    at_alice.ends_with(0);
    at_bob.ends_with(0);
    assert_eq!(at_bob.stdout(), "alice: caf\u{fffd}\nalice: and more\n");
}

#[test]
fn an_input_that_cannot_be_read_fails() {
    let server = server::start();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let _at_bob = listening(&bob, &alice, &server.url());
    let folder = std::fs::File::open(alice.folder()).unwrap();
    let mut at_alice = alice.run_reading(&server.url(), &["call", "bob"], folder);
    at_alice.ends_with(1);
    assert!(at_alice.stderr().contains("standard input: "), "{}", at_alice.stderr());
}

#[test]
fn a_wrong_address_fails_at_once_with_the_reason() {
    let server = server::start();
    let alice = Person::new("alice");
    let began = Instant::now();
    let mut at_alice = alice.run(&server.url().replace("signal", "sgnal"), &["call", "bob"]);
    at_alice.ends_with(1);
    assert!(at_alice.stderr().contains("is the path right?"), "{}", at_alice.stderr());
    assert!(began.elapsed().as_secs() < 15, "{:?}", began.elapsed());
}

#[test]
fn everything_is_sent_however_much_it_is() {
    let server = server::start();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let mut at_bob = listening(&bob, &alice, &server.url());
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
fn output_without_a_reader_fails() {
    let server = server::start();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let accept = ["listen", "--accept-from", &alice.contact(), ">/dev/full"];
    let mut at_bob = bob.run_at_a_terminal(&server.url(), &accept);
    at_bob.waits_for("waiting for calls");
    alice.writes_lines("words", "is anybody there?");
    let _at_alice = alice.run(&server.url(), &["call", "bob", "--message-file", "words"]);
    at_bob.waits_for("standard output: ");
    at_bob.ends_by_itself_with(1);
}

#[test]
fn a_second_quit_cancels_a_file_and_both_ends_report_it() {
    let server = server::start();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let mut at_bob = listening(&bob, &alice, &server.url());
    // Long enough to outlast the test; sparse, so it needs no disk space.
    let film = std::fs::File::create(alice.folder().join("film.bin")).unwrap();
    film.set_len(1 << 30).unwrap();
    let mut at_alice = alice.run(&server.url(), &["call", "bob", "--commands"]);
    at_alice.types("/send film.bin\n/quit");
    at_alice.waits_for("/quit again");
    at_alice.types("/quit");
    at_alice.ends_by_itself_with(1);
    assert!(at_alice.stderr().ends_with("film.bin was not sent\n"), "{}", at_alice.stderr());
    at_bob.waits_for("not received: film.bin");
    at_bob.ends_by_itself_with(1);
}

#[test]
fn a_missing_folder_for_files_is_reported_at_once() {
    let alice = Person::new("alice");
    let mut at_alice =
        alice.run("ws://127.0.0.1:9/", &["call", "bob", "--receive-into", "nowhere"]);
    at_alice.ends_with(2);
    assert!(at_alice.stderr().contains("--receive-into"), "{}", at_alice.stderr());
}

/// Starts a client that sends lines faster than they can be read, until the channel closes.
fn floods(alice: &Person, server: &Server) -> Terminal {
    alice.run_in_shell(&server.url(), "yes | $SECURECALL call bob")
}

#[test]
fn sigterm_ends_a_conversation_in_a_flood() {
    let server = server::start();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let mut at_bob = listening(&bob, &alice, &server.url());
    let _at_alice = floods(&alice, &server);
    at_bob.waits_for("alice: y\nalice: y\n");
    let began = Instant::now();
    signal("TERM", at_bob.process_id());
    at_bob.ends_by_itself_with(130);
    assert!(began.elapsed().as_secs() < 15, "{:?}", began.elapsed());
}

#[test]
fn sigterm_ends_a_conversation_whose_output_is_not_read() {
    let server = server::start();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let contact = alice.contact();
    let line = format!("$SECURECALL listen --accept-from '{contact}' 2>notes | sleep 60");
    let at_bob = bob.run_in_shell(&server.url(), &line);
    let notes = bob.folder().join("notes");
    let noted =
        |text: &str| std::fs::read_to_string(&notes).is_ok_and(|notes| notes.contains(text));
    let waits_for = |text: &str| {
        let patience = Instant::now() + Duration::from_secs(60);
        while !noted(text) {
            assert!(Instant::now() < patience, "{text} did not come");
            sleep(Duration::from_millis(50));
        }
    };
    waits_for("waiting for calls");
    let _at_alice = floods(&alice, &server);
    waits_for("connected to alice");
    // Long enough to fill a pipe.
    sleep(Duration::from_secs(2));
    let process = at_bob.securecall();
    let began = Instant::now();
    signal("TERM", process);
    while std::path::Path::new(&format!("/proc/{process}/stat")).exists() {
        assert!(began.elapsed().as_secs() < 20, "it runs on");
        sleep(Duration::from_millis(50));
    }
}

#[test]
#[ignore = "needs faketime installed"]
fn a_wrong_clock_is_named_at_both_ends() {
    let server = server::start();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    for (offset, at_alice_says, at_bob_says) in
        [("+450", "your clock is 7 min ", "7 min "), ("-2h", "your clock is 2 h ", "2 h ")]
    {
        let direction = if offset.starts_with('+') { "ahead of" } else { "behind" };
        let mut at_bob = listening(&bob, &alice, &server.url());
        let mut at_alice = alice.run_with_clock(offset, &server.url(), &["call", "bob"]);
        at_alice.ends_with(1);
        let (told, heard) = (at_alice.stderr(), &mut at_bob);
        assert!(told.contains(at_alice_says) && told.contains(direction), "{told}");
        heard.waits_for("refused a call of alice: the offer is dated");
        let noted = heard.stderr();
        assert!(noted.contains(at_bob_says) && noted.contains(direction), "{noted}");
    }
}
