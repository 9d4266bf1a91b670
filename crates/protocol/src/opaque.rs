//! Opaque strings, which clients seal for each other.

use std::fmt;

use crate::json::{Reader, Value};

/// A JSON string that the server does not interpret, as it stood in the received text: quotes,
/// escapes and all. It stands for Unicode text, so that every receiver can read it (RFC 7493).
///
/// It is only ever compared, measured and copied. `Debug` prints its length alone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Opaque<'a>(&'a str);

impl<'a> Opaque<'a> {
    /// Takes a value of a message. Returns `None` if it is not a string, or not Unicode.
    #[inline]
    pub(crate) fn from_value(value: Value<'a>) -> Option<Self> {
        value.is_text().then_some(Self(value.json))
    }

    /// Takes back a text that [`Opaque::as_json`] gave and that was stored in between.
    ///
    /// Returns `None` if it is not a string, or not Unicode.
    pub fn from_stored(json: &'a str) -> Option<Self> {
        let mut reader = Reader::new(json);
        let value = reader.value().ok()?;
        reader.end().ok()?;
        Self::from_value(value)
    }

    /// Copies it.
    pub fn into_owned(self) -> OwnedOpaque {
        OwnedOpaque(self.0.into())
    }

    /// The string as JSON, quotes included.
    pub fn as_json(self) -> &'a str {
        self.0
    }

    /// The length of the JSON in bytes, quotes included.
    pub fn len(self) -> usize {
        self.0.len()
    }

    /// Returns true if the string between the quotes is empty.
    pub fn is_empty(self) -> bool {
        self.0.len() == 2
    }
}

impl fmt::Debug for Opaque<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opaque({} bytes)", self.0.len())
    }
}

/// An [`Opaque`] with a text of its own. `Debug` prints its length alone.
#[derive(Clone, PartialEq, Eq)]
pub struct OwnedOpaque(Box<str>);

impl OwnedOpaque {
    /// The same, lent out.
    pub fn as_opaque(&self) -> Opaque<'_> {
        Opaque(&self.0)
    }
}

impl fmt::Debug for OwnedOpaque {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_opaque().fmt(f)
    }
}
