//! The test vectors in `vectors/`, for implementations in other languages: made by this crate from
//! the written-down randomness, every value in between by the second implementation.
//!
//! `SECURECALL_WRITE_VECTORS=1 cargo test -p securecall-seal vectors` writes them again, and
//! `vectors/check.mjs` makes them a third time, in JavaScript.

use std::{fs, path::PathBuf, time::SystemTime};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use securecall_seal::{Callee, Caller, Established, Identity, Seed, Suite};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::{
    pair::{looked_up, now},
    second::{self, Client, Envelope, Schedule, answer_context, hash, offer_context},
    tape::{Tape, to_hex},
};

const CALL_ID: &str = "b7f3-KZ_call";
const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\na=fingerprint:sha-256 AA:AA\r\n";
const ANSWER: &str = "v=0\r\no=- 2 2 IN IP4 0.0.0.0\r\na=fingerprint:sha-256 BB:BB\r\n";
const ALICES_SEED: [u8; 32] = [0xa1; 32];
const BOBS_SEED: [u8; 32] = [0xb0; 32];
const EPHEMERAL: [u8; 32] = [0xe1; 32];
const OPENING: [u8; 32] = [0x0b; 32];
const OFFER_ENCAPSULATION: [u8; 64] = [0x1e; 64];
const ANSWER_ENCAPSULATION: [u8; 64] = [0x2e; 64];

/// The sender, the type and the text of each message.
const MESSAGES: [(&str, &str, &str); 4] = [
    ("caller", "candidate", "candidate:1 1 udp 2122260223 192.0.2.1 54400 typ host"),
    ("callee", "candidate", "candidate:2 1 udp 41885439 2001:db8::1 3478 typ relay"),
    ("callee", "signal", "{\"mute\":true}"),
    ("caller", "signal", ""),
];

#[test]
fn this_crate_makes_the_vectors() {
    for (suite, name) in [(Suite::X25519, "suite-1-x25519"), (Suite::XWing, "suite-2-x-wing")] {
        let made = vector(suite);
        let path: PathBuf =
            [env!("CARGO_MANIFEST_DIR"), "../../vectors/seal", &format!("{name}.json")]
                .iter()
                .collect();
        if std::env::var_os("SECURECALL_WRITE_VECTORS").is_some() {
            fs::write(&path, serde_json::to_string_pretty(&made).unwrap() + "\n").unwrap();
        }
        let kept: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(kept, made, "{name}");
    }
}

/// A whole call.
struct Call {
    suite: u8,
    alice: Client,
    bob: Client,
    sdp_offer: String,
    sdp_answer: String,
    messages: Vec<String>,
    digits: String,
}

/// The randomness that a suite takes to encapsulate.
fn encapsulation(suite: Suite, bytes: &[u8; 64]) -> &[u8] {
    if suite == Suite::X25519 { &bytes[..32] } else { bytes }
}

fn call(suite: Suite) -> Call {
    let identity = |id, seed: [u8; 32]| {
        Identity::new(id, &Seed::from_bytes(Zeroizing::new(seed)), suite).unwrap()
    };
    let (alice, bob) = (identity("alice", ALICES_SEED), identity("bob", BOBS_SEED));
    let (alices_key, bobs_key) = (looked_up(&alice), looked_up(&bob));

    let mut tape = Tape::new(&[&EPHEMERAL, &OPENING, encapsulation(suite, &OFFER_ENCAPSULATION)]);
    let (offered, sdp_offer) =
        Caller::new(&alice, &bobs_key).offer(OFFER, now(), &mut tape).unwrap();
    assert!(tape.is_used_up());
    let mut tape = Tape::new(&[encapsulation(suite, &ANSWER_ENCAPSULATION)]);
    let incoming = Callee::new(&bob).open_offer(&alices_key, &sdp_offer, now()).unwrap();
    let (mut bobs_end, sdp_answer) = incoming.answer(CALL_ID, ANSWER, &mut tape).unwrap();
    assert!(tape.is_used_up());
    let (mut alices_end, _) = offered.accept(CALL_ID, &sdp_answer).unwrap();
    let seal = |(sender, message_type, text): (&str, &str, &str)| {
        let end = if sender == "caller" { &mut alices_end } else { &mut bobs_end };
        sealed(end, message_type, text)
    };
    let messages = MESSAGES.into_iter().map(seal).collect();
    Call {
        suite: suite as u8,
        alice: Client::new("alice", &ALICES_SEED, suite as u8),
        bob: Client::new("bob", &BOBS_SEED, suite as u8),
        sdp_offer,
        sdp_answer,
        messages,
        digits: alices_end.short_authentication_string().unwrap().to_string(),
    }
}

fn sealed(end: &mut Established, message_type: &str, text: &str) -> String {
    if message_type == "candidate" { end.seal_candidate(text) } else { end.seal_signal(text) }
        .unwrap()
}

