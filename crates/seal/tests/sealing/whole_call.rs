//! A whole call as an application sees it, without attacks, and mistakes of the application itself.

use crate::pair::{ANSWER, CALL_ID, CANDIDATE, OFFER, Pair, identity, looked_up, now, seed};
use securecall_seal::{Callee, Caller, DirectoryKey, Error, Fault, Suite, TEXT_BYTES_MAX};

#[test]
fn both_ends_read_what_the_other_sealed() {
    for suite in Suite::ALL {
        let mut pair = Pair::new(suite);
        let (offered, sdp_offer) = pair.offer();
        let incoming = pair.open(&sdp_offer).unwrap();
        assert_eq!(incoming.sdp(), OFFER);
        let (mut bobs_end, sdp_answer) = incoming.answer(CALL_ID, ANSWER, &mut pair.rng).unwrap();
        let (mut alices_end, answer) = offered.accept(CALL_ID, &sdp_answer).unwrap();
        assert_eq!(answer, ANSWER);
        assert_eq!((alices_end.suite(), bobs_end.suite()), (suite, suite));

        let candidate = alices_end.seal_candidate(CANDIDATE).unwrap();
        assert_eq!(bobs_end.open_candidate(&candidate).unwrap(), CANDIDATE);
        let signal = bobs_end.seal_signal("{\"mute\":true}").unwrap();
        assert_eq!(alices_end.open_signal(&signal).unwrap(), "{\"mute\":true}");
    }
}

#[test]
fn both_ends_show_the_same_digits_once_the_caller_has_sent_something() {
    let (mut alices_end, mut bobs_end) = Pair::new(Suite::X25519).call();
    let shown = alices_end.short_authentication_string().unwrap();
    assert_eq!(bobs_end.short_authentication_string(), None);
    bobs_end.open_signal(&alices_end.seal_signal("").unwrap()).unwrap();
    assert_eq!(bobs_end.short_authentication_string(), Some(shown));
    assert_eq!(shown.to_string().len(), "413 0926".len());
}

#[test]
fn two_calls_show_different_digits() {
    let mut pair = Pair::new(Suite::X25519);
    let (one, _) = pair.call();
    let (other, _) = pair.call();
    assert_ne!(one.short_authentication_string(), other.short_authentication_string());
}

#[test]
fn a_call_uses_the_best_suite_that_both_keys_list() {
    for (alices, bobs, used) in [
        (Suite::XWing, Suite::XWing, Suite::XWing),
        (Suite::XWing, Suite::X25519, Suite::X25519),
        (Suite::X25519, Suite::XWing, Suite::X25519),
    ] {
        let mut pair = Pair::new(Suite::X25519);
        pair.alice = identity("alice", 1, alices);
        pair.bob = identity("bob", 2, bobs);
        let (alices_end, bobs_end) = pair.call();
        assert_eq!((alices_end.suite(), bobs_end.suite()), (used, used));
    }
}

#[test]
fn the_same_seed_gives_the_same_directory_key() {
    let again = identity("alice", 1, Suite::XWing);
    assert_eq!(identity("alice", 1, Suite::XWing).directory_key(), again.directory_key());
    assert_eq!(looked_up(&again).as_str(), again.directory_key().as_str());
}

#[test]
fn an_identity_keeps_its_fingerprint_under_another_id_and_with_other_suites() {
    let fingerprint = |id, seed, suite| identity(id, seed, suite).directory_key().fingerprint();
    let alice = fingerprint("alice", 1, Suite::XWing);
    assert_eq!(alice, fingerprint("alice", 1, Suite::X25519));
    assert_eq!(alice, fingerprint("alice-phone", 1, Suite::XWing));
    assert_ne!(alice, fingerprint("alice", 2, Suite::XWing));
    let groups = alice.to_string();
    assert_eq!(groups.split(' ').count(), 8);
    assert!(groups.split(' ').all(|group| group.len() == 5));
}

