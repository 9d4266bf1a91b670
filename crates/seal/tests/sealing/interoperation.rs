//! Calls between this crate and the second implementation, and what a peer can get wrong.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::SigningKey;
use securecall_seal::{Callee, Caller, DirectoryKey, Error, Established, Fault, Incoming, Suite};

use crate::{
    pair::{ANSWER, CALL_ID, CANDIDATE, OFFER, Pair, identity, looked_up, now},
    second::{self, CALLEE, CALLER, Client, Making, Schedule, answer_context, answer_front, hash},
};

const OPENING: [u8; 32] = [0x0b; 32];
const EPHEMERAL: [u8; 32] = [0x0c; 32];
const NOW: u64 = 1_800_000_000;

fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn bytes(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

fn second_client(id: &str, seed: u8, suite: Suite) -> Client {
    Client::new(id, &[seed; 32], suite as u8)
}

fn directory_key(client: &Client) -> DirectoryKey {
    DirectoryKey::parse(&text(&client.public.record), &client.public.id).unwrap()
}

/// An offer from alice, who uses the second implementation, to bob.
struct OfferMaking {
    alice: Client,
    bob: Client,
    suite: u8,
    fields: Vec<u8>,
}

impl OfferMaking {
    fn new(suite: Suite) -> Self {
        let number = suite as u8;
        let fields = [
            &NOW.to_be_bytes()[..],
            &hash("commitment", &[&OPENING]),
            &second::public_key(number, &EPHEMERAL),
        ];
        Self {
            alice: second_client("alice", 1, suite),
            bob: second_client("bob", 2, suite),
            suite: number,
            fields: fields.concat(),
        }
    }

    fn context(&self) -> Vec<u8> {
        second::offer_context(self.suite, &self.alice.public, &self.bob.public)
    }

    /// Lets the test change something, then seals it.
    fn seal(&self, change: impl FnOnce(Making<'_>) -> Vec<u8>) -> String {
        let context = self.context();
        let front = second::offer_front(self.suite, &self.alice.public, &self.bob.public);
        text(&change(Making {
            suite: self.suite,
            to: self.bob.public.kem_key(self.suite),
            signer: &self.alice.signing,
            front: &front,
            hpke_context: &context,
            signed_context: &context,
            fields: &self.fields,
            text: OFFER.as_bytes(),
        }))
    }

    fn open(&self, sdp_offer: &str) -> Result<Incoming, Error> {
        let suite = if self.suite == 1 { Suite::X25519 } else { Suite::XWing };
        let bob = identity("bob", 2, suite);
        Callee::new(&bob).open_offer(&directory_key(&self.alice), sdp_offer, now())
    }
}

#[test]
fn both_implementations_make_the_same_directory_key_of_a_seed() {
    for suite in Suite::ALL {
        let ours = identity("alice", 1, suite);
        let theirs = second_client("alice", 1, suite);
        assert_eq!(bytes(ours.directory_key().as_str()), theirs.public.record);
        assert_eq!(ours.directory_key().record_hash(), &theirs.public.hash());
    }
}

#[test]
fn the_second_implementation_answers_our_offer() {
    for suite in Suite::ALL {
        let mut pair = Pair::new(suite);
        let number = suite as u8;
        let (alice, bob) = (second_client("alice", 1, suite), second_client("bob", 2, suite));
        let bobs_key = directory_key(&bob);
        let (offered, sdp_offer) =
            Caller::new(&pair.alice, &bobs_key).offer(OFFER, now(), &mut pair.rng).unwrap();

        let offer = second::open(
            number,
            &bob.kem_private_keys[usize::from(number) - 1],
            &alice.public.identity(),
            &second::offer_context(number, &alice.public, &bob.public),
            68,
            40 + second::public_key_bytes(number),
            &bytes(&sdp_offer),
        );
        assert_eq!(offer.text, OFFER);
        let offer_hash = hash("offer hash", &[&bytes(&sdp_offer)]);
        let context = answer_context(number, &alice.public, &bob.public, CALL_ID, &offer_hash);
        let (answer, answer_secret) = Making {
            suite: number,
            to: &offer.fields[40..],
            signer: &bob.signing,
            front: &answer_front(number, &offer_hash),
            hpke_context: &context,
            signed_context: &context,
            fields: &[],
            text: ANSWER.as_bytes(),
        }
        .seal();
        let keys = Schedule::new(&context, &answer, &offer.exported, &answer_secret);

        let (mut alices_end, sdp) = offered.accept(CALL_ID, &text(&answer)).unwrap();
        assert_eq!(sdp, ANSWER);
        let candidate = keys.callee.seal([1, 3, number, CALLEE], 0, &second::body(&[], CANDIDATE));
        assert_eq!(alices_end.open_candidate(&text(&candidate)).unwrap(), CANDIDATE);
        let signal = keys.caller.open(&bytes(&alices_end.seal_signal("{}").unwrap()));
        assert_eq!(hash("commitment", &[&signal[..32]]), offer.fields[8..40]);
        assert_eq!(signal, second::body(&signal[..32], "{}"));
        let digits = alices_end.short_authentication_string().unwrap().to_string();
        assert_eq!(digits, keys.digits(&signal[..32]));
    }
}

/// Our callee's end of a call that the second implementation made, and the call's keys.
fn answered(making: &OfferMaking) -> (Established, Schedule) {
    let mut offer_secret = Vec::new();
    let sdp_offer = making.seal(|offer| {
        let (message, secret) = offer.seal();
        offer_secret = secret;
        message
    });
    let incoming = making.open(&sdp_offer).unwrap();
    assert_eq!(incoming.sdp(), OFFER);
    let (bobs_end, sdp_answer) = incoming.answer(CALL_ID, ANSWER, &mut rand::rng()).unwrap();
    let offer_hash = hash("offer hash", &[&bytes(&sdp_offer)]);
    let (alice, bob) = (&making.alice.public, &making.bob.public);
    let context = answer_context(making.suite, alice, bob, CALL_ID, &offer_hash);
    let message = bytes(&sdp_answer);
    let answer = second::open(making.suite, &EPHEMERAL, &bob.identity(), &context, 36, 0, &message);
    assert_eq!(answer.text, ANSWER);
    (bobs_end, Schedule::new(&context, &message, &offer_secret, &answer.exported))
}

#[test]
fn we_answer_an_offer_of_the_second_implementation() {
    for suite in Suite::ALL {
        let making = OfferMaking::new(suite);
        let (mut bobs_end, keys) = answered(&making);
        let header = [1, 3, making.suite, CALLER];
        let candidate = keys.caller.seal(header, 0, &second::body(&OPENING, CANDIDATE));
        assert_eq!(bobs_end.open_candidate(&text(&candidate)).unwrap(), CANDIDATE);
        let digits = bobs_end.short_authentication_string().unwrap().to_string();
        assert_eq!(digits, keys.digits(&OPENING));
        let signal = keys.callee.open(&bytes(&bobs_end.seal_signal("{}").unwrap()));
        assert_eq!(signal, second::body(&[], "{}"));
    }
}

#[test]
fn a_signature_counts_for_its_own_context_alone() {
    let making = OfferMaking::new(Suite::X25519);
    let other = |id, seed, suite| second_client(id, seed, suite).public;
    let (alice, bob) = (&making.alice.public, &making.bob.public);
    let classic = Suite::X25519;
    for (what, signed_context) in [
        ("caller's id", second::offer_context(1, &other("alicia", 1, classic), bob)),
        ("caller's identity", second::offer_context(1, &other("alice", 9, classic), bob)),
        ("caller's record", second::offer_context(1, &other("alice", 1, Suite::XWing), bob)),
        ("callee's id", second::offer_context(1, alice, &other("bobby", 2, classic))),
        ("callee's identity", second::offer_context(1, alice, &other("bob", 9, classic))),
        ("callee's record", second::offer_context(1, alice, &other("bob", 2, Suite::XWing))),
        ("direction", second::offer_context(1, bob, alice)),
        ("suite", second::offer_context(2, alice, bob)),
        ("type", answer_context(1, alice, bob, CALL_ID, &[0; 32])),
    ] {
        let forged =
            making.seal(|offer| Making { signed_context: &signed_context, ..offer }.seal().0);
        assert_eq!(making.open(&forged).unwrap_err(), Error::NotAuthentic, "{what}");
    }
}

#[test]
fn an_offer_made_with_the_public_keys_alone_is_refused() {
    let making = OfferMaking::new(Suite::X25519);
    let mallory = SigningKey::from_bytes(&[9; 32]);
    let forged = making.seal(|offer| Making { signer: &mallory, ..offer }.seal().0);
    assert_eq!(making.open(&forged).unwrap_err(), Error::NotAuthentic);
}

#[test]
fn a_signed_body_does_not_count_in_another_envelope() {
    // Bob, who may read alice's offer, seals its body to himself again.
    let making = OfferMaking::new(Suite::X25519);
    let mut body = Vec::new();
    making.seal(|offer| {
        offer
            .seal_padded(|padded| {
                padded.resize(padded.len().next_multiple_of(256), 0);
                body.clone_from(padded);
            })
            .0
    });
    let again = making.seal(|offer| offer.seal_padded(|padded| padded.clone_from(&body)).0);
    assert_eq!(making.open(&again).unwrap_err(), Error::NotAuthentic);
}

#[test]
fn an_answer_is_signed_for_its_call_its_offer_and_its_parties() {
    let mut pair = Pair::new(Suite::X25519);
    let other = |id, seed, suite| second_client(id, seed, suite).public;
    let classic = Suite::X25519;
    let (alice, bob) = (second_client("alice", 1, classic), second_client("bob", 2, classic));
    let (a, b) = (&alice.public, &bob.public);
    for what in ["call", "offer", "caller", "caller's record", "callee", "direction", "nothing"] {
        let (offered, sdp_offer) = pair.offer();
        let message = bytes(&sdp_offer);
        let offer = second::open(
            1,
            &bob.kem_private_keys[0],
            &a.identity(),
            &second::offer_context(1, a, b),
            68,
            72,
            &message,
        );
        let offer_hash = hash("offer hash", &[&message]);
        let context = answer_context(1, a, b, CALL_ID, &offer_hash);
        let signed_context = match what {
            "call" => answer_context(1, a, b, "call-2", &offer_hash),
            "offer" => answer_context(1, a, b, CALL_ID, &[7; 32]),
            "caller" => answer_context(1, &other("alicia", 1, classic), b, CALL_ID, &offer_hash),
            "caller's record" => {
                answer_context(1, &other("alice", 1, Suite::XWing), b, CALL_ID, &offer_hash)
            }
            "callee" => answer_context(1, a, &other("bob", 9, classic), CALL_ID, &offer_hash),
            "direction" => answer_context(1, b, a, CALL_ID, &offer_hash),
            _ => context.clone(),
        };
        let (answer, _) = Making {
            suite: 1,
            to: &offer.fields[40..],
            signer: &bob.signing,
            front: &answer_front(1, &offer_hash),
            hpke_context: &context,
            signed_context: &signed_context,
            fields: &[],
            text: ANSWER.as_bytes(),
        }
        .seal();
        let accepted = offered.accept(CALL_ID, &text(&answer)).map(|(_, sdp)| sdp);
        let expected =
            if what == "nothing" { Ok(ANSWER.to_owned()) } else { Err(Error::NotAuthentic) };
        assert_eq!(accepted, expected, "{what}");
    }
}

#[test]
fn a_peer_that_lays_out_its_offer_wrongly_is_at_fault() {
    let making = OfferMaking::new(Suite::X25519);
    let not_utf8 = making.seal(|offer| Making { text: b"\xff", ..offer }.seal().0);
    let unpadded = making.seal(|offer| offer.seal_padded(|_| ()).0);
    let overpadded = making.seal(|offer| offer.seal_padded(|body| body.resize(1024, 0)).0);
    let not_zeros = making.seal(|offer| offer.seal_padded(|body| body.resize(256, 1)).0);
    for offer in [not_utf8, unpadded, overpadded, not_zeros] {
        let error = making.open(&offer).unwrap_err();
        assert_eq!((error, error.fault()), (Error::Content, Fault::Peer));
    }
}

#[test]
fn an_offer_with_a_weaker_suite_than_both_list_is_refused() {
    // Both list X-Wing; a caller's program that was made to offer suite 1 does not get through.
    let mut making = OfferMaking::new(Suite::XWing);
    making.suite = 1;
    making.fields = OfferMaking::new(Suite::X25519).fields;
    let weak = making.seal(|offer| offer.seal().0);
    let bob = identity("bob", 2, Suite::XWing);
    let alice = directory_key(&making.alice);
    let error = Callee::new(&bob).open_offer(&alice, &weak, now()).unwrap_err();
    assert_eq!(error, Error::WrongSuite);
}

#[test]
fn a_caller_who_opens_another_value_than_committed_to_is_refused() {
    let making = OfferMaking::new(Suite::X25519);
    let (mut bobs_end, keys) = answered(&making);
    let candidate = keys.caller.seal([1, 3, 1, CALLER], 0, &second::body(&[0x77; 32], CANDIDATE));
    assert_eq!(bobs_end.open_candidate(&text(&candidate)), Err(Error::BrokenCommitment));
    assert_eq!(bobs_end.short_authentication_string(), None);
}

#[test]
fn an_ephemeral_key_that_gives_no_secret_is_refused() {
    let mut making = OfferMaking::new(Suite::X25519);
    making.fields[40..].fill(0);
    let offer = making.seal(|offer| offer.seal().0);
    let error = making.open(&offer).unwrap().answer(CALL_ID, ANSWER, &mut rand::rng()).unwrap_err();
    assert_eq!(error, Error::KeyUnusable);
}

#[test]
fn a_directory_key_may_list_unknown_suites() {
    let alice = second_client("alice", 1, Suite::X25519);
    let unsigned = &alice.public.record[..alice.public.record.len() - 64];
    let with_suite = |suite: u8, count: u8| {
        let mut record = unsigned.to_vec();
        record[2 + 5 + 32] = count;
        record.extend_from_slice(&[suite, 0, 3, 1, 2, 3]);
        let signed = [&second::label("directory key"), &record[..]].concat();
        use ed25519_dalek::Signer as _;
        record.extend_from_slice(&alice.signing.sign(&signed).to_bytes());
        DirectoryKey::parse(&text(&record), "alice")
    };
    let key = with_suite(9, 2).unwrap();
    assert!(key.lists(Suite::X25519) && !key.lists(Suite::XWing));
    assert_eq!(key.fingerprint(), looked_up(&identity("alice", 1, Suite::X25519)).fingerprint());
    for (suite, count, what) in [
        (1, 2, "suite 1 twice"),
        (2, 2, "X-Wing with a key of three bytes"),
        (9, 1, "more than it counts"),
        (9, 3, "less than it counts"),
    ] {
        assert_eq!(with_suite(suite, count), Err(Error::KeyMalformed), "{what}");
    }
}
