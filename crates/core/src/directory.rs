//! The rule of the public-key directory: which client may put which key under an id.
//!
//! This module stores nothing, reads no clock and knows no connections. It compares two keys and
//! decides what a directory has to do; the directories themselves live in the server.
//!
//! **Why keys are pinned.** A caller encrypts to the key the directory names. An attacker who can swap
//! that key reads the call, and an id alone proves nothing: anybody may register a plain id. So the
//! first key stays, and another one is taken only from a client with a claim to the record.
//!
//! **What a key is.** An opaque JSON string. It is kept as the raw text that arrived, quotes and
//! escapes included, and handed out byte for byte. Two keys are the same when they *mean* the same:
//! `"a/b"` and `"a\/b"` are one key, written by two JSON libraries, and an upgraded client must not
//! be locked out of its own record by the way it escapes.

/// The setting `directory.replace`: the clients with a claim to replace a pinned key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReplacePolicy {
    /// The connection that set the key ([`Decision::Create`], [`Decision::Replace`]), for as long
    /// as it lasts.
    ///
    /// Presenting the stored key again does not make a connection its owner: public keys are
    /// public. And a connection learns that it owns a record from the answer: until then, it has
    /// no claim to replace what it is just setting.
    #[default]
    Owner,
    /// Any connection that is registered under the id: the replacement that the protocol reference
    /// documents.
    Registered,
}

impl ReplacePolicy {
    /// The claim of a connection that is registered under the id of the record.
    #[must_use]
    pub fn replacement(self, set_by_this_connection: bool) -> Replacement {
        match self {
            Self::Registered => Replacement::Allowed,
            Self::Owner if set_by_this_connection => Replacement::Allowed,
            Self::Owner => Replacement::Refused,
        }
    }
}

/// The claim of a client that offers a key to replace another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replacement {
    /// A different key takes the place of the old one.
    Allowed,
    /// A different key is refused.
    Refused,
}

/// The permission to make a record for an id without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Creation {
    /// It may.
    Allowed,
    /// The directory, or the address that asks, has as many as it may have.
    Refused,
}

/// The rights of a client that offers a key, beside presenting the one that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Its claim to replace another key.
    pub replacement: Replacement,
    /// Its permission to make a new record.
    pub creation: Creation,
}

impl From<Replacement> for Terms {
    fn from(replacement: Replacement) -> Self {
        Self { replacement, creation: Creation::Allowed }
    }
}

/// The step of a directory for an offered key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// There is no record: write one.
    Create,
    /// There is no record, and this one may not be made.
    NotCreated,
    /// The record holds the same key: write nothing, and answer as if it had been written.
    Keep,
    /// The record holds another key: overwrite it.
    Replace,
    /// The record holds another key and keeps it: answer `KEY_PINNED`.
    Pinned,
}

/// Decides about the key `offered`, given the one that `existing` holds, if any.
///
/// Both are raw JSON strings. A backend has to call this and write the result as one step: between
/// the two, the record may not be written, or two first registrations would both get
/// [`Decision::Create`].
#[must_use]
pub fn decide(existing: Option<&str>, offered: &str, terms: impl Into<Terms>) -> Decision {
    let Terms { replacement, creation } = terms.into();
    match existing {
        None if creation == Creation::Refused => Decision::NotCreated,
        None => Decision::Create,
        Some(key) if same_key(key, offered) => Decision::Keep,
        Some(_) if replacement == Replacement::Allowed => Decision::Replace,
        Some(_) => Decision::Pinned,
    }
}

/// Returns true if two raw JSON strings have the same value, however they are escaped (RFC 8259
/// §8.3).
#[must_use]
pub fn same_key(one: &str, other: &str) -> bool {
    one == other || CodeUnits::of(one).eq(CodeUnits::of(other))
}

/// The UTF-16 code units a JSON string stands for.
///
/// Code units because that is what `\uXXXX` denotes: RFC 8259 permits half a surrogate pair, which
/// is no `char` and would force an error here. So this is total, and allocates nothing. The quotes
/// stay on: both sides have them.
struct CodeUnits<'a> {
    rest: &'a str,
    /// The second half of a character beyond the basic plane.
    low: Option<u16>,
}

impl<'a> CodeUnits<'a> {
    fn of(json: &'a str) -> Self {
        Self { rest: json, low: None }
    }

    fn next_char(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let next = chars.next()?;
        self.rest = chars.as_str();
        Some(next)
    }

    fn literal(&mut self, character: char) -> u16 {
        let mut units = [0; 2];
        if character.encode_utf16(&mut units).len() == 2 {
            self.low = Some(units[1]);
        }
        units[0]
    }

