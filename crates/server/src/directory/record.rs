//! A record as operators see it: one line of JSON.
//!
//! ```text
//! {"clientId":"alice","publicKey":"…","links":["…","…"],"bundle":"…"}
//! ```
//!
//! The key is written as it is stored, including escapes; links and the bundle as in messages. A line
//! has a key, a chain, or both; a bundle only with its chain. Other fields are an error, because they
//! would be lost silently.

use securecall_identity::{Broken, Bundle, Chain, Id, LINK_BYTES_MAX, LINKS_MAX, Link, Refusal};
use securecall_protocol::{ClientId, Opaque};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// The bound of a line apart from its key and its chain: the names, the braces, an id whose every
/// character is written as an escape of six, and some white space.
const BESIDE_KEY_BYTES_MAX: usize = 1024;

/// The bound of a chain in a line: each link with its quotes and comma, and the bundle.
const CHAIN_BYTES_MAX: usize = LINKS_MAX * ((LINK_BYTES_MAX * 4).div_ceil(3) + 3) + 4096;

/// A client id with its key, a raw JSON string, and its chain: one of them at least.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    pub(crate) client_id: ClientId,
    pub(crate) public_key: Option<Box<str>>,
    pub(crate) identity: Option<Identity>,
}

/// A chain that was verified, and the bundle of its head.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) chain: Chain,
    pub(crate) bundle: Option<Bundle>,
}

/// The reason why a line is no record. It contains neither the id nor the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages are the documentation")]
pub enum RecordError {
    #[error(
        "not a record: a line is {{\"clientId\":\"…\",\"publicKey\":\"…\"}}, and may have \
         \"links\":[\"…\"] and \"bundle\":\"…\""
    )]
    Malformed,
    #[error("a client id is 1 to 64 characters of a-z, A-Z, 0-9, _ and -")]
    ClientId,
    #[error("{}", Refusal::IdReserved)]
    Reserved,
    #[error("the key is not a JSON string")]
    NotAString,
    #[error("the key is not Unicode: it contains an unpaired surrogate")]
    NotUnicode,
    #[error("the key is longer than {0} bytes (--key-bytes-max)")]
    TooLong(usize),
    #[error("its chain is not valid: {0}")]
    Chain(Broken),
    #[error("its chain is of another id")]
    OtherId,
    #[error("its bundle is not valid: {0}")]
    Bundle(Refusal),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Line<'a> {
    client_id: String,
    #[serde(borrow, default, deserialize_with = "present")]
    public_key: Option<&'a RawValue>,
    #[serde(default)]
    links: Vec<String>,
    bundle: Option<String>,
}

/// A field that is there, also if it is `null`.
fn present<'de, D: Deserializer<'de>>(value: D) -> Result<Option<&'de RawValue>, D::Error> {
    Deserialize::deserialize(value).map(Some)
}

impl Record {
    /// Parses a line, and verifies its chain. The key may have `key_bytes_max` bytes between its
    /// quotes.
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
        let id = Id::parse(client_id.as_str()).map_err(|_| RecordError::Reserved)?;
        let public_key = line.public_key.map(|key| parse_key(key.get(), key_bytes_max));
        let identity = match (line.links.as_slice(), line.bundle.as_deref()) {
            ([], None) => None,
            ([], Some(_)) => return Err(RecordError::Malformed),
            (links, bundle) => Some(Identity::parse(&id, links, bundle)?),
        };
        if public_key.is_none() && identity.is_none() {
            return Err(RecordError::Malformed);
        }
        Ok(Self { client_id, public_key: public_key.transpose()?, identity })
    }

    /// Appends the record as a line, with its end.
    pub(crate) fn write_to(&self, lines: &mut String) {
        let identity = self.identity.as_ref();
        let links = identity.map_or(&[][..], |identity| identity.chain.links());
        let links: Vec<String> = links.iter().map(Link::to_text).collect();
        let bundle = identity.and_then(|identity| identity.bundle.as_ref()).map(Bundle::to_text);
        let (id, key) = (self.client_id.as_str(), self.public_key.as_deref());
        write_line(lines, id, key, &links, bundle.as_deref());
    }

    /// Returns the length of the line, with its end.
    pub(crate) fn line_bytes(&self) -> usize {
        let mut line = String::new();
        self.write_to(&mut line);
        line.len()
    }
}

fn parse_key(key: &str, key_bytes_max: usize) -> Result<Box<str>, RecordError> {
    match key.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        None => Err(RecordError::NotAString),
        Some(text) if text.len() > key_bytes_max => Err(RecordError::TooLong(key_bytes_max)),
        Some(_) if Opaque::from_stored(key).is_none() => Err(RecordError::NotUnicode),
        Some(_) => Ok(key.into()),
    }
}

