//! What happens when somebody's key is another one than before.

use crate::server::Server;
use crate::terminal::Person;

/// A server whose directory takes another key without a word, as a dishonest one would.
fn forgetful() -> Server {
    Server::with_turn(&["--directory-replace=registered".to_owned()], None)
}

#[test]
fn another_key_of_the_callee_is_refused_loudly_until_its_fingerprint_is_given() {
    let server = forgetful();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let listen = || {
        let mut at_bob = bob.run(&server.url(), &["listen", "--accept-all"]);
        at_bob.waits_for("waiting for calls");
        at_bob
    };
    let before = bob.fingerprint();
    let at_bob = listen();
    let mut first = alice.run(&server.url(), &["call", "bob"]);
    first.ends_with(0);
    assert!(first.stderr().contains("not seen before"));
    drop(at_bob);

    bob.takes_new_keys();
    let present = bob.fingerprint();
    let _at_bob = listen();
    let mut refused = alice.run(&server.url(), &["call", "bob"]);
    refused.ends_with(3);
    for text in ["ANOTHER ONE", &before, &present, "--fingerprint"] {
        assert!(refused.stderr().contains(text), "{text} is not in {}", refused.stderr());
    }
    let mut wrong = alice.run(&server.url(), &["call", "bob", "--fingerprint", &before]);
    wrong.ends_with(3);
    let mut compared = alice.run(&server.url(), &["call", "bob", "--fingerprint", &present]);
    compared.ends_with(0);
    let mut remembered = alice.run(&server.url(), &["call", "bob"]);
    remembered.ends_with(0);
    assert!(!remembered.stderr().contains("not seen before"));
}

#[test]
fn another_key_of_the_caller_does_not_ring() {
    let server = forgetful();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let mut at_bob = bob.run(&server.url(), &["listen", "--accept-from", "alice"]);
    at_bob.waits_for("waiting for calls");
    alice.run(&server.url(), &["call", "bob", "--message", "it is me"]).ends_with(0);
    at_bob.waits_for("alice: it is me");
    alice.takes_new_keys();
    let mut other = alice.run(&server.url(), &["call", "bob", "--message", "it is me again"]);
    other.ends_with(1);
    at_bob.waits_for("ANOTHER ONE");
    assert!(!at_bob.stdout().contains("again"));
}

#[test]
fn a_new_device_learns_what_to_do_and_is_taken_after_a_reset() {
    let server = Server::start();
    let bob = Person::new("bob");
    let mut old = bob.run(&server.url(), &["listen", "--accept-all"]);
    old.waits_for("waiting for calls");
    bob.takes_new_keys();
    let mut refused = bob.run(&server.url(), &["listen", "--accept-all"]);
    refused.ends_with(1);
    assert!(refused.stderr().contains("securecall directory reset"), "{}", refused.stderr());
    let data_dir = server.data_dir();
    bob.run("", &["directory", "reset", "bob", "--data-dir", &data_dir]).ends_with(0);
    bob.run(&server.url(), &["listen", "--accept-all"]).waits_for("waiting for calls");
}