fn bytes(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

fn vector(suite: Suite) -> Value {
    let call = call(suite);
    let (alice, bob) = (&call.alice.public, &call.bob.public);
    let (offer, answer) = (bytes(&call.sdp_offer), bytes(&call.sdp_answer));
    let bobs_private_key = call.bob.kem_private_keys.last().unwrap();
    let fields_bytes = 40 + second::public_key_bytes(call.suite);
    let context = offer_context(call.suite, alice, bob);
    let opened_offer = second::open(
        call.suite,
        bobs_private_key,
        &alice.identity(),
        &context,
        68,
        fields_bytes,
        &offer,
    );
    let offer_hash = hash("offer hash", &[&offer]);
    let answer_context = answer_context(call.suite, alice, bob, CALL_ID, &offer_hash);
    let opened_answer =
        second::open(call.suite, &EPHEMERAL, &bob.identity(), &answer_context, 36, 0, &answer);
    let keys =
        Schedule::new(&answer_context, &answer, &opened_offer.exported, &opened_answer.exported);
    assert_eq!(keys.digits(&OPENING), call.digits);
    json!({
        "protocol": "securecall-seal/1",
        "suite": call.suite,
        "input": inputs(suite),
        "caller": client(&call.alice, suite),
        "callee": client(&call.bob, suite),
        "offer": {
            "context": to_hex(&context),
            "ephemeralPublicKey": to_hex(&second::public_key(call.suite, &EPHEMERAL)),
            "commitment": to_hex(&hash("commitment", &[&OPENING])),
            "envelope": envelope(&opened_offer),
            "hash": to_hex(&offer_hash),
            "sdpOffer": call.sdp_offer,
        },
        "answer": {
            "context": to_hex(&answer_context),
            "envelope": envelope(&opened_answer),
            "sdpAnswer": call.sdp_answer,
        },
        "keys": schedule(&keys),
        "messages": messages(&call, &keys),
        "shortAuthenticationString": call.digits,
    })
}

fn inputs(suite: Suite) -> Value {
    let created = now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    json!({
        "createdUnixSeconds": created,
        "callId": CALL_ID,
        "offer": OFFER,
        "answer": ANSWER,
        "ephemeralPrivateKey": to_hex(&EPHEMERAL),
        "opening": to_hex(&OPENING),
        "offerEncapsulationRandomness": to_hex(encapsulation(suite, &OFFER_ENCAPSULATION)),
        "answerEncapsulationRandomness": to_hex(encapsulation(suite, &ANSWER_ENCAPSULATION)),
    })
}

fn client(client: &Client, suite: Suite) -> Value {
    let seed = if client.public.id == "alice" { ALICES_SEED } else { BOBS_SEED };
    let identity =
        Identity::new(&client.public.id, &Seed::from_bytes(Zeroizing::new(seed)), suite).unwrap();
    let kem_private_keys: Vec<String> =
        client.kem_private_keys.iter().map(|key| to_hex(key)).collect();
    json!({
        "clientId": client.public.id,
        "seed": to_hex(&seed),
        "ed25519PrivateKey": to_hex(client.signing.as_bytes()),
        "kemPrivateKeys": kem_private_keys,
        "directoryKey": URL_SAFE_NO_PAD.encode(&client.public.record),
        "recordHash": to_hex(&client.public.hash()),
        "fingerprint": identity.directory_key().fingerprint().to_string(),
    })
}

fn envelope(envelope: &Envelope) -> Value {
    json!({
        "encapsulatedKey": to_hex(&envelope.encapsulated_key),
        "fields": to_hex(&envelope.fields),
        "signature": to_hex(&envelope.signature),
        "body": to_hex(&envelope.body),
        "exported": to_hex(&envelope.exported),
    })
}

fn schedule(keys: &Schedule) -> Value {
    json!({
        "transcript": to_hex(&keys.transcript),
        "callerKey": to_hex(&keys.caller.key),
        "callerNonce": to_hex(&keys.caller.nonce),
        "calleeKey": to_hex(&keys.callee.key),
        "calleeNonce": to_hex(&keys.callee.nonce),
        "shortAuthenticationSecret": to_hex(&keys.authentication_secret),
    })
}

fn messages(call: &Call, keys: &Schedule) -> Vec<Value> {
    let message = |((sender, message_type, text), sealed): ((&str, &str, &str), &String)| {
        let key = if sender == "caller" { &keys.caller } else { &keys.callee };
        json!({
            "sender": sender,
            "type": message_type,
            "text": text,
            "body": to_hex(&key.open(&bytes(sealed))),
            "sealed": sealed,
        })
    };
    MESSAGES.into_iter().zip(&call.messages).map(message).collect()
}
