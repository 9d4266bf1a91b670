//! Chains: what may follow what.
//!
//! `chains` are whole ones; `refused` are lists of links that are not chains; `extensions` put one
//! more link to the first links of a chain of `chains`; `resets` are an operator's act on such a
//! chain.

use std::sync::LazyLock;

use securecall_identity::{Broken, Chain, Extension, Head, Link};
use serde_json::{Value, json};

use super::{agreed, with};
use crate::{
    fixtures::{Maker, commitment, key, public, recovery},
    raw::{RawLink, armor, hex},
};

pub(super) fn file() -> Value {
    json!({
        "chains": CHAINS.iter().map(|(name, chain)| chain_case(name, chain)).collect::<Vec<_>>(),
        "refused": refused(),
        "extensions": extensions(),
        "resets": resets(),
    })
}

/// The chains that extensions and resets refer to by name.
static CHAINS: LazyLock<Vec<(&str, Maker)>> = LazyLock::new(chains);

fn chains() -> Vec<(&'static str, Maker)> {
    let plain = Maker::plain("alice");
    vec![
        ("plain", plain.clone().then_rotate().then_recover().then_rotate()),
        ("certified", Maker::certified().then_rotate().then_recover().then_rotate()),
        ("recovered twice", plain.clone().then_recover().then_recover()),
        ("ended", plain.clone().then_rotate().then_tombstone()),
        ("reset", plain.clone().then_rotate().reset()),
        ("reset and bound again", plain.then_rotate().reset().then_inception(9).then_rotate()),
        ("last epoch", last_epoch()),
        ("full", full(256)),
    ]
}

/// A chain after the last reset that there is a number for.
fn last_epoch() -> Maker {
    let mut chain = Maker::plain("alice").reset();
    chain.head.epoch = u32::MAX;
    chain.links = vec![chain.head.signed(&[])];
    chain.then_inception(9)
}

/// The first links of the longest chain: 240 that any holder of the identity key may make, 15
/// recoveries, and the tombstone.
fn full(take: usize) -> Maker {
    let next = |chain: Maker, sequence| match sequence {
        0..240 => chain.then_rotate(),
        240..255 => chain.then_recover(),
        _ => chain.then_tombstone(),
    };
    (1..take).fold(Maker::plain("alice"), next)
}

fn parsed(links: &[Vec<u8>]) -> Vec<Link> {
    links.iter().map(|link| Link::parse(link).unwrap()).collect()
}

fn verify(links: &[Vec<u8>]) -> Result<Chain, Broken> {
    Chain::verify(parsed(links))
}

fn chain_case(name: &str, chain: &Maker) -> Value {
    let verified = verify(&chain.links).unwrap_or_else(|broken| panic!("{name}: {broken}"));
    json!({
        "name": name,
        "links": chain.texts(),
        "result": "accepted",
        "head": head(verified.head()),
    })
}

fn head(head: &Head) -> Value {
    let at = head.position();
    json!({
        "id": head.id().as_str(),
        "epoch": at.epoch,
        "sequence": at.sequence,
        "hash": hex(&at.hash),
        "identityKey": head.identity_key().map(|key| hex(key.as_bytes())),
        "commitment": head.commitment().map(|commitment| hex(commitment.as_bytes())),
        "fingerprint": head.fingerprint().map(|fingerprint| fingerprint.to_string()),
        "ended": head.is_ended(),
    })
}

