//! Keys and signatures at the edges of Ed25519's encodings.

use curve25519_dalek::{
    EdwardsPoint, Scalar,
    constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION},
    edwards::CompressedEdwardsY,
};
use securecall_identity::PublicKey;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha512};

use super::{agreed, result_name, with};
use crate::{
    fixtures::{key, public},
    raw::{hex, unhex},
};

const P: &str = "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f";
const L: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

pub(super) fn file() -> Value {
    json!({ "keys": keys(), "signatures": signatures() })
}

fn keys() -> Vec<Value> {
    let mut cases = vec![
        key_case("the key of RFC 8032 test 1", RFC_8032[0].0, "accepted"),
        key_case("y is p", P, "key_not_canonical"),
        key_case("y is p and the sign is set", &signed(P), "key_not_canonical"),
        key_case("y is p + 1", &plus(P, 1), "key_not_canonical"),
        key_case("y is p + 3", &plus(P, 3), "key_not_canonical"),
        key_case("y is 2^255 - 1", &format!("{}7f", "ff".repeat(31)), "key_not_canonical"),
        key_case("all bits are set", &"ff".repeat(32), "key_not_canonical"),
        key_case("y is 2, no point", &no_point(), "key_not_a_point"),
    ];
    for (order, point) in small_points() {
        let encoded = hex(&point.compress().to_bytes());
        cases.push(key_case(&format!("a point of order {order}"), &encoded, "key_small_order"));
    }
    let one = format!("01{}", "00".repeat(31));
    cases.push(key_case("the neutral point, x negative zero", &signed(&one), "key_small_order"));
    let minus_one = format!("ec{}", &P[2..]);
    cases.push(key_case("y is -1, x negative zero", &signed(&minus_one), "key_small_order"));
    let valid = CompressedEdwardsY(public(&key(1))).decompress().unwrap();
    for (order, point) in small_points().into_iter().skip(1) {
        let name = format!("a valid key plus a point of order {order}");
        let encoded = hex(&(valid + point).compress().to_bytes());
        cases.push(key_case(&name, &encoded, "key_not_torsion_free"));
    }
    cases
}

fn key_case(name: &str, encoded: &str, expected: &str) -> Value {
    let found = PublicKey::parse(unhex(encoded));
    with(agreed(name, result_name(&found), expected), json!({ "key": encoded }))
}

/// One point of each of the four orders that divide eight.
fn small_points() -> [(u8, EdwardsPoint); 4] {
    [(1, EIGHT_TORSION[0]), (2, EIGHT_TORSION[4]), (4, EIGHT_TORSION[2]), (8, EIGHT_TORSION[1])]
}

/// The lowest y that is no point's.
fn no_point() -> String {
    let encoded = |y: u8| std::array::from_fn(|index| if index == 0 { y } else { 0 });
    let is_none = |bytes: &[u8; 32]| CompressedEdwardsY(*bytes).decompress().is_none();
    hex(&(2..).map(encoded).find(is_none).unwrap())
}

fn signed(encoded: &str) -> String {
    let mut bytes: [u8; 32] = unhex(encoded);
    bytes[31] |= 0x80;
    hex(&bytes)
}

fn plus(number: &str, less_than_16: u8) -> String {
    let mut bytes: [u8; 32] = unhex(number);
    bytes[0] += less_than_16;
    hex(&bytes)
}

/// A number plus the order of the group.
fn plus_l(number: [u8; 32]) -> [u8; 32] {
    let (mut sum, order) = (number, unhex::<32>(L));
    let mut carry = 0;
    for (byte, addend) in sum.iter_mut().zip(order) {
        let total = u16::from(*byte) + u16::from(addend) + carry;
        (*byte, carry) = (total.to_le_bytes()[0], total >> 8);
    }
    sum
}

/// RFC 8032 section 7.1, tests 1 to 3: key, message, signature.
const RFC_8032: [(&str, &str, &str); 3] = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
];

const MESSAGE: &[u8] = b"signed by hand";

fn signatures() -> Vec<Value> {
    let mut cases = Vec::new();
    for (number, (key, message, signature)) in (1..).zip(RFC_8032) {
        let name = format!("RFC 8032 test {number}");
        cases.push(raw_case(&name, key, message, signature, "accepted"));
    }
    let (key_1, _, signature_1) = RFC_8032[0];
    cases.push(raw_case("another message", key_1, "72", signature_1, "signature_wrong"));
    cases.push(raw_case("another key", RFC_8032[1].0, "", signature_1, "signature_wrong"));
    let zeros = "00".repeat(64);
    cases.push(raw_case("all zeros", key_1, "", &zeros, "signature_r_small_order"));
    let (r, s): ([u8; 32], [u8; 32]) = (unhex(signature_1), unhex(&signature_1[64..]));
    let rfc = |name, r: [u8; 32], s: [u8; 32], expected| {
        raw_case(name, key_1, "", &(hex(&r) + &hex(&s)), expected)
    };
    cases.push(rfc("S plus the order", r, plus_l(s), "signature_s_not_reduced"));
    cases.push(rfc("S is the order", r, unhex(L), "signature_s_not_reduced"));
    cases.push(rfc("all bits of S are set", r, [0xff; 32], "signature_s_not_reduced"));
    cases.push(rfc("R is p", unhex(P), s, "signature_r_not_canonical"));
    cases.push(rfc("R is p + 1", unhex(&plus(P, 1)), s, "signature_r_not_canonical"));
    cases.push(rfc("R is no point", unhex(&no_point()), s, "signature_wrong"));
    cases.push(rfc("R and S both out of range", unhex(P), [0xff; 32], "signature_r_not_canonical"));
    cases.extend(signatures_by_hand());
    cases
}

/// Signatures whose R was chosen by a holder of the private key.
fn signatures_by_hand() -> Vec<Value> {
    let mut cases = vec![by_hand("R chosen by hand", 7, EIGHT_TORSION[0], "accepted")];
    for (order, point) in small_points() {
        let name = format!("R of order {order}, S as it belongs to it");
        cases.push(by_hand(&name, 0, point, "signature_r_small_order"));
    }
    for (order, point) in small_points().into_iter().skip(1) {
        let name = format!("R plus a point of order {order}");
        cases.push(by_hand(&name, 7, point, "signature_wrong"));
    }
    cases
}

/// R = nonce·B + point, S = nonce + k·a.
fn by_hand(name: &str, nonce: u8, point: EdwardsPoint, expected: &str) -> Value {
    let nonce = Scalar::from(nonce);
    let r = (ED25519_BASEPOINT_POINT * nonce + point).compress().to_bytes();
    let public = public(&key(1));
    let digest = Sha512::new().chain_update(r).chain_update(public).chain_update(MESSAGE);
    let k = Scalar::from_bytes_mod_order_wide(&digest.finalize().into());
    let s = nonce + k * key(1).to_scalar();
    let signature = hex(&r) + &hex(s.as_bytes());
    raw_case(name, &hex(&public), &hex(MESSAGE), &signature, expected)
}

fn raw_case(name: &str, key: &str, message: &str, signature: &str, expected: &str) -> Value {
    let bytes: Vec<u8> = (0..message.len() / 2).map(|i| unhex::<1>(&message[2 * i..])[0]).collect();
    let parsed = PublicKey::parse(unhex(key)).unwrap();
    let found = parsed.verify_bytes(&bytes, &unhex(signature));
    with(
        agreed(name, result_name(&found), expected),
        json!({ "key": key, "message": message, "signature": signature }),
    )
}
