//! Bundles, each for the head of a chain; and what a client makes of one that came after another.

use securecall_identity::{Bundle, BundleMark, Chain, Link};
use serde_json::{Value, json};

use super::{
    agreed,
    kem_keys::{RFC_7748, SMALL, reduced, x_wing_key},
    result_name, with,
};
use crate::{
    fixtures::{Maker, key},
    raw::{RawBundle, armor, hex, unhex},
};

pub(super) fn file() -> Value {
    json!({ "bundles": bundles(), "marks": marks() })
}

fn bundle(chain: &Maker) -> RawBundle {
    RawBundle {
        version: 1,
        algorithm: 1,
        id: chain.id.clone(),
        number: 1,
        head_hash: chain.head.hash(),
        kem_keys: vec![(1, unhex::<32>(RFC_7748).into())],
        extensions: Vec::new(),
    }
}

fn case(name: &str, chain: &Maker, bytes: &[u8], expected: &str) -> Value {
    text_case(name, chain, &armor(bytes), expected)
}

fn text_case(name: &str, chain: &Maker, text: &str, expected: &str) -> Value {
    let links = chain.links.iter().map(|link| Link::parse(link).unwrap());
    let verified = Chain::verify(links).unwrap();
    let found = Bundle::from_text(text, verified.head());
    let case = with(
        agreed(name, result_name(&found), expected),
        json!({ "chain": chain.texts(), "bundle": text }),
    );
    found.map_or(case.clone(), |bundle| with(case, fields(&bundle)))
}

fn fields(bundle: &Bundle) -> Value {
    json!({
        "number": bundle.mark().number,
        "recordHash": hex(bundle.record_hash()),
        "x25519": bundle.kem_key(1).map(hex),
        "xWing": bundle.kem_key(2).map(hex),
    })
}

fn bundles() -> Vec<Value> {
    accepted().into_iter().chain(malformed()).chain(refused()).collect()
}

fn accepted() -> Vec<Value> {
    let (plain, certified) = (Maker::plain("alice"), Maker::certified());
    let rotated = plain.clone().then_rotate();
    let both = RawBundle {
        kem_keys: [bundle(&plain).kem_keys, vec![(2, x_wing_key(reduced, RFC_7748))]].concat(),
        ..bundle(&plain)
    };
    let newer = RawBundle {
        number: u32::MAX,
        kem_keys: [both.kem_keys.clone(), vec![(200, b"not known yet".to_vec())]].concat(),
        extensions: vec![(1, b"devices".to_vec()), (2, Vec::new())],
        ..both.clone()
    };
    vec![
        case("suite 1", &plain, &bundle(&plain).signed(&key(1)), "accepted"),
        case("of a certified id", &certified, &bundle(&certified).signed(&key(1)), "accepted"),
        case("of a rotated key", &rotated, &bundle(&rotated).signed(&key(2)), "accepted"),
        case("both suites", &plain, &both.signed(&key(1)), "accepted"),
        case("a suite and extensions of later", &plain, &newer.signed(&key(1)), "accepted"),
    ]
}

fn changed(chain: &Maker, change: impl FnOnce(&mut RawBundle)) -> Vec<u8> {
    let mut bundle = bundle(chain);
    change(&mut bundle);
    bundle.signed(&key(1))
}

fn malformed() -> Vec<Value> {
    let plain = Maker::plain("alice");
    let bytes = bundle(&plain).signed(&key(1));
    let whole = bytes.len();
    let x25519 = || unhex::<32>(RFC_7748).to_vec();
    let twice = changed(&plain, |bundle| bundle.kem_keys.push((1, x25519())));
    let descending = changed(&plain, |bundle| bundle.kem_keys.insert(0, (9, Vec::new())));
    let repeated = changed(&plain, |bundle| bundle.extensions = vec![(1, vec![]), (1, vec![])]);
    let too_long = changed(&plain, |bundle| bundle.extensions = vec![(1, vec![0; 3000])]);
    let case = |name, bytes: &[u8], expected| case(name, &plain, bytes, expected);
    vec![
        text_case("not base64url", &plain, "====", "text_not_base64url"),
        case("3,000 bytes of extensions", &too_long, "text_too_long"),
        case("empty", &[], "bundle_malformed"),
        case("cut off in the keys", &bytes[..60], "bundle_malformed"),
        case("without its signature", &bytes[..whole - 64], "bundle_malformed"),
        case("a byte left over", &[bytes.as_slice(), &[0]].concat(), "bundle_malformed"),
        case("a suite twice", &twice, "bundle_malformed"),
        case("suites that descend", &descending, "bundle_malformed"),
        case("an extension twice", &repeated, "bundle_malformed"),
        case("version 2", &changed(&plain, |bundle| bundle.version = 2), "version_unknown"),
        case("algorithm 2", &changed(&plain, |bundle| bundle.algorithm = 2), "algorithm_unknown"),
    ]
}

