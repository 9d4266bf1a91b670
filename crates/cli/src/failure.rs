//! The failures of commands, and their exit codes.

use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;

#[cfg(feature = "load")]
use securecall_load::LoadError;
use securecall_server::ServeError;
use securecall_server::directory::ImportError;
use securecall_server::operator::OperatorError;
use securecall_server::settings::SettingsError;

use crate::commands::directory::ExportFileError;
use crate::files::identity_file::IdentityError;
use crate::terminal::sanitize::sanitized;
use crate::unavailable::UnavailableCommand;

/// A failure of a command.
#[derive(Debug)]
#[cfg_attr(
    not(feature = "terminal"),
    expect(dead_code, reason = "commands that are left out do not fail")
)]
pub(crate) enum Failure {
    /// The command line or the configuration is invalid, so a retry fails too.
    Settings(SettingsError),
    /// The command line is invalid.
    Usage(String),
    /// This build leaves the command out.
    UnavailableCommand(UnavailableCommand),
    /// The configuration is valid, but names something unusable, such as the data folder.
    Unusable(ServeError),
    /// The server failed.
    Serve(ServeError),
    /// A load test could not be run.
    #[cfg(feature = "load")]
    Load(LoadError),
    /// A load test ran with this number of failures.
    #[cfg(feature = "load")]
    UnderLoad(u64),
    /// A load test was interrupted; its report covers the time until then.
    #[cfg(feature = "load")]
    Interrupted,
    /// The user interrupted a command outside a call, by Ctrl-C or a signal.
    Stopped(&'static str),
    /// The user hung up by Ctrl-C or a signal.
    HungUp(&'static str),
    /// The user chose to leave the other program connected.
    TakeoverDeclined,
    /// The report cannot be written to the given file.
    #[cfg(feature = "load")]
    Report(std::io::Error),
    /// The identity cannot be used.
    Identity(IdentityError),
    /// The words of a backup are invalid.
    Phrase(String),
    /// A credential was requested, but TURN is off.
    NoTurn,
    /// Manual pages cannot be written into this folder.
    Pages { folder: PathBuf, cause: std::io::Error },
    /// The server cannot be reached, or refuses this client.
    Server(String),
    /// The directory has no key of this client, so nothing can be encrypted to it.
    NoKey(String),
    /// The key of this client is not the expected one.
    OtherKey(String),
    /// An answer was not signed by the callee.
    Interference,
    /// A conversation failed or broke off.
    Conversation(String),
    /// A conversation ended, and these files were not transferred.
    Files(String),
    /// A conversation ended before everything was sent.
    NotAllSent,
    /// The message file cannot be read.
    MessageFile { path: PathBuf, cause: std::io::Error },
    /// Two fingerprints were given for this client.
    TwoFingerprints(String),
    /// A file to send cannot be read.
    NoFile { path: PathBuf, cause: std::io::Error },
    /// The folder for received files does not exist.
    NoFolder(PathBuf),
    /// Standard input cannot be read.
    Input(std::io::Error),
    /// Incoming calls need a decision, and standard input is not a terminal.
    NoTerminal,
    /// A server is not healthy, or does not answer.
    Unhealthy(String),
    /// A probe ran with this number of failed steps.
    ProbeFailed(usize),
    /// A command of the operator failed.
    Operator(OperatorError),
    /// The file of an export cannot be created.
    Export(ExportFileError),
    /// A file cannot be imported.
    Import { file: String, error: ImportError },
    /// This number of ids had no key to reset.
    NothingToReset(usize),
    /// This number of ids had no pending reset.
    NoResetToCancel(usize),
    /// This id has no chain.
    NoChain(String),
    /// The file of known keys cannot be read.
    KnownKeys(String),
    /// This number of ids have no key.
    KeysMissing(usize),
    /// This number of keys are not the known ones.
    KeysChanged(usize),
    /// Standard output cannot be written.
    Output(std::io::Error),
}

impl Failure {
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Settings(_)
            | Self::Usage(_)
            | Self::UnavailableCommand(_)
            | Self::Unusable(_)
            | Self::Identity(_)
            | Self::Phrase(_)
            | Self::NoTurn
            | Self::Export(_)
            | Self::Import { .. }
            | Self::KnownKeys(_)
            | Self::Operator(OperatorError::DataDir(_))
            | Self::NoFolder(_)
            | Self::NoFile { .. }
            | Self::MessageFile { .. }
            | Self::TwoFingerprints(_)
            | Self::NoTerminal => ExitCode::from(2),
            #[cfg(feature = "load")]
            Self::Load(LoadError::Plan(_) | LoadError::Target(_)) => ExitCode::from(2),
            #[cfg(feature = "load")]
            Self::Load(_) | Self::UnderLoad(_) | Self::Report(_) => ExitCode::from(1),
            Self::Serve(_)
            | Self::Pages { .. }
            | Self::Server(_)
            | Self::NoKey(_)
            | Self::Conversation(_)
            | Self::Files(_)
            | Self::TakeoverDeclined
            | Self::NotAllSent
            | Self::Input(_)
            | Self::Unhealthy(_)
            | Self::ProbeFailed(_)
            | Self::Operator(_)
            | Self::NothingToReset(_)
            | Self::NoResetToCancel(_)
            | Self::NoChain(_)
            | Self::KeysMissing(_)
            | Self::Output(_) => ExitCode::from(1),
            // A code of its own, so that a script can distinguish it from a network failure.
            Self::OtherKey(_) | Self::Interference | Self::KeysChanged(_) => ExitCode::from(3),
            // The exit code of a program that SIGINT ended.
            #[cfg(feature = "load")]
            Self::Interrupted => ExitCode::from(130),
            Self::Stopped(_) | Self::HungUp(_) => ExitCode::from(130),
        }
    }

