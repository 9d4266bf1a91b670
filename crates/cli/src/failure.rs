//! Why a command fails, and its exit code.

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

/// Why a command fails.
#[derive(Debug)]
#[cfg_attr(
    not(feature = "terminal"),
    expect(dead_code, reason = "commands that are absent do not fail")
)]
pub(crate) enum Failure {
    /// The command line or the configuration is wrong: the same again fails the same.
    Settings(SettingsError),
    /// The command line is wrong.
    Usage(String),
    /// This build does not have the command.
    Absent(Absent),
    /// The configuration is right and names what cannot be used, such as the data folder.
    Unusable(ServeError),
    /// The server failed.
    Serve(ServeError),
    /// A load test could not be run.
    #[cfg(feature = "load")]
    Load(LoadError),
    /// A load test ran, and so many things went wrong.
    #[cfg(feature = "load")]
    UnderLoad(u64),
    /// A load test was stopped before its time, which is in its report.
    #[cfg(feature = "load")]
    Interrupted,
    /// A person stopped a command that was in no call, by Ctrl-C or a signal.
    Stopped(&'static str),
    /// A person hung up, by Ctrl-C or a signal.
    HungUp(&'static str),
    /// A person let another program go on with the identity.
    LeftAlone,
    /// The report cannot be written where it was asked for.
    #[cfg(feature = "load")]
    Report(std::io::Error),
    /// There is no identity to work with.
    Identity(IdentityError),
    /// The words of a backup are wrong.
    Phrase(String),
    /// A credential was asked for, and TURN is off.
    NoTurn,
    /// Manual pages cannot be written where they were asked for.
    Pages { folder: PathBuf, cause: std::io::Error },
    /// The server cannot be reached, or does not take this client.
    Server(String),
    /// There is no key of this client: nothing can be sealed for it.
    NoKey(String),
    /// The key of this client is not the one expected.
    OtherKey(String),
    /// An answer was not the callee's.
    Interference,
    /// A conversation did not come about, or broke off.
    Talk(String),
    /// A conversation is over, and these files did not get through.
    Files(String),
    /// A conversation is over before everything was said.
    Unsaid,
    /// The message that is to be said cannot be read.
    MessageFile { path: PathBuf, cause: std::io::Error },
    /// Two fingerprints were given for this client.
    TwoFingerprints(String),
    /// A file that is to be sent cannot be.
    NoFile { path: PathBuf, cause: std::io::Error },
    /// Where files are to go there is no folder.
    NoFolder(PathBuf),
    /// Standard input cannot be read.
    Input(std::io::Error),
    /// Calls would have to be asked about, and there is no terminal.
    NobodyToAsk,
    /// A server is not well, or does not answer.
    NotHealthy(String),
    /// A server was probed, and so many steps failed.
    Unwell(usize),
    /// An operator got nothing done.
    Operator(OperatorError),
    /// A file for an export cannot be had.
    Export(ExportFileError),
    /// A file is no import.
    Import { file: String, error: ImportError },
    /// So many ids had no key that could be reset.
    NothingToReset(usize),
    /// So many ids had no reset that waits.
    NoResetToCancel(usize),
    /// This id has no chain.
    NoChain(String),
    /// The keys that were seen before cannot be read.
    KnownKeys(String),
    /// So many ids have no key.
    KeysMissing(usize),
    /// So many keys are others than remembered.
    KeysChanged(usize),
    /// What was written for standard output did not get there.
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
            | Self::NoResetToCancel(_)
            | Self::NoChain(_)
            | Self::KeysMissing(_)
            | Self::Output(_) => ExitCode::from(1),
            // So that a script can tell it from a network that fails.
            Self::OtherKey(_) | Self::Interference | Self::KeysChanged(_) => ExitCode::from(3),
            // As of a program that SIGINT ended.
            #[cfg(feature = "load")]
            Self::Interrupted => ExitCode::from(130),
            Self::Stopped(_) | Self::HungUp(_) => ExitCode::from(130),
        }
    }

    /// Whether a command that goes on after a failed call does not go on after this.
    #[cfg(feature = "terminal")]
    pub(crate) const fn ends_all(&self) -> bool {
        matches!(self, Self::Stopped(_) | Self::HungUp(_) | Self::Output(_))
    }

    /// Returns true if whoever read standard output wants no more of it.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == std::io::ErrorKind::BrokenPipe)
    }

    /// Whether a person wanted it so.
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
            Self::NothingToReset(1) => write!(
                f,
                "an id was not reset: if it had no key, is it spelled right? Upper and lower case differ"
            ),
            Self::NothingToReset(ids) => write!(
                f,
                "{ids} ids were not reset: if they had no key, are they spelled right? Upper and \
                 lower case differ"
            ),
            Self::NoResetToCancel(1) => write!(f, "no reset waits for an id: was it carried out?"),
            Self::NoResetToCancel(ids) => {
                write!(f, "no reset waits for {ids} ids: were they carried out?")
            }
            Self::NoChain(id) => write!(
                f,
                "{id} is bound to no identity: is it spelled right? Upper and lower case differ"
            ),
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