#[test]
fn a_directory_key_fits_the_directory() {
    let longest_id = "x".repeat(64);
    let key = identity(&longest_id, 1, Suite::XWing);
    assert!(key.directory_key().as_str().len() <= 4096);
}

#[test]
fn the_longest_text_fits_a_signaling_message() {
    let mut pair = Pair::new(Suite::XWing);
    let longest = "x".repeat(TEXT_BYTES_MAX);
    let bob = looked_up(&pair.bob);
    let (_, offer) = Caller::new(&pair.alice, &bob).offer(&longest, now(), &mut pair.rng).unwrap();
    let answer = pair.open(&offer).unwrap().answer(CALL_ID, &longest, &mut pair.rng).unwrap().1;
    let (mut end, _) = pair.call();
    for sealed in [offer, answer, end.seal_signal(&longest).unwrap()] {
        assert!(sealed.len() < 64 * 1024 - 2048, "{} characters", sealed.len());
    }
}

#[test]
fn candidates_of_all_kinds_are_equally_long() {
    let (mut end, _) = Pair::new(Suite::X25519).call();
    let host = end.seal_candidate("candidate:1 1 udp 2122260223 192.0.2.1 54400 typ host").unwrap();
    let relay =
        "candidate:3 1 udp 41885439 2001:db8::1:2:3 3478 typ relay raddr 2001:db8::9 rport 1";
    assert_eq!(end.seal_candidate(relay).unwrap().len(), host.len());
}

#[test]
fn mistakes_of_the_application_are_errors() {
    let mut pair = Pair::new(Suite::X25519);
    let too_long = "x".repeat(TEXT_BYTES_MAX + 1);
    let length = too_long.len();
    let bob = looked_up(&pair.bob);
    let caller = Caller::new(&pair.alice, &bob);
    let error = caller.offer(&too_long, now(), &mut pair.rng).unwrap_err();
    assert_eq!((error, error.fault()), (Error::TextTooLong(length), Fault::Application));

    let myself = looked_up(&pair.alice);
    let error = Caller::new(&pair.alice, &myself).offer(OFFER, now(), &mut pair.rng).unwrap_err();
    assert_eq!(error, Error::SelfCall);

    for id in ["", "with space", "ü", &"x".repeat(65)] {
        let identity = securecall_seal::Identity::new(id, &seed(1), Suite::X25519);
        assert_eq!(identity.unwrap_err(), Error::InvalidClientId);
    }
    for call_id in [String::new(), "x".repeat(1025)] {
        let (_, sdp_offer) = pair.offer();
        let incoming = pair.open(&sdp_offer).unwrap();
        let error = incoming.answer(&call_id, ANSWER, &mut pair.rng).unwrap_err();
        assert_eq!(error, Error::InvalidCallId);
    }
}

#[test]
fn debug_output_shows_nothing_of_keys() {
    let mut pair = Pair::new(Suite::X25519);
    let (offered, sdp_offer) = pair.offer();
    let incoming = pair.open(&sdp_offer).unwrap();
    assert_eq!(format!("{offered:?} {incoming:?}"), "Offered { .. } Incoming { .. }");
    let (end, _) = pair.call();
    let callee = Callee::new(&pair.bob);
    let bob = looked_up(&pair.bob);
    let shown = format!("{:?} {:?} {end:?} {callee:?} {bob:?}", seed(1), pair.alice);
    assert!(!shown.contains(['[', '"']), "{shown}");
}

#[test]
fn a_looked_up_key_is_the_one_that_was_made() {
    let alice = identity("alice", 1, Suite::XWing);
    let text = alice.directory_key().as_str();
    assert_eq!(&DirectoryKey::parse(text, "alice").unwrap(), alice.directory_key());
    assert_eq!(DirectoryKey::parse(text, "bob"), Err(Error::KeyOfAnotherClient));
}