    /// Returns true if `listen` must stop after this failure instead of waiting for the next call.
    #[cfg(feature = "terminal")]
    pub(crate) const fn ends_listening(&self) -> bool {
        matches!(self, Self::Stopped(_) | Self::HungUp(_) | Self::Output(_))
    }

    /// Returns true if the reader of standard output has closed it.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == std::io::ErrorKind::BrokenPipe)
    }

    /// Returns true if the user asked for it, so that it is not printed as an error.
    pub(crate) const fn is_requested(&self) -> bool {
        matches!(self, Self::Stopped(_) | Self::HungUp(_) | Self::TakeoverDeclined)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settings(error) => error.fmt(f),
            Self::Usage(text) => f.write_str(text.trim_end()),
            Self::UnavailableCommand(unavailable) => unavailable.fmt(f),
            Self::Unusable(error) | Self::Serve(error) => error.fmt(f),
            #[cfg(feature = "load")]
            Self::Load(error) => error.fmt(f),
            #[cfg(feature = "load")]
            Self::UnderLoad(failures) => write!(f, "{failures} operations failed under load"),
            #[cfg(feature = "load")]
            Self::Interrupted => write!(f, "stopped early"),
            Self::Stopped(cause) => write!(f, "stopped ({cause})"),
            Self::HungUp(cause) => write!(f, "hung up ({cause})"),
            Self::TakeoverDeclined => write!(f, "stopped: the other program stays connected"),
            #[cfg(feature = "load")]
            Self::Report(error) => write!(f, "--report: {error}"),
            Self::Identity(error) => error.fmt(f),
            Self::Phrase(reason) => write!(f, "the words of the backup are invalid: {reason}"),
            Self::NoTurn => write!(
                f,
                "TURN is off: set --turn-urls or --turn-preset, and SECURECALL_TURN_SECRET or \
                 --turn-secret-file"
            ),
            Self::Pages { folder, cause } => write!(f, "{}: {cause}", folder.display()),
            Self::Server(reason) => write!(f, "the server: {}", sanitized(reason)),
            Self::NoKey(who) => write!(
                f,
                "the directory has no key for {who}, who must run securecall listen once: is the \
                 id right?"
            ),
            Self::OtherKey(who) => write!(f, "not calling {who}: the key is not the expected one"),
            Self::Interference => write!(f, "the call was tampered with"),
            Self::Conversation(reason) => write!(f, "{}", sanitized(reason)),
            Self::Files(which) => write!(f, "{}", sanitized(which)),
            Self::NotAllSent => write!(f, "the conversation ended before everything was sent"),
            Self::NoFolder(path) => write!(
                f,
                "{} is not a folder: create it, or name another with --receive-into",
                path.display()
            ),
            Self::NoFile { path, cause } => write!(f, "--send: {}: {cause}", path.display()),
            Self::MessageFile { path, cause } => {
                write!(f, "--message-file: {}: {cause}", path.display())
            }
            Self::TwoFingerprints(who) => {
                write!(f, "two different fingerprints are given for {who}")
            }
            Self::Input(error) => write!(f, "standard input: {error}"),
            Self::Unhealthy(reason) => write!(f, "{}", sanitized(reason)),
            Self::ProbeFailed(1) => write!(f, "a step failed"),
            Self::ProbeFailed(steps) => write!(f, "{steps} steps failed"),
            Self::NoTerminal => write!(
                f,
                "standard input is not a terminal, so you cannot be asked about calls: accept \
                 them with --accept-from ID=FINGERPRINT or --accept-known"
            ),
            Self::Operator(error) => error.fmt(f),
            Self::Export(error) => error.fmt(f),
            Self::Import { file, error } => {
                write!(f, "{file}: {error}. Nothing was imported")
            }
            Self::NothingToReset(1) => {
                write!(f, "an id was not reset: if it had no key, check the spelling, case matters")
            }
            Self::NothingToReset(ids) => write!(
                f,
                "{ids} ids were not reset: if they had no key, check the spelling, case matters"
            ),
            Self::NoResetToCancel(1) => write!(f, "an id had no pending reset"),
            Self::NoResetToCancel(ids) => write!(f, "{ids} ids had no pending reset"),
            Self::NoChain(id) => {
                write!(f, "{id} is bound to no identity: check the spelling, case matters")
            }
            Self::KnownKeys(reason) => write!(f, "the known keys: {reason}"),
            Self::KeysMissing(1) => write!(f, "a client has no key: is the id right?"),
            Self::KeysMissing(ids) => write!(f, "{ids} clients have no key: are the ids right?"),
            Self::KeysChanged(1) => {
                write!(f, "a key has changed: a new device, or somebody intercepts. Ask the owner")
            }
            Self::KeysChanged(keys) => write!(
                f,
                "{keys} keys have changed: new devices, or somebody intercepts. Ask the owners"
            ),
            Self::Output(error) => write!(f, "standard output: {error}"),
        }
    }
}

impl From<SettingsError> for Failure {
    fn from(error: SettingsError) -> Self {
        Self::Settings(error)
    }
}

impl From<clap::Error> for Failure {
    fn from(error: clap::Error) -> Self {
        Self::Settings(error.into())
    }
}

impl From<securecall_client::IdentityFileError> for Failure {
    fn from(error: securecall_client::IdentityFileError) -> Self {
        Self::Identity(error.into())
    }
}

impl From<IdentityError> for Failure {
    fn from(error: IdentityError) -> Self {
        Self::Identity(error)
    }
}
