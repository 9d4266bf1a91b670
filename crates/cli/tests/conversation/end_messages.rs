//! The messages on two terminals when a call ends.

use crate::server;
use crate::terminal::{Person, Terminal, signal};
use securecall_testkit::Server;

const CTRL_C: &[u8] = b"\x03";

struct Two {
    server: Server,
    alice: Person,
    bob: Person,
}

impl Two {
    fn new() -> Self {
        Self { server: server::start(), alice: Person::new("alice"), bob: Person::new("bob") }
    }

    /// Starts bob at a terminal, and lets alice's call ring there.
    fn ringing(&self, at_bob: &[&str], at_alice: &[&str]) -> (Terminal, Terminal) {
        let listen = [&["listen"], at_bob].concat();
        let mut bob = self.bob.run_at_a_terminal(&self.server.url(), &listen);
        bob.waits_for("waiting for calls");
        let call = [&["call", "bob"], at_alice].concat();
        let alice = self.alice.run_at_a_terminal(&self.server.url(), &call);
        bob.waits_for("accept? [y/n]");
        (alice, bob)
    }

    fn connected(&self) -> (Terminal, Terminal) {
        let (mut alice, mut bob) = self.ringing(&[], &[]);
        bob.types("y");
        alice.waits_for("connected to bob");
        bob.waits_for("connected to alice");
        (alice, bob)
    }
}

#[test]
fn the_side_that_hangs_up_is_named_at_both_ends() {
    let two = Two::new();
    let (mut alice, mut bob) = two.connected();
    bob.types("/quit");
    alice.ends_by_itself_with(0);
    assert!(alice.screen().ends_with("\nbob hung up"), "{}", alice.screen());
    assert!(bob.shows("waiting for calls\nalice").contains("\nhung up\nwaiting for calls"));
}

#[test]
fn ctrl_c_and_signals_are_named_on_their_side_and_a_hang_up_on_the_other() {
    let two = Two::new();
    let (mut alice, mut bob) = two.connected();
    alice.types_bytes(CTRL_C);
    alice.ends_by_itself_with(130);
    assert!(alice.screen().ends_with("\nhung up (Ctrl-C)"), "{}", alice.screen());
    bob.shows("alice hung up\nwaiting for calls");
    signal("TERM", bob.securecall());
    bob.ends_by_itself_with(130);
    assert!(bob.screen().ends_with("\nstopped (SIGTERM)"), "{}", bob.screen());
}

#[test]
fn a_callee_who_stops_while_it_rings_has_not_hung_up() {
    let two = Two::new();
    let (mut alice, mut bob) = two.ringing(&[], &[]);
    bob.types_bytes(CTRL_C);
    bob.ends_by_itself_with(130);
    alice.ends_by_itself_with(1);
    let last = "error: bob ended the call without answering";
    assert!(alice.screen().ends_with(last), "{}", alice.screen());
}

#[test]
fn an_unanswered_call_is_missed_and_not_declined() {
    let two = Two::new();
    let (mut alice, mut bob) = two.ringing(&["--ring-timeout=1s"], &["--ring-timeout=4s"]);
    bob.shows("missed a call of alice (1 s)\nwaiting for calls");
    alice.ends_by_itself_with(1);
    assert!(alice.screen().ends_with("\nerror: bob did not answer (4 s)"), "{}", alice.screen());
    assert!(!bob.screen().contains("declined"), "{}", bob.screen());
}

#[test]
fn a_listener_can_call_without_another_program() {
    let two = Two::new();
    let mut bob = two.bob.run_at_a_terminal(&two.server.url(), &["listen"]);
    bob.waits_for("waiting for calls");
    let mut alice = two.alice.run_at_a_terminal(&two.server.url(), &["listen"]);
    alice.waits_for("waiting for calls");
    alice.types("/call no body");
    alice.shows("/call no body: a client id is");
    alice.types("/call carol");
    alice.shows("the directory has no key for carol");
    alice.types("/call bob");
    bob.waits_for("accept? [y/n]");
    bob.types("y");
    alice.shows("connected to bob");
    bob.shows("connected to alice");
    alice.types("/call carol");
    alice.shows("you are in a call with bob: /quit, then /call");
    alice.types("good morning");
    bob.shows("alice: good morning");
    bob.types("/quit");
    alice.shows("bob hung up\nwaiting for calls");
    bob.types(&format!("/call securecall:alice?fingerprint={}", two.alice.digits()));
    alice.waits_for("accept? [y/n]");
}

#[test]
fn a_second_program_with_an_identity_asks_before_it_disconnects_the_first() {
    let two = Two::new();
    let mut listens = two.bob.run_at_a_terminal(&two.server.url(), &["listen"]);
    listens.waits_for("waiting for calls");
    let says = format!("securecall listen (process {}) is connected as bob", listens.securecall());
    let mut calls = two.bob.run_at_a_terminal(&two.server.url(), &["call", "alice"]);
    calls.shows(&says);
    calls.shows("go on? [y/n]");
    calls.types("n");
    calls.ends_by_itself_with(1);
    assert!(!listens.screen().contains("another device"), "{}", listens.screen());
    // A script is only informed, and continues.
    let mut script = two.bob.run(&two.server.url(), &["call", "alice"]);
    script.waits_for(&says);
    listens.ends_by_itself_with(1);
    assert!(listens.screen().contains("another device or program registered this id"));
    script.ends_with(1);
}

#[test]
fn the_last_line_after_a_failed_send_names_the_file() {
    let two = Two::new();
    two.alice.writes("my letter.txt", 10);
    let (mut alice, mut bob) = two.connected();
    alice.types("/send 'my letter.txt'");
    alice.shows("not sent: my letter.txt: refused: no files are taken");
    alice.types("/send missing.txt");
    alice.shows("not sent: missing.txt: No such file");
    alice.types("/quit");
    alice.ends_by_itself_with(1);
    let last = "error: 2 files were not sent: my letter.txt, missing.txt";
    assert!(alice.screen().ends_with(last), "{}", alice.screen());
    bob.shows("alice hung up");
}
