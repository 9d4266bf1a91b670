//! `Debug` shows no key, id, hash or nonce.

use securecall_identity::{
    Chain, Commitment, Fingerprint, Id, IdentityKey, Link, Origin, RecoveryKey,
    contact::{Judgement, Known, Shown, judge},
};
use zeroize::Zeroizing;

use crate::fixtures::Maker;

#[test]
fn debug_shows_nothing_of_the_content() {
    let maker = Maker::plain("someone").then_rotate();
    let link = Link::parse(&maker.links[0]).unwrap();
    let chain = Chain::begin(link.clone()).unwrap();
    let recovery = RecoveryKey::from_entropy(&Zeroizing::new([3; 32]));
    let key = IdentityKey::from_bytes(&Zeroizing::new([3; 32]));
    let shown: [(&str, String); 10] = [
        ("Link", format!("{link:?}")),
        ("Chain", format!("{chain:?}")),
        ("Head", format!("{:?}", chain.head())),
        ("Position", format!("{:?}", link.position())),
        ("PublicKey", format!("{:?}", key.public_key())),
        ("IdentityKey", format!("{key:?}")),
        ("RecoveryKey", format!("{recovery:?}")),
        ("Commitment", format!("{:?}", Commitment::to(&key.public_key()))),
        ("Fingerprint", format!("{:?}", Fingerprint::from_digest([3; 32]))),
        ("Origin", format!("{:?}", Origin::parse("wss://a.example").unwrap())),
    ];
    for (name, debug) in shown {
        assert_eq!(debug, format!("{name} {{ .. }}"));
    }
    let id = format!("{:?}", Id::parse("someone").unwrap());
    assert_eq!(id, "Id { is_certified: false, .. }");
}

#[test]
fn a_judgement_shows_no_hash_either() {
    let one = Maker::plain("someone");
    let verify = |maker: &Maker| {
        Chain::verify(maker.links.iter().map(|link| Link::parse(link).unwrap())).unwrap()
    };
    let (two, forked) = (verify(&one.clone().then_rotate()), verify(&one.then_recover()));
    let known = two.head().position();
    let judgement = judge(two.head().id(), Known::Position(&known), Shown::Chain(&forked));
    assert!(matches!(judgement, Judgement::Forked { .. }));
    assert_eq!(format!("{judgement:?}"), "Forked { shown: Link { .. } }");
}
