//! A dishonest server: it substitutes keys, swaps offers, edits fingerprints, delays messages, and
//! answers or calls in another's name.
//!
//! Mallory is the server, or an accomplice of it: she sees and changes all messages, and has keys
//! of her own.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use securecall_seal::{Callee, Caller, DirectoryKey, Error, Fault, Identity, OFFER_AGE_MAX, Suite};

use crate::pair::{ANSWER, CALL_ID, CANDIDATE, OFFER, Pair, identity, looked_up, now};

/// Mallory's keys, under another's name.
fn mallory_as(client_id: &str) -> Identity {
    identity(client_id, 66, Suite::XWing)
}

#[test]
fn a_key_under_the_wrong_name_is_not_taken() {
    let bobs_key_for_carol = identity("bob", 2, Suite::XWing);
    let answer = DirectoryKey::parse(bobs_key_for_carol.directory_key().as_str(), "carol");
    assert_eq!(answer, Err(Error::KeyOfAnotherClient));
}

#[test]
fn a_remembered_key_reveals_a_substitution() {
    let remembered = looked_up(&identity("bob", 2, Suite::XWing));
    let substituted = looked_up(&mallory_as("bob"));
    assert_ne!(substituted, remembered);
    assert_ne!(substituted.fingerprint(), remembered.fingerprint());
}

#[test]
fn an_offer_that_was_sealed_to_a_substituted_key_does_not_ring() {
    let mut pair = Pair::new(Suite::XWing);
    let not_bobs = looked_up(&mallory_as("bob"));
    let caller = Caller::new(&pair.alice, &not_bobs);
    let (_, sdp_offer) = caller.offer(OFFER, now(), &mut pair.rng).unwrap();
    let error = pair.open(&sdp_offer).unwrap_err();
    assert_eq!((error, error.fault()), (Error::OwnKeyChanged, Fault::Keys));
}

/// Mallory sits in the middle, with a whole call on either side, and the two who meet for the
/// first time have nothing to compare her keys with.
#[test]
fn a_man_in_the_middle_shows_in_the_digits() {
    let mut pair = Pair::new(Suite::XWing);
    let as_bob = mallory_as("bob");
    let as_alice = mallory_as("alice");

    let not_bobs = looked_up(&as_bob);
    let caller = Caller::new(&pair.alice, &not_bobs);
    let (offered, sdp_offer) = caller.offer(OFFER, now(), &mut pair.rng).unwrap();
    let to_alice =
        Callee::new(&as_bob).open_offer(&looked_up(&pair.alice), &sdp_offer, now()).unwrap();

    let bobs_key = looked_up(&pair.bob);
    let to_bob = Caller::new(&as_alice, &bobs_key);
    let (mallory_offered, sdp_offer) = to_bob.offer(to_alice.sdp(), now(), &mut pair.rng).unwrap();
    let incoming =
        Callee::new(&pair.bob).open_offer(&looked_up(&as_alice), &sdp_offer, now()).unwrap();
    let (mut bobs_end, sdp_answer) = incoming.answer(CALL_ID, ANSWER, &mut pair.rng).unwrap();
    let (mut mallory_to_bob, sdp) = mallory_offered.accept(CALL_ID, &sdp_answer).unwrap();
    let (mut mallory_to_alice, sdp_answer) = to_alice.answer(CALL_ID, &sdp, &mut pair.rng).unwrap();
    let (mut alices_end, _) = offered.accept(CALL_ID, &sdp_answer).unwrap();

    let candidate = alices_end.seal_candidate(CANDIDATE).unwrap();
    let read = mallory_to_alice.open_candidate(&candidate).unwrap();
    bobs_end.open_candidate(&mallory_to_bob.seal_candidate(&read).unwrap()).unwrap();

    let alice_reads = alices_end.short_authentication_string().unwrap();
    let bob_reads = bobs_end.short_authentication_string().unwrap();
    assert_ne!(alice_reads, bob_reads);
}

