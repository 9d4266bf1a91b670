//! Questions at a terminal, changes of mind, and Ctrl-C.

use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::server;
use crate::terminal::{Person, Terminal, signal};
use securecall_testkit::Server;

const CTRL_C: &[u8] = b"\x03";

fn listening(bob: &Person, server: &Server) -> Terminal {
    let mut at_bob = bob.run_at_a_terminal(&server.url(), &["listen"]);
    at_bob.waits_for("waiting for calls");
    at_bob
}

#[test]
fn a_yes_that_was_typed_before_the_question_is_no_answer_to_it() {
    let server = server::start();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let mut at_bob = listening(&bob, &server);
    at_bob.types("y");
    at_bob.waits_for("you are not in a call");
    alice.writes_lines("words", "good morning");
    let mut at_alice = alice.run(&server.url(), &["call", "bob", "--message-file", "words"]);
    at_bob.waits_for("accept? [y/n]");
    sleep(Duration::from_secs(1));
    assert!(!at_bob.stdout().contains("connected"), "{}", at_bob.stdout());
    at_bob.types("y");
    at_bob.waits_for("alice: good morning");
    at_alice.ends_with(0);
    at_bob.shows("alice hung up\nwaiting for calls");
    at_bob.types("/quit");
    at_bob.ends_by_itself_with(0);
}

#[test]
fn any_answer_but_yes_and_no_asks_again() {
    let server = server::start();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let mut at_bob = listening(&bob, &server);
    let mut at_alice = alice.run(&server.url(), &["call", "bob"]);
    at_bob.waits_for("accept? [y/n]");
    for (n, answer) in ["", "what?", "yess"].iter().enumerate() {
        at_bob.types(answer);
        at_bob.waits_for_times("accept? [y/n]", n + 2);
    }
    at_bob.types("n");
    at_bob.waits_for("declined the call of alice");
    at_alice.ends_with(1);
    assert!(at_alice.stderr().ends_with("error: bob declined\n"), "{}", at_alice.stderr());
}

#[test]
fn a_question_ends_when_the_caller_hangs_up() {
    let server = server::start();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let mut at_bob = listening(&bob, &server);
    let mut at_alice = alice.run_at_a_terminal(&server.url(), &["call", "bob"]);
    at_bob.waits_for("accept? [y/n]");
    at_alice.types_bytes(CTRL_C);
    at_alice.ends_by_itself_with(130);
    at_bob.waits_for("alice hung up before you answered");
    assert!(at_alice.stdout().contains("hung up (Ctrl-C)"), "{}", at_alice.stdout());
}

#[test]
fn ctrl_c_works_at_every_stage() {
    let server = server::start();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let interrupt = |terminal: &mut Terminal| {
        let pressed = Instant::now();
        terminal.types_bytes(CTRL_C);
        terminal.ends_by_itself_with(130);
        assert!(pressed.elapsed() < Duration::from_secs(10), "{:?}", pressed.elapsed());
    };
    interrupt(&mut listening(&bob, &server));
    let mut asked = listening(&bob, &server);
    let mut at_alice = alice.run(&server.url(), &["call", "bob"]);
    asked.waits_for("accept? [y/n]");
    interrupt(&mut asked);
    at_alice.ends_with(1);
    let nowhere = "ws://127.0.0.1:9/signal";
    let mut connecting = alice.run_at_a_terminal(nowhere, &["call", "bob"]);
    connecting.waits_for("trying again");
    interrupt(&mut connecting);
}

#[test]
fn a_call_that_rings_is_asked_about_again_when_the_callee_comes_back() {
    let server = server::start();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let mut crashes = bob.run_at_a_terminal(&server.url(), &["listen"]);
    crashes.waits_for("waiting for calls");
    alice.writes_lines("words", "at last");
    let mut at_alice = alice.run(&server.url(), &["call", "bob", "--message-file", "words"]);
    crashes.waits_for("accept? [y/n]");
    crashes.crashes();
    // The server delivers the call as soon as he has registered.
    let accept = ["listen", "--accept-from", &alice.contact(), "--once"];
    let mut at_bob = bob.run(&server.url(), &accept);
    at_bob.waits_for("alice: at last");
    at_alice.ends_with(0);
    at_bob.ends_with(0);
}

#[test]
fn a_second_ctrl_c_ends_the_program_at_once() {
    let alice = Person::new("alice");
    let pipe = alice.folder().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    // A pipe without a writer, so that reading the identity blocks.
    let mut waits = alice.run("ws://127.0.0.1:9/", &["call", "bob", "--identity", "pipe"]);
    sleep(Duration::from_secs(1));
    signal("INT", waits.process_id());
    sleep(Duration::from_millis(200));
    signal("INT", waits.process_id());
    waits.ends_by_itself_with(130);
}

#[test]
fn a_terminal_that_is_closed_hangs_up() {
    let server = server::start();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let accept = ["listen", "--accept-from", &alice.contact()];
    let mut at_bob = bob.run_at_a_terminal(&server.url(), &accept);
    at_bob.waits_for("waiting for calls");
    let mut at_alice = alice.run_at_a_terminal(&server.url(), &["call", "bob"]);
    at_alice.waits_for("connected to bob");
    // Before that, it could not hang up over the channel.
    at_bob.waits_for("connected to alice");
    let began = Instant::now();
    // Closing the terminal program causes SIGHUP.
    drop(at_bob);
    at_alice.ends_by_itself_with(0);
    // A lost connection would be detected only after 40 seconds.
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
}

#[test]
fn with_nohup_a_listener_survives_its_terminal() {
    let server = server::start();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let line = format!("trap '' HUP; exec $SECURECALL listen --accept-from '{}'", alice.contact());
    let mut at_bob = bob.run_in_shell(&server.url(), &line);
    at_bob.waits_for("waiting for calls");
    signal("HUP", at_bob.process_id());
    let mut at_alice = alice.run(&server.url(), &["call", "bob"]);
    at_alice.types("still there?");
    at_bob.waits_for("alice: still there?");
    at_alice.ends_with(0);
}
