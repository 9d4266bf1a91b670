//! What clients seal for each other.

use std::fmt;

/// A JSON string that is none of our business, as it stood in the received text: quotes, escapes,
/// lone surrogates and all.
///
/// It is only ever compared, measured and copied. `Debug` prints its length alone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Opaque<'a>(&'a str);

impl<'a> Opaque<'a> {
    /// Takes a slice that a JSON parser has accepted, if it is a string.
    pub(crate) fn from_valid_json(json: &'a str) -> Option<Self> {
        json.starts_with('"').then_some(Self(json))
    }

    /// Takes back a text that [`Opaque::as_json`] gave and that was stored in between.
    ///
    /// None if it is no JSON string.
    pub fn from_stored(json: &'a str) -> Option<Self> {
        let raw: &serde_json::value::RawValue = serde_json::from_str(json).ok()?;
        Self::from_valid_json(raw.get())
    }

    /// The string as JSON, quotes included.
    pub fn as_json(self) -> &'a str {
        self.0
    }

    /// How many bytes the JSON takes, quotes included.
    pub fn len(self) -> usize {
        self.0.len()
    }

    /// Whether the string between the quotes is empty.
    pub fn is_empty(self) -> bool {
        self.0.len() == 2
    }
}

impl fmt::Debug for Opaque<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opaque({} bytes)", self.0.len())
    }
}
