//! Conversations from two terminals and from scripts.

use std::path::Path;

use crate::coturn::Coturn;
use crate::server;
use crate::terminal::{Person, Terminal, signal};
use securecall_testkit::Server;

const FILE_BYTES: usize = 5 << 20;

fn listening(bob: &Person, server: &Server, arguments: &[&str]) -> Terminal {
    let mut terminal = bob.run(&server.url(), &[&["listen"], arguments].concat());
    terminal.waits_for("waiting for calls");
    terminal
}

#[track_caller]
fn assert_same(one: &Path, other: &Path) {
    assert!(std::fs::read(one).unwrap() == std::fs::read(other).unwrap(), "they differ");
}

/// Returns the seven digits on a terminal.
fn digits(terminal: &Terminal) -> String {
    let text = terminal.stderr();
    let line = text.lines().find(|line| line.starts_with("compare with them")).unwrap();
    line.rsplit_once(": ").unwrap().1.to_owned()
}

/// Exchanges a message each way and a file, and compares the digits of both ends.
fn converse(
    alice: &Person,
    bob: &Person,
    server: &Server,
    more: &[&str],
    before_answer: impl FnOnce(&Terminal),
) {
    let accept = ["--accept-from", &alice.contact(), "--receive-into", ".", "--once"];
    let mut at_bob = listening(bob, server, &[&accept, more].concat());
    let file = alice.writes("holiday.bin", FILE_BYTES);
    before_answer(&at_bob);
    let mut at_alice = alice.run(&server.url(), &[&["call", "bob", "--commands"], more].concat());
    at_alice.waits_for("connected to bob");
    at_bob.waits_for("connected to alice");
    at_alice.types("good morning");
    at_bob.waits_for("alice: good morning");
    at_bob.types("good evening");
    at_alice.waits_for("bob: good evening");
    at_alice.types("/send holiday.bin");
    at_bob.waits_for("received ./holiday.bin");
    at_alice.waits_for("sent holiday.bin");
    assert_eq!(digits(&at_alice), digits(&at_bob));
    at_alice.types("/quit");
    at_alice.ends_with(0);
    at_bob.ends_with(0);
    assert_same(&file, &bob.folder().join("holiday.bin"));
    assert_eq!(at_bob.stdout(), "alice: good morning\n", "nothing else on standard output");
}

#[test]
fn two_terminals_exchange_messages_and_a_file() {
    let server = server::start();
    converse(&Person::new("alice"), &Person::new("bob"), &server, &[], |_| {});
}

#[test]
#[ignore = "needs coturn installed (turnserver)"]
fn two_terminals_exchange_messages_and_a_file_through_coturn_alone() {
    for transport in ["udp", "tcp"] {
        let coturn = Coturn::start("north");
        let url = coturn.url(transport);
        let server = server::start_with(&["--turn-urls", &url], Some("north"));
        let (alice, bob) = (Person::new("alice"), Person::new("bob"));
        converse(&alice, &bob, &server, &["--relay-only"], |_| {});
    }
}

#[test]
fn a_server_that_crashes_between_offer_and_answer_does_not_prevent_the_call() {
    let mut server = server::start();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let accept = ["--accept-from", &alice.contact(), "--receive-into", ".", "--once"];
    let mut at_bob = listening(&bob, &server, &accept);
    let file = alice.writes("holiday.bin", FILE_BYTES);
    // Bob is stopped, so that his machine has the offer but does not answer.
    signal("STOP", at_bob.process_id());
    alice.writes_lines("words", "still there?");
    let arguments = ["call", "bob", "--message-file", "words", "--send", "holiday.bin"];
    let mut at_alice = alice.run(&server.url(), &arguments);
    at_alice.waits_for("calling bob");
    std::thread::sleep(std::time::Duration::from_secs(2));
    server.kill_and_restart();
    signal("CONT", at_bob.process_id());
    at_bob.waits_for("alice: still there?");
    at_bob.waits_for("received ./holiday.bin");
    at_alice.ends_with(0);
    at_bob.ends_with(0);
    assert_same(&file, &bob.folder().join("holiday.bin"));
}