fn refused() -> Vec<Value> {
    let plain = Maker::plain("alice");
    let rotated = plain.clone().then_rotate();
    let (open, ended) = (plain.reset(), plain.clone().then_tombstone());
    let with_key = |suite, bytes: Vec<u8>| {
        changed(&plain, |bundle| {
            bundle.kem_keys.retain(|(listed, _)| *listed != suite);
            bundle.kem_keys.push((suite, bytes));
        })
    };
    let small = unhex::<32>(SMALL[0].1).to_vec();
    let not_reduced = x_wing_key(|index| if index == 5 { 3329 } else { 0 }, RFC_7748);
    let as_link = {
        let unsigned = bundle(&plain).unsigned();
        let signature = crate::raw::sign(&key(1), "link", &unsigned);
        [unsigned, signature.to_vec()].concat()
    };
    let bytes = bundle(&plain).signed(&key(1));
    vec![
        case("of another id", &plain, &bundle(&Maker::plain("bob")).signed(&key(1)), "other_id"),
        case("after a reset", &open, &bundle(&open).signed(&key(1)), "head_unbound"),
        case("after a tombstone", &ended, &bundle(&ended).signed(&key(1)), "head_unbound"),
        case("of the head before", &rotated, &bytes, "other_head"),
        case(
            "signed by the key before",
            &rotated,
            &bundle(&rotated).signed(&key(1)),
            "signature_wrong",
        ),
        case("signed by another key", &plain, &bundle(&plain).signed(&key(2)), "signature_wrong"),
        case("signed with a link's label", &plain, &as_link, "signature_wrong"),
        case(
            "no suite",
            &plain,
            &changed(&plain, |bundle| bundle.kem_keys.clear()),
            "suite_missing",
        ),
        case(
            "suite 2 alone",
            &plain,
            &changed(&plain, |bundle| bundle.kem_keys[0] = (2, x_wing_key(reduced, RFC_7748))),
            "suite_missing",
        ),
        case("an X25519 key of 31 bytes", &plain, &with_key(1, vec![9; 31]), "kem_key_length"),
        case("an X25519 key of small order", &plain, &with_key(1, small), "kem_key_small_order"),
        case(
            "an X-Wing key that is not reduced",
            &plain,
            &with_key(2, not_reduced),
            "kem_key_not_canonical",
        ),
    ]
}

fn marks() -> Vec<Value> {
    let mark = |head: u8, number, record: u8| BundleMark {
        head_hash: [head; 32],
        number,
        record_hash: [record; 32],
    };
    let known = mark(1, 5, 5);
    let cases = [
        ("the same", mark(1, 5, 5), "accepted"),
        ("a higher number", mark(1, 6, 6), "accepted"),
        ("a much higher number", mark(1, u32::MAX, 6), "accepted"),
        ("a lower number", mark(1, 4, 4), "bundle_rolled_back"),
        ("the same number, other bytes", mark(1, 5, 6), "bundle_forked"),
        ("a lower number under another head", mark(2, 1, 1), "accepted"),
    ];
    let case = |(name, next, expected): (&str, BundleMark, &str)| {
        let found = known.check_next(&next);
        let case = agreed(name, result_name(&found), expected);
        with(case, json!({ "known": mark_fields(&known), "next": mark_fields(&next) }))
    };
    cases.map(case).to_vec()
}

fn mark_fields(mark: &BundleMark) -> Value {
    json!({
        "headHash": hex(&mark.head_hash),
        "number": mark.number,
        "recordHash": hex(&mark.record_hash),
    })
}