fn refused() -> Vec<Value> {
    let chain = Maker::plain("alice").then_rotate().then_recover().then_rotate();
    let of = |indices: &[usize]| indices.iter().map(|&i| chain.links[i].clone()).collect();
    let bound_again = Maker::plain("alice").reset().then_inception(9);
    let mut joined = chain.links.clone();
    joined.extend(chain.reset().links);
    let wrong_first = chain.clone().links[0].iter().rev().take(1).map(|byte| byte ^ 1).collect();
    let wrong_first = [chain.links[0][..chain.links[0].len() - 1].to_vec(), wrong_first].concat();
    vec![
        refused_case("no link", Vec::new(), 0, "not_a_first_link"),
        refused_case("the first link is missing", of(&[1, 2, 3]), 0, "not_a_first_link"),
        refused_case("the reset is missing", bound_again.links[1..].into(), 0, "not_a_first_link"),
        refused_case("a link is missing", of(&[0, 1, 3]), 2, "gap"),
        refused_case("a link twice", of(&[0, 1, 1, 2]), 2, "sequence_taken"),
        refused_case("two links in the wrong order", of(&[0, 2, 1]), 1, "gap"),
        refused_case("two epochs in one chain", joined, 4, "other_epoch"),
        refused_case("the first signature is wrong", vec![wrong_first], 0, "signature_wrong"),
    ]
}

fn refused_case(name: &str, links: Vec<Vec<u8>>, index: usize, expected: &str) -> Value {
    let broken = verify(&links).unwrap_err();
    assert_eq!(broken.index, index, "{name}");
    let texts: Vec<String> = links.iter().map(|link| armor(link)).collect();
    let case = agreed(name, broken.refusal.name(), expected);
    with(case, json!({ "links": texts, "index": index }))
}

fn first_links((name, take): (&str, usize)) -> Chain {
    let (_, maker) = CHAINS.iter().find(|(chain, _)| *chain == name).unwrap();
    verify(&maker.links[..take]).unwrap()
}

/// Puts a link to the first links of a chain.
fn extension(name: &str, chain: (&str, usize), link: &[u8], expected: &str) -> Value {
    let (chain_name, take) = chain;
    let chain = first_links(chain);
    let found = match chain.head().extend(&Link::parse(link).unwrap()) {
        Ok(Extension::Already) => "already",
        Ok(Extension::Extended(_)) => "extended",
        Err(refusal) => refusal.name(),
    };
    let case = agreed(name, found, expected);
    with(case, json!({ "chain": chain_name, "take": take, "link": armor(link) }))
}

/// The next link of the first links of a chain, with its fields changed before it is signed.
fn changed(link: RawLink, change: impl FnOnce(&mut RawLink), signers: [u8; 2]) -> Vec<u8> {
    let mut link = link;
    change(&mut link);
    link.signed(&signers.map(key).each_ref())
}

fn extensions() -> Vec<Value> {
    places().into_iter().chain(rotations()).chain(recoveries()).chain(ends()).collect()
}

fn places() -> Vec<Value> {
    let one = Maker::plain("alice");
    let two = one.clone().then_rotate();
    let other = {
        let mut link = one.rotation();
        link.time += 1;
        link.signed(&[&key(1), &key(2)])
    };
    let bob = Maker::plain("bob").then_rotate();
    let again = Maker::plain("alice").then_rotate().reset().then_inception(9).then_rotate();
    vec![
        extension("the next link", ("plain", 1), &two.links[1], "extended"),
        extension("the head once more", ("plain", 2), &two.links[1], "already"),
        extension("the head once more, signed anew", ("plain", 2), &signed_anew(&two), "already"),
        extension("an older link once more", ("plain", 2), &two.links[0], "sequence_taken"),
        extension("another link in the head's place", ("plain", 2), &other, "sequence_taken"),
        extension("a link of another id", ("plain", 1), &bob.links[1], "other_id"),
        extension("a link of the next epoch", ("plain", 1), &again.links[2], "other_epoch"),
        extension("a reset", ("plain", 2), &two.reset().links[0], "other_epoch"),
        extension("a link too far", ("plain", 1), &two.clone().then_rotate().links[2], "gap"),
        extension(
            "another link before",
            ("plain", 1),
            &changed(one.rotation(), |link| link.previous = [7; 32], [1, 2]),
            "other_previous",
        ),
        extension("an inception after a reset", ("reset", 1), &again.links[1], "extended"),
        extension(
            "the same inception once more",
            ("reset and bound again", 2),
            &again.links[1],
            "already",
        ),
        extension("a rotation after a reset", ("reset", 1), &again.links[2], "gap"),
        extension(
            "an inception after a reset, signed by another key",
            ("reset", 1),
            &Maker::plain("alice").then_rotate().reset().inception().signed(&[&key(3)]),
            "signature_wrong",
        ),
    ]
}

