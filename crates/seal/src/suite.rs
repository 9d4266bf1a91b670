//! Which algorithms a call is sealed with.

use crate::DirectoryKey;

/// A set of algorithms for HPKE in base mode (RFC 9180). All of them use HKDF-SHA256 and
/// AES-256-GCM, which every WebCrypto has, and differ in how a secret is agreed on.
///
/// A suite is never negotiated: both ends work out the best one that both directory keys list, and
/// refuse any other. So a relay has nothing to downgrade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Suite {
    /// 1: DHKEM(X25519, HKDF-SHA256), KEM id 0x0020.
    X25519 = 1,
    /// 2: X-Wing, which is ML-KEM-768 with X25519 (draft-connolly-cfrg-xwing-kem), KEM id 0x647a.
    /// It stays secret as long as one of the two does: recorded today, a call is still closed to
    /// a quantum computer of tomorrow.
    XWing = 2,
}

impl Suite {
    /// All of them, the best one last.
    pub const ALL: [Self; 2] = [Self::X25519, Self::XWing];

    pub(crate) const fn wire(self) -> u8 {
        self as u8
    }

    pub(crate) fn from_wire(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| suite.wire() == number)
    }

    /// The length of a public key, in bytes (Npk).
    pub(crate) const fn public_key_bytes(self) -> usize {
        match self {
            Self::X25519 => 32,
            Self::XWing => 1216,
        }
    }

    /// The length of an encapsulated key, in bytes (Nenc).
    pub(crate) const fn encapsulated_key_bytes(self) -> usize {
        match self {
            Self::X25519 => 32,
            Self::XWing => 1120,
        }
    }

    /// The best suite that both keys list.
    pub(crate) fn best_of(one: &DirectoryKey, other: &DirectoryKey) -> Self {
        let listed_by_both = |suite: &Self| one.lists(*suite) && other.lists(*suite);
        Self::ALL.into_iter().rev().find(listed_by_both).unwrap_or(Self::X25519)
    }
}