#[test]
fn a_server_that_is_gone_does_not_end_a_conversation() {
    let mut server = server::start();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let mut at_bob = listening(&bob, &server, &["--accept-from", &alice.contact(), "--once"]);
    let mut at_alice = alice.run(&server.url(), &["call", "bob", "--commands"]);
    at_alice.waits_for("connected to bob");
    server.kill_and_restart();
    at_alice.types("who needs a server");
    at_bob.waits_for("alice: who needs a server");
    at_alice.waits_for("connected to the server again");
    let said = |text: &str| at_alice.stderr().matches(text).count();
    assert_eq!(
        (said("no connection to the server"), said("connected to the server again")),
        (1, 1)
    );
    at_alice.types("/quit");
    at_alice.ends_with(0);
    at_bob.ends_with(0);
}

#[test]
fn a_pipe_is_sent_and_the_call_ends_with_it() {
    let server = server::start();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let mut at_bob = listening(&bob, &server, &["--accept-from", &alice.contact()]);
    for word in ["one", "two"] {
        let mut at_alice = alice.run(&server.url(), &["call", "bob"]);
        at_alice.types(word);
        at_alice.ends_with(0);
        at_bob.waits_for(&format!("alice: {word}"));
    }
    assert_eq!(at_bob.stdout(), "alice: one\nalice: two\n");
}

#[test]
fn callers_that_no_flag_accepts_are_declined() {
    let server = server::start();
    let (eve, bob) = (Person::new("eve"), Person::new("bob"));
    let mut at_bob = listening(&bob, &server, &["--accept-from", "alice"]);
    let mut at_eve = eve.run(&server.url(), &["call", "bob"]);
    at_eve.ends_with(1);
    assert!(at_eve.stderr().contains("bob declined"), "{}", at_eve.stderr());
    at_bob.waits_for("declined the call of eve");
}

#[test]
fn a_file_that_is_not_taken_fails_the_command() {
    let server = server::start();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let mut at_bob = listening(&bob, &server, &["--accept-from", &alice.contact()]);
    alice.writes("letter.txt", 10);
    let mut at_alice = alice.run(&server.url(), &["call", "bob", "--send", "letter.txt"]);
    at_alice.ends_with(1);
    assert!(at_alice.stderr().contains("letter.txt: refused: no files are taken"));
    assert!(at_alice.stderr().ends_with("error: letter.txt was not sent\n"));
    at_bob.waits_for("not received: letter.txt: refused: no files are taken (--receive-into");
    assert!(!bob.folder().join("letter.txt").exists());
    let mut missing = alice.run(&server.url(), &["call", "bob", "--send", "missing.txt"]);
    missing.ends_with(2);
    assert!(missing.stderr().contains("--send: missing.txt: "), "{}", missing.stderr());
    assert!(!missing.stderr().contains("calling bob"), "{}", missing.stderr());
}

#[test]
fn the_bound_of_all_files_is_the_listeners_and_not_of_a_call() {
    let server = server::start();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let accept = ["--accept-from", &alice.contact(), "--receive-into", "."];
    let bounds = ["--files-bytes-max", "15", "--file-bytes-max", "10"];
    let mut at_bob = listening(&bob, &server, &[&accept[..], &bounds].concat());
    alice.writes("letter.txt", 10);
    alice.run(&server.url(), &["call", "bob", "--send", "letter.txt"]).ends_with(0);
    let mut again = alice.run(&server.url(), &["call", "bob", "--send", "letter.txt"]);
    again.ends_with(1);
    assert!(again.stderr().contains("refused: no more files are taken"), "{}", again.stderr());
    at_bob.waits_for("no more files are taken (see --files-bytes-max");
}

