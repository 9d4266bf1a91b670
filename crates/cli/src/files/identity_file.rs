//! The path of the identity file, and hints for when it cannot be used.

use std::fmt;
use std::path::{Path, PathBuf};

use clap::Args;
use securecall_client::IdentityFileError;
pub(crate) use securecall_client::StoredIdentity;

/// The flag that names the identity file.
#[derive(Debug, Clone, Args)]
pub(crate) struct IdentityPath {
    /// The identity file [default: securecall/identity.json in the configuration folder]
    #[arg(long, value_name = "FILE", env = "SECURECALL_IDENTITY")]
    identity: Option<PathBuf>,
}

impl IdentityPath {
    /// Returns the flag for use in a suggested command, with a leading space; empty if the default
    /// is used.
    pub(crate) fn as_flag(&self) -> String {
        let given = self.identity.as_deref().map(|path| path.display().to_string());
        given.map_or_else(String::new, |path| match path.contains(char::is_whitespace) {
            true => format!(" --identity '{path}'"),
            false => format!(" --identity {path}"),
        })
    }

    /// Returns the path, as given or by default.
    pub(crate) fn resolve(&self) -> Result<PathBuf, IdentityError> {
        let by_default = || Some(configuration_folder()?.join("securecall/identity.json"));
        self.identity.clone().or_else(by_default).ok_or(IdentityError::NoHome)
    }

    /// Returns the path of the known keys: `given`, or the file beside the identity, which need not
    /// exist.
    pub(crate) fn known_keys(&self, given: Option<&Path>) -> Result<PathBuf, IdentityError> {
        let beside = || self.resolve().map(|path| path.with_file_name("known_keys"));
        given.map_or_else(beside, |given| Ok(given.to_owned()))
    }
}

/// Returns the configuration folder (XDG base directories), or `None` if the environment names
/// neither it nor a home.
pub(crate) fn configuration_folder() -> Option<PathBuf> {
    let named = |variable| std::env::var_os(variable).map(PathBuf::from);
    let given = named("XDG_CONFIG_HOME").filter(|folder| folder.is_absolute());
    given.or_else(|| named("HOME").map(|home| home.join(".config")))
}

/// An error of the identity file. Each message says what to do next.
#[derive(Debug)]
pub(crate) enum IdentityError {
    NoHome,
    File(IdentityFileError),
}

impl From<IdentityFileError> for IdentityError {
    fn from(error: IdentityFileError) -> Self {
        Self::File(error)
    }
}

impl fmt::Display for IdentityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::File(error) = self else {
            return f.write_str("neither XDG_CONFIG_HOME nor HOME is set: name --identity");
        };
        let hint = match error {
            IdentityFileError::Missing { .. } => ": create one with securecall keys new CLIENT_ID",
            IdentityFileError::Exists { .. } => ": name another --identity, or move it away",
            IdentityFileError::NotOurs { .. } => ": create an identity of your own",
            IdentityFileError::Exposed { .. } => {
                ", and if somebody may have read it, create a new identity"
            }
            IdentityFileError::Malformed { .. } => {
                ": restore it with securecall keys restore, or name another"
            }
            _ => "",
        };
        write!(f, "{error}{hint}")
    }
}