/// The same link with another signature, as a randomized signer makes one: S and R of another nonce.
fn signed_anew(chain: &Maker) -> Vec<u8> {
    let mut bytes = chain.links[1].clone();
    let length = bytes.len();
    // Its signatures are not looked at again, so any will do.
    bytes[length - 64..].copy_from_slice(&[0x11; 64]);
    bytes
}

fn rotations() -> Vec<Value> {
    let one = Maker::plain("alice");
    let rotate = |change: fn(&mut RawLink), signers| changed(one.rotation(), change, signers);
    let swap = |link: &mut RawLink| link.fields[1] = commitment(&recovery(2));
    let same = |link: &mut RawLink| link.fields[0] = public(&key(1));
    let nothing = |_: &mut RawLink| {};
    let case = |name, link: &[u8], expected| extension(name, ("plain", 1), link, expected);
    vec![
        case("a rotation that changes the commitment", &rotate(swap, [1, 2]), "commitment_changed"),
        case("a rotation to the same key", &rotate(same, [1, 1]), "identity_key_unchanged"),
        case("a rotation by the new key alone", &rotate(nothing, [2, 2]), "signature_wrong"),
        case("a rotation by the old key alone", &rotate(nothing, [1, 1]), "signature_wrong"),
        case("a rotation signed the other way round", &rotate(nothing, [2, 1]), "signature_wrong"),
        extension(
            "a rotation by the key before the last",
            ("plain", 2),
            &changed(one.clone().then_rotate().rotation(), nothing, [1, 3]),
            "signature_wrong",
        ),
        extension(
            "a rotation by a key that a recovery replaced",
            ("plain", 3),
            &changed(one.then_rotate().then_recover().rotation(), nothing, [2, 4]),
            "signature_wrong",
        ),
    ]
}

fn recoveries() -> Vec<Value> {
    let one = Maker::plain("alice");
    let (first, second) = (recovery(1), recovery(2));
    let recover = |change: fn(&mut RawLink), by: &ed25519_dalek::SigningKey| {
        let mut link = one.recovery();
        change(&mut link);
        link.signed(&[by, &key(2)])
    };
    let kept = recover(|link| link.fields[1] = commitment(&recovery(1)), &first);
    let guessed = recover(|link| link.fields[2] = public(&recovery(2)), &second);
    let by_identity = recover(|link| link.fields[2] = public(&key(1)), &key(1));
    let unsigned_by_new = one.recovery().signed(&[&first, &key(1)]);
    let same_key = recover(|link| link.fields[0] = public(&key(1)), &first);
    let same_key = [
        &same_key[..same_key.len() - 64],
        &crate::raw::sign(&key(1), "link", &same_key[..same_key.len() - 128]),
    ]
    .concat();
    let twice = one.clone().then_recover().then_recover();
    let mut spent = twice.recovery();
    spent.fields[2] = public(&first);
    let mut earlier = twice.recovery();
    earlier.fields[1] = commitment(&first);
    let case = |name, link: &[u8], expected| extension(name, ("plain", 1), link, expected);
    vec![
        case("a recovery to the same identity key", &same_key, "extended"),
        case("a recovery without a new commitment", &kept, "commitment_not_new"),
        case("a recovery key that was not committed to", &guessed, "recovery_key_other"),
        case("the identity key as recovery key", &by_identity, "recovery_key_other"),
        case(
            "a recovery not signed by the recovery key",
            &recover(|_| {}, &key(1)),
            "signature_wrong",
        ),
        case("a recovery not signed by the new key", &unsigned_by_new, "signature_wrong"),
        extension(
            "a recovery key used twice",
            ("recovered twice", 3),
            &spent.signed(&[&first, &key(4)]),
            "recovery_key_spent",
        ),
        extension(
            "a commitment that was used before",
            ("recovered twice", 3),
            &earlier.signed(&[&recovery(3), &key(4)]),
            "commitment_not_new",
        ),
    ]
}

