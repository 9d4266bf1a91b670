//! A contact as the user names one: a client id, with or without the fingerprint of its key.

use std::str::FromStr;

use securecall_characters::deceives;
use securecall_client::ClientId;

/// The scheme of a QR code: `securecall:CLIENT_ID?fingerprint=DIGITS`.
pub(crate) const SCHEME: &str = "securecall:";

/// A client to call or to accept: `ID`, `ID=FINGERPRINT`, or the content of a QR code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Contact {
    pub(crate) client_id: ClientId,
    fingerprint: Option<String>,
}

impl FromStr for Contact {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (id, digits) = match text.strip_prefix(SCHEME) {
            Some(scanned) => split(scanned, "?fingerprint="),
            None => split(text, "="),
        };
        let client_id = ClientId::try_from(id).map_err(|error| error.to_string())?;
        Ok(Self { client_id, fingerprint: digits.map(fingerprint).transpose()? })
    }
}

impl Contact {
    /// Returns the fingerprint that was given for this contact.
    pub(crate) fn fingerprint(&self) -> Option<&str> {
        self.fingerprint.as_deref()
    }
}

fn split<'a>(text: &'a str, between: &str) -> (&'a str, Option<&'a str>) {
    text.split_once(between).map_or((text, None), |(id, digits)| (id, Some(digits)))
}

/// Parses forty digits with any white space between them. Returns them in groups of five.
fn fingerprint(text: &str) -> Result<String, String> {
    const DIGITS: usize = 40;
    let is_digit = |character: &char| !character.is_whitespace() && !deceives(*character);
    let digits: String = text.chars().filter(is_digit).collect();
    if digits.len() != DIGITS || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err("a fingerprint has 40 digits: securecall keys show prints it".to_owned());
    }
    let groups: Vec<&str> = (0..DIGITS / 5).filter_map(|n| digits.get(5 * n..5 * n + 5)).collect();
    Ok(groups.join(" "))
}
