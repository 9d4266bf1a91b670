//! The result of a lookup, as text and as JSON.

use securecall_client::{ClientId, DirectoryKey, Suite, seal};
use serde_json::json;

/// A client, the key that the server returned, and the fingerprint that is expected.
pub(super) struct Shown<'a> {
    client_id: &'a str,
    found: Found,
    remembered: Option<&'a str>,
}

enum Found {
    Nothing,
    /// A string that is no SecureCall key: clients may store anything.
    Other(seal::Error),
    Key {
        fingerprint: String,
        suites: Vec<&'static str>,
    },
}

impl<'a> Shown<'a> {
    pub(super) fn new(
        client_id: &'a ClientId,
        key: Option<&str>,
        remembered: Option<&'a str>,
    ) -> Self {
        let client_id = client_id.as_str();
        let found = match key.map(|key| DirectoryKey::parse(key, client_id)) {
            None => Found::Nothing,
            Some(Err(error)) => Found::Other(error),
            Some(Ok(key)) => {
                Found::Key { fingerprint: key.fingerprint().to_string(), suites: suites(&key) }
            }
        };
        Self { client_id, found, remembered }
    }

    pub(super) fn is_missing(&self) -> bool {
        matches!(self.found, Found::Nothing)
    }

    /// Returns true if the server returned a key other than the expected one.
    pub(super) fn is_changed(&self) -> bool {
        match (&self.found, self.remembered) {
            (Found::Nothing, _) | (_, None) => false,
            (Found::Other(_), Some(_)) => true,
            (Found::Key { fingerprint, .. }, Some(remembered)) => fingerprint != remembered,
        }
    }

    pub(super) fn as_text(&self) -> String {
        let Self { client_id, found, remembered } = self;
        let mut text = format!("{client_id}\n");
        match found {
            Found::Nothing => text.push_str(
                "  has no key: the user must run securecall listen \
                                             once\n",
            ),
            Found::Other(why) => {
                text.push_str(&format!("  has no SecureCall key, but other content: {why}\n"));
            }
            Found::Key { fingerprint, suites } => {
                text.push_str(&format!("  fingerprint  {fingerprint}\n"));
                text.push_str(&format!("  suites       {}\n", suites.join(", ")));
            }
        }
        match remembered {
            Some(remembered) if self.is_changed() => {
                text.push_str("  known        NO: THE KEY HAS CHANGED\n");
                text.push_str(&format!("  expected     {remembered}\n"));
            }
            Some(remembered) if self.is_missing() => {
                text.push_str(&format!("  expected     {remembered}\n"));
            }
            Some(_) => text.push_str("  known        yes\n"),
            None if matches!(found, Found::Key { .. }) => {
                text.push_str("  known        first contact: compare the fingerprint\n");
            }
            None => {}
        }
        text
    }

    pub(super) fn as_json(&self) -> String {
        let known = match (self.is_changed(), self.remembered) {
            (true, _) => "changed",
            (false, Some(_)) => "remembered",
            (false, None) => "new",
        };
        let mut shown = match &self.found {
            Found::Nothing => json!({"key": "none"}),
            Found::Other(_) => json!({"key": "other", "known": known}),
            Found::Key { fingerprint, suites } => json!({
                "key": "securecall", "known": known, "fingerprint": fingerprint, "suites": suites,
            }),
        };
        shown["clientId"] = json!(self.client_id);
        if let Some(remembered) = self.remembered {
            shown["remembered"] = json!(remembered);
        }
        format!("{shown}\n")
    }
}

fn suites(key: &DirectoryKey) -> Vec<&'static str> {
    let named = [(Suite::X25519, "classical"), (Suite::XWing, "post-quantum")];
    named.into_iter().filter(|(suite, _)| key.lists(*suite)).map(|(_, name)| name).collect()
}
