//! Why a command fails, and its exit code.

use std::fmt;
use std::process::ExitCode;

use securecall_server::ServeError;
use securecall_server::settings::SettingsError;

/// Why a command fails.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line or the configuration is wrong: the same again fails the same.
    Settings(SettingsError),
    /// The configuration is right and names what cannot be used, such as the data folder.
    Unusable(ServeError),
    /// The server failed.
    Serve(ServeError),
    /// What was written for standard output did not get there.
    Output(std::io::Error),
}

impl Failure {
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Settings(_) | Self::Unusable(_) => ExitCode::from(2),
            Self::Serve(_) | Self::Output(_) => ExitCode::from(1),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settings(error) => error.fmt(f),
            Self::Unusable(error) | Self::Serve(error) => error.fmt(f),
            Self::Output(error) => write!(f, "standard output: {error}"),
        }
    }
}

impl<E: Into<SettingsError>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Settings(error.into())
    }
}
