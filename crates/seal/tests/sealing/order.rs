//! Messages that come twice, too late, cut off, from the wrong end or into the wrong call.

use std::time::Duration;

use crate::pair::{ANSWER, CALL_ID, CANDIDATE, Pair, looked_up, now};
use securecall_seal::{Callee, ClockOffset, Error, OFFER_AGE_MAX, Suite};

#[test]
fn an_offer_opens_once() {
    let mut pair = Pair::new(Suite::X25519);
    let (_, sdp_offer) = pair.offer();
    let alice = looked_up(&pair.alice);
    let mut bob = Callee::new(&pair.bob);
    bob.open_offer(&alice, &sdp_offer, now()).unwrap();
    assert_eq!(bob.open_offer(&alice, &sdp_offer, now()).unwrap_err(), Error::Replayed);
    let later = now() + OFFER_AGE_MAX + Duration::from_secs(1);
    let stale = Error::Stale(ClockOffset::from_seconds(-301));
    assert_eq!(bob.open_offer(&alice, &sdp_offer, later).unwrap_err(), stale);
}

#[test]
fn a_delayed_offer_is_stale() {
    let mut pair = Pair::new(Suite::X25519);
    let (_, sdp_offer) = pair.offer();
    let later = now() + OFFER_AGE_MAX + Duration::from_secs(1);
    let mut bob = Callee::new(&pair.bob);
    let error = bob.open_offer(&looked_up(&pair.alice), &sdp_offer, later).unwrap_err();
    assert_eq!(error, Error::Stale(ClockOffset::from_seconds(-301)));
    let words = "the offer is dated 5 min 1 s behind our clock: one of the two clocks is wrong, or \
                 the offer was delayed";
    assert_eq!(error.to_string(), words);
}

#[test]
fn an_offer_of_the_future_reports_a_wrong_clock_and_its_offset() {
    let mut pair = Pair::new(Suite::X25519);
    let (_, sdp_offer) = pair.offer();
    let earlier = now() - Duration::from_secs(7_500);
    let mut bob = Callee::new(&pair.bob);
    let error = bob.open_offer(&looked_up(&pair.alice), &sdp_offer, earlier).unwrap_err();
    let words = "the offer is dated 2 h 5 min ahead of our clock: one of the two clocks is wrong";
    assert_eq!(error.to_string(), words);
}

#[test]
fn a_candidate_opens_once() {
    let (mut alices_end, mut bobs_end) = Pair::new(Suite::X25519).call();
    let candidate = alices_end.seal_candidate(CANDIDATE).unwrap();
    bobs_end.open_candidate(&candidate).unwrap();
    assert_eq!(bobs_end.open_candidate(&candidate), Err(Error::Replayed));
}

#[test]
fn a_message_after_a_later_one_is_refused() {
    let (mut alices_end, mut bobs_end) = Pair::new(Suite::X25519).call();
    let first = alices_end.seal_candidate(CANDIDATE).unwrap();
    let second = alices_end.seal_signal("{}").unwrap();
    bobs_end.open_signal(&second).unwrap();
    assert_eq!(bobs_end.open_candidate(&first), Err(Error::Replayed));
}

#[test]
fn a_lost_message_is_counted_and_the_next_one_opens() {
    let (mut alices_end, mut bobs_end) = Pair::new(Suite::X25519).call();
    bobs_end.open_candidate(&alices_end.seal_candidate("first").unwrap()).unwrap();
    alices_end.seal_candidate("lost").unwrap();
    alices_end.seal_signal("lost").unwrap();
    let last = alices_end.seal_candidate("last").unwrap();
    assert_eq!(bobs_end.missing(), 0);
    assert_eq!(bobs_end.open_candidate(&last).unwrap(), "last");
    assert_eq!(bobs_end.missing(), 2);
}

#[test]
fn a_refused_message_changes_nothing() {
    let (mut alices_end, mut bobs_end) = Pair::new(Suite::X25519).call();
    let candidate = alices_end.seal_candidate(CANDIDATE).unwrap();
    let forged = format!("{}AAAA", &candidate[..candidate.len() - 4]);
    assert_eq!(bobs_end.open_candidate(&forged), Err(Error::NotAuthentic));
    assert_eq!(bobs_end.open_candidate(&candidate).unwrap(), CANDIDATE);
    assert_eq!(bobs_end.missing(), 0);
}

