//! Client ids: plain ones, which people choose, and those that certify themselves.

use std::fmt;

use crate::{Fingerprint, Refusal, armor};

/// The prefix of a self-certifying id.
const CERTIFIED_PREFIX: &str = "sc-";

/// The longest id, in bytes.
pub(crate) const ID_BYTES_MAX: usize = 64;

/// A client id: 1 to 64 characters of `a-zA-Z0-9_-`.
///
/// An id that begins with `sc-` is *certified*: the rest is the digest of the inception of its
/// chain, in base64url, 46 characters in all. So it belongs to the maker of that inception, and no
/// directory has a say in it. Every other id that begins with `sc-` is refused.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Id {
    text: Box<str>,
    certified: Option<Fingerprint>,
}

impl Id {
    /// Takes an id that came from outside.
    ///
    /// # Errors
    /// [`Refusal::IdMalformed`], [`Refusal::IdReserved`]; in this order.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if !(1..=ID_BYTES_MAX).contains(&text.len()) || !text.bytes().all(allowed) {
            return Err(Refusal::IdMalformed);
        }
        let Some(digits) = text.strip_prefix(CERTIFIED_PREFIX) else {
            return Ok(Self { text: text.into(), certified: None });
        };
        let digest = armor::decode(digits).ok().and_then(|bytes| bytes.try_into().ok());
        digest.map(Self::certified).ok_or(Refusal::IdReserved)
    }

    /// The certified id of an inception, by its hash.
    pub(crate) fn certified(digest: [u8; 32]) -> Self {
        let text = format!("{CERTIFIED_PREFIX}{}", armor::encode(&digest)).into_boxed_str();
        Self { text, certified: Some(Fingerprint::from_digest(digest)) }
    }

    /// The id as it stands in messages.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The fingerprint that a certified id spells. `None` for a plain id.
    pub const fn fingerprint(&self) -> Option<Fingerprint> {
        self.certified
    }

    /// Returns whether the id certifies itself.
    pub const fn is_certified(&self) -> bool {
        self.certified.is_some()
    }
}

impl fmt::Debug for Id {
    /// Prints no id: `Debug` ends up in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Id").field("is_certified", &self.is_certified()).finish_non_exhaustive()
    }
}
