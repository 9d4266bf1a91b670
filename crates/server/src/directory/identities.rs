//! Owners of identities, for tests.

use securecall_identity::{Bundle, Chain, Id, IdentityKey, Link, RecoveryKey};
use zeroize::Zeroizing;

/// When every link of these owners says that it was made.
const TIME: u64 = 1_800_000_000;

/// A chain in the hands of its owner. Keys are used in the order of their numbers.
#[derive(Clone)]
pub(crate) struct Owner {
    chain: Chain,
    key: u8,
    recovery: u8,
}

impl Owner {
    /// The owner of a plain id.
    pub(crate) fn of(id: &str) -> Self {
        Self::begin(1, |key, recovery| {
            let id = Id::parse(id).unwrap();
            Link::plain_inception(&id, key, recovery.commitment(), TIME).unwrap()
        })
    }

    /// The owner of a certified id, which follows from the number of the first key.
    pub(crate) fn certified(number: u8) -> Self {
        Self::begin(number, |key, recovery| {
            Link::certified_inception(key, recovery.commitment(), TIME).unwrap()
        })
    }

    /// Another one with the same id.
    pub(crate) fn rival_of(id: &str) -> Self {
        Self::begin(101, |key, recovery| {
            let id = Id::parse(id).unwrap();
            Link::plain_inception(&id, key, recovery.commitment(), TIME).unwrap()
        })
    }

    /// The first owner after a reset.
    pub(crate) fn after_reset(reset: Link) -> Self {
        let mut chain = Chain::begin(reset).unwrap();
        let (key, recovery) = (key(51), recovery(51).commitment());
        let link = Link::inception_after_reset(chain.head(), &key, recovery, TIME).unwrap();
        chain.extend(link).unwrap();
        Self { chain, key: 51, recovery: 51 }
    }

    fn begin(number: u8, first: impl FnOnce(&IdentityKey, &RecoveryKey) -> Link) -> Self {
        let chain = Chain::begin(first(&key(number), &recovery(number))).unwrap();
        Self { chain, key: number, recovery: number }
    }

    pub(crate) fn chain(&self) -> &Chain {
        &self.chain
    }

    pub(crate) fn id(&self) -> Id {
        self.chain.head().id().clone()
    }

    /// The newest link.
    pub(crate) fn link(&self) -> Link {
        self.chain.links().last().unwrap().clone()
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        self.chain.links().iter().map(Link::to_text).collect()
    }

    pub(crate) fn rotate(&mut self) -> Link {
        let (old, new) = (key(self.key), key(self.key + 1));
        self.key += 1;
        self.push(Link::rotate(self.chain.head(), &old, &new, TIME).unwrap())
    }

    pub(crate) fn recover(&mut self) -> Link {
        let (revealed, next) = (recovery(self.recovery), recovery(self.recovery + 1).commitment());
        (self.key, self.recovery) = (self.key + 1, self.recovery + 1);
        let key = key(self.key);
        self.push(Link::recover(self.chain.head(), &revealed, &key, next, TIME).unwrap())
    }

    pub(crate) fn end(&mut self) -> Link {
        let revealed = recovery(self.recovery);
        self.push(Link::tombstone(self.chain.head(), &revealed, TIME).unwrap())
    }

    /// A bundle under the newest link.
    pub(crate) fn bundle(&self, number: u32) -> Bundle {
        let kem_key = [9; 32];
        Bundle::sign(self.chain.head(), &key(self.key), number, &[(1, &kem_key)]).unwrap()
    }

    fn push(&mut self, link: Link) -> Link {
        self.chain.extend(link.clone()).unwrap();
        link
    }
}

fn key(number: u8) -> IdentityKey {
    IdentityKey::from_bytes(&Zeroizing::new([number; 32]))
}

fn recovery(number: u8) -> RecoveryKey {
    RecoveryKey::from_entropy(&Zeroizing::new([number; 32]))
}
