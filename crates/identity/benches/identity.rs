//! The cost of identity: `cargo bench -p securecall-identity`.
#![allow(clippy::unwrap_used, reason = "a bench")]

use divan::{Bencher, black_box};
use securecall_identity::{
    Bundle, Chain, Demand, Head, Id, IdentityKey, Link, Origin, Proof, PublicKey, Purpose,
    RecoveryKey,
};
use zeroize::Zeroizing;

fn key(number: u8) -> IdentityKey {
    IdentityKey::from_bytes(&Zeroizing::new([number; 32]))
}

fn recovery(number: u8) -> RecoveryKey {
    RecoveryKey::from_entropy(&Zeroizing::new([number; 32]))
}

fn inception() -> Link {
    let id = Id::parse("alice").unwrap();
    Link::plain_inception(&id, &key(1), recovery(201).commitment(), 0).unwrap()
}

/// A chain of 256 links: rotations, recoveries, a tombstone.
fn longest() -> Chain {
    let mut chain = Chain::begin(inception()).unwrap();
    for number in 1..240 {
        let (old, new) = (key(number), key(number + 1));
        chain.extend(Link::rotate(chain.head(), &old, &new, 0).unwrap()).unwrap();
    }
    for number in 201..216 {
        let next = recovery(number + 1).commitment();
        let link = Link::recover(chain.head(), &recovery(number), &key(1), next, 0);
        chain.extend(link.unwrap()).unwrap();
    }
    chain.extend(Link::tombstone(chain.head(), &recovery(216), 0).unwrap()).unwrap();
    assert_eq!(chain.links().len(), 256);
    chain
}

#[divan::bench]
fn parse_a_key(bencher: Bencher<'_, '_>) {
    let bytes = *key(1).public_key().as_bytes();
    bencher.bench_local(|| PublicKey::parse(black_box(bytes)).unwrap());
}

/// Two keys and two signatures.
#[divan::bench]
fn parse_and_verify_a_rotation(bencher: Bencher<'_, '_>) {
    let head = Head::begin(&inception()).unwrap();
    let text = Link::rotate(&head, &key(1), &key(2), 0).unwrap().to_text();
    bencher.bench_local(|| head.extend(&Link::from_text(black_box(&text)).unwrap()).unwrap());
}

#[divan::bench]
fn make_a_rotation(bencher: Bencher<'_, '_>) {
    let (head, old, new) = (Head::begin(&inception()).unwrap(), key(1), key(2));
    bencher.bench_local(|| Link::rotate(black_box(&head), &old, &new, 0).unwrap());
}

#[divan::bench]
fn parse_and_verify_a_chain_of_256(bencher: Bencher<'_, '_>) {
    let texts: Vec<String> = longest().links().iter().map(Link::to_text).collect();
    let links = || texts.iter().map(|text| Link::from_text(text).unwrap());
    bencher.bench_local(|| Chain::verify(links()).unwrap());
}

#[divan::bench]
fn make_a_proof(bencher: Bencher<'_, '_>) {
    let (head, key) = (Head::begin(&inception()).unwrap(), key(1));
    let origin = Origin::parse("wss://signal.example.org").unwrap();
    let demand = Demand::of_head(Purpose::Challenge, &origin, &head, &[7; 32]);
    bencher.bench_local(|| Proof::sign(black_box(&demand), &key, &[8; 32]));
}

#[divan::bench]
fn verify_a_proof(bencher: Bencher<'_, '_>) {
    let (head, key) = (Head::begin(&inception()).unwrap(), key(1));
    let origin = Origin::parse("wss://signal.example.org").unwrap();
    let demand = Demand::of_head(Purpose::Challenge, &origin, &head, &[7; 32]);
    let proof = Proof::sign(&demand, &key, &[8; 32]);
    let public = key.public_key();
    bencher.bench_local(|| proof.verify(black_box(&demand), &public).unwrap());
}

/// With an X25519 key and no other.
#[divan::bench]
fn parse_and_verify_a_bundle(bencher: Bencher<'_, '_>) {
    let head = Head::begin(&inception()).unwrap();
    let text = Bundle::sign(&head, &key(1), 1, &[(1, &[9; 32])]).unwrap().to_text();
    bencher.bench_local(|| Bundle::from_text(black_box(&text), &head).unwrap());
}

fn main() {
    divan::main();
}
