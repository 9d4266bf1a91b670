//! Errors of the configuration: one line that names the setting and the remedy.

use std::path::PathBuf;

use super::{Origin, TurnError};

/// A configuration that cannot be used. It is always the operator's to correct.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A name that is not a setting.
    #[error("there is no setting {name} ({origin}){}", suggestion(nearest.as_deref()))]
    Unknown {
        /// The name as written.
        name: String,
        /// The place of the name.
        origin: Origin,
        /// The setting that was probably meant.
        nearest: Option<String>,
    },
    /// A value of the wrong form, or out of range.
    #[error("{setting} ({origin}): {reason}")]
    Invalid {
        /// The key of the setting in the file.
        setting: String,
        /// The place of the value.
        origin: Origin,
        /// The rule for the value.
        reason: String,
    },
    /// Two values that contradict each other.
    #[error("{left} must be {relation} {right}: change one of them")]
    Contradiction {
        /// The first setting, with its value and origin.
        left: String,
        /// The rule between the two.
        relation: &'static str,
        /// The second setting, with its value and origin.
        right: String,
    },
    /// TURN servers that leave no room for an offer in a message.
    #[error(
        "the TURN servers with their credentials take {ice_servers_bytes} bytes of a message, \
         which leaves too few for an offer: set fewer turn.urls, or raise {setting}"
    )]
    IceServers {
        /// The bound of the length of `iceServers`.
        ice_servers_bytes: usize,
        /// The bound of a message, with its value and origin.
        setting: String,
    },
    /// A setting without the one that it needs.
    #[error("{setting} is set without {other}: set both, or neither")]
    Alone {
        /// The present setting, with its origin.
        setting: String,
        /// The missing setting.
        other: &'static str,
    },
    /// More connections than the process may have files open.
    #[error(
        "{setting} needs {needed} file descriptors and this process may have {allowed}: lower it, \
         or raise the limit (ulimit -Hn)"
    )]
    Descriptors {
        /// The setting, with its value and origin.
        setting: String,
        /// The descriptors for that many connections and everything else.
        needed: u64,
        /// The limit of the process.
        allowed: u64,
    },
    /// The configuration file cannot be read, or is not TOML.
    #[error("configuration file {}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        reason: String,
    },
    /// A secret in the configuration file.
    #[error(
        "{name} does not belong in the configuration file ({origin}): \
         set SECURECALL_TURN_SECRET or turn.secret_file"
    )]
    SecretInFile {
        /// The key as written.
        name: String,
        /// The place of the key.
        origin: Origin,
    },
    /// TURN cannot be offered with these settings.
    #[error(transparent)]
    Turn(#[from] TurnError),
    /// The command line is invalid.
    #[error("{0}")]
    CommandLine(String),
}

fn suggestion(nearest: Option<&str>) -> String {
    match nearest {
        Some(name) => format!(": did you mean {name}?"),
        None => ": `securecall check-config` lists all settings".to_owned(),
    }
}
