//! Public keys of the two suites.

use securecall_identity::{SUITE_X_WING, SUITE_X25519, check_kem_key};
use serde_json::{Value, json};

use super::{agreed, result_name, with};
use crate::raw::{hex, unhex};

const P: &str = "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f";
/// The u coordinates of small order, and what they are.
pub(crate) const SMALL: [(&str, &str); 5] = [
    ("u is 0", "0000000000000000000000000000000000000000000000000000000000000000"),
    ("u is 1", "0100000000000000000000000000000000000000000000000000000000000000"),
    ("u is -1", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ("u of order 8", "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    ("the other u of order 8", "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
];

/// The public key of Alice in RFC 7748 section 6.1.
pub(crate) const RFC_7748: &str =
    "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";

pub(super) fn file() -> Value {
    json!({ "x25519": x25519(), "xWing": x_wing() })
}

fn case(name: &str, suite: u8, key: &[u8], expected: &str) -> Value {
    let found = check_kem_key(suite, key);
    with(agreed(name, result_name(&found), expected), json!({ "key": hex(key) }))
}

fn x25519() -> Vec<Value> {
    let case = |name: &str, key: &[u8], expected| case(name, SUITE_X25519, key, expected);
    let mut cases = vec![
        case("the key of RFC 7748 section 6.1", &unhex::<32>(RFC_7748), "accepted"),
        case("31 bytes", &[9; 31], "kem_key_length"),
        case("33 bytes", &[9; 33], "kem_key_length"),
        case("no bytes", &[], "kem_key_length"),
        case("u is p", &unhex::<32>(P), "kem_key_not_canonical"),
        case("all bits are set", &[0xff; 32], "kem_key_not_canonical"),
    ];
    let mut high = unhex::<32>(RFC_7748);
    high[31] |= 0x80;
    cases.push(case("the highest bit is set", &high, "kem_key_not_canonical"));
    for (name, u) in SMALL {
        cases.push(case(name, &unhex::<32>(u), "kem_key_small_order"));
        let mut high = unhex::<32>(u);
        high[31] |= 0x80;
        let name = format!("{name}, the highest bit is set");
        cases.push(case(&name, &high, "kem_key_not_canonical"));
    }
    cases
}

/// An X-Wing key: the numbers of the ML-KEM part, a seed, the X25519 part.
pub(crate) fn x_wing_key(number: impl Fn(usize) -> u16, u: &str) -> Vec<u8> {
    let mut key = Vec::new();
    for pair in 0..384 {
        let (first, second) = (number(2 * pair), number(2 * pair + 1));
        let bits = u32::from(first) | u32::from(second) << 12;
        key.extend(&bits.to_le_bytes()[..3]);
    }
    key.extend([0x5e; 32]);
    key.extend(unhex::<32>(u));
    key
}

pub(crate) fn reduced(index: usize) -> u16 {
    u16::try_from(index * 7919 % 3329).unwrap()
}

fn x_wing() -> Vec<Value> {
    let case = |name: &str, key: &[u8], expected| case(name, SUITE_X_WING, key, expected);
    let valid = x_wing_key(reduced, RFC_7748);
    let with_number = |place: usize, number: u16| {
        x_wing_key(move |index| if index == place { number } else { reduced(index) }, RFC_7748)
    };
    let mut cases = vec![
        case("all numbers reduced", &valid, "accepted"),
        case("the highest number that is reduced", &with_number(767, 3328), "accepted"),
        case("one byte too few", &valid[..1215], "kem_key_length"),
        case("one byte too many", &[valid.as_slice(), &[0]].concat(), "kem_key_length"),
        case("the first number is 3329", &with_number(0, 3329), "kem_key_not_canonical"),
        case("the second number is 3329", &with_number(1, 3329), "kem_key_not_canonical"),
        case("the last number is 4095", &with_number(767, 4095), "kem_key_not_canonical"),
        case("u is p", &x_wing_key(reduced, P), "kem_key_not_canonical"),
    ];
    for (name, u) in SMALL {
        cases.push(case(name, &x_wing_key(reduced, u), "kem_key_small_order"));
    }
    cases
}
