//! The input line on a real terminal.

use std::time::Duration;

use crate::server;
use crate::terminal::{Person, Terminal};
use securecall_testkit::Server;

fn connected(receive: &[&str]) -> (Server, [(Person, Terminal); 2]) {
    let server = server::start();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let accept = alice.contact();
    let listen = [&["listen", "--accept-from", &accept], receive].concat();
    let mut at_bob = bob.run_at_a_terminal(&server.url(), &listen);
    at_bob.waits_for("waiting for calls");
    let mut at_alice = alice.run_at_a_terminal(&server.url(), &["call", "bob"]);
    at_alice.waits_for("connected to bob");
    at_bob.waits_for("connected to alice");
    (server, [(alice, at_alice), (bob, at_bob)])
}

#[test]
fn what_arrives_does_not_cut_the_line_that_is_typed() {
    let (_server, [(_alice, mut at_alice), (_bob, mut at_bob)]) = connected(&[]);
    at_bob.types_bytes(b"half a li");
    at_bob.shows("> half a li");
    for n in 0..3 {
        at_alice.types(&format!("line {n}"));
        at_bob.shows(&format!("alice: line {n}"));
    }
    at_bob.types_bytes(b"me\x7f\x7fne\n");
    at_alice.shows("bob: half a line");
    let screen = at_bob.shows("> half a line");
    let said = "alice: line 0\nalice: line 1\nalice: line 2\n> half a line";
    assert!(screen.contains(said), "{screen}");
}

#[test]
fn a_bar_is_drawn_once_and_above_the_line_that_is_typed() {
    let (_server, [(alice, mut at_alice), (bob, mut at_bob)]) = connected(&["--receive-into", "."]);
    at_bob.types_bytes(b"is it through");
    alice.writes("film.bin", 20 << 20);
    at_alice.types("/send film.bin");
    at_alice.shows("sent film.bin");
    let screen = at_bob.shows("received ./film.bin");
    assert!(screen.ends_with("received ./film.bin\n> is it through"), "{screen}");
    // Each frame replaces the one before.
    assert!(!screen.contains("MiB"), "{screen}");
    assert!(at_bob.stdout().contains("MiB"), "a bar was drawn");
    assert!(bob.folder().join("film.bin").exists());
}

#[test]
fn a_terminal_is_left_as_it_was_found() {
    let server = server::start();
    let bob = Person::new("bob");
    let line =
        format!("stty -a >before; {} listen; stty -a >after", env!("CARGO_BIN_EXE_securecall"));
    let mut at_bob = bob.run_line_at_a_terminal(&server.url(), &line);
    at_bob.waits_for("waiting for calls");
    at_bob.types_bytes(b"\x03");
    at_bob.waits_until_ended();
    let modes = |name: &str| std::fs::read_to_string(bob.folder().join(name)).unwrap();
    assert!(modes("before").contains(" echo "), "{}", modes("before"));
    assert_eq!(modes("before"), modes("after"));
}

/// `set -m` gives each job its own process group, as an interactive shell does.
#[test]
fn in_the_background_input_is_paused_and_the_call_goes_on() {
    let server = server::start();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let program = env!("CARGO_BIN_EXE_securecall");
    let line = format!("set -m; {program} listen --accept-from '{}' & sleep 60", alice.contact());
    let mut at_bob = bob.run_line_at_a_terminal(&server.url(), &line);
    at_bob.waits_for("input is paused in the background");
    at_bob.waits_for("waiting for calls");
    let mut at_alice = alice.run(&server.url(), &["call", "bob"]);
    at_alice.types("still there?");
    at_bob.waits_for("alice: still there?");
    at_alice.ends_with(0);
    std::thread::sleep(Duration::from_millis(100));
    assert!(!at_bob.screen().contains("Stopped"), "{}", at_bob.screen());
}