#[test]
fn an_offer_under_another_callers_name_does_not_ring() {
    let mut pair = Pair::new(Suite::XWing);
    let carol = identity("carol", 3, Suite::XWing);
    let bobs_key = looked_up(&pair.bob);
    let (_, alices) = pair.offer();
    let (_, carols) = Caller::new(&carol, &bobs_key).offer(OFFER, now(), &mut pair.rng).unwrap();
    let mut bob = Callee::new(&pair.bob);
    let as_carols = bob.open_offer(&looked_up(&carol), &alices, now()).unwrap_err();
    let as_alices = bob.open_offer(&looked_up(&pair.alice), &carols, now()).unwrap_err();
    assert_eq!((as_carols, as_alices), (Error::PeerKeyChanged, Error::PeerKeyChanged));
}

#[test]
fn an_answer_of_another_client_establishes_nothing() {
    // Mallory cannot read the offer. She answers a call of her own instead.
    let mut pair = Pair::new(Suite::XWing);
    let (offered, _) = pair.offer();
    let mut mallorys = Pair::new(Suite::XWing);
    mallorys.bob = mallory_as("bob");
    let (_, other_offer) = mallorys.offer();
    let (_, sdp_answer) = mallorys.answer(&other_offer);
    assert_eq!(offered.accept(CALL_ID, &sdp_answer).unwrap_err(), Error::OtherOffer);
}

/// AES-GCM alone would let her: who knows the text can replace it, bit by bit.
#[test]
fn a_fingerprint_edited_in_the_ciphertext_is_caught() {
    const FRONT: usize = 4 + 32;
    const ENCAPSULATED_KEY: usize = 32;
    const LENGTH: usize = 4;
    let mut pair = Pair::new(Suite::X25519);
    let (offered, sdp_offer) = pair.offer();
    let (_, sdp_answer) = pair.answer(&sdp_offer);
    let fingerprint = ANSWER.find("BB:BB").unwrap();
    let mut message = URL_SAFE_NO_PAD.decode(&sdp_answer).unwrap();
    let start = FRONT + ENCAPSULATED_KEY + LENGTH + fingerprint;
    for (byte, (old, new)) in message[start..].iter_mut().zip(b"BB:BB".iter().zip(b"EE:EE")) {
        *byte ^= old ^ new;
    }
    let edited = URL_SAFE_NO_PAD.encode(message);
    let error = offered.accept(CALL_ID, &edited).unwrap_err();
    assert_eq!((error, error.fault()), (Error::NotAuthentic, Fault::Relay));
}

#[test]
fn an_offer_of_yesterday_does_not_ring_today() {
    let mut pair = Pair::new(Suite::XWing);
    let (_, sdp_offer) = pair.offer();
    let alice = looked_up(&pair.alice);
    // A callee that started anew remembers nothing, and needs to.
    for age in [OFFER_AGE_MAX + Duration::from_secs(1), Duration::from_secs(24 * 60 * 60)] {
        let error = Callee::new(&pair.bob).open_offer(&alice, &sdp_offer, now() + age);
        assert!(matches!(error.unwrap_err(), Error::Stale(offset) if offset.seconds() < -300));
    }
}

#[test]
fn an_answer_of_the_last_call_does_not_answer_this_one() {
    let mut pair = Pair::new(Suite::XWing);
    let (_, last_offer) = pair.offer();
    let (_, last_answer) = pair.answer(&last_offer);
    let (offered, _) = pair.offer();
    assert_eq!(offered.accept(CALL_ID, &last_answer).unwrap_err(), Error::OtherOffer);
}

#[test]
fn a_call_cannot_be_answered_under_two_ids() {
    // The server gives each end another callId, to separate the two ends of one call.
    let mut pair = Pair::new(Suite::XWing);
    let (offered, sdp_offer) = pair.offer();
    let (_, sdp_answer) = pair.answer(&sdp_offer);
    let error = offered.accept("another-call", &sdp_answer).unwrap_err();
    assert_eq!(error, Error::NotAuthentic);
}

#[test]
fn messages_of_two_calls_cannot_be_exchanged() {
    let mut pair = Pair::new(Suite::XWing);
    let (mut one, mut bobs_one) = pair.call();
    let (mut other, mut bobs_other) = pair.call();
    let of_one = one.seal_candidate(CANDIDATE).unwrap();
    let of_other = other.seal_candidate(CANDIDATE).unwrap();
    assert_eq!(bobs_other.open_candidate(&of_one), Err(Error::NotAuthentic));
    assert_eq!(bobs_one.open_candidate(&of_other), Err(Error::NotAuthentic));
}
