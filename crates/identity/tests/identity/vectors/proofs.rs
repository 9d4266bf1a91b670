//! Proofs: one for a challenge and one for a resumption, and each of them where it does not belong.

use securecall_identity::{Demand, Id, Origin, Position, Proof, PublicKey, Purpose};
use serde_json::{Value, json};

use super::{agreed, result_name, with};
use crate::{
    fixtures::{Maker, key, public},
    raw::{RawDemand, armor, hex, sign},
};

const CLIENT_NONCE: [u8; 32] = [0xc1; 32];

pub(super) fn file() -> Value {
    json!({ "proofs": accepted().into_iter().chain(misplaced()).chain(malformed()).collect::<Vec<_>>() })
}

fn demand(chain: &Maker) -> RawDemand {
    RawDemand {
        label: "proof",
        origin: "wss://signal.example.org".to_owned(),
        id: chain.id.clone(),
        epoch: chain.head.epoch,
        sequence: chain.head.sequence,
        head_hash: chain.head.hash(),
        nonce: [0x5e; 32],
    }
}

/// Judges a proof by what the server demands, with the identity key of this number.
fn case(name: &str, demand: &RawDemand, number: u8, proof: &str, expected: &str) -> Value {
    let (origin, id) = (Origin::parse(&demand.origin).unwrap(), Id::parse(&demand.id).unwrap());
    let purpose = if demand.label == "proof" { Purpose::Challenge } else { Purpose::Resume };
    let (epoch, sequence, hash) = (demand.epoch, demand.sequence, demand.head_hash);
    let head = Position { epoch, sequence, hash };
    let demanded = Demand { purpose, origin: &origin, id: &id, head, nonce: &demand.nonce };
    let public_key = PublicKey::parse(public(&key(number))).unwrap();
    let found = Proof::from_text(proof).and_then(|proof| proof.verify(&demanded, &public_key));
    with(
        agreed(name, result_name(&found), expected),
        json!({
            "purpose": if demand.label == "proof" { "challenge" } else { "resume" },
            "origin": demand.origin,
            "id": demand.id,
            "epoch": demand.epoch,
            "sequence": demand.sequence,
            "headHash": hex(&demand.head_hash),
            "nonce": hex(&demand.nonce),
            "identityKey": hex(public_key.as_bytes()),
            "proof": proof,
        }),
    )
}

fn accepted() -> Vec<Value> {
    let (plain, certified) = (Maker::plain("alice"), Maker::certified());
    let rotated = plain.clone().then_rotate();
    let challenge = demand(&plain);
    let resume = RawDemand { label: "resume proof", ..challenge.clone() };
    let loopback = RawDemand { origin: "ws://127.0.0.1:8080".to_owned(), ..challenge.clone() };
    let own = |name: &str, demand: &RawDemand, number| {
        let proof = armor(&demand.proof(&key(number), &CLIENT_NONCE));
        let transcript = hex(&demand.transcript(&CLIENT_NONCE));
        with(case(name, demand, number, &proof, "accepted"), json!({ "transcript": transcript }))
    };
    vec![
        own("for a challenge", &challenge, 1),
        own("for a resumption", &resume, 1),
        own("of a certified id", &demand(&certified), 1),
        own("of a rotated key", &demand(&rotated), 2),
        own("of an epoch after a reset", &demand(&plain.reset().then_inception(9)), 9),
        own("for a server on loopback", &loopback, 1),
    ]
}

/// A good proof, where something else is demanded.
fn misplaced() -> Vec<Value> {
    let made_for = demand(&Maker::plain("alice"));
    let proof = armor(&made_for.proof(&key(1), &CLIENT_NONCE));
    let elsewhere = |name: &str, change: fn(&mut RawDemand)| {
        let mut demanded = made_for.clone();
        change(&mut demanded);
        case(name, &demanded, 1, &proof, "signature_wrong")
    };
    let bytes = made_for.transcript(&CLIENT_NONCE);
    let as_link = armor(&[&CLIENT_NONCE[..], &sign(&key(1), "link", &bytes)].concat());
    vec![
        elsewhere("for another origin", |demand| demand.origin = "wss://other.example".to_owned()),
        elsewhere("for another port", |demand| demand.origin.push_str(":8443")),
        elsewhere("for another id", |demand| demand.id = "bob".to_owned()),
        elsewhere("for another epoch", |demand| demand.epoch = 1),
        elsewhere("for another sequence number", |demand| demand.sequence = 1),
        elsewhere("for another head", |demand| demand.head_hash = [7; 32]),
        elsewhere("for another nonce", |demand| demand.nonce = [7; 32]),
        elsewhere("for a challenge, at a resumption", |demand| demand.label = "resume proof"),
        case("of another key", &made_for, 2, &proof, "signature_wrong"),
        case("signed with a link's label", &made_for, 1, &as_link, "signature_wrong"),
    ]
}

fn malformed() -> Vec<Value> {
    let demanded = demand(&Maker::plain("alice"));
    let proof = demanded.proof(&key(1), &CLIENT_NONCE);
    let text = armor(&proof);
    let mut not_reduced = proof.clone();
    not_reduced[64..].fill(0xff);
    let mut other_nonce = proof.clone();
    other_nonce[0] ^= 1;
    let neutral = [&CLIENT_NONCE[..], &[1], &[0; 63]].concat();
    let case = |name, text: &str, expected| case(name, &demanded, 1, text, expected);
    vec![
        case("empty", "", "proof_malformed"),
        case("a byte too few", &armor(&proof[..95]), "proof_malformed"),
        case("a byte too many", &armor(&[proof.as_slice(), &[0]].concat()), "text_too_long"),
        case("padding", &text.replace(&text[127..], "="), "text_not_base64url"),
        case("another client nonce", &armor(&other_nonce), "signature_wrong"),
        case("S is not reduced", &armor(&not_reduced), "signature_s_not_reduced"),
        case("R is the neutral point", &armor(&neutral), "signature_r_small_order"),
    ]
}
