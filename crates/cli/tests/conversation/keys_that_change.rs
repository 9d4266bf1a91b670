//! Clients whose key has changed.

use crate::server;
use crate::terminal::Person;
use securecall_testkit::Server;

/// Starts a server whose directory accepts another key at any time, as a dishonest one might.
fn forgetful() -> Server {
    server::start_with(&["--directory-replace=registered"], None)
}

#[test]
fn a_changed_key_of_the_callee_is_refused_until_its_fingerprint_is_given() {
    let server = forgetful();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let listen = || {
        let accept = ["listen", "--accept-from", &alice.contact()];
        let mut at_bob = bob.run(&server.url(), &accept);
        at_bob.waits_for("waiting for calls");
        at_bob
    };
    let (before, contact_before) = (bob.fingerprint(), bob.contact());
    let at_bob = listen();
    let mut first = alice.run(&server.url(), &["call", "bob"]);
    first.ends_with(0);
    assert!(first.stderr().contains("first contact"));
    drop(at_bob);

    bob.takes_new_keys();
    let (present, contact) = (bob.fingerprint(), bob.contact());
    let _at_bob = listen();
    let mut refused = alice.run(&server.url(), &["call", "bob"]);
    refused.ends_with(3);
    for text in ["NOT THE ONE", &before, &present, "--fingerprint"] {
        assert!(refused.stderr().contains(text), "{text} is not in {}", refused.stderr());
    }
    let mut wrong = alice.run(&server.url(), &["call", "bob", "--fingerprint", &contact_before]);
    wrong.ends_with(3);
    let mut compared = alice.run(&server.url(), &["call", "bob", "--fingerprint", &contact]);
    compared.ends_with(0);
    for text in ["HAS CHANGED", &before, &present, "To return to the earlier one, use"] {
        assert!(compared.stderr().contains(text), "{text} is not in {}", compared.stderr());
    }
    let mut remembered = alice.run(&server.url(), &["call", "bob"]);
    remembered.ends_with(0);
    assert!(!remembered.stderr().contains("first contact"));
}

#[test]
fn another_key_of_the_caller_does_not_ring() {
    let server = forgetful();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let listen = |flags: &[&str]| {
        let mut at_bob = bob.run(&server.url(), &[&["listen"], flags].concat());
        at_bob.waits_for("waiting for calls");
        at_bob
    };
    let before = alice.contact();
    let at_bob = listen(&["--accept-from", &before]);
    alice.writes_lines("words", "it is me");
    let call = ["call", "bob", "--message-file", "words"];
    alice.run(&server.url(), &call).ends_with(0);
    drop(at_bob);
    let mut at_bob = listen(&["--accept-known"]);
    alice.run(&server.url(), &call).ends_with(0);
    at_bob.waits_for("alice: it is me");
    alice.takes_new_keys();
    alice.writes_lines("words", "it is me again");
    alice.run(&server.url(), &call).ends_with(1);
    at_bob.waits_for("NOT THE ONE");
    assert!(!at_bob.stdout().contains("again"));
    drop(at_bob);
    // A user who names the new key sees both fingerprints.
    let mut at_bob = listen(&["--accept-from", &alice.contact()]);
    alice.run(&server.url(), &call).ends_with(0);
    at_bob.waits_for("alice: it is me again");
    let fingerprint = alice.fingerprint();
    for text in ["HAS CHANGED", &fingerprint, &format!("--fingerprint \"{before}\"")] {
        assert!(at_bob.stderr().contains(text), "{text} is not in {}", at_bob.stderr());
    }
}

#[test]
fn a_fingerprint_that_is_given_for_one_contact_concerns_no_other() {
    let server = forgetful();
    let (alice, bob, carol) = (Person::new("alice"), Person::new("bob"), Person::new("carol"));
    let listen = |accept: &str, given: &str| {
        let flags = ["listen", "--accept-from", accept, "--fingerprint", given, "--once"];
        let mut at_bob = bob.run(&server.url(), &flags);
        at_bob.waits_for("waiting for calls");
        at_bob
    };
    let call = |person: &Person| person.run(&server.url(), &["call", "bob"]);
    // Carol is a first contact. Alice's fingerprint must not cause a warning about her.
    let mut at_bob = listen(&carol.contact(), &alice.contact());
    call(&carol).ends_with(0);
    at_bob.ends_with(0);
    assert!(!at_bob.stderr().contains("NOT THE ONE"), "{}", at_bob.stderr());
    // Mallory has carol's id, and a key whose fingerprint is given for another id.
    let mallory = Person::new("carol");
    let as_alice = format!("alice={}", mallory.fingerprint());
    let mut at_bob = listen("carol", &as_alice);
    call(&mallory).ends_with(1);
    at_bob.waits_for("NOT THE ONE");
    drop(at_bob);
    // Carol's key is still the known one.
    let mut at_bob = listen("carol", &alice.contact());
    call(&carol).ends_with(0);
    at_bob.ends_with(0);
    let contradict = ["listen", "--accept-from", &as_alice, "--fingerprint", &alice.contact()];
    bob.run(&server.url(), &contradict).ends_with(2);
}

#[test]
fn a_new_device_learns_what_to_do_and_is_taken_after_a_reset() {
    let server = server::start();
    let bob = Person::new("bob");
    let mut old = bob.run(&server.url(), &["listen", "--accept-known"]);
    old.waits_for("waiting for calls");
    bob.takes_new_keys();
    let mut refused = bob.run(&server.url(), &["listen", "--accept-known"]);
    refused.ends_with(1);
    assert!(refused.stderr().contains("securecall directory reset"), "{}", refused.stderr());
    let data_dir = server.data_dir().display().to_string();
    bob.run("", &["directory", "reset", "bob", "--data-dir", &data_dir]).ends_with(0);
    bob.run(&server.url(), &["listen", "--accept-known"]).waits_for("waiting for calls");
}