fn ends() -> Vec<Value> {
    let ended = Maker::plain("alice").then_rotate().then_tombstone();
    let before = Maker::plain("alice");
    let twice = before.clone().then_recover().then_recover();
    let mut spent = twice.tombstone();
    spent.fields[0] = public(&recovery(1));
    let whole = full(256);
    let (at_240, at_255) = (full(240), full(255));
    let rotated = at_240.clone().then_rotate().links.pop().unwrap();
    let recovered = at_255.clone().then_recover().links.pop().unwrap();
    vec![
        extension(
            "a rotation after a tombstone",
            ("ended", 3),
            &ended.clone().then_rotate().links[3],
            "after_tombstone",
        ),
        extension(
            "a recovery after a tombstone",
            ("ended", 3),
            &ended.clone().then_recover().links[3],
            "after_tombstone",
        ),
        extension("the tombstone once more", ("ended", 3), &ended.links[2], "already"),
        extension(
            "a tombstone by a spent key",
            ("recovered twice", 3),
            &spent.signed(&[&recovery(1)]),
            "recovery_key_spent",
        ),
        extension(
            "a tombstone by the identity key",
            ("plain", 1),
            &before.tombstone().signed(&[&key(1)]),
            "signature_wrong",
        ),
        extension("the last rotation", ("full", 239), &whole.links[239], "extended"),
        extension("a rotation in a place kept for recovery", ("full", 240), &rotated, "chain_full"),
        extension(
            "a recovery in a place kept for it",
            ("full", 240),
            &whole.links[240],
            "extended",
        ),
        extension("a recovery in the last place", ("full", 255), &recovered, "chain_full"),
        extension("a tombstone in the last place", ("full", 255), &whole.links[255], "extended"),
    ]
}

/// A reset made by the crate, held to the one that was written from the page.
fn reset(name: &str, chain: (&str, usize), time: u64, expected: Result<&Maker, &str>) -> Value {
    let found = Link::reset(first_links(chain).head(), time);
    let case = json!({ "name": name, "chain": chain.0, "take": chain.1, "time": time });
    match (found, expected) {
        (Ok(link), Ok(maker)) => {
            assert_eq!(link.as_bytes(), maker.links[0], "{name}");
            with(case, json!({ "result": "accepted", "link": link.to_text() }))
        }
        (found, expected) => {
            let found = found.map(|_| "accepted").unwrap_or_else(|refusal| refusal.name());
            with(case, agreed(name, found, expected.err().unwrap()))
        }
    }
}

fn resets() -> Vec<Value> {
    const NOW: u64 = 1_800_000_000;
    let one = Maker::plain("alice");
    let again = one.clone().then_rotate().reset().then_inception(9);
    vec![
        reset("of a bound id", ("plain", 1), NOW, Ok(&one.reset())),
        reset("a second time", ("reset and bound again", 2), NOW, Ok(&again.reset())),
        reset("of a certified id", ("certified", 1), NOW, Err("reset_of_certified_id")),
        reset("after a tombstone", ("ended", 3), NOW, Err("after_tombstone")),
        reset("of an id that is reset", ("reset", 1), NOW, Err("nothing_to_reset")),
        reset("after the last epoch", ("last epoch", 2), NOW, Err("epochs_exhausted")),
        reset("after the year 9999", ("plain", 1), u64::MAX, Err("time_out_of_range")),
    ]
}
