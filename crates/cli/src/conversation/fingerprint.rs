//! Fingerprints that the user gives. Each belongs to one client id: a key that is right for one
//! contact must not be accepted for another.

use std::collections::BTreeMap;
use std::str::FromStr;

use securecall_client::ClientId;

use crate::contact::Contact;
use crate::failure::Failure;

/// `ID=FINGERPRINT`: the key that a contact must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExpectedKey {
    client_id: ClientId,
    fingerprint: String,
}

impl FromStr for ExpectedKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let contact: Contact = text.parse().map_err(|error| match text {
            text if text.contains('=') => error,
            _ => NO_ID.to_owned(),
        })?;
        contact.expected_key().ok_or_else(|| NO_ID.to_owned())
    }
}

const NO_ID: &str = "a fingerprint needs its client id: ID=FINGERPRINT";

impl Contact {
    /// Returns `keys` together with the key of this contact, if one was given.
    ///
    /// # Errors
    /// `keys` contains another fingerprint of this contact.
    pub(crate) fn expected_beside(&self, keys: &ExpectedKeys) -> Result<ExpectedKeys, Failure> {
        let mut keys = keys.clone();
        if let Some(ExpectedKey { client_id, fingerprint }) = self.expected_key() {
            keys.insert(client_id, fingerprint)?;
        }
        Ok(keys)
    }

    /// Returns the key that the contact must have, if one was given.
    pub(crate) fn expected_key(&self) -> Option<ExpectedKey> {
        let fingerprint = self.fingerprint()?.to_owned();
        Some(ExpectedKey { client_id: self.client_id.clone(), fingerprint })
    }
}

/// The expected fingerprints by client id.
#[derive(Debug, Clone, Default)]
pub(crate) struct ExpectedKeys(BTreeMap<ClientId, String>);

impl ExpectedKeys {
    /// Collects the keys.
    ///
    /// # Errors
    /// Two different fingerprints were given for one client.
    pub(crate) fn new(keys: impl IntoIterator<Item = ExpectedKey>) -> Result<Self, Failure> {
        let mut expected = Self::default();
        for ExpectedKey { client_id, fingerprint } in keys {
            expected.insert(client_id, fingerprint)?;
        }
        Ok(expected)
    }

    fn insert(&mut self, client_id: ClientId, fingerprint: String) -> Result<(), Failure> {
        match self.0.insert(client_id.clone(), fingerprint.clone()) {
            Some(before) if before != fingerprint => {
                Err(Failure::TwoFingerprints(client_id.as_str().to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// Returns the expected fingerprint of this client, or `None` if none was given.
    pub(crate) fn of(&self, client_id: &ClientId) -> Option<&str> {
        self.0.get(client_id).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGITS: &str = "67819 27709 70238 05285 20522 48028 50223 11171";

    fn id(text: &str) -> ClientId {
        ClientId::try_from(text).unwrap()
    }

    #[test]
    fn a_fingerprint_belongs_to_one_client() {
        let key: ExpectedKey = format!("alice={DIGITS}").parse().unwrap();
        let keys = ExpectedKeys::new([key]).unwrap();
        assert_eq!(keys.of(&id("alice")), Some(DIGITS));
        assert_eq!(keys.of(&id("bob")), None);
    }

    #[test]
    fn digits_may_be_written_with_any_blanks() {
        let pasted = DIGITS.replace(' ', "\u{a0}\u{200b}");
        assert_eq!(
            format!("alice=\u{feff}{pasted}").parse::<ExpectedKey>(),
            format!("alice={DIGITS}").parse()
        );
    }

    #[test]
    fn a_fingerprint_without_a_client_id_is_refused() {
        assert_eq!(DIGITS.parse::<ExpectedKey>(), Err(NO_ID.to_owned()));
        assert_eq!("alice".parse::<ExpectedKey>(), Err(NO_ID.to_owned()));
        assert!("alice=12".parse::<ExpectedKey>().unwrap_err().contains("40 digits"));
        assert!("a b=12".parse::<ExpectedKey>().unwrap_err().contains("client id"));
    }

    #[test]
    fn a_contact_may_come_without_a_fingerprint() {
        assert_eq!("alice".parse::<Contact>().unwrap().expected_key(), None);
        let contact: Contact = format!("alice={DIGITS}").parse().unwrap();
        assert_eq!(contact.expected_key(), format!("alice={DIGITS}").parse().ok());
    }

    #[test]
    fn a_contact_may_be_what_a_qr_code_holds() {
        let digits = DIGITS.replace(' ', "");
        let scanned: Contact = format!("securecall:alice?fingerprint={digits}").parse().unwrap();
        assert_eq!(scanned, format!("alice={DIGITS}").parse().unwrap());
        let scanned = format!("securecall:alice?fingerprint={digits}").parse::<ExpectedKey>();
        assert_eq!(scanned, format!("alice={DIGITS}").parse());
        assert_eq!("securecall:alice".parse::<Contact>(), "alice".parse());
        let short = "securecall:alice?fingerprint=12".parse::<Contact>();
        assert!(short.unwrap_err().contains("40 digits"));
    }

    #[test]
    fn two_fingerprints_of_one_client_contradict_each_other() {
        let key = |digit: &str| format!("alice={}", digit.repeat(40)).parse().unwrap();
        assert!(ExpectedKeys::new([key("1"), key("1")]).is_ok());
        assert!(ExpectedKeys::new([key("1"), key("2")]).is_err());
    }
}
