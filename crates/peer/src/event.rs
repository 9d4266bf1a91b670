//! Events from a peer to the application.

use std::path::PathBuf;

use tokio::sync::mpsc;

use crate::{FileError, Paths, RelayFailure, Violation};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A candidate of this end, the JSON of an `RTCIceCandidateInit`: send it to the other.
    Candidate(String),
    /// There are no more candidates.
    GatheringFinished,
    /// The channel is open.
    Connected,
    /// A chat line of the other end.
    Text(String),
    /// A file is on its way. Some of these may be left out.
    FileProgress(FileProgress),
    /// A file is here, whole and with the right hash.
    FileReceived {
        /// The path of the file.
        path: PathBuf,
    },
    /// The other end has a file of ours, whole and with the right hash.
    FileSent {
        /// The file's name, without its folder.
        name: String,
        /// The harmless name under which the other end stored it. `None`: its own name.
        received_as: Option<String>,
    },
    /// A file did not get through.
    FileFailed {
        /// The direction of the file.
        direction: Direction,
        /// The file's name; empty if its name cannot be shown.
        name: String,
        /// Why.
        error: FileError,
    },
    /// The last event.
    Closed(Closed),
}

/// The progress of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileProgress {
    /// The direction of the file.
    pub direction: Direction,
    /// Its name.
    pub name: String,
    /// Bytes that are written here, or handed to the channel.
    pub bytes: u64,
    /// Bytes of the file.
    pub bytes_total: u64,
}

/// The direction of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The other end.
    Incoming,
    /// This end.
    Outgoing,
}

/// Why a connection is over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Closed {
    /// [`Peer::close`](crate::Peer::close), or the handle was dropped. The other end has everything
    /// that was written here.
    #[error("closed")]
    Local,
    /// The other end closed it. It has everything that was written here.
    #[error("closed by the other end")]
    Remote,
    /// Either end closed it, and the other one does not have, or did not acknowledge in time,
    /// everything that was written here.
    #[error("closed before everything was with the other end")]
    Unsent,
    /// No path to the other end was found in time.
    #[error("no path to the other end was found; {0}")]
    Unreachable(Paths),
    /// There was a path, and no channel over it in time: the other end fell silent, or its WebRTC
    /// and ours have no encryption in common.
    #[error("a path to the other end was found, but it opened no channel over it in time")]
    NotOpened,
    /// The policy allows relays alone, and there is no relay.
    #[error("no relay: {0}")]
    NoRelay(RelayFailure),
    /// The other end fell silent.
    #[error("the connection to the other end was lost")]
    Lost,
    /// The other end broke the protocol of the channel.
    #[error("the other end broke the protocol: {0}")]
    Violation(#[from] Violation),
    /// WebRTC itself failed.
    #[error("WebRTC failed: {0}")]
    Failed(String),
}

/// The events of a peer, in order. **Read them**: a peer whose events are not read takes no
/// messages from the network. Dropping this closes the connection.
#[derive(Debug)]
pub struct Events {
    /// Events of the connection itself. They come before lines and files, which follow from them.
    connection: mpsc::Receiver<Event>,
    /// Lines, files, and the end.
    content: mpsc::Receiver<Event>,
    closed: bool,
}

impl Events {
    pub(crate) const fn new(
        connection: mpsc::Receiver<Event>,
        content: mpsc::Receiver<Event>,
    ) -> Self {
        Self { connection, content, closed: false }
    }

    /// The next event. `None` after [`Event::Closed`]. Cancelling it loses nothing.
    pub async fn next(&mut self) -> Option<Event> {
        if self.closed {
            return None;
        }
        let event = tokio::select! {
            biased;
            Some(event) = self.connection.recv() => Some(event),
            event = self.content.recv() => event,
        };
        self.closed = matches!(event, None | Some(Event::Closed(_)));
        event
    }
}
