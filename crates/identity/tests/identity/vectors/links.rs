//! Links by themselves: every rule that needs no other link.

use securecall_identity::{Link, TIME_MAX};
use serde_json::{Value, json};

use super::{agreed, result_name, with};
use crate::{
    fixtures::{Maker, commitment, key, public, recovery},
    raw::{INCEPTION, RESET, RawLink, armor, hex},
};

pub(super) fn file() -> Value {
    let cases = accepted().into_iter().chain(malformed()).chain(misplaced()).chain(wrong_keys());
    json!({ "links": cases.collect::<Vec<_>>() })
}

fn case(name: &str, bytes: &[u8], expected: &str) -> Value {
    text_case(name, &armor(bytes), expected)
}

fn text_case(name: &str, text: &str, expected: &str) -> Value {
    let found = Link::from_text(text);
    let case = with(agreed(name, result_name(&found), expected), json!({ "link": text }));
    found.map_or(case.clone(), |link| with(case, json!({ "fields": fields(&link) })))
}

fn fields(link: &Link) -> Value {
    let at = link.position();
    json!({
        "id": link.id().as_str(),
        "kind": link.kind() as u8,
        "epoch": at.epoch,
        "sequence": at.sequence,
        "time": link.time(),
        "previous": hex(link.previous()),
        "hash": hex(&at.hash),
        "identityKey": link.identity_key().map(|key| hex(key.as_bytes())),
    })
}

fn accepted() -> Vec<Value> {
    let last = |maker: &Maker| maker.links.last().unwrap().clone();
    let (plain, certified) = (Maker::plain("alice"), Maker::certified());
    let longest = Maker::plain(&"a".repeat(64)).then_recover();
    let mut latest = plain.head.clone();
    latest.time = TIME_MAX;
    let mut reset = RawLink::new(RESET, "alice", u32::MAX, 0);
    reset.previous = plain.head.hash();
    vec![
        case("inception of a plain id", &last(&plain), "accepted"),
        case("inception of a certified id", &last(&certified), "accepted"),
        case("rotate", &last(&plain.clone().then_rotate()), "accepted"),
        case("rotate of a certified id", &last(&certified.clone().then_rotate()), "accepted"),
        case("recover", &last(&plain.clone().then_recover()), "accepted"),
        case("tombstone", &last(&plain.clone().then_tombstone()), "accepted"),
        case("reset", &last(&plain.reset()), "accepted"),
        case("inception after a reset", &last(&plain.reset().then_inception(9)), "accepted"),
        case("the longest link", &last(&longest), "accepted"),
        case("the latest time", &latest.signed(&[&key(1)]), "accepted"),
        case("the last epoch", &reset.signed(&[]), "accepted"),
    ]
}

/// A link whose fields were changed before it was signed.
fn changed(link: &RawLink, change: impl FnOnce(&mut RawLink)) -> Vec<u8> {
    let mut link = link.clone();
    change(&mut link);
    link.signed(&[&key(1)])
}

fn malformed() -> Vec<Value> {
    let first = Maker::plain("alice").head;
    let bytes = first.signed(&[&key(1)]);
    let (text, whole) = (armor(&bytes), bytes.len());
    let longest = Maker::plain(&"a".repeat(64)).then_recover().links.remove(1);
    vec![
        text_case(
            "a character of another alphabet",
            &text.replacen('A', "+", 1),
            "text_not_base64url",
        ),
        text_case("padding", &format!("{text}="), "text_not_base64url"),
        text_case("too long", &"A".repeat(451), "text_too_long"),
        case("empty", &[], "link_malformed"),
        case("the first two bytes", &bytes[..2], "link_malformed"),
        case("cut off in the id", &bytes[..6], "link_malformed"),
        case("cut off in the keys", &bytes[..whole - 65], "link_malformed"),
        case("without its signature", &bytes[..whole - 64], "link_malformed"),
        case("cut off in the signature", &bytes[..whole - 1], "link_malformed"),
        case("a byte left over", &[bytes.as_slice(), &[0]].concat(), "link_malformed"),
        case("a signature left over", &[&bytes, &bytes[whole - 64..]].concat(), "link_malformed"),
        case(
            "the longest with a byte left over",
            &[longest.as_slice(), &[0]].concat(),
            "text_too_long",
        ),
        case("a signed reset", &signed_reset(), "link_malformed"),
        case("version 0", &changed(&first, |link| link.version = 0), "version_unknown"),
        case("version 2", &changed(&first, |link| link.version = 2), "version_unknown"),
        case("algorithm 2", &changed(&first, |link| link.algorithm = 2), "algorithm_unknown"),
        case("kind 0", &changed(&first, |link| link.kind = 0), "kind_unknown"),
        case("kind 6", &changed(&first, |link| link.kind = 6), "kind_unknown"),
    ]
}

