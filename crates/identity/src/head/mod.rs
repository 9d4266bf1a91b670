//! The rules of a chain: which link may follow which.
//!
//! They get no time. The validity of a chain must be the same for the directory that took its links
//! one by one and for a client that reads it a year later. The *rate* of rotations is the
//! directory's own affair: [`Rotations`](crate::Rotations).

mod stored;

pub use stored::Binding;

use crate::{Commitment, Fingerprint, Id, Kind, Link, Position, PublicKey, Refusal, link::Act};

/// The most links of one epoch.
pub const LINKS_MAX: usize = 256;
/// The last links of a chain, which only a recovery or a tombstone may be. The very last one is a
/// tombstone.
pub const LINKS_KEPT_FOR_RECOVERY: usize = 16;

/// The last sequence number of all, and the first one that a rotation may not have.
const LAST_SEQUENCE: u8 = u8::MAX;
const FIRST_KEPT_SEQUENCE: u8 = LAST_SEQUENCE - 15;

/// The newest link of a chain, with what the next one is judged by.
#[derive(Clone, PartialEq, Eq)]
pub struct Head {
    id: Id,
    position: Position,
    standing: Standing,
    fingerprint: Option<Fingerprint>,
    /// The commitments whose keys were revealed in this epoch.
    spent: Vec<Commitment>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Bound {
        identity_key: PublicKey,
        commitment: Commitment,
    },
    /// Reset, and not bound to a key since.
    Open,
    /// After a tombstone.
    Ended,
}

/// The result of extending a head by a link.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "it is taken apart at once, and kept nowhere")]
pub enum Extension {
    /// It is the head already: it came a second time, and nothing changes.
    Already,
    /// It follows.
    Extended(Head),
}

impl Head {
    /// The head of a chain of one link.
    ///
    /// # Errors
    /// [`Refusal::NotAFirstLink`]; those of a signature. A reset has no signature: that an operator made
    /// it, the directory vouches for, and clients believe of it only that the id is not safe.
    pub fn begin(first: &Link) -> Result<Self, Refusal> {
        let (standing, fingerprint) = match first.act() {
            Act::Inception { identity_key, commitment } if first.position().sequence == 0 => {
                first.verify(&[identity_key])?;
                (Standing::Bound { identity_key, commitment }, Some(first.fingerprint()))
            }
            Act::Reset => (Standing::Open, None),
            _ => return Err(Refusal::NotAFirstLink),
        };
        let id = first.id().clone();
        Ok(Self { id, position: first.position(), standing, fingerprint, spent: Vec::new() })
    }

    /// The head after one more link.
    ///
    /// # Errors
    /// In this order: [`Refusal::OtherId`], [`Refusal::OtherEpoch`], [`Refusal::SequenceTaken`],
    /// [`Refusal::AfterTombstone`], [`Refusal::Gap`], [`Refusal::OtherPrevious`],
    /// [`Refusal::ChainFull`], those of the kind of link, those of a signature.
    pub fn extend(&self, link: &Link) -> Result<Extension, Refusal> {
        if link.id() != &self.id {
            return Err(Refusal::OtherId);
        }
        if link.position() == self.position {
            return Ok(Extension::Already);
        }
        self.check_place(link)?;
        let standing = self.standing_after(link)?;
        Ok(Extension::Extended(self.moved_to(link, standing)))
    }

    /// The id.
    pub const fn id(&self) -> &Id {
        &self.id
    }

    /// Epoch, sequence number and hash of the newest link.
    pub const fn position(&self) -> Position {
        self.position
    }

    /// The key that the id is bound to. `None` after a reset and after a tombstone.
    pub const fn identity_key(&self) -> Option<PublicKey> {
        match self.standing {
            Standing::Bound { identity_key, .. } => Some(identity_key),
            Standing::Open | Standing::Ended => None,
        }
    }

    /// The commitment to the recovery key. `None` after a reset and after a tombstone.
    pub const fn commitment(&self) -> Option<Commitment> {
        match self.standing {
            Standing::Bound { commitment, .. } => Some(commitment),
            Standing::Open | Standing::Ended => None,
        }
    }

