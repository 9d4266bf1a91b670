//! The settings that differ between two configurations, and which of them a running server can take.

use super::Loaded;

/// Keys, and sections with their dot, of what a server settles when it starts. All else can change
/// while it runs.
pub const SETTLED_AT_START: [&str; 8] =
    ["listen", "data_dir", "workers", "log", "log_format", "tls.", "acme.", "admin."];

/// How the TURN secret is named, which is no setting of the file.
const TURN_SECRET: &str = "the TURN secret";

/// Tells whether a setting can change while the server runs.
#[must_use]
pub fn is_live(key: &str) -> bool {
    !SETTLED_AT_START.iter().any(|settled| {
        if settled.ends_with('.') { key.starts_with(settled) } else { key == *settled }
    })
}

impl Loaded {
    /// Returns the keys of the settings that have another value there. Never a value.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<&str> {
        let pairs = self.values().iter().zip(other.values());
        let different = pairs.filter(|(own, other)| own.text != other.text);
        let mut keys: Vec<_> = different.map(|(own, _)| own.declaration.key.as_str()).collect();
        let [own, other] = [self, other].map(|loaded| loaded.settings.relay.as_ref());
        if own.map(|relay| &relay.secret) != other.map(|relay| &relay.secret) {
            keys.push(TURN_SECRET);
        }
        keys
    }
}