#[test]
fn a_message_that_comes_back_is_refused() {
    let mut pair = Pair::new(Suite::X25519);
    let (mut alices_end, mut bobs_end) = pair.call();
    let alices = alices_end.seal_candidate(CANDIDATE).unwrap();
    assert_eq!(alices_end.open_candidate(&alices), Err(Error::Reflected));
    let bobs = bobs_end.seal_signal("{}").unwrap();
    assert_eq!(bobs_end.open_signal(&bobs), Err(Error::Reflected));

    let (offered, sdp_offer) = pair.offer();
    let error =
        Callee::new(&pair.alice).open_offer(&looked_up(&pair.bob), &sdp_offer, now()).unwrap_err();
    assert_eq!(error, Error::Reflected);
    assert_eq!(offered.accept(CALL_ID, &sdp_offer).unwrap_err(), Error::UnexpectedType);
}

#[test]
fn a_message_of_one_kind_does_not_open_as_another() {
    let mut pair = Pair::new(Suite::X25519);
    let (mut alices_end, mut bobs_end) = pair.call();
    let candidate = alices_end.seal_candidate(CANDIDATE).unwrap();
    assert_eq!(bobs_end.open_signal(&candidate), Err(Error::UnexpectedType));
    assert_eq!(pair.open(&candidate).unwrap_err(), Error::UnexpectedType);
}

#[test]
fn a_message_of_one_call_does_not_open_in_another() {
    let mut pair = Pair::new(Suite::X25519);
    let (mut alices_end, _) = pair.call();
    let (_, mut bobs_other_end) = pair.call();
    let candidate = alices_end.seal_candidate(CANDIDATE).unwrap();
    assert_eq!(bobs_other_end.open_candidate(&candidate), Err(Error::NotAuthentic));
}

#[test]
fn an_answer_opens_under_its_own_call_id_alone() {
    let mut pair = Pair::new(Suite::X25519);
    let (offered, sdp_offer) = pair.offer();
    let (_, sdp_answer) = pair.answer(&sdp_offer);
    assert_eq!(offered.accept("call-2", &sdp_answer).unwrap_err(), Error::NotAuthentic);
}

#[test]
fn an_answer_opens_for_its_own_offer_alone() {
    let mut pair = Pair::new(Suite::X25519);
    let (_, one) = pair.offer();
    let (other_offered, _) = pair.offer();
    let (_, sdp_answer) = pair.answer(&one);
    assert_eq!(other_offered.accept(CALL_ID, &sdp_answer).unwrap_err(), Error::OtherOffer);
}

#[test]
fn a_second_answer_to_the_same_offer_gives_other_keys() {
    let mut pair = Pair::new(Suite::X25519);
    let (offered, sdp_offer) = pair.offer();
    let (mut first, sdp_answer) = pair.answer(&sdp_offer);
    let (mut second, _) = pair.answer(&sdp_offer);
    let (mut alices_end, _) = offered.accept(CALL_ID, &sdp_answer).unwrap();
    let candidate = alices_end.seal_candidate(CANDIDATE).unwrap();
    assert_eq!(second.open_candidate(&candidate), Err(Error::NotAuthentic));
    first.open_candidate(&candidate).unwrap();
}

#[test]
fn nothing_opens_that_is_cut_off_or_lengthened() {
    let mut pair = Pair::new(Suite::X25519);
    let (_, sdp_offer) = pair.offer();
    for length in 0..sdp_offer.len() {
        assert!(pair.open(&sdp_offer[..length]).is_err(), "{length} characters");
    }
    assert!(pair.open(&format!("{sdp_offer}AAAA")).is_err());

    let (mut alices_end, mut bobs_end) = pair.call();
    let candidate = alices_end.seal_candidate(CANDIDATE).unwrap();
    for length in 0..candidate.len() {
        assert!(bobs_end.open_candidate(&candidate[..length]).is_err(), "{length} characters");
    }
    assert!(bobs_end.open_candidate(&format!("{candidate}AAAA")).is_err());
    bobs_end.open_candidate(&candidate).unwrap();
}

#[test]
fn an_answer_that_is_cut_off_is_refused() {
    for length in [0, 4, 48, 100, 300] {
        let mut pair = Pair::new(Suite::X25519);
        let (offered, sdp_offer) = pair.offer();
        let incoming = pair.open(&sdp_offer).unwrap();
        let (_, sdp_answer) = incoming.answer(CALL_ID, ANSWER, &mut pair.rng).unwrap();
        assert!(offered.accept(CALL_ID, &sdp_answer[..length]).is_err(), "{length} characters");
    }
}
