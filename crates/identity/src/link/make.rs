//! Links of one's own. Each is parsed and put to its chain before it is handed out, so this crate
//! makes no link that it would refuse.

use super::{ED25519_SHA256, Kind, Link, VERSION};
use crate::{Commitment, Head, Id, IdentityKey, PublicKey, RecoveryKey, Refusal, labels};

impl Link {
    /// Begins the chain of a certified id, which follows from this link ([`Link::id`]).
    ///
    /// # Errors
    /// [`Refusal::IdentityKeyIsRecoveryKey`], [`Refusal::TimeOutOfRange`].
    pub fn certified_inception(
        key: &IdentityKey,
        recovery: Commitment,
        time: u64,
    ) -> Result<Self, Refusal> {
        let unsigned = Unsigned::first(b"", time).keys(&key.public_key(), &recovery);
        let link = unsigned.signed([key.sign(labels::LINK, &unsigned.0)])?;
        Head::begin(&link)?;
        Ok(link)
    }

    /// Begins the chain of a plain id that was bound to no key so far.
    ///
    /// # Errors
    /// [`Refusal::IdInInception`] for a certified id; as [`Link::certified_inception`].
    pub fn plain_inception(
        id: &Id,
        key: &IdentityKey,
        recovery: Commitment,
        time: u64,
    ) -> Result<Self, Refusal> {
        let text = id.as_str().as_bytes();
        let unsigned = Unsigned::first(text, time).keys(&key.public_key(), &recovery);
        let link = unsigned.signed([key.sign(labels::LINK, &unsigned.0)])?;
        Head::begin(&link)?;
        Ok(link)
    }

    /// Begins the epoch that an operator's reset opened.
    ///
    /// # Errors
    /// As [`Head::extend`].
    pub fn inception_after_reset(
        head: &Head,
        key: &IdentityKey,
        recovery: Commitment,
        time: u64,
    ) -> Result<Self, Refusal> {
        let unsigned =
            Unsigned::next(Kind::Inception, head, time)?.keys(&key.public_key(), &recovery);
        unsigned.signed([key.sign(labels::LINK, &unsigned.0)])?.following(head)
    }

    /// Changes the identity key: another device, or another key as a precaution.
    ///
    /// # Errors
    /// As [`Head::extend`].
    pub fn rotate(
        head: &Head,
        old: &IdentityKey,
        new: &IdentityKey,
        time: u64,
    ) -> Result<Self, Refusal> {
        let commitment = head.commitment().ok_or(Refusal::HeadUnbound)?;
        let unsigned =
            Unsigned::next(Kind::Rotate, head, time)?.keys(&new.public_key(), &commitment);
        let signatures = [old, new].map(|key| key.sign(labels::LINK, &unsigned.0));
        unsigned.signed(signatures)?.following(head)
    }

    /// Takes the id back with the recovery key, after a device was lost or stolen. `next` is the
    /// commitment to the recovery key that holds from then on.
    ///
    /// # Errors
    /// As [`Head::extend`].
    pub fn recover(
        head: &Head,
        recovery: &RecoveryKey,
        key: &IdentityKey,
        next: Commitment,
        time: u64,
    ) -> Result<Self, Refusal> {
        let unsigned = Unsigned::next(Kind::Recover, head, time)?
            .keys(&key.public_key(), &next)
            .field(recovery.public_key().as_bytes());
        let by_recovery = recovery.sign(labels::LINK, &unsigned.0);
        let by_key = key.sign(labels::LINK, &unsigned.0);
        unsigned.signed([by_recovery, by_key])?.following(head)
    }

    /// Ends the id for good.
    ///
    /// # Errors
    /// As [`Head::extend`].
    pub fn tombstone(head: &Head, recovery: &RecoveryKey, time: u64) -> Result<Self, Refusal> {
        let unsigned =
            Unsigned::next(Kind::Tombstone, head, time)?.field(recovery.public_key().as_bytes());
        unsigned.signed([recovery.sign(labels::LINK, &unsigned.0)])?.following(head)
    }

    /// An operator's reset: the first link of the next epoch, bound to no key. When it falls due,
    /// and that no link of the owner came before that, is for the directory to see to.
    ///
    /// # Errors
    /// [`Refusal::ResetOfCertifiedId`], [`Refusal::AfterTombstone`], [`Refusal::NothingToReset`],
    /// [`Refusal::EpochsExhausted`], [`Refusal::TimeOutOfRange`].
    pub fn reset(head: &Head, time: u64) -> Result<Self, Refusal> {
        if head.id().is_certified() {
            return Err(Refusal::ResetOfCertifiedId);
        }
        if head.is_ended() {
            return Err(Refusal::AfterTombstone);
        }
        if head.identity_key().is_none() {
            return Err(Refusal::NothingToReset);
        }
        let position = head.position();
        let epoch = position.epoch.checked_add(1).ok_or(Refusal::EpochsExhausted)?;
        let id = head.id().as_str().as_bytes();
        Unsigned::new(Kind::Reset, id, epoch, 0, time, &position.hash).signed([])
    }

    fn following(self, head: &Head) -> Result<Self, Refusal> {
        head.extend(&self)?;
        Ok(self)
    }
}

/// The bytes that are signed, while they are written.
struct Unsigned(Vec<u8>);

impl Unsigned {
    fn new(
        kind: Kind,
        id: &[u8],
        epoch: u32,
        sequence: u8,
        time: u64,
        previous: &[u8; 32],
    ) -> Self {
        // An id has at most 64 bytes.
        let length = u8::try_from(id.len()).unwrap_or(u8::MAX);
        let mut bytes = vec![VERSION, ED25519_SHA256, kind as u8, length];
        bytes.extend_from_slice(id);
        bytes.extend_from_slice(&epoch.to_be_bytes());
        bytes.push(sequence);
        bytes.extend_from_slice(&time.to_be_bytes());
        bytes.extend_from_slice(previous);
        Self(bytes)
    }

    fn first(id: &[u8], time: u64) -> Self {
        Self::new(Kind::Inception, id, 0, 0, time, &[0; 32])
    }

    fn next(kind: Kind, head: &Head, time: u64) -> Result<Self, Refusal> {
        let position = head.position();
        let sequence = position.sequence.checked_add(1).ok_or(Refusal::ChainFull)?;
        let id = head.id().as_str().as_bytes();
        Ok(Self::new(kind, id, position.epoch, sequence, time, &position.hash))
    }

    fn keys(self, identity_key: &PublicKey, commitment: &Commitment) -> Self {
        self.field(identity_key.as_bytes()).field(commitment.as_bytes())
    }

    fn field(mut self, bytes: &[u8; 32]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn signed<const COUNT: usize>(&self, signatures: [[u8; 64]; COUNT]) -> Result<Link, Refusal> {
        Link::parse(&[self.0.as_slice(), signatures.as_flattened()].concat())
    }
}
