//! Links: the acts that make up an id's chain.
//!
//! ```text
//! unsigned = 1 u8 version │ 1 u8 algorithm │ kind u8 │ length u8 │ id
//!          │ epoch u32 │ sequence u8 │ time u64 │ previous (32) │ fields of the kind
//! link     = unsigned │ signatures of the kind, each Ed25519( label │ unsigned ) (64)
//! hash     = SHA-256( label │ unsigned )
//! ```
//!
//! | kind | fields | signed by |
//! |---|---|---|
//! | 1 inception | identity key, commitment | the identity key |
//! | 2 rotate | identity key, commitment | the identity key before, the new one |
//! | 3 recover | identity key, commitment, recovery key | the recovery key, the new identity key |
//! | 4 tombstone | recovery key | the recovery key |
//! | 5 reset | – | – |
//!
//! Signatures are never hashed or compared: some signers are randomized, and sign the same link
//! differently each time.

mod make;
mod parse;

pub use parse::{Outline, TIME_MAX};

use crate::{
    Commitment, Id, Position, PublicKey, Refusal, armor, labels, notation::Digest,
    public_key::SIGNATURE_BYTES,
};

/// The longest link, in bytes: a recovery of an id of 64 characters.
pub const LINK_BYTES_MAX: usize = 4 + 64 + 4 + 1 + 8 + 32 + 3 * 32 + 2 * SIGNATURE_BYTES;

/// The version of links and bundles.
pub(crate) const VERSION: u8 = 1;
/// The one algorithm: Ed25519 with SHA-256.
pub(crate) const ED25519_SHA256: u8 = 1;

/// A link, well formed and with valid keys. Its signatures are verified where it is put into a
/// chain ([`Head::begin`](crate::Head::begin), [`Head::extend`](crate::Head::extend)), because one
/// of them may be by the key before.
#[derive(Clone, PartialEq, Eq)]
pub struct Link {
    bytes: Box<[u8]>,
    signed_bytes: usize,
    id: Id,
    position: Position,
    time: u64,
    previous: Digest,
    act: Act,
}

/// The act of a link, with its keys.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Inception { identity_key: PublicKey, commitment: Commitment },
    Rotate { identity_key: PublicKey, commitment: Commitment },
    Recover { identity_key: PublicKey, commitment: Commitment, recovery_key: PublicKey },
    Tombstone { recovery_key: PublicKey },
    Reset,
}

/// The kind of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Binds the id to its first identity key of the epoch.
    Inception = 1,
    /// Changes the identity key, and nothing else.
    Rotate = 2,
    /// Changes the identity key and the recovery commitment, with the recovery key.
    Recover = 3,
    /// Ends the id for good, with the recovery key.
    Tombstone = 4,
    /// Begins another epoch of a plain id: an operator's act, without a signature.
    Reset = 5,
}

impl Kind {
    const ALL: [Self; 5] =
        [Self::Inception, Self::Rotate, Self::Recover, Self::Tombstone, Self::Reset];

    fn from_wire(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == number)
    }

    /// The name that people and the test vectors use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inception => "inception",
            Self::Rotate => "rotate",
            Self::Recover => "recover",
            Self::Tombstone => "tombstone",
            Self::Reset => "reset",
        }
    }

    const fn signatures(self) -> usize {
        match self {
            Self::Inception | Self::Tombstone => 1,
            Self::Rotate | Self::Recover => 2,
            Self::Reset => 0,
        }
    }
}

impl Link {
    /// Takes a link from a message.
    ///
    /// # Errors
    /// [`Refusal::TextTooLong`], [`Refusal::TextNotBase64Url`], and as [`Link::parse`].
    pub fn from_text(text: &str) -> Result<Self, Refusal> {
        Self::parse(&armor::decode_bounded(text, LINK_BYTES_MAX)?)
    }

    /// The link as it stands in messages: base64url without padding.
    pub fn to_text(&self) -> String {
        armor::encode(&self.bytes)
    }

    /// The link as bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The id whose chain it belongs to.
    pub const fn id(&self) -> &Id {
        &self.id
    }

    /// The kind of the link.
    pub const fn kind(&self) -> Kind {
        match self.act {
            Act::Inception { .. } => Kind::Inception,
            Act::Rotate { .. } => Kind::Rotate,
            Act::Recover { .. } => Kind::Recover,
            Act::Tombstone { .. } => Kind::Tombstone,
            Act::Reset => Kind::Reset,
        }
    }

    /// Its epoch, sequence number and hash.
    pub const fn position(&self) -> Position {
        self.position
    }

    /// The hash of the link before; zeros in the first link of epoch 0.
    pub const fn previous(&self) -> &[u8; 32] {
        &self.previous
    }

    /// The time that its maker gave it, in seconds since 1970. It is for people to read: no rule
    /// depends on it.
    pub const fn time(&self) -> u64 {
        self.time
    }

    /// The identity key that holds from this link on. `None` for a tombstone and a reset.
    pub const fn identity_key(&self) -> Option<PublicKey> {
        match self.act {
            Act::Inception { identity_key, .. }
            | Act::Rotate { identity_key, .. }
            | Act::Recover { identity_key, .. } => Some(identity_key),
            Act::Tombstone { .. } | Act::Reset => None,
        }
    }

    pub(crate) const fn act(&self) -> Act {
        self.act
    }

    /// Verifies the signatures of the link, by these keys in their order.
    pub(crate) fn verify(&self, signers: &[PublicKey]) -> Result<(), Refusal> {
        let (signed, signatures) = self.bytes.split_at(self.signed_bytes);
        let (signatures, rest) = signatures.as_chunks::<SIGNATURE_BYTES>();
        if signatures.len() != signers.len() || !rest.is_empty() {
            return Err(Refusal::LinkMalformed);
        }
        let mut pairs = signers.iter().zip(signatures);
        pairs.try_for_each(|(signer, signature)| signer.verify(labels::LINK, signed, signature))
    }
}
