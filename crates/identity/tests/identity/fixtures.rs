//! Keys of fixed seeds, and chains of every kind of link.

use ed25519_dalek::SigningKey;
use sha2::{Digest as _, Sha256};

use crate::raw::{INCEPTION, RECOVER, RESET, ROTATE, RawLink, TOMBSTONE, armor, hash, label};

/// The identity key of this number.
pub(crate) fn key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32])
}

pub(crate) fn entropy(number: u8) -> [u8; 32] {
    [0x80 | number; 32]
}

/// The recovery key of this number.
pub(crate) fn recovery(number: u8) -> SigningKey {
    let bytes = [label("recovery ed25519"), entropy(number).to_vec()].concat();
    SigningKey::from_bytes(&Sha256::digest(bytes).into())
}

pub(crate) fn public(key: &SigningKey) -> [u8; 32] {
    key.verifying_key().to_bytes()
}

pub(crate) fn commitment(key: &SigningKey) -> [u8; 32] {
    hash("recovery commitment", &public(key))
}

/// A chain, with the keys that hold at its end.
#[derive(Clone)]
pub(crate) struct Maker {
    pub(crate) id: String,
    pub(crate) links: Vec<Vec<u8>>,
    pub(crate) head: RawLink,
    pub(crate) key: u8,
    pub(crate) recovery: u8,
}

impl Maker {
    pub(crate) fn plain(id: &str) -> Self {
        let mut first = RawLink::new(INCEPTION, id, 0, 0);
        first.fields = vec![public(&key(1)), commitment(&recovery(1))];
        let links = vec![first.signed(&[&key(1)])];
        Self { id: id.to_owned(), links, head: first, key: 1, recovery: 1 }
    }

    pub(crate) fn certified() -> Self {
        let made = Self::plain("");
        Self { id: format!("sc-{}", armor(&made.head.hash())), ..made }
    }

    /// A chain that begins with the reset of this one.
    pub(crate) fn reset(&self) -> Self {
        let mut first = RawLink::new(RESET, &self.id, self.head.epoch + 1, 0);
        first.previous = self.head.hash();
        Self { links: vec![first.signed(&[])], head: first, ..self.clone() }
    }

    /// The number of the next identity key. Chains are longer than there are keys.
    pub(crate) const fn next_key(&self) -> u8 {
        self.key % 200 + 1
    }

    /// The next link, without its fields.
    pub(crate) fn next(&self, kind: u8) -> RawLink {
        let mut link = RawLink::new(kind, &self.id, self.head.epoch, self.head.sequence + 1);
        link.previous = self.head.hash();
        link
    }

    pub(crate) fn inception(&self) -> RawLink {
        let mut link = self.next(INCEPTION);
        link.fields = vec![public(&key(self.key)), commitment(&recovery(self.recovery))];
        link
    }

    pub(crate) fn rotation(&self) -> RawLink {
        let mut link = self.next(ROTATE);
        link.fields = vec![public(&key(self.next_key())), commitment(&recovery(self.recovery))];
        link
    }

    pub(crate) fn recovery(&self) -> RawLink {
        let mut link = self.next(RECOVER);
        let next = commitment(&recovery(self.recovery + 1));
        link.fields = vec![public(&key(self.next_key())), next, public(&recovery(self.recovery))];
        link
    }

    pub(crate) fn tombstone(&self) -> RawLink {
        let mut link = self.next(TOMBSTONE);
        link.fields = vec![public(&recovery(self.recovery))];
        link
    }

    pub(crate) fn then_inception(mut self, number: u8) -> Self {
        (self.key, self.recovery) = (number, number);
        let link = self.inception();
        self.push(link, &[&key(number)])
    }

    pub(crate) fn then_rotate(mut self) -> Self {
        let link = self.rotation();
        let (old, new) = (key(self.key), key(self.next_key()));
        self.key = self.next_key();
        self.push(link, &[&old, &new])
    }

    pub(crate) fn then_recover(mut self) -> Self {
        let link = self.recovery();
        let (revealed, new) = (recovery(self.recovery), key(self.next_key()));
        (self.key, self.recovery) = (self.next_key(), self.recovery + 1);
        self.push(link, &[&revealed, &new])
    }

    pub(crate) fn then_tombstone(self) -> Self {
        let (link, revealed) = (self.tombstone(), recovery(self.recovery));
        self.push(link, &[&revealed])
    }

    fn push(mut self, link: RawLink, signers: &[&SigningKey]) -> Self {
        self.links.push(link.signed(signers));
        self.head = link;
        self
    }

    /// The links as they stand in messages.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.links.iter().map(|link| armor(link)).collect()
    }
}
