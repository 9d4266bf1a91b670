//! A record as operators see it: one line of JSON.
//!
//! ```text
//! {"clientId":"alice","publicKey":"…"}
//! ```
//!
//! The key is written as it is stored, including escapes. Other fields are an error, because they
//! would be lost silently.

use securecall_protocol::{ClientId, Opaque};
use serde::Deserialize;
use serde_json::value::RawValue;

/// The bound of a line apart from its key: the names, the braces, an id whose every character is
/// written as an escape of six, and some white space.
const BESIDE_KEY_BYTES_MAX: usize = 1024;

/// A client id and its key, a raw JSON string.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    pub(crate) client_id: ClientId,
    pub(crate) public_key: Box<str>,
}

/// The reason why a line is no record. It contains neither the id nor the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages are the documentation")]
pub enum RecordError {
    #[error("not a record: a line is {{\"clientId\":\"…\",\"publicKey\":\"…\"}} and nothing else")]
    Malformed,
    #[error("a client id is 1 to 64 characters of a-z, A-Z, 0-9, _ and -")]
    ClientId,
    #[error("the key is not a JSON string")]
    NotAString,
    #[error("the key is not Unicode: it contains an unpaired surrogate")]
    NotUnicode,
    #[error("the key is longer than {0} bytes (--key-bytes-max)")]
    TooLong(usize),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Line<'a> {
    client_id: String,
    #[serde(borrow)]
    public_key: &'a RawValue,
}

impl Record {
    /// Parses a line. The key may have `key_bytes_max` bytes between its quotes.
    ///
    /// # Errors
    /// The line is not a record.
    pub fn parse(line: &str, key_bytes_max: usize) -> Result<Self, RecordError> {
        // serde would also accept an array with the fields in order.
        if !line.trim_start().starts_with('{') {
            return Err(RecordError::Malformed);
        }
        let line: Line<'_> = serde_json::from_str(line).map_err(|_| RecordError::Malformed)?;
        let client_id =
            ClientId::try_from(line.client_id.as_str()).map_err(|_| RecordError::ClientId)?;
        let public_key = line.public_key.get();
        match public_key.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            None => Err(RecordError::NotAString),
            Some(key) if key.len() > key_bytes_max => Err(RecordError::TooLong(key_bytes_max)),
            Some(_) if Opaque::from_stored(public_key).is_none() => Err(RecordError::NotUnicode),
            Some(_) => Ok(Self { client_id, public_key: public_key.into() }),
        }
    }

    /// Appends the record as a line, with its end.
    pub(crate) fn write_to(&self, lines: &mut String) {
        write_line(lines, self.client_id.as_str(), &self.public_key);
    }

    /// Returns the length of the line, with its end.
    pub(crate) fn line_bytes(&self) -> usize {
        parts(self.client_id.as_str(), &self.public_key).map(str::len).iter().sum()
    }
}

/// Returns the bound of a line without its end, for keys of this length.
pub(super) const fn line_bytes_max(key_bytes_max: usize) -> usize {
    key_bytes_max + BESIDE_KEY_BYTES_MAX
}

/// Appends a stored record as a line. Ids need no escapes.
pub(super) fn write_line(lines: &mut String, id: &str, key: &str) {
    lines.extend(parts(id, key));
}

const fn parts<'a>(id: &'a str, key: &'a str) -> [&'a str; 5] {
    [r#"{"clientId":""#, id, r#"","publicKey":"#, key, "}\n"]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_comes_back_byte_for_byte() {
        let key = "a\\/b \\u00E9\u{e9} \\ud83d\\udd11";
        for key in [key, ""] {
            let line = format!("{{\"clientId\":\"a_B-9\",\"publicKey\":\"{key}\"}}");
            let record = Record::parse(&line, 100).ok().unwrap();
            let mut lines = String::new();
            record.write_to(&mut lines);
            assert_eq!(lines, format!("{line}\n"));
            assert_eq!(record.line_bytes(), lines.len());
        }
    }

    #[test]
    fn blanks_and_the_order_of_fields_do_not_matter() {
        let line = " { \"publicKey\" : \"k\" , \"clientId\" : \"\\u0061\" } ";
        let record = Record::parse(line, 1).ok().unwrap();
        assert_eq!((record.client_id.as_str(), &*record.public_key), ("a", "\"k\""));
    }

    #[test]
    fn anything_else_is_refused() {
        for (line, error) in [
            ("", RecordError::Malformed),
            ("null", RecordError::Malformed),
            (r#"["a","k"]"#, RecordError::Malformed),
            (r#"{"clientId":"a"}"#, RecordError::Malformed),
            (r#"{"clientId":"a","publicKey":"k"} x"#, RecordError::Malformed),
            (r#"{"clientId":"a","publicKey":"k","more":1}"#, RecordError::Malformed),
            (r#"{"clientId":"a","publicKey":"k","publicKey":"l"}"#, RecordError::Malformed),
            (r#"{"clientId":"a","publicKey":"\x"}"#, RecordError::Malformed),
            (r#"{"clientId":1,"publicKey":"k"}"#, RecordError::Malformed),
            (r#"{"clientId":"a b","publicKey":"k"}"#, RecordError::ClientId),
            (r#"{"clientId":"","publicKey":"k"}"#, RecordError::ClientId),
            (r#"{"clientId":"a","publicKey":null}"#, RecordError::NotAString),
            (r#"{"clientId":"a","publicKey":{"k":"k"}}"#, RecordError::NotAString),
            (r#"{"clientId":"a","publicKey":"\ud800"}"#, RecordError::NotUnicode),
            (r#"{"clientId":"a","publicKey":"kkkkkkk"}"#, RecordError::TooLong(6)),
        ] {
            assert_eq!(Record::parse(line, 6).err(), Some(error), "{line}");
        }
    }
}
