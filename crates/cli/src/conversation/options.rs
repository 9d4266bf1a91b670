//! The flags that `call` and `listen` share.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use securecall_client::IceServer as GivenIceServer;
use securecall_peer::{Config, IceServer, Policy, Receive};

use crate::failure::Failure;
use crate::identity_file::IdentityPath;

/// Where, as whom, and how.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The server
    #[arg(long, value_name = "URL", env = "SECURECALL_SERVER", value_parser = server)]
    #[arg(default_value = "ws://127.0.0.1:8080/signal")]
    pub(crate) server: String,
    #[command(flatten)]
    pub(crate) identity: IdentityPath,
    /// File of the keys that were seen before [default: known_keys beside the identity]
    #[arg(long, value_name = "FILE")]
    pub(crate) known_keys: Option<PathBuf>,
    /// The other person's fingerprint, compared on a way that you trust: this key is taken and
    /// remembered, any other refused
    #[arg(long, value_name = "DIGITS", value_parser = fingerprint)]
    pub(crate) fingerprint: Option<String>,
    /// Use TURN servers alone, so that the other end does not learn your address
    #[arg(long)]
    pub(crate) relay_only: bool,
    /// How long the server and then the other end may take to be reached
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    pub(crate) connect_timeout: Duration,

    /// Take /send and /quit also from input that is no terminal
    #[arg(long)]
    pub(crate) commands: bool,
    /// Say this once connected; also several times
    #[arg(long, value_name = "TEXT")]
    pub(crate) message: Vec<String>,
    /// Send this file once connected; also several times
    #[arg(long, value_name = "FILE")]
    pub(crate) send: Vec<PathBuf>,
    /// Folder for files that come; none of it is overwritten
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    pub(crate) receive_into: PathBuf,
    /// Largest file that is taken, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 30)]
    pub(crate) file_bytes_max: u64,
    /// Most that is taken of all files of one conversation together, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 4 << 30)]
    pub(crate) files_bytes_max: u64,
    /// Take no files
    #[arg(long, conflicts_with = "receive_into")]
    pub(crate) no_files: bool,
    /// Hang up so long after the call was connected, and not before
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) exit_after: Option<Duration>,
}

impl Options {
    /// Whether files can be received where they are to go.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if self.no_files || self.receive_into.is_dir() {
            return Ok(());
        }
        Err(Failure::NoFolder(self.receive_into.clone()))
    }

    /// How the connection to the other end is made.
    pub(crate) fn peer_config(&self, ice_servers: &[GivenIceServer]) -> Config {
        let receive = Receive {
            folder: self.receive_into.clone(),
            file_bytes_max: self.file_bytes_max,
            total_bytes_max: self.files_bytes_max,
        };
        Config {
            ice_servers: ice_servers.iter().map(convert).collect(),
            policy: if self.relay_only { Policy::Relay } else { Policy::All },
            receive: (!self.no_files).then_some(receive),
            connect_timeout: self.connect_timeout,
            ..Config::default()
        }
    }
}

/// A relay as the server gives it, in the words of the peer.
pub(crate) fn convert(server: &GivenIceServer) -> IceServer {
    IceServer {
        urls: server.urls.clone(),
        username: server.username.clone().unwrap_or_default(),
        credential: server.credential.clone().unwrap_or_default(),
    }
}

/// The address of a server.
pub(crate) fn server(text: &str) -> Result<String, String> {
    if text.starts_with("ws://") || text.starts_with("wss://") {
        return Ok(text.to_owned());
    }
    Err("a server's address is ws://host[:port]/signal or wss://host[:port]/signal".to_owned())
}

/// A duration that a clock can have.
fn duration(text: &str) -> Result<Duration, String> {
    const MAX: Duration = Duration::from_secs(365 * 24 * 3600);
    let duration = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if duration > MAX { Err("at most a year".to_owned()) } else { Ok(duration) }
}

/// Forty digits, with any blanks, in groups of five.
fn fingerprint(text: &str) -> Result<String, String> {
    const DIGITS: usize = 40;
    let digits: String = text.chars().filter(|character| !character.is_whitespace()).collect();
    if digits.len() != DIGITS || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err("a fingerprint has 40 digits: securecall keys show prints it".to_owned());
    }
    let groups: Vec<&str> = (0..DIGITS / 5).filter_map(|n| digits.get(5 * n..5 * n + 5)).collect();
    Ok(groups.join(" "))
}