impl Identity {
    fn parse(id: &Id, links: &[String], bundle: Option<&str>) -> Result<Self, RecordError> {
        let mut parsed = Vec::with_capacity(links.len().min(LINKS_MAX));
        for (index, link) in links.iter().enumerate() {
            let link = Link::from_text(link)
                .map_err(|refusal| RecordError::Chain(Broken { index, refusal }))?;
            parsed.push(link);
        }
        let chain = Chain::verify(parsed).map_err(RecordError::Chain)?;
        if chain.head().id() != id {
            return Err(RecordError::OtherId);
        }
        let bundle = bundle.map(|text| Bundle::from_text(text, chain.head())).transpose();
        Ok(Self { chain, bundle: bundle.map_err(RecordError::Bundle)? })
    }
}

/// Returns the bound of a line without its end, for keys of this length.
pub(super) const fn line_bytes_max(key_bytes_max: usize) -> usize {
    key_bytes_max + BESIDE_KEY_BYTES_MAX + CHAIN_BYTES_MAX
}

/// Appends a stored record as a line. Neither ids nor base64url need escapes.
pub(super) fn write_line(
    lines: &mut String,
    id: &str,
    key: Option<&str>,
    links: &[String],
    bundle: Option<&str>,
) {
    lines.extend([r#"{"clientId":""#, id, "\""]);
    if let Some(key) = key {
        lines.extend([r#","publicKey":"#, key]);
    }
    if !links.is_empty() {
        lines.extend([r#","links":[""#, &links.join(r#"",""#), r#""]"#]);
    }
    if let Some(bundle) = bundle {
        lines.extend([r#","bundle":""#, bundle, "\""]);
    }
    lines.push_str("}\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::identities::Owner;

    fn broken(index: usize, refusal: Refusal) -> RecordError {
        RecordError::Chain(Broken { index, refusal })
    }

    /// A line of these links.
    fn line(id: &str, links: &[String], bundle: Option<&str>) -> String {
        let mut lines = String::new();
        write_line(&mut lines, id, None, links, bundle);
        lines
    }

    #[test]
    fn a_chain_with_its_bundle_comes_back() {
        let mut owner = Owner::of("alice");
        owner.rotate();
        owner.recover();
        let bundle = owner.bundle(3).to_text();
        let text = line("alice", &owner.texts(), Some(&bundle));
        let record = Record::parse(&text, 100).unwrap();
        let mut written = String::new();
        record.write_to(&mut written);
        assert_eq!(written, text);
        assert!(record.identity.unwrap().chain == *owner.chain());
    }

    #[test]
    fn a_chain_that_is_not_valid_is_refused() {
        let mut owner = Owner::of("alice");
        owner.rotate();
        owner.rotate();
        let links = owner.texts();
        let parse = |id: &str, links: &[String], bundle: Option<&str>| {
            Record::parse(&line(id, links, bundle), 100).err()
        };
        let gap = [links[0].clone(), links[2].clone()];
        assert_eq!(parse("alice", &gap, None), Some(broken(1, Refusal::Gap)));
        assert_eq!(parse("alice", &links[1..], None), Some(broken(0, Refusal::NotAFirstLink)));
        assert_eq!(parse("bob", &links, None), Some(RecordError::OtherId));
        // A chain whose end was cut off, with the bundle of its last head.
        let bundle = owner.bundle(1).to_text();
        let cut = parse("alice", &links[..2], Some(&bundle));
        assert_eq!(cut, Some(RecordError::Bundle(Refusal::OtherHead)));
    }

    #[test]
    fn the_longest_chain_fits_into_a_line() {
        let link = "A".repeat((LINK_BYTES_MAX * 4).div_ceil(3));
        let links = vec![link; LINKS_MAX];
        let bundle = "A".repeat((securecall_identity::BUNDLE_BYTES_MAX * 4).div_ceil(3));
        let mut text = String::new();
        let key = format!("\"{}\"", "k".repeat(500));
        write_line(&mut text, &"x".repeat(64), Some(&key), &links, Some(&bundle));
        assert!(text.len() <= line_bytes_max(500));
    }

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
        assert_eq!(record.client_id.as_str(), "a");
        assert_eq!(record.public_key.as_deref(), Some("\"k\""));
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
            (r#"{"clientId":"sc-a","publicKey":"k"}"#, RecordError::Reserved),
            (r#"{"clientId":"a","links":[]}"#, RecordError::Malformed),
            (r#"{"clientId":"a","publicKey":"k","bundle":"AQ"}"#, RecordError::Malformed),
            (r#"{"clientId":"a","links":["AQ"]}"#, broken(0, Refusal::LinkMalformed)),
            (r#"{"clientId":"a","links":["A="]}"#, broken(0, Refusal::TextNotBase64Url)),
        ] {
            assert_eq!(Record::parse(line, 6).err(), Some(error), "{line}");
        }
    }
}
