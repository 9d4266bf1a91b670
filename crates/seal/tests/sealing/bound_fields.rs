//! Each thing that a message is bound to, changed in turn.
//!
//! First every bit of every message. Then what no message carries, or carries in clear: there one
//! end has something else than the other, and the message is edited to match, as a relay would do
//! that wants to get through.

use crate::pair::{CALL_ID, CANDIDATE, OFFER, Pair, identity, looked_up, now};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rand::{SeedableRng as _, rngs::StdRng};
use securecall_seal::{Callee, Caller, DirectoryKey, Error, Identity, Offered, Suite};

fn bytes(sealed: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(sealed).unwrap()
}

fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The message with some of its bytes replaced.
fn edited(sealed: &str, place: usize, replacement: &[u8]) -> String {
    let mut message = bytes(sealed);
    message[place..place + replacement.len()].copy_from_slice(replacement);
    text(&message)
}

/// Every text that differs in one bit; with X-Wing, whose messages are long, in one of each byte.
fn mutations(sealed: &str, suite: Suite) -> impl Iterator<Item = (usize, String)> {
    let original = bytes(sealed);
    let bits = if suite == Suite::X25519 { 8 } else { 1 };
    (0..original.len() * bits).map(move |place| {
        let mut changed = original.clone();
        changed[place / bits] ^= 1 << (7 - place % bits);
        (place / bits, text(&changed))
    })
}

/// An error without its number.
fn kind(error: Error) -> Error {
    if let Error::UnknownVersion(_) = error { Error::UnknownVersion(0) } else { error }
}

fn expected_of_header(place: usize) -> Error {
    match place {
        0 => Error::UnknownVersion(0),
        1 => Error::UnexpectedType,
        2 => Error::WrongSuite,
        3 => Error::Reflected,
        _ => Error::NotAuthentic,
    }
}

#[test]
fn an_offer_with_a_changed_bit_is_refused() {
    for suite in Suite::ALL {
        let mut pair = Pair::new(suite);
        let (_, sdp_offer) = pair.offer();
        for (place, changed) in mutations(&sdp_offer, suite) {
            let expected = match place {
                4..36 => Error::PeerKeyChanged,
                36..68 => Error::OwnKeyChanged,
                _ => expected_of_header(place),
            };
            assert_eq!(kind(pair.open(&changed).unwrap_err()), expected, "byte {place}, {suite:?}");
        }
        pair.open(&sdp_offer).unwrap();
    }
}

#[test]
fn an_answer_with_a_changed_bit_is_refused() {
    for suite in Suite::ALL {
        let mut pair = Pair::new(suite);
        let bob = looked_up(&pair.bob);
        // The same randomness, the same offer: each answer needs an end of its own.
        let offer = |alice: &Identity| -> (Offered, String) {
            Caller::new(alice, &bob).offer(OFFER, now(), &mut StdRng::seed_from_u64(7)).unwrap()
        };
        let (offered, sdp_offer) = offer(&pair.alice);
        let (_, sdp_answer) = pair.answer(&sdp_offer);
        for (place, changed) in mutations(&sdp_answer, suite) {
            let expected = match place {
                4..36 => Error::OtherOffer,
                _ => expected_of_header(place),
            };
            let error = offer(&pair.alice).0.accept(CALL_ID, &changed).unwrap_err();
            assert_eq!(kind(error), expected, "byte {place}, {suite:?}");
        }
        offered.accept(CALL_ID, &sdp_answer).unwrap();
    }
}

#[test]
fn a_candidate_with_a_changed_bit_is_refused() {
    let (mut alices_end, mut bobs_end) = Pair::new(Suite::X25519).call();
    bobs_end.open_candidate(&alices_end.seal_candidate("").unwrap()).unwrap();
    let candidate = alices_end.seal_candidate(CANDIDATE).unwrap();
    for (place, changed) in mutations(&candidate, Suite::X25519) {
        let error = kind(bobs_end.open_candidate(&changed).unwrap_err());
        if (4..12).contains(&place) {
            let possible = [Error::Replayed, Error::Malformed, Error::NotAuthentic];
            assert!(possible.contains(&error), "byte {place}: {error}");
        } else {
            assert_eq!(error, expected_of_header(place), "byte {place}");
        }
    }
    bobs_end.open_candidate(&candidate).unwrap();
}

#[test]
fn a_directory_key_with_a_changed_bit_is_refused() {
    for suite in Suite::ALL {
        let alice = looked_up(&identity("alice", 1, suite));
        for (place, changed) in mutations(alice.as_str(), suite) {
            let error = DirectoryKey::parse(&changed, "alice").unwrap_err();
            assert_eq!(place == 0, matches!(error, Error::KeyVersion(_)), "byte {place}: {error}");
        }
    }
}

/// An offer from alice to bob, opened by a client for which one field differs.
struct OtherEnd {
    what: &'static str,
    caller: DirectoryKey,
    callee: Identity,
    error: Error,
}

