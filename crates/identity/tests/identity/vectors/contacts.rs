//! Judgements of a directory's answer, by what the client knew.

use std::collections::BTreeSet;

use securecall_identity::{
    Chain, Fingerprint, Id, Link, Position, PublicKey,
    contact::{Consequence, Judgement, Known, Shown, judge},
};
use serde_json::{Value, json};

use super::with;
use crate::{
    fixtures::{Maker, key, public},
    raw::hex,
};

pub(super) fn file() -> Value {
    let cases = [first_contacts(), successors(), epochs(), lies()].concat();
    json!({ "contacts": cases })
}

#[test]
fn each_judgement_has_a_vector() {
    let file = file();
    let cases = file["contacts"].as_array().unwrap();
    let found: BTreeSet<_> = cases.iter().map(|case| case["result"].as_str().unwrap()).collect();
    let all = [
        "no_identity",
        "first_contact",
        "verified",
        "unchanged",
        "bound",
        "rotated",
        "recovered",
        "key_changed",
        "released",
        "other_fingerprint",
        "other_id",
        "ended",
        "chain_withheld",
        "rolled_back",
        "forked",
    ];
    assert_eq!(found, BTreeSet::from(all));
}

/// The client's knowledge, owned.
enum Knowledge {
    Nothing,
    Fingerprint(Fingerprint),
    Key(PublicKey),
    Position(Position),
}

fn case(name: &str, id: &str, known: &Knowledge, shown: Option<&Maker>, result: &str) -> Value {
    let id = Id::parse(id).unwrap();
    let chain = shown.map(|maker| {
        Chain::verify(maker.links.iter().map(|link| Link::parse(link).unwrap())).unwrap()
    });
    let shown_chain = chain.as_ref().map_or(Shown::NoChain, Shown::Chain);
    let judgement = judge(&id, known.borrowed(), shown_chain);
    assert_eq!(judgement.name(), result, "{name}");
    let case = json!({
        "name": name,
        "id": id.as_str(),
        "known": known.fields(),
        "shown": shown.map(Maker::texts),
        "result": result,
        "consequence": consequence(judgement.consequence()),
    });
    with(case, details(&judgement))
}

const fn consequence(consequence: Consequence) -> &'static str {
    match consequence {
        Consequence::GoOn => "go_on",
        Consequence::Tell => "tell",
        Consequence::Warn => "warn",
        Consequence::Wait => "wait",
        Consequence::Refuse => "refuse",
    }
}

fn details(judgement: &Judgement) -> Value {
    match judgement {
        Judgement::Rotated(count) | Judgement::Recovered(count) => json!({ "count": count }),
        Judgement::KeyChanged { names_known_head } => json!({ "namesKnownHead": names_known_head }),
        Judgement::Forked { shown } => json!({ "shownHash": hex(&shown.position().hash) }),
        Judgement::RolledBack { shown } => json!({ "shownHash": hex(&shown.hash) }),
        _ => json!({}),
    }
}

impl Knowledge {
    fn of(chain: &Maker) -> Self {
        let head = &chain.head;
        Self::Position(Position { epoch: head.epoch, sequence: head.sequence, hash: head.hash() })
    }

    fn fingerprint(chain: &Maker) -> Self {
        // As long as nothing but the inception is there.
        Self::Fingerprint(Fingerprint::from_digest(chain.head.hash()))
    }

    const fn borrowed(&self) -> Known<'_> {
        match self {
            Self::Nothing => Known::Nothing,
            Self::Fingerprint(fingerprint) => Known::Fingerprint(fingerprint),
            Self::Key(key) => Known::Key(key),
            Self::Position(position) => Known::Position(position),
        }
    }

    fn fields(&self) -> Value {
        match self {
            Self::Nothing => json!({}),
            Self::Fingerprint(fingerprint) => json!({ "digest": hex(fingerprint.as_digest()) }),
            Self::Key(key) => json!({ "identityKey": hex(key.as_bytes()) }),
            Self::Position(at) => {
                json!({ "epoch": at.epoch, "sequence": at.sequence, "hash": hex(&at.hash) })
            }
        }
    }
}

fn first_contacts() -> Vec<Value> {
    let (plain, certified) = (Maker::plain("alice"), Maker::certified());
    let (nothing, sc) = (&Knowledge::Nothing, certified.id.as_str());
    let rotated = plain.clone().then_rotate();
    let ended = plain.clone().then_tombstone();
    let scanned = Knowledge::fingerprint(&plain);
    let own_key = Knowledge::Key(PublicKey::parse(public(&key(1))).unwrap());
    let other_key = Knowledge::Key(PublicKey::parse(public(&key(3))).unwrap());
    vec![
        case("no chain, nothing known", "alice", nothing, None, "no_identity"),
        case("a plain id for the first time", "alice", nothing, Some(&plain), "first_contact"),
        case("a certified id for the first time", sc, nothing, Some(&certified), "verified"),
        case(
            "a certified id, rotated",
            sc,
            nothing,
            Some(&certified.clone().then_rotate()),
            "verified",
        ),
        case("a reset id, nothing known", "alice", nothing, Some(&plain.reset()), "no_identity"),
        case("an ended id, nothing known", "alice", nothing, Some(&ended), "ended"),
        case("a scanned fingerprint", "alice", &scanned, Some(&plain), "verified"),
        case("a scanned fingerprint, rotated since", "alice", &scanned, Some(&rotated), "verified"),
        case("a scanned fingerprint, ended since", "alice", &scanned, Some(&ended), "ended"),
        case("a known key begins a chain", "alice", &own_key, Some(&rotated), "bound"),
        case("another key begins a chain", "alice", &other_key, Some(&plain), "key_changed"),
        case("a known key, and still no chain", "alice", &own_key, None, "no_identity"),
        case("a known key, and a reset id", "alice", &own_key, Some(&plain.reset()), "released"),
        case("a known key, and an ended id", "alice", &own_key, Some(&ended), "ended"),
    ]
}

