//! The short authentication string, which people compare to be sure that there is nobody in the
//! middle.

use std::fmt;

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::{Error, commitment::Opening, labels};

/// Seven digits that both ends of a call show, and that people read to each other once they
/// recognize each other's voice. If they differ, there is a man in the middle.
///
/// Somebody in the middle has one try in ten million for each call, because the caller's end
/// committed to its part in the offer and shows it only after the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ShortAuthenticationString(u32);

impl fmt::Display for ShortAuthenticationString {
    /// As people read it: `413 0926`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03} {:04}", self.0 / 10_000, self.0 % 10_000)
    }
}

/// The secret that the string is derived from, together with the caller's opening.
pub(crate) struct AuthenticationSecret(pub(crate) Zeroizing<[u8; 32]>);

impl AuthenticationSecret {
    /// HKDF-SHA256( salt = this secret, ikm = opening, info = label ), 8 bytes, modulo 10⁷.
    pub(crate) fn string(&self, opening: &Opening) -> Result<ShortAuthenticationString, Error> {
        let mut bytes = [0; 8];
        Hkdf::<Sha256>::new(Some(&*self.0), opening.as_bytes())
            .expand(labels::AUTHENTICATION_STRING, &mut bytes)
            .map_err(|_| Error::KeyUnusable)?;
        let number = u64::from_be_bytes(bytes) % 10_000_000;
        u32::try_from(number).map(ShortAuthenticationString).map_err(|_| Error::KeyUnusable)
    }
}
