//! Properties of every link, chain, bundle and proof, generated ones included.

use ed25519_dalek::SigningKey;
use proptest::prelude::*;
use securecall_identity::{
    Bundle, Chain, Demand, Extension, Head, Id, IdentityKey, Link, Origin, Outline, Proof,
    PublicKey, Purpose, RecoveryKey, check_kem_key,
};
use securecall_protocol::ClientId;
use zeroize::Zeroizing;

use crate::fixtures::{Maker, entropy};

fn key(number: u8) -> IdentityKey {
    IdentityKey::from_bytes(&Zeroizing::new([number; 32]))
}

fn recovery(number: u8) -> RecoveryKey {
    RecoveryKey::from_entropy(&Zeroizing::new(entropy(number)))
}

/// A chain in the hands of its owner: keys and recovery keys are used in the order of their numbers.
struct Owner {
    chain: Chain,
    key: u8,
    recovery: u8,
}

#[derive(Debug, Clone, Copy)]
enum Act {
    Rotate,
    Recover,
    Tombstone,
    Reset,
}

impl Owner {
    fn new(certified: bool) -> Self {
        let commitment = recovery(1).commitment();
        let link = if certified {
            Link::certified_inception(&key(1), commitment, 0)
        } else {
            Link::plain_inception(&Id::parse("alice").unwrap(), &key(1), commitment, 0)
        };
        Self { chain: Chain::begin(link.unwrap()).unwrap(), key: 1, recovery: 1 }
    }

    /// Does a valid act. Returns `false` if no act of this kind is valid any more.
    fn act(&mut self, act: Act) -> bool {
        let head = self.chain.head();
        if head.is_ended() || (matches!(act, Act::Reset) && head.id().is_certified()) {
            return false;
        }
        let (old, new) = (key(self.key), key(self.key + 1));
        let (revealed, next) = (recovery(self.recovery), recovery(self.recovery + 1).commitment());
        match act {
            Act::Rotate => self.push(Link::rotate(head, &old, &new, 5).unwrap()),
            Act::Recover => self.push(Link::recover(head, &revealed, &new, next, 5).unwrap()),
            Act::Tombstone => self.push(Link::tombstone(head, &revealed, 5).unwrap()),
            Act::Reset => {
                self.chain = Chain::begin(Link::reset(head, 5).unwrap()).unwrap();
                let head = self.chain.head();
                self.push(Link::inception_after_reset(head, &new, next, 5).unwrap());
            }
        }
        self.key += 1;
        self.recovery += u8::from(!matches!(act, Act::Rotate));
        true
    }

    fn push(&mut self, link: Link) {
        assert!(self.chain.extend(link).unwrap());
    }
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        6 => Just(Act::Rotate),
        4 => Just(Act::Recover),
        1 => Just(Act::Tombstone),
        1 => Just(Act::Reset),
    ];
    prop::collection::vec(act, 0..8)
}

fn flipped(bytes: &[u8], bit: prop::sample::Index) -> Vec<u8> {
    let (bit, mut bytes) = (bit.index(bytes.len() * 8), bytes.to_vec());
    bytes[bit / 8] ^= 1 << (bit % 8);
    bytes
}

