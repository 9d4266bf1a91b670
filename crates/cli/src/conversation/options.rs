//! The flags that `call` and `listen` share.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use securecall_client::IceServer as GivenIceServer;
use securecall_peer::{Config, IceServer, Policy, Receive};

use super::fingerprint::ExpectedKey;
use crate::duration::duration;
use crate::failure::Failure;
use crate::files::identity_file::IdentityPath;

/// The flags of a conversation: the server, the identity, and the transfer of files.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The server
    #[arg(long, value_name = "URL", env = "SECURECALL_SERVER", value_parser = server)]
    #[arg(default_value = "ws://127.0.0.1:8080/signal")]
    pub(crate) server: String,
    #[command(flatten)]
    pub(crate) identity: IdentityPath,
    /// File with the known keys [default: known_keys beside the identity]
    #[arg(long, value_name = "FILE")]
    pub(crate) known_keys: Option<PathBuf>,
    /// The expected fingerprint of a client, compared over a trusted channel. That key is accepted
    /// and remembered, and any other is refused; may be repeated
    #[arg(long, value_name = "ID=DIGITS")]
    pub(crate) fingerprint: Vec<ExpectedKey>,
    /// Use TURN servers only, so that the other end does not learn your address
    #[arg(long)]
    pub(crate) relay_only: bool,
    /// Time limit before the call rings: for the server, the callee's key, and TURN credentials.
    /// Once the call is answered, also the time limit for the connection to the other end
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    pub(crate) connect_timeout: Duration,
    /// Time limit for the ringing
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration)]
    pub(crate) ring_timeout: Duration,

    /// Accept /send and /quit also when standard input is not a terminal
    #[arg(long)]
    pub(crate) commands: bool,
    /// Send the lines of this file once connected. There is no flag for the text itself, because
    /// other users of the machine can read command lines
    #[arg(long, value_name = "FILE")]
    pub(crate) message_file: Option<PathBuf>,
    /// Send this file once connected; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) send: Vec<PathBuf>,
    /// Accept files, and store them in this folder; existing files are never overwritten
    #[arg(long, value_name = "FOLDER")]
    pub(crate) receive_into: Option<PathBuf>,
    /// Largest file that is accepted, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 30)]
    pub(crate) file_bytes_max: u64,
    /// Total size of all files that are accepted until this command ends, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 4 << 30)]
    pub(crate) files_bytes_max: u64,
    /// Number of files that are accepted until this command ends
    #[arg(long, value_name = "COUNT", default_value_t = 1000)]
    pub(crate) files_max: u64,
    /// Space to leave free on the disk, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 64 << 20)]
    pub(crate) disk_reserve: u64,
    /// Hang up this long after the call was connected, and not before
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) exit_after: Option<Duration>,
}

/// The text and the files to send as soon as a conversation is connected.
#[derive(Debug, Clone, Default)]
pub(crate) struct Opening {
    pub(crate) lines: Vec<String>,
    pub(crate) files: Vec<PathBuf>,
}

/// The bound of a message file, which is read into memory. Longer texts are sent as files.
const MESSAGE_FILE_BYTES_MAX: u64 = 1 << 20;

impl Options {
    /// Checks that the folder for received files exists, and that the files to send can be read.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if let Some(folder) = self.receive_into.as_ref().filter(|folder| !folder.is_dir()) {
            return Err(Failure::NoFolder(folder.clone()));
        }
        self.send.iter().try_for_each(|path| {
            check_file(path).map_err(|cause| Failure::NoFile { path: path.clone(), cause })
        })
    }

    /// Reads the text to send first.
    pub(crate) fn opening(&self) -> Result<Opening, Failure> {
        let lines = self.message_file.as_deref().map_or(Ok(Vec::new()), lines_of)?;
        Ok(Opening { lines, files: self.send.clone() })
    }

    /// Returns the limits for received files, for the whole command. `None` if no files are
    /// accepted.
    pub(crate) fn receive(&self) -> Option<Receive> {
        Some(Receive {
            file_bytes_max: self.file_bytes_max,
            total_bytes_max: self.files_bytes_max,
            files_max: self.files_max,
            free_bytes_min: self.disk_reserve,
            ..Receive::into_folder(self.receive_into.clone()?)
        })
    }

    /// Returns the configuration of the peer connection.
    pub(crate) fn peer_config(
        &self,
        ice_servers: &[GivenIceServer],
        receive: Option<Receive>,
    ) -> Config {
        Config {
            ice_servers: ice_servers.iter().map(convert).collect(),
            policy: if self.relay_only { Policy::Relay } else { Policy::All },
            receive,
            connect_timeout: self.connect_timeout,
            ..Config::default()
        }
    }
}

/// Checks that a file can be read, before it is queued.
pub(super) fn check_file(path: &Path) -> io::Result<()> {
    // Opening a pipe would block until it has a writer.
    if !path.metadata()?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    File::open(path).map(drop)
}

/// Reads the lines of a file. Bytes that are not UTF-8 become U+FFFD, as on standard input.
fn lines_of(path: &Path) -> Result<Vec<String>, Failure> {
    let failed = |cause| Failure::MessageFile { path: path.to_owned(), cause };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(MESSAGE_FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MESSAGE_FILE_BYTES_MAX {
        return Err(failed(std::io::Error::other("over 1 MiB: send it as a file, with --send")));
    }
    let text = String::from_utf8_lossy(&bytes);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    Ok(text.lines().map(str::to_owned).collect())
}

/// Converts an ICE server from the client's type to the peer's.
pub(crate) fn convert(server: &GivenIceServer) -> IceServer {
    IceServer {
        urls: server.urls.clone(),
        username: server.username.clone().unwrap_or_default(),
        credential: server.credential.clone().unwrap_or_default(),
    }
}

/// Checks the URL of a server.
pub(crate) fn server(text: &str) -> Result<String, String> {
    if text.starts_with("ws://") || text.starts_with("wss://") {
        return Ok(text.to_owned());
    }
    Err("not a ws:// or wss:// URL, such as wss://example.org/signal".to_owned())
}
