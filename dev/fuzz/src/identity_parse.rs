//! No bytes at all make identity panic, and none that were not signed are taken: neither arbitrary
//! ones nor a link, bundle or proof with some of its bytes replaced.
//!
//! Run: `cargo +nightly fuzz run identity_parse`. The first byte of an input chooses what to parse
//! and whether the second one is a place to write the rest at, in something that was signed.

use std::sync::LazyLock;

use securecall_identity::{
    Bundle, Chain, Demand, Extension, Head, Id, IdentityKey, Link, Origin, Proof, PublicKey,
    Purpose, RecoveryKey, check_kem_key,
};
use zeroize::Zeroizing;

struct Owner {
    chain: Chain,
    key: IdentityKey,
    rotation: Link,
    origin: Origin,
}

static OWNER: LazyLock<Owner> = LazyLock::new(|| {
    let key = |number| IdentityKey::from_bytes(&Zeroizing::new([number; 32]));
    let commitment = RecoveryKey::from_entropy(&Zeroizing::new([9; 32])).commitment();
    let first = Link::certified_inception(&key(1), commitment, 1_800_000_000).unwrap();
    let chain = Chain::begin(first).unwrap();
    let rotation = Link::rotate(chain.head(), &key(1), &key(2), 1_800_000_001).unwrap();
    let origin = Origin::parse("wss://signal.example.org").unwrap();
    Owner { chain, key: key(1), rotation, origin }
});

/// Panics if the sentence above is not true of this input.
pub fn identity_parse(input: &[u8]) {
    let Some((&choice, rest)) = input.split_first() else { return };
    match choice % 4 {
        0 => link(&changed(choice, rest, OWNER.rotation.as_bytes())),
        1 => bundle(choice, rest),
        2 => proof(choice, rest),
        _ => names(rest),
    }
}

fn link(bytes: &[u8]) {
    let Ok(link) = Link::parse(bytes) else { return };
    assert_eq!(link.as_bytes(), bytes);
    let _ = Head::begin(&link);
    if let Ok(Extension::Extended(head)) = OWNER.chain.head().extend(&link) {
        // Only a signature could differ, and nobody here makes another one.
        assert!(head.position() == OWNER.rotation.position() && bytes == OWNER.rotation.as_bytes());
    }
}

fn bundle(choice: u8, rest: &[u8]) {
    let head = OWNER.chain.head();
    let signed = Bundle::sign(head, &OWNER.key, 1, &[(1, &[9; 32])]).unwrap();
    let bytes = changed(choice, rest, signed.as_bytes());
    assert!(Bundle::parse(&bytes, head).is_err() || bytes == signed.as_bytes());
}

fn proof(choice: u8, rest: &[u8]) {
    let demand = Demand::of_head(Purpose::Challenge, &OWNER.origin, OWNER.chain.head(), &[5; 32]);
    let signed = Proof::sign(&demand, &OWNER.key, &[6; 32]);
    let bytes = changed(choice, rest, signed.as_bytes());
    let Ok(proof) = Proof::parse(&bytes) else { return };
    let verified = proof.verify(&demand, &OWNER.key.public_key());
    assert!(verified.is_err() || bytes == signed.as_bytes());
}

fn names(rest: &[u8]) {
    if let Some(key) = rest.first_chunk() {
        let _ = PublicKey::parse(*key);
    }
    let _ = check_kem_key(1, rest);
    let _ = check_kem_key(2, rest);
    let Ok(text) = std::str::from_utf8(rest) else { return };
    if let Ok(id) = Id::parse(text) {
        assert_eq!(id.as_str(), text);
    }
    if let Ok(origin) = Origin::of_url(text) {
        assert!(Origin::parse(origin.as_str()) == Ok(origin));
    }
}

/// The input itself; or the signed bytes with a part replaced.
fn changed(choice: u8, rest: &[u8], signed: &[u8]) -> Vec<u8> {
    if choice & 0x80 == 0 {
        return rest.to_vec();
    }
    let mut bytes = signed.to_vec();
    if let Some((&place, replacement)) = rest.split_first() {
        let start = bytes.len() * usize::from(place) / 256;
        for (old, new) in bytes[start..].iter_mut().zip(replacement) {
            *old = *new;
        }
    }
    bytes
}
