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

use crate::absent::Absent;
use crate::commands::directory::ExportFileError;
use crate::files::identity_file::IdentityError;
use crate::terminal::harmless::harmless;

/// A failure of a command.
#[derive(Debug)]
#[cfg_attr(
    not(feature = "terminal"),
    expect(dead_code, reason = "commands that are absent do not fail")
)]
pub(crate) enum Failure {
    /// The command line or the configuration is invalid, so a retry fails too.
    Settings(SettingsError),
    /// The command line is invalid.
    Usage(String),
    /// This build leaves the command out.
    Absent(Absent),
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
    LeftAlone,
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
    Talk(String),
    /// A conversation ended, and these files were not transferred.
    Files(String),
    /// A conversation ended before everything was sent.
    Unsaid,
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
    NobodyToAsk,
    /// A server is not healthy, or does not answer.
    NotHealthy(String),
    /// A probe ran with this number of failed steps.
    Unwell(usize),
    /// A command of the operator failed.
    Operator(OperatorError),
    /// The file of an export cannot be created.
    Export(ExportFileError),
    /// A file cannot be imported.
    Import { file: String, error: ImportError },
    /// This number of ids had no key to reset.
    NothingToReset(usize),
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
            | Self::Absent(_)
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
            | Self::NobodyToAsk => ExitCode::from(2),
            #[cfg(feature = "load")]
            Self::Load(LoadError::Plan(_) | LoadError::Target(_)) => ExitCode::from(2),
            #[cfg(feature = "load")]
            Self::Load(_) | Self::UnderLoad(_) | Self::Report(_) => ExitCode::from(1),
            Self::Serve(_)
            | Self::Pages { .. }
            | Self::Server(_)
            | Self::NoKey(_)
            | Self::Talk(_)
            | Self::Files(_)
            | Self::LeftAlone
            | Self::Unsaid
            | Self::Input(_)
            | Self::NotHealthy(_)
            | Self::Unwell(_)
            | Self::Operator(_)
            | Self::NothingToReset(_)
            | Self::KeysMissing(_)
            | Self::Output(_) => ExitCode::from(1),
            // A code of its own, so that a script can tell it from a network failure.
            Self::OtherKey(_) | Self::Interference | Self::KeysChanged(_) => ExitCode::from(3),
            // The exit code of a program that SIGINT ended.
            #[cfg(feature = "load")]
            Self::Interrupted => ExitCode::from(130),
            Self::Stopped(_) | Self::HungUp(_) => ExitCode::from(130),
        }
    }

    /// Returns true if `listen` must stop after this failure instead of waiting for the next call.
    #[cfg(feature = "terminal")]
    pub(crate) const fn ends_all(&self) -> bool {
        matches!(self, Self::Stopped(_) | Self::HungUp(_) | Self::Output(_))
    }

    /// Returns true if the reader of standard output has closed it.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == std::io::ErrorKind::BrokenPipe)
    }

    /// Returns true if the user asked for it, so that it is not printed as an error.
    pub(crate) const fn is_wanted(&self) -> bool {
        matches!(self, Self::Stopped(_) | Self::HungUp(_) | Self::LeftAlone)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settings(error) => error.fmt(f),
            Self::Usage(text) => f.write_str(text.trim_end()),
            Self::Absent(absent) => absent.fmt(f),
            Self::Unusable(error) | Self::Serve(error) => error.fmt(f),
            #[cfg(feature = "load")]
            Self::Load(error) => error.fmt(f),
            #[cfg(feature = "load")]
            Self::UnderLoad(failures) => write!(f, "{failures} failures under load"),
            #[cfg(feature = "load")]
            Self::Interrupted => write!(f, "stopped before its time"),
            Self::Stopped(cause) => write!(f, "stopped ({cause})"),
            Self::HungUp(cause) => write!(f, "hung up ({cause})"),
            Self::LeftAlone => write!(f, "stopped: the other one goes on"),
            #[cfg(feature = "load")]
            Self::Report(error) => write!(f, "--report: {error}"),
            Self::Identity(error) => error.fmt(f),
            Self::Phrase(reason) => write!(f, "these are not the words of a backup: {reason}"),
            Self::NoTurn => write!(
                f,
                "TURN is off: set --turn-urls or --turn-preset, and SECURECALL_TURN_SECRET or \
                 --turn-secret-file"
            ),
            Self::Pages { folder, cause } => write!(f, "{}: {cause}", folder.display()),
            Self::Server(reason) => write!(f, "the server: {}", harmless(reason)),
            Self::NoKey(who) => write!(
                f,
                "the directory has no key of {who}, who must run securecall listen once: is the id \
                 right?"
            ),
            Self::OtherKey(who) => write!(f, "not talking to {who}: the key is another one"),
            Self::Interference => write!(f, "somebody interferes with the call"),
            Self::Talk(reason) => write!(f, "{}", harmless(reason)),
            Self::Files(which) => write!(f, "{}", harmless(which)),
            Self::Unsaid => write!(f, "the conversation ended before everything was said"),
            Self::NoFolder(path) => write!(
                f,
                "{} is no folder: make it, or name another with --receive-into",
                path.display()
            ),
            Self::NoFile { path, cause } => write!(f, "--send: {}: {cause}", path.display()),
            Self::MessageFile { path, cause } => {
                write!(f, "--message-file: {}: {cause}", path.display())
            }
            Self::TwoFingerprints(who) => {
                write!(f, "two fingerprints are given for {who}, who has one")
            }
            Self::Input(error) => write!(f, "standard input: {error}"),
            Self::NotHealthy(reason) => write!(f, "{}", harmless(reason)),
            Self::Unwell(1) => write!(f, "a step failed"),
            Self::Unwell(steps) => write!(f, "{steps} steps failed"),
            Self::NobodyToAsk => write!(
                f,
                "nobody can be asked who may call, as standard input is no terminal: name them with \
                 --accept-from ID=FINGERPRINT, or take all who are known with --accept-known"
            ),
            Self::Operator(error) => error.fmt(f),
            Self::Export(error) => error.fmt(f),
            Self::Import { file, error } => {
                write!(f, "{file}: {error}. Nothing was imported")
            }
            Self::NothingToReset(1) => {
                write!(f, "an id had no key: is it spelled right? Upper and lower case differ")
            }
            Self::NothingToReset(ids) => {
                write!(
                    f,
                    "{ids} ids had no key: are they spelled right? Upper and lower case differ"
                )
            }
            Self::KnownKeys(reason) => write!(f, "the keys that were seen before: {reason}"),
            Self::KeysMissing(1) => write!(f, "a client has no key: is the id right?"),
            Self::KeysMissing(ids) => write!(f, "{ids} clients have no key: are the ids right?"),
            Self::KeysChanged(1) => write!(
                f,
                "a key is another one than remembered: a new device, or somebody in between. Ask them"
            ),
            Self::KeysChanged(keys) => write!(
                f,
                "{keys} keys are others than remembered: new devices, or somebody in between. Ask them"
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
