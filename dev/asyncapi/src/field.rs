//! One field of a payload.

use securecall_protocol::Dialect;

use crate::Kind;

/// A field of a payload, as it stands on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its key.
    pub name: &'static str,
    /// The kind of its value.
    pub kind: Kind,
    /// Always there, or optional.
    pub presence: Presence,
    /// The first dialect that has it.
    pub since: Dialect,
    /// The meaning of the field.
    pub meaning: &'static str,
}

/// The presence of a field: always, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It is always there.
    Always,
    /// It may be missing.
    Sometimes,
}

impl Field {
    /// A field that is always there, in both dialects.
    pub(crate) const fn always(name: &'static str, kind: Kind, meaning: &'static str) -> Self {
        Self { name, kind, presence: Presence::Always, since: Dialect::One, meaning }
    }

    /// A field that may be missing, in both dialects.
    pub(crate) const fn sometimes(name: &'static str, kind: Kind, meaning: &'static str) -> Self {
        Self { presence: Presence::Sometimes, ..Self::always(name, kind, meaning) }
    }

    /// The same field, of dialect 2 alone.
    pub(crate) const fn of_dialect_2(self) -> Self {
        Self { since: Dialect::Two, ..self }
    }
}
