//! Why a configuration is refused: one line that names the setting and says what to do.

use std::path::PathBuf;

use super::{Origin, TurnError};

/// A configuration that cannot be used. Always the operator's to mend.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A name that is no setting.
    #[error("there is no setting {name} ({origin}){}", suggestion(nearest.as_deref()))]
    Unknown {
        /// The name as written.
        name: String,
        /// Where it is.
        origin: Origin,
        /// The setting that was probably meant.
        nearest: Option<String>,
    },
    /// A value of the wrong form, or out of range.
    #[error("{setting} ({origin}): {reason}")]
    Invalid {
        /// The key of the setting in the file.
        setting: String,
        /// Where the value is.
        origin: Origin,
        /// What it must be.
        reason: String,
    },
    /// Two values that do not go together.
    #[error("{left} must be {relation} {right}: change one of them")]
    Contradiction {
        /// The first setting, with its value and origin.
        left: String,
        /// What is asked of it.
        relation: &'static str,
        /// The second setting, with its value and origin.
        right: String,
    },
    /// Messages in which there is no room for an offer beside the TURN servers.
    #[error(
        "the TURN servers with their credentials take {ice_servers_bytes} bytes of a message, which \
         leaves too few for an offer: set fewer of turn.urls, or raise {setting}"
    )]
    IceServers {
        /// How long `iceServers` is at most.
        ice_servers_bytes: usize,
        /// The bound of a message, with its value and origin.
        setting: String,
    },
    /// Half a configuration.
    #[error("{setting} is set without {other}: set both, or neither")]
    Alone {
        /// What is set, with its origin.
        setting: String,
        /// What is missing.
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
        /// Descriptors for that many connections and all else.
        needed: u64,
        /// The limit of the process.
        allowed: u64,
    },
    /// The configuration file cannot be read, or is no TOML.
    #[error("configuration file {}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
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
        /// Where it is.
        origin: Origin,
    },
    /// TURN cannot be offered as it is set.
    #[error(transparent)]
    Turn(#[from] TurnError),
    /// The command line is none.
    #[error("{0}")]
    CommandLine(String),
}

fn suggestion(nearest: Option<&str>) -> String {
    match nearest {
        Some(name) => format!(": did you mean {name}?"),
        None => ": `securecall check-config` lists all of them".to_owned(),
    }
}