#[test]
fn the_number_of_files_and_the_reserve_of_the_disk_are_settings() {
    let server = server::start();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    alice.writes("letter.txt", 10);
    for (bound, says) in [
        (["--files-max", "0"], "no more files are taken"),
        (["--disk-reserve", "4611686018427387904"], "it could not be stored"),
    ] {
        let accept = ["--accept-from", &alice.contact(), "--receive-into", "."];
        let _at_bob = listening(&bob, &server, &[&accept[..], &bound].concat());
        let mut refused = alice.run(&server.url(), &["call", "bob", "--send", "letter.txt"]);
        refused.ends_with(1);
        assert!(refused.stderr().contains(says), "{}", refused.stderr());
    }
}

#[test]
fn a_first_contact_is_not_accepted_without_asking() {
    let server = server::start();
    let (mallory, bob) = (Person::new("alice"), Person::new("bob"));
    for accept in [&["--accept-from", "alice"][..], &["--accept-known"]] {
        let mut at_bob = listening(&bob, &server, &[accept, &["--receive-into", "."]].concat());
        mallory.writes("letter.txt", 10);
        let mut refused = mallory.run(&server.url(), &["call", "bob", "--send", "letter.txt"]);
        refused.ends_with(1);
        assert!(refused.stderr().contains("bob declined"), "{}", refused.stderr());
        at_bob.waits_for(&format!("--accept-from \"{}\"", mallory.contact()));
        assert!(!bob.folder().join("letter.txt").exists());
    }
}

#[test]
fn a_message_is_a_file_and_no_argument() {
    let alice = Person::new("alice");
    let fails = |arguments: &[&str], says: &str| {
        let mut terminal = alice.run("ws://127.0.0.1:9/", arguments);
        terminal.ends_with(2);
        assert!(terminal.stderr().contains(says), "{}", terminal.stderr());
    };
    fails(&["call", "bob", "--message", "secret"], "--message-file");
    fails(&["call", "bob", "--message-file", "missing"], "missing");
    alice.writes("long", (1 << 20) + 1);
    fails(&["call", "bob", "--message-file", "long"], "--send");
}

#[test]
fn ringing_is_bounded_by_its_own_flag() {
    let server = server::start();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let mut at_bob = bob.run_at_a_terminal(&server.url(), &["listen"]);
    at_bob.waits_for("waiting for calls");
    let began = std::time::Instant::now();
    let mut at_alice = alice.run(&server.url(), &["call", "bob", "--ring-timeout", "2s"]);
    at_alice.ends_with(1);
    assert!(at_alice.stderr().contains("bob did not answer (2 s)"), "{}", at_alice.stderr());
    assert!(began.elapsed().as_secs() < 30, "{:?}", began.elapsed());
    at_bob.waits_for("alice hung up before you answered");
}

#[test]
fn failed_calls_report_the_reason() {
    let server = server::start();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let fails = |arguments: &[&str], code, says: &str| {
        let mut terminal = alice.run(&server.url(), arguments);
        terminal.ends_with(code);
        assert!(terminal.stderr().contains(says), "{says:?} is not in {}", terminal.stderr());
    };
    fails(&["call", "bob"], 1, "the directory has no key for bob");
    drop(listening(&bob, &server, &["--accept-known"]));
    fails(&["call", "bob", "--relay-only"], 1, "no TURN server is known");
    fails(&["listen"], 2, "--accept-from");
    let nowhere = "--server=ws://127.0.0.1:9/signal";
    fails(&["call", "bob", nowhere, "--connect-timeout=1s"], 1, "127.0.0.1:9");
}

#[test]
fn an_escape_sequence_does_not_reach_the_terminal() {
    let server = server::start();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let mut at_bob = listening(&bob, &server, &["--accept-from", &alice.contact(), "--once"]);
    alice.writes_lines("words", "\u{1b}]0;x\u{7}");
    let mut at_alice = alice.run(&server.url(), &["call", "bob", "--message-file", "words"]);
    at_alice.ends_with(0);
    at_bob.ends_with(0);
    assert_eq!(at_bob.stdout(), "alice: \u{fffd}]0;x\u{fffd}\n");
}