/// Alice and bob are those of [`Pair`], with suite 1 alone.
fn other_ends() -> Vec<OtherEnd> {
    let alice = |id, seed, suite| looked_up(&identity(id, seed, suite));
    let bob = |id, seed, suite| identity(id, seed, suite);
    let [classic, hybrid] = Suite::ALL;
    let other = |what, caller, callee, error| OtherEnd { what, caller, callee, error };
    let (peer, own) = (Error::PeerKeyChanged, Error::OwnKeyChanged);
    vec![
        other("caller's id", alice("alicia", 1, classic), bob("bob", 2, classic), peer),
        other("caller's identity", alice("alice", 9, classic), bob("bob", 2, classic), peer),
        other("caller's record", alice("alice", 1, hybrid), bob("bob", 2, classic), peer),
        other("callee's id", alice("alice", 1, classic), bob("bobby", 2, classic), own),
        other("callee's identity", alice("alice", 1, classic), bob("bob", 9, classic), own),
        other("callee's record", alice("alice", 1, classic), bob("bob", 2, hybrid), own),
    ]
}

#[test]
fn an_offer_is_bound_to_both_ids_both_identities_and_both_directory_keys() {
    let (_, sdp_offer) = Pair::new(Suite::X25519).offer();
    for OtherEnd { what, caller, callee, error } in other_ends() {
        let mut end = Callee::new(&callee);
        assert_eq!(end.open_offer(&caller, &sdp_offer, now()).unwrap_err(), error, "{what}");
        let hashes = [*caller.record_hash(), *callee.directory_key().record_hash()].concat();
        let edited = edited(&sdp_offer, 4, &hashes);
        let error = end.open_offer(&caller, &edited, now()).unwrap_err();
        assert_eq!(error, Error::NotAuthentic, "{what}, front edited to match");
    }
}

#[test]
fn a_change_of_suites_is_a_changed_key_and_no_forgery() {
    let (_, sdp_offer) = Pair::new(Suite::XWing).offer();
    let classic = |id, seed| identity(id, seed, Suite::X25519);
    let pair = Pair::new(Suite::XWing);
    let own = Callee::new(&classic("bob", 2))
        .open_offer(&looked_up(&pair.alice), &sdp_offer, now())
        .unwrap_err();
    let peer = Callee::new(&pair.bob)
        .open_offer(&looked_up(&classic("alice", 1)), &sdp_offer, now())
        .unwrap_err();
    assert_eq!((own, peer), (Error::OwnKeyChanged, Error::PeerKeyChanged));
}

#[test]
fn an_answer_to_another_offer_is_that_whatever_its_suite_is() {
    let (offered, _) = Pair::new(Suite::XWing).offer();
    let mut classic = Pair::new(Suite::X25519);
    let (_, other) = classic.offer();
    let (_, answer) = classic.answer(&other);
    assert_eq!(offered.accept(CALL_ID, &answer).unwrap_err(), Error::OtherOffer);
}

#[test]
fn open_also_refuses_what_needs_no_look_up() {
    let mut pair = Pair::new(Suite::XWing);
    let (_, sdp_offer) = pair.offer();
    let mut bob = Callee::new(&pair.bob);
    for changed in ["", "v=0", &sdp_offer[1..], &sdp_offer[..40], &edited(&sdp_offer, 1, &[2])] {
        assert!(bob.precheck_offer(changed).is_err());
        assert!(bob.open_offer(&looked_up(&pair.alice), changed, now()).is_err());
    }
    let carol = Callee::new(&identity("carol", 3, Suite::XWing));
    assert_eq!(carol.precheck_offer(&sdp_offer), Err(Error::OwnKeyChanged));
    assert_eq!(bob.precheck_offer(&sdp_offer), Ok(()));
}

#[test]
fn an_answer_is_bound_to_its_offer() {
    let mut pair = Pair::new(Suite::X25519);
    let (_, one) = pair.offer();
    let (_, answer_to_one) = pair.answer(&one);
    let (offered, other) = pair.offer();
    let (_, answer_to_other) = pair.answer(&other);
    let edited = edited(&answer_to_one, 4, &bytes(&answer_to_other)[4..36]);
    assert_eq!(offered.accept(CALL_ID, &edited).unwrap_err(), Error::NotAuthentic);
}

#[test]
fn a_message_is_bound_to_its_type_sender_and_sequence() {
    const CANDIDATE_TYPE: u8 = 3;
    const SIGNAL_TYPE: u8 = 4;
    let (mut alices_end, mut bobs_end) = Pair::new(Suite::X25519).call();
    let candidate = alices_end.seal_candidate(CANDIDATE).unwrap();

    let as_signal = edited(&candidate, 1, &[SIGNAL_TYPE]);
    assert_eq!(bobs_end.open_signal(&as_signal), Err(Error::NotAuthentic));
    let from_callee = edited(&candidate, 3, &[1]);
    assert_eq!(alices_end.open_candidate(&from_callee), Err(Error::NotAuthentic));
    let later = edited(&candidate, 4, &7_u64.to_be_bytes());
    assert_eq!(bobs_end.open_candidate(&later), Err(Error::NotAuthentic));
    assert_eq!(bytes(&candidate)[1], CANDIDATE_TYPE);
    bobs_end.open_candidate(&candidate).unwrap();
}

#[test]
fn a_message_is_bound_to_the_suite_of_its_call() {
    let (_, mut classic_end) = Pair::new(Suite::X25519).call();
    let (mut hybrid_end, _) = Pair::new(Suite::XWing).call();
    let candidate = hybrid_end.seal_candidate(CANDIDATE).unwrap();
    assert_eq!(classic_end.open_candidate(&candidate), Err(Error::WrongSuite));
    let relabelled = edited(&candidate, 2, &[1]);
    assert_eq!(classic_end.open_candidate(&relabelled), Err(Error::NotAuthentic));
}