fn successors() -> Vec<Value> {
    let one = Maker::plain("alice");
    let known = &Knowledge::of(&one);
    let rotated = one.clone().then_rotate();
    let recovered = rotated.clone().then_recover().then_rotate();
    let ended = one.clone().then_rotate().then_tombstone();
    let case = |name: &str, known, shown: &Maker, result: &str| {
        case(name, "alice", known, Some(shown), result)
    };
    vec![
        case("the same head", known, &one, "unchanged"),
        case("one rotation", known, &rotated, "rotated"),
        case("two rotations", known, &rotated.clone().then_rotate(), "rotated"),
        case("a recovery between rotations", known, &recovered, "recovered"),
        case(
            "a rotation after a known recovery",
            &Knowledge::of(&rotated.clone().then_recover()),
            &recovered,
            "rotated",
        ),
        case("two recoveries", known, &one.clone().then_recover().then_recover(), "recovered"),
        case("a tombstone", known, &ended, "ended"),
        case("a tombstone that was known", &Knowledge::of(&ended), &ended, "ended"),
    ]
}

fn epochs() -> Vec<Value> {
    let one = Maker::plain("alice");
    let known = &Knowledge::of(&one);
    let reset = one.reset();
    let again = reset.clone().then_inception(9);
    let rotated_before = one.clone().then_rotate().reset().then_inception(9);
    let third = again.reset().then_inception(11);
    let mut skipped = one.reset();
    skipped.head.epoch = 2;
    skipped.links = vec![skipped.head.signed(&[])];
    let skipped = skipped.then_inception(9);
    let scanned = Knowledge::fingerprint(&one);
    let case = |name: &str, known, shown: &Maker, result: &str| {
        case(name, "alice", known, Some(shown), result)
    };
    vec![
        case("a reset of the known head that skips an epoch", known, &skipped, "key_changed"),
        case("a reset", known, &reset, "released"),
        case("a reset that was known", &Knowledge::of(&reset), &reset, "unchanged"),
        case("a reset of the known head, bound again", known, &again, "key_changed"),
        case("a known reset, bound again", &Knowledge::of(&reset), &again, "key_changed"),
        case("a reset of another head, bound again", known, &rotated_before, "key_changed"),
        case("two epochs later", known, &third, "key_changed"),
        case("a new epoch that ended", known, &again.clone().then_tombstone(), "ended"),
        case("a scanned fingerprint of the epoch before", &scanned, &again, "other_fingerprint"),
        case("a scanned fingerprint, and a reset id", &scanned, &reset, "other_fingerprint"),
    ]
}

fn lies() -> Vec<Value> {
    let one = Maker::plain("alice");
    let two = one.clone().then_rotate();
    let three = two.clone().then_rotate();
    let forked = one.clone().then_recover();
    let other = Maker::plain("alice").reset().then_inception(5);
    let certified = Maker::certified();
    let scanned = Knowledge::fingerprint(&one);
    let stranger = other.reset().then_inception(6);
    let known = &Knowledge::of(&two);
    vec![
        case("no chain where one was known", "alice", known, None, "chain_withheld"),
        case(
            "no chain of a certified id",
            &certified.id,
            &Knowledge::Nothing,
            None,
            "chain_withheld",
        ),
        case("no chain for a scanned fingerprint", "alice", &scanned, None, "chain_withheld"),
        case("the chain of another id", "bob", &Knowledge::Nothing, Some(&one), "other_id"),
        case(
            "a plain chain for a certified id",
            &certified.id,
            &Knowledge::Nothing,
            Some(&one),
            "other_id",
        ),
        case("a shorter chain", "alice", known, Some(&one), "rolled_back"),
        case(
            "a chain of an older epoch",
            "alice",
            &Knowledge::of(&other),
            Some(&three),
            "rolled_back",
        ),
        case("another link in the known one's place", "alice", known, Some(&forked), "forked"),
        case(
            "a longer chain with another link in it",
            "alice",
            known,
            Some(&forked.clone().then_rotate()),
            "forked",
        ),
        case(
            "another person's chain for a scanned fingerprint",
            "alice",
            &scanned,
            Some(&stranger),
            "other_fingerprint",
        ),
    ]
}
