//! The differences between two configurations, and the settings that a running server can change.

use super::Loaded;

/// The keys, and sections with their dot, that only a start applies. All others can change while
/// the server runs.
pub const SETTLED_AT_START: [&str; 8] =
    ["listen", "data_dir", "workers", "log", "log_format", "tls.", "acme.", "admin."];

/// The name of the TURN secret, which is no setting of the file.
const TURN_SECRET: &str = "the TURN secret";

/// Returns true if a setting can change while the server runs.
#[must_use]
pub fn is_live(key: &str) -> bool {
    !SETTLED_AT_START.iter().any(|settled| {
        if settled.ends_with('.') { key.starts_with(settled) } else { key == *settled }
    })
}

impl Loaded {
    /// Returns the keys of the settings whose values differ. Never a value.
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

#[cfg(test)]
mod tests {
    use super::super::declarations;
    use super::*;

    #[test]
    fn what_is_settled_at_the_start_exists_and_both_pages_name_it() {
        let pages = [
            include_str!("../../../../docs/configuration.md"),
            include_str!("../../../../docs/operations.md"),
        ];
        for settled in SETTLED_AT_START {
            let known = declarations().into_iter().any(|declaration| {
                declaration.key == settled || declaration.key.starts_with(settled)
            });
            assert!(known, "{settled} is no setting");
            let written = match settled.strip_suffix('.') {
                Some(section) => format!("`[{section}]`"),
                None => format!("`{settled}`"),
            };
            for page in pages {
                let sentence = page.split_once("ettled at the start").map(|(before, after)| {
                    let (before, after) = (before.rsplit('.').next(), after.split("\n\n").next());
                    before.unwrap_or_default().to_owned() + after.unwrap_or_default()
                });
                assert!(sentence.unwrap_or_default().contains(&written), "{written} is not named");
            }
        }
    }

    #[test]
    fn a_section_is_not_confused_with_a_key_of_the_same_prefix() {
        assert!(!is_live("listen") && !is_live("admin.listen") && !is_live("tls.key"));
        assert!(
            is_live("proxy.trusted") && is_live("limits.calls") && is_live("directory.replace")
        );
        assert!(!is_live("log") && !is_live("log_format"));
    }
}
