//! Client ids.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

/// A client's id: `^[a-zA-Z0-9_-]{1,64}$`.
///
/// Cheap to clone. The alphabet needs no escape in JSON, so an id is written as it is. `Debug`
/// prints no id, because ids must not end up in a log.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientId(Arc<str>);

/// The text is no client id: it is empty, over 64 characters, or has one outside `a-zA-Z0-9_-`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a client id is 1 to 64 characters of a-z, A-Z, 0-9, _ and -")]
pub struct ClientIdError;

impl ClientId {
    /// The longest id, in characters (and bytes: the alphabet is ASCII).
    pub const LENGTH_MAX: usize = 64;

    /// Returns true if both are clones of one. Two that are not may still be equal.
    pub fn is_clone_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for ClientId {
    type Error = ClientIdError;

    fn try_from(text: &str) -> Result<Self, ClientIdError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        let fits = (1..=Self::LENGTH_MAX).contains(&text.len());
        if fits && text.bytes().all(allowed) { Ok(Self(text.into())) } else { Err(ClientIdError) }
    }
}

impl Borrow<str> for ClientId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientId(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_the_documented_format_are_taken() {
        for text in ["a", "abc123", "A_b-9", &"x".repeat(64)] {
            assert_eq!(ClientId::try_from(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "a b", "é", "a\0", "a/b", "a\n", &"x".repeat(65)] {
            assert_eq!(ClientId::try_from(text), Err(ClientIdError), "{text:?}");
        }
    }

    #[test]
    fn debug_output_hides_the_id() {
        assert!(!format!("{:?}", ClientId::try_from("alice").unwrap()).contains("alice"));
    }
}