fn signed_reset() -> Vec<u8> {
    let reset = Maker::plain("alice").reset();
    reset.head.signed(&[&key(1)])
}

fn misplaced() -> Vec<Value> {
    let (plain, certified) = (Maker::plain("alice"), Maker::certified());
    let (first, rotation) = (&plain.head, plain.rotation());
    let id = |id: &str| changed(first, |link| link.id = id.into());
    let rotation_of = |id: &str| {
        let mut link = rotation.clone();
        link.id = id.into();
        link.signed(&[&key(1), &key(2)])
    };
    let mut reset = plain.reset().head;
    let epoch_0 = RawLink { epoch: 0, ..reset.clone() }.signed(&[]);
    let sequence_1 = RawLink { sequence: 1, ..reset.clone() }.signed(&[]);
    reset.id = certified.id.clone().into();
    let rotation_at = |epoch, sequence| {
        RawLink { epoch, sequence, ..rotation.clone() }.signed(&[&key(1), &key(2)])
    };
    let epoch_1 = RawLink { epoch: 1, ..certified.rotation() }.signed(&[&key(1), &key(2)]);
    let (reserved, malformed) = ("id_reserved", "id_malformed");
    vec![
        case("an id with a blank", &id("alice b"), malformed),
        case("an id that is not UTF-8", &changed(first, |link| link.id = vec![0xff]), malformed),
        case("an id of 65 characters", &id(&"a".repeat(65)), malformed),
        case("no id in a rotation", &rotation_of(""), malformed),
        case("an inception that spells a certified id", &id(&certified.id), "id_in_inception"),
        case("an inception of a reserved id", &id("sc-alice"), "id_in_inception"),
        case("a rotation of a reserved id", &rotation_of("sc-alice"), reserved),
        case("a reset of a certified id", &reset.signed(&[]), "reset_of_certified_id"),
        case("a certified id in epoch 1", &epoch_1, "epoch_of_certified_id"),
        case(
            "a certified inception in epoch 1",
            &changed(&certified.head, |link| (link.epoch, link.sequence) = (1, 1)),
            "epoch_of_certified_id",
        ),
        case("an inception at 1", &changed(first, |link| link.sequence = 1), "sequence_of_kind"),
        case(
            "an inception at 0 of epoch 1",
            &changed(first, |link| link.epoch = 1),
            "sequence_of_kind",
        ),
        case("a rotation at 0", &rotation_at(0, 0), "sequence_of_kind"),
        case("a rotation at 1 of epoch 1", &rotation_at(1, 1), "sequence_of_kind"),
        case("a reset in epoch 0", &epoch_0, "sequence_of_kind"),
        case("a reset at 1", &sequence_1, "sequence_of_kind"),
        case(
            "an inception with a link before it",
            &changed(first, |link| link.previous = [1; 32]),
            "previous_of_first",
        ),
        case(
            "a time after the year 9999",
            &changed(first, |link| link.time = TIME_MAX + 1),
            "time_out_of_range",
        ),
        case(
            "the highest time of 64 bits",
            &changed(first, |link| link.time = u64::MAX),
            "time_out_of_range",
        ),
    ]
}

fn wrong_keys() -> Vec<Value> {
    let plain = Maker::plain("alice");
    let with_key = |bytes: [u8; 32]| changed(&plain.head, |link| link.fields[0] = bytes);
    let p_plus_1 =
        crate::raw::unhex::<32>("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f");
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let own_recovery = changed(&plain.head, |link| link.fields[1] = commitment(&key(1)));
    let mut recover = plain.recovery();
    recover.fields[0] = public(&recovery(1));
    let both = recover.signed(&[&recovery(1), &recovery(1)]);
    let mut tombstone = plain.tombstone();
    tombstone.fields[0] = neutral;
    assert_eq!(plain.head.kind, INCEPTION);
    vec![
        case("an identity key that is not canonical", &with_key(p_plus_1), "key_not_canonical"),
        case("an identity key of small order", &with_key(neutral), "key_small_order"),
        case(
            "a recovery key of small order",
            &tombstone.signed(&[&recovery(1)]),
            "key_small_order",
        ),
        case("a commitment to the identity key", &own_recovery, "identity_key_is_recovery_key"),
        case("the recovery key as identity key", &both, "identity_key_is_recovery_key"),
    ]
}