    fn escaped(&mut self) -> Option<u16> {
        Some(match self.next_char()? {
            'b' => 0x08,
            'f' => 0x0C,
            'n' => 0x0A,
            'r' => 0x0D,
            't' => 0x09,
            'u' => self.hex().unwrap_or(u16::from(b'u')),
            itself => self.literal(itself),
        })
    }

    fn hex(&mut self) -> Option<u16> {
        let (digits, rest) = self.rest.split_at_checked(4)?;
        let unit = u16::from_str_radix(digits, 16).ok()?;
        self.rest = rest;
        Some(unit)
    }
}

impl Iterator for CodeUnits<'_> {
    type Item = u16;

    fn next(&mut self) -> Option<u16> {
        if let Some(low) = self.low.take() {
            return Some(low);
        }
        match self.next_char()? {
            '\\' => self.escaped(),
            character => Some(self.literal(character)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Replacement::{Allowed, Refused};
    use super::*;

    #[test]
    fn the_first_key_is_taken_from_anybody() {
        assert_eq!(decide(None, r#""k""#, Refused), Decision::Create);
        assert_eq!(decide(None, r#""k""#, Allowed), Decision::Create);
    }

    #[test]
    fn where_no_record_may_be_made_those_that_are_there_go_on() {
        let terms = |replacement| Terms { replacement, creation: Creation::Refused };
        assert_eq!(decide(None, r#""k""#, terms(Allowed)), Decision::NotCreated);
        assert_eq!(decide(Some(r#""k""#), r#""k""#, terms(Refused)), Decision::Keep);
        assert_eq!(decide(Some(r#""k""#), r#""l""#, terms(Allowed)), Decision::Replace);
        assert_eq!(decide(Some(r#""k""#), r#""l""#, terms(Refused)), Decision::Pinned);
    }

    #[test]
    fn the_same_key_again_is_fine() {
        assert_eq!(decide(Some(r#""k""#), r#""k""#, Refused), Decision::Keep);
        assert_eq!(decide(Some(r#""k""#), r#""k""#, Allowed), Decision::Keep);
    }

    #[test]
    fn another_key_needs_a_claim() {
        assert_eq!(decide(Some(r#""k""#), r#""l""#, Refused), Decision::Pinned);
        assert_eq!(decide(Some(r#""k""#), r#""l""#, Allowed), Decision::Replace);
    }

    #[test]
    fn only_the_connection_that_set_a_key_owns_it() {
        assert_eq!(ReplacePolicy::Owner.replacement(true), Allowed);
        assert_eq!(ReplacePolicy::Owner.replacement(false), Refused);
    }

    #[test]
    fn under_the_documented_policy_whoever_is_registered_may_replace() {
        assert_eq!(ReplacePolicy::Registered.replacement(false), Allowed);
    }

    #[test]
    fn escapes_do_not_make_another_key() {
        for (one, other) in [
            (r#""a/b""#, r#""a\/b""#),
            (r#""A""#, r#""\u0041""#),
            (r#""\u00e9""#, r#""\u00E9""#),
            ("\"\u{e9}\"", r#""\u00e9""#),
            ("\"\u{1f511}\"", r#""\ud83d\udd11""#),
            (r#""\n\t\r\b\f""#, r#""\u000a\u0009\u000d\u0008\u000c""#),
            (r#""\"\\""#, r#""\u0022\u005c""#),
        ] {
            assert!(same_key(one, other), "{one} {other}");
            assert!(same_key(other, one), "{other} {one}");
        }
    }

    #[test]
    fn different_values_are_different_keys() {
        for (one, other) in [
            (r#""a""#, r#""A""#),
            (r#""a""#, r#""aa""#),
            (r#""""#, r#""a""#),
            (r#""\\u0041""#, r#""A""#),
            (r#""\ud83d""#, r#""\ud83d\udd11""#),
            (r#""\ud83d""#, "\"\u{1f511}\""),
            // Normalization is for people to see, not for keys: these look alike and are not equal.
            ("\"\u{e9}\"", "\"e\u{301}\""),
        ] {
            assert!(!same_key(one, other), "{one} {other}");
        }
    }

    #[test]
    fn half_a_surrogate_pair_equals_itself_alone() {
        assert!(same_key(r#""\ud83d""#, r#""\uD83D""#));
        assert!(!same_key(r#""\ud83d""#, r#""\ud83e""#));
    }

    #[test]
    fn text_that_is_no_json_is_compared_and_not_refused() {
        for odd in ["", "\\", "\\u", "\\u12", "\\uzzzz", "\\u00\u{e9}1", "\""] {
            assert!(same_key(odd, odd));
            assert!(!same_key(odd, "other"));
        }
    }
}