    /// The fingerprint: the hash of the epoch's inception. `None` directly after a reset.
    pub const fn fingerprint(&self) -> Option<Fingerprint> {
        self.fingerprint
    }

    /// Returns whether the id has a tombstone.
    pub const fn is_ended(&self) -> bool {
        matches!(self.standing, Standing::Ended)
    }

    fn check_place(&self, link: &Link) -> Result<(), Refusal> {
        let (at, head) = (link.position(), self.position);
        if at.epoch != head.epoch {
            return Err(Refusal::OtherEpoch);
        }
        if at.sequence <= head.sequence {
            return Err(Refusal::SequenceTaken);
        }
        if self.is_ended() {
            return Err(Refusal::AfterTombstone);
        }
        if at.sequence - head.sequence > 1 {
            return Err(Refusal::Gap);
        }
        if *link.previous() != head.hash {
            return Err(Refusal::OtherPrevious);
        }
        check_room(link.kind(), at.sequence)
    }

    fn standing_after(&self, link: &Link) -> Result<Standing, Refusal> {
        match (self.standing, link.act()) {
            (Standing::Open, Act::Inception { identity_key, commitment }) => {
                link.verify(&[identity_key])?;
                Ok(Standing::Bound { identity_key, commitment })
            }
            (
                Standing::Bound { identity_key: old, commitment: kept },
                Act::Rotate { identity_key, commitment },
            ) => {
                if commitment != kept {
                    return Err(Refusal::CommitmentChanged);
                }
                if identity_key == old {
                    return Err(Refusal::IdentityKeyUnchanged);
                }
                link.verify(&[old, identity_key])?;
                Ok(Standing::Bound { identity_key, commitment })
            }
            (
                Standing::Bound { commitment: kept, .. },
                Act::Recover { identity_key, commitment, recovery_key },
            ) => {
                self.check_recovery_key(&recovery_key, kept)?;
                if commitment == kept || self.spent.contains(&commitment) {
                    return Err(Refusal::CommitmentNotNew);
                }
                link.verify(&[recovery_key, identity_key])?;
                Ok(Standing::Bound { identity_key, commitment })
            }
            (Standing::Bound { commitment: kept, .. }, Act::Tombstone { recovery_key }) => {
                self.check_recovery_key(&recovery_key, kept)?;
                link.verify(&[recovery_key])?;
                Ok(Standing::Ended)
            }
            // By its kind, no other link has a sequence number that follows such a head.
            _ => Err(Refusal::SequenceOfKind),
        }
    }

    fn check_recovery_key(&self, key: &PublicKey, kept: Commitment) -> Result<(), Refusal> {
        let revealed = Commitment::to(key);
        if self.spent.contains(&revealed) {
            return Err(Refusal::RecoveryKeySpent);
        }
        if revealed == kept { Ok(()) } else { Err(Refusal::RecoveryKeyOther) }
    }

    fn moved_to(&self, link: &Link, standing: Standing) -> Self {
        let mut head = Self { position: link.position(), standing, ..self.clone() };
        match link.kind() {
            Kind::Inception => head.fingerprint = Some(link.fingerprint()),
            // At most the 255 links that may be recoveries.
            Kind::Recover => head.spent.extend(self.commitment()),
            Kind::Rotate | Kind::Tombstone | Kind::Reset => {}
        }
        head
    }
}

impl Link {
    /// The fingerprint that an inception gives its chain.
    const fn fingerprint(&self) -> Fingerprint {
        Fingerprint::from_digest(self.position().hash)
    }
}

/// A holder of the identity key can rotate until nothing else fits. So the last places are the
/// owner's, and the very last one ends the id.
const fn check_room(kind: Kind, sequence: u8) -> Result<(), Refusal> {
    let has_room = match kind {
        Kind::Inception | Kind::Rotate => sequence < FIRST_KEPT_SEQUENCE,
        Kind::Recover => sequence < LAST_SEQUENCE,
        Kind::Tombstone | Kind::Reset => true,
    };
    if has_room { Ok(()) } else { Err(Refusal::ChainFull) }
}