fn bundle(head: &Head, key: &IdentityKey) -> Bundle {
    Bundle::sign(head, key, 1, &[(1, &[9; 32])]).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_chain_of_legal_acts_is_accepted_and_comes_back_the_same(certified: bool, acts in acts()) {
        let mut owner = Owner::new(certified);
        for act in acts {
            owner.act(act);
        }
        let texts: Vec<String> = owner.chain.links().iter().map(Link::to_text).collect();
        let links = texts.iter().map(|text| Link::from_text(text).unwrap());
        let verified = Chain::verify(links).unwrap();
        prop_assert!(verified == owner.chain);
    }

    #[test]
    fn a_stored_head_comes_back_and_says_where_it_stands(certified: bool, acts in acts()) {
        let mut owner = Owner::new(certified);
        for act in acts {
            owner.act(act);
        }
        let head = owner.chain.head();
        let stored = head.to_stored();
        prop_assert!(Head::from_stored(head.id(), &stored).as_ref() == Some(head));
        prop_assert!(Head::stored_position(&stored) == Some((head.position(), head.binding())));
        for length in 0..stored.len() {
            let cut = Head::from_stored(head.id(), &stored[..length]);
            // Spent commitments stand at the end, and their number is not written down.
            prop_assert!(cut.is_none() || (stored.len() - length).is_multiple_of(32));
        }
        let last = owner.chain.links().last().unwrap();
        let outline = Outline::read(last.as_bytes()).unwrap();
        prop_assert!(outline.id == *last.id() && outline.kind == last.kind());
        prop_assert!(outline.position == last.position() && outline.time == last.time());
        prop_assert!(outline.previous == *last.previous());
    }

    #[test]
    fn a_flipped_bit_of_a_signed_link_is_refused(acts in acts(), bit: prop::sample::Index) {
        let mut owner = Owner::new(false);
        for act in acts {
            owner.act(act);
        }
        let links = owner.chain.links();
        let (last, before) = links.split_last().unwrap();
        if let Ok(changed) = Link::parse(&flipped(last.as_bytes(), bit)) {
            let head = Chain::verify(before.iter().cloned()).map(|chain| chain.head().clone());
            let taken = match head {
                Ok(head) => head.extend(&changed).is_ok(),
                Err(_) => Head::begin(&changed).is_ok(),
            };
            prop_assert!(!taken);
        }
    }

    #[test]
    fn a_flipped_bit_of_a_proof_or_of_its_demand_is_refused(bit: prop::sample::Index) {
        let owner = Owner::new(true);
        let (origin, nonce) = (Origin::parse("wss://a.example").unwrap(), [7; 32]);
        let demand = Demand::of_head(Purpose::Challenge, &origin, owner.chain.head(), &nonce);
        let proof = Proof::sign(&demand, &key(1), &[8; 32]);
        let public = key(1).public_key();
        prop_assert!(proof.verify(&demand, &public).is_ok());
        let changed = Proof::parse(&flipped(proof.as_bytes(), bit)).unwrap();
        prop_assert!(changed.verify(&demand, &public).is_err());
        let other_nonce = flipped(&nonce, bit).try_into().unwrap();
        let other = Demand { nonce: &other_nonce, ..demand };
        prop_assert!(proof.verify(&other, &public).is_err());
    }

    #[test]
    fn a_flipped_bit_of_a_bundle_is_refused(bit: prop::sample::Index) {
        let owner = Owner::new(true);
        let head = owner.chain.head();
        let bytes = flipped(bundle(head, &key(1)).as_bytes(), bit);
        prop_assert!(Bundle::parse(&bytes, head).is_err());
    }

    #[test]
    fn parsed_bytes_are_encoded_as_they_were(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
        let head = Owner::new(true).chain.head().clone();
        if let Ok(link) = Link::parse(&bytes) {
            prop_assert_eq!(link.as_bytes(), bytes.as_slice());
        }
        prop_assert!(Bundle::parse(&bytes, &head).is_err());
        prop_assert_eq!(Proof::parse(&bytes).is_ok(), bytes.len() == 96);
        let _ = check_kem_key(bytes.first().copied().unwrap_or(1), &bytes);
    }

    #[test]
    fn a_link_with_random_fields_parses_to_its_bytes_or_not_at_all(
        kind in 1_u8..6,
        id in "[a-z]{0,8}|sc-[a-z]{0,4}",
        fields in prop::collection::vec(any::<u8>(), 45..300),
    ) {
        let front = [1, 1, kind, u8::try_from(id.len()).unwrap()];
        let bytes = [&front, id.as_bytes(), &fields].concat();
        if let Ok(link) = Link::parse(&bytes) {
            prop_assert_eq!(link.as_bytes(), bytes.as_slice());
            prop_assert!(Link::from_text(&link.to_text()).unwrap() == link);
        }
    }

    #[test]
    fn every_text_is_an_id_here_that_is_a_client_id_unless_it_is_reserved(text in ".{0,66}|[a-zA-Z0-9_-]{1,66}") {
        let reserved = text.starts_with("sc-");
        prop_assert_eq!(Id::parse(&text).is_ok(), ClientId::try_from(text.as_str()).is_ok() && !reserved);
    }

    #[test]
    fn an_origin_is_a_fixed_point(url in "wss?://[a-zA-Z0-9.-]{1,12}(:[0-9]{1,5})?(/[a-z]{0,3})?|.{0,30}") {
        if let Ok(origin) = Origin::of_url(&url) {
            prop_assert!(Origin::parse(origin.as_str()).unwrap() == origin);
        }
    }

    #[test]
    fn every_key_that_a_seed_gives_is_valid(seed: [u8; 32]) {
        let public = SigningKey::from_bytes(&seed).verifying_key().to_bytes();
        prop_assert!(PublicKey::parse(public).is_ok());
    }

    /// Of all pairs of chains that share their first links, only one continues a head.
    #[test]
    fn a_link_of_another_history_is_refused(
        acts in acts(),
        others in acts(),
        shared in 0_usize..4,
    ) {
        let mut one = Owner::new(false);
        let mut other = Owner::new(false);
        for act in acts.iter().take(shared) {
            prop_assert_eq!(one.act(*act), other.act(*act));
        }
        acts.iter().skip(shared).for_each(|act| { one.act(*act); });
        others.iter().for_each(|act| { other.act(*act); });
        for link in other.chain.links() {
            let in_one = one.chain.link(link.position().sequence) == Some(link);
            let extended = one.chain.head().extend(link);
            let continues = *link.previous() == one.chain.head().position().hash;
            if let Ok(extension) = extended {
                let already = extension == Extension::Already;
                prop_assert_eq!((already && in_one) || (!already && continues), true);
            }
        }
    }
}

#[test]
fn the_crate_agrees_with_the_code_written_from_the_documentation() {
    let maker = Maker::plain("alice").then_rotate().then_recover().then_tombstone();
    let mut owner = Owner::new(false);
    for act in [Act::Rotate, Act::Recover, Act::Tombstone] {
        assert!(owner.act(act));
    }
    // The times differ, so the bytes do; the keys and the kinds are the same.
    for (made, written) in owner.chain.links().iter().zip(&maker.links) {
        let written = Link::parse(written).unwrap();
        assert_eq!(made.as_bytes().len(), written.as_bytes().len());
        assert!(made.kind() == written.kind() && made.identity_key() == written.identity_key());
    }
}

#[test]
fn the_longest_link_has_the_length_that_is_stated() {
    let longest = Maker::plain(&"a".repeat(64)).then_recover();
    assert_eq!(longest.links[1].len(), securecall_identity::LINK_BYTES_MAX);
    const { assert!(securecall_identity::LINK_BYTES_MAX <= 400) };
}
