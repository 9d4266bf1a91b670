//! Failures of a run: their kinds, their counts, and advice for the operator.

use std::collections::BTreeMap;
use std::fmt;
use std::io;

use serde::{Deserialize, Serialize};

/// A kind of failure.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Failure {
    /// No connection: the operating system's reason.
    Connect(String),
    /// The server answered the request for an upgrade with this HTTP status.
    Status(u16),
    /// The server's response is not that of a WebSocket server.
    Handshake(String),
    /// An ERROR message with this code.
    Error(String),
    /// The server closed the connection, with this code if it gave one.
    Closed(Option<u16>),
    /// The connection ended without a close frame.
    Lost,
    /// The server sent what is not WebSocket.
    Protocol(String),
    /// A client was not ready when the traffic began: not registered, or its call not set up.
    NotReady,
    /// A message, or the next step of a call, did not arrive by the end of the run.
    Unanswered,
    /// A message was not sent, because the server does not read what was sent before.
    NotSent,
}

impl Failure {
    pub(crate) fn connect(error: &io::Error) -> Self {
        Self::Connect(match error.kind() {
            // The text of the operating system is more precise than the kind.
            io::ErrorKind::Other => error.to_string(),
            kind => kind.to_string(),
        })
    }

    /// Advice, if a limit did its job and the operator can raise it.
    fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Error(code) if code == "RATE_LIMITED" => Some(
                "the server's limits for one client are below this load; for a load test serve \
                 with --candidates-rate 1000000/1000000 --calls-rate 1000000/1000000",
            ),
            Self::Status(429) => Some(
                "the server's limits for one address are below this load; for a load test serve \
                 with --connections-per-address-max 1000000 --connection-burst 1000000 \
                 --connection-rate 1000000",
            ),
            Self::Status(503) => {
                Some("the server is full or draining; raise its --connections-max")
            }
            Self::Status(404) => Some("check the path of --url: it is /signal"),
            Self::Closed(Some(1013)) => Some(
                "the server closed clients that read too slowly; lower the load, or raise its \
                 --outbox-bytes-max",
            ),
            Self::Closed(Some(1009)) => {
                Some("the message is over the server's --message-bytes-max")
            }
            Self::Closed(Some(4001)) => Some("another run uses the same client ids"),
            Self::Connect(reason) if reason.contains("refused") => {
                Some("is the server running, and is this its port?")
            }
            Self::NotSent => Some("the server is overloaded; lower --rate"),
            _ => None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(reason) => write!(f, "connect: {reason}"),
            Self::Status(status) => write!(f, "HTTP {status}"),
            Self::Handshake(reason) => write!(f, "handshake: {reason}"),
            Self::Error(code) => write!(f, "ERROR {code}"),
            Self::Closed(Some(code)) => write!(f, "closed by the server: {code}"),
            Self::Closed(None) => write!(f, "closed by the server without a code"),
            Self::Lost => write!(f, "connection lost"),
            Self::Protocol(reason) => write!(f, "not WebSocket: {reason}"),
            Self::NotReady => write!(f, "not ready in time"),
            Self::Unanswered => write!(f, "unanswered"),
            Self::NotSent => write!(f, "not sent"),
        }
    }
}

/// Failures, counted by kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<(Failure, u64)>", into = "Vec<(Failure, u64)>")]
pub struct Failures(BTreeMap<Failure, u64>);

impl Failures {
    pub(crate) fn add(&mut self, failure: Failure, times: u64) {
        if times > 0 {
            *self.0.entry(failure).or_default() += times;
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (failure, times) in other.iter() {
            self.add(failure.clone(), times);
        }
    }

    /// The number of failures of all kinds.
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// Each kind with its count.
    pub fn iter(&self) -> impl Iterator<Item = (&Failure, u64)> {
        self.0.iter().map(|(failure, times)| (failure, *times))
    }

    /// Advice for the operator, one sentence for each cause.
    pub fn advice(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().filter_map(Failure::advice)
    }
}

impl From<Vec<(Failure, u64)>> for Failures {
    fn from(counts: Vec<(Failure, u64)>) -> Self {
        Self(counts.into_iter().collect())
    }
}

impl From<Failures> for Vec<(Failure, u64)> {
    fn from(failures: Failures) -> Self {
        failures.0.into_iter().collect()
    }
}
