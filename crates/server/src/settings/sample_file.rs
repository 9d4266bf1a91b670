//! A complete configuration file to be edited.

use std::fmt::Write as _;

use super::Declaration;
use super::layers::loaded::{Effective, Loaded, literal};

/// The head of the file. A line that begins with `#` and no space is a setting.
const HEAD: &str = "\
# SecureCall signaling server: every setting.
#
# A line such as #listen = \"0.0.0.0:8080\" shows a default, or an example where it says so. Remove
# its # to set it. Each description is followed by the flag and the environment variable, which
# override this file. An unknown name is refused; securecall check-config --config FILE checks it.
#
# DURATION is 500ms, 25s, 5m or 1h. BURST/PER_SECOND is the number that may pass at once, and the
# number added each second. The TURN secret does not belong here: see turn.secret_file.
";

impl Loaded {
    /// Returns a TOML file with each setting and its description. Values that are set anywhere are
    /// set in it; all others are comments with the default, or with an example if there is none. It
    /// contains no secrets.
    #[must_use]
    pub fn to_sample_file(&self) -> String {
        let mut sample = HEAD.to_owned();
        let (mut heading, mut section) = ("", "");
        for value in self.values() {
            let (table, key) = value.declaration.table_and_key();
            if value.declaration.section != heading {
                heading = &value.declaration.section;
                let _ = write!(sample, "\n# ---- {heading} ----\n");
            }
            if table != section {
                let _ = write!(sample, "\n[{table}]\n");
                section = table;
            }
            sample += &entry(value, key);
        }
        sample
    }
}

fn entry(value: &Effective, key: &str) -> String {
    let Declaration { meaning, flag, variable, choices, unit, .. } = &value.declaration;
    let form = if choices.is_empty() { unit.clone() } else { choices.join(" or ") };
    let (mark, text, note) = shown(value);
    let literal = literal(&value.declaration, text);
    format!("\n# {meaning}\n# --{flag}, {variable}: {form}{note}\n{mark}{key} = {literal}\n")
}

/// Returns the comment mark if there is one, the value, and a remark.
fn shown(value: &Effective) -> (&'static str, &str, &'static str) {
    match (&value.text, &value.declaration.default) {
        (Some(text), _) if !value.origin.is_built_in() => ("", text, ""),
        (_, Some(default)) => ("#", default, ""),
        _ => (
            "#",
            example(&value.declaration.key).unwrap_or_default(),
            "; not set, this is an \
               example",
        ),
    }
}

/// Returns an example for a setting without a default.
pub(super) fn example(key: &str) -> Option<&'static str> {
    Some(match key {
        "tls.certificate" => "/etc/securecall/chain.pem",
        "tls.key" => "/etc/securecall/key.pem",
        "acme.domains" => "signal.example.org",
        "acme.contact" => "admin@example.org",
        "acme.ca" => "/etc/securecall/authority.pem",
        "limits.hangups" => "100/20",
        "turn.preset" => "metered",
        "turn.urls" => "turn:turn.example.org:3478,turns:turn.example.org:443?transport=tcp",
        "turn.secret_file" => "/etc/securecall/turn-secret",
        "proxy.trusted" => "127.0.0.1/32,::1/128",
        "admin.listen" => "127.0.0.1:9090",
        _ => return None,
    })
}
