//! Errors of the TURN settings. They contain the origin of a secret, never the secret.

use std::io;
use std::path::PathBuf;

use super::turn_secret::{FILE_BYTES_MAX, SECRET_VARIABLE};
use super::turn_servers::URLS_MAX;
use crate::settings::Origin;

/// Incomplete TURN settings, or servers or a secret that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TurnError {
    /// URLs without a secret.
    #[error(
        "turn.urls or turn.preset is set without a secret: set {SECRET_VARIABLE} or \
         turn.secret_file"
    )]
    SecretMissing,
    /// A secret without URLs.
    #[error("a TURN secret is set ({origin}) without servers: set turn.urls or turn.preset")]
    WithoutUrls {
        /// The origin of the secret.
        origin: Origin,
    },
    /// A secret that no URL needs.
    #[error(
        "a TURN secret is set ({origin}) and turn.urls has only stun: URLs, which need none: add a \
         turn: URL"
    )]
    WithoutRelay {
        /// The origin of the secret.
        origin: Origin,
    },
    /// Two URLs for the same server.
    #[error(
        "turn.urls and turn.preset name a server twice over the same transport, and browsers \
         would wait for a second relay that never comes: remove one of the URLs"
    )]
    ServerTwice,
    /// More servers than clients should use.
    #[error(
        "turn.urls and turn.preset have more than {URLS_MAX} URLs together, and clients contact \
         all of them before each call: remove some"
    )]
    TooManyUrls,
    /// A secret in both the environment and a file.
    #[error("turn.secret_file and {SECRET_VARIABLE} are both set: remove one of them")]
    SecretTwice,
    /// An empty secret.
    #[error("the TURN secret is empty ({origin}): set it, or remove the setting")]
    Empty {
        /// The origin of the secret.
        origin: Origin,
    },
    /// White space around the secret.
    #[error("the TURN secret begins or ends with white space ({origin}): remove it")]
    Blank {
        /// The origin of the secret.
        origin: Origin,
    },
    /// A secret that is not UTF-8.
    #[error("the TURN secret is not UTF-8 text ({origin}): choose one that is")]
    NotText {
        /// The origin of the secret.
        origin: Origin,
    },
    /// A file with more than one line, or too large.
    #[error(
        "turn.secret_file must have one line of at most {FILE_BYTES_MAX} bytes ({origin}): during \
         a change of the secret the TURN servers accept both, and this server uses one"
    )]
    Lines {
        /// The origin of the secret.
        origin: Origin,
    },
    /// The file cannot be read.
    #[error("turn.secret_file {} cannot be read: {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        cause: io::Error,
    },
}
