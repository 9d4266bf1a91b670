//! The plan of a run: target, workload, pace, times.

use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize, Serializer};

use crate::dialect::DialectName;
use crate::stamp::STAMP_BYTES;

/// The most connections of a run: what the source ports of 36 addresses allow.
pub(crate) const CONNECTIONS_MAX: usize = 1_000_000;
/// The most messages under way in one pair.
pub(crate) const IN_FLIGHT_MAX: usize = 1_000;
/// The highest rate, in messages or calls a second.
pub(crate) const RATE_MAX: f64 = 10e6;
/// The longest run.
pub(crate) const DURATION_MAX: Duration = Duration::from_secs(24 * 3600);
/// The most event loops.
pub(crate) const THREADS_MAX: usize = 64;
/// The longest text of ours in a message. With the call id and the rest it stays below 64 KiB.
pub(crate) const BYTES_MAX: usize = 65_000;

/// One run.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// The server's WebSocket URL.
    pub url: String,
    /// Allows a public address: the operator says that the server is their own.
    pub own_server: bool,
    /// The protocol of the server.
    pub dialect: DialectName,
    /// The traffic of the clients.
    pub workload: Workload,
    /// The length of the measurement.
    #[serde(serialize_with = "as_seconds")]
    pub duration: Duration,
    /// The length of the run before the measurement.
    #[serde(serialize_with = "as_seconds")]
    pub warmup: Duration,
    /// The time that clients have to connect, register and set up their calls.
    #[serde(serialize_with = "as_seconds")]
    pub set_up_timeout: Duration,
    /// Event loops, each with its share of the clients.
    pub threads: usize,
    /// A process of the server, whose processor time and memory are read.
    pub server_pid: Option<u32>,
    /// Local addresses to connect from, in turn. Empty: the system's choice, except for a server on
    /// 127.0.0.0/8, where enough addresses of that net are used to stay below the server's limit
    /// for one address.
    pub sources: Vec<IpAddr>,
}

/// The traffic of the clients.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Workload {
    /// Connect, register, and do nothing.
    Idle {
        /// The number of clients.
        connections: usize,
    },
    /// Candidates both ways in calls that were set up before.
    Relay {
        /// The number of pairs of clients.
        pairs: usize,
        /// The pace of the messages of all pairs.
        pace: Pace,
        /// The length of a candidate.
        bytes: usize,
    },
    /// Whole calls: initiate, accept, candidates both ways, end.
    Calls {
        /// The number of pairs of clients.
        pairs: usize,
        /// The pace of the calls of all pairs.
        pace: Pace,
        /// Candidates of each end.
        candidates: usize,
        /// The length of offer and answer.
        bytes: usize,
    },
    /// Offers that are rejected: what large ones cost.
    Offers {
        /// The number of pairs of clients.
        pairs: usize,
        /// The pace of the offers of all pairs.
        pace: Pace,
        /// The length of an offer.
        bytes: usize,
    },
    /// All clients lose their connection at once, and come back at once.
    Storm {
        /// The number of clients.
        connections: usize,
    },
}

/// The pace of messages or calls.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pace {
    /// Closed loop: this many are always in flight in each pair; the server sets the speed.
    InFlight(usize),
    /// Open loop: this many in each second, even if the server falls behind.
    PerSecond(f64),
}

/// Which number of a plan is out of bounds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} must be {bounds}")]
pub struct InvalidPlan {
    what: &'static str,
    bounds: String,
}

impl Plan {
    /// Checks that every number is within its bounds.
    ///
    /// # Errors
    /// The first that is not.
    pub fn check(&self) -> Result<(), InvalidPlan> {
        within(
            "--duration in seconds",
            self.duration.as_secs_f64(),
            0.1,
            DURATION_MAX.as_secs_f64(),
        )?;
        within("--warmup in seconds", self.warmup.as_secs_f64(), 0.0, DURATION_MAX.as_secs_f64())?;
        within("--threads", self.threads, 1, THREADS_MAX)?;
        self.workload.check()
    }
}

impl Workload {
    /// Its name on the command line and in reports.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Idle { .. } => "idle",
            Self::Relay { .. } => "relay",
            Self::Calls { .. } => "calls",
            Self::Offers { .. } => "offers",
            Self::Storm { .. } => "storm",
        }
    }

    /// The number of clients that connect.
    pub(crate) const fn clients(&self) -> usize {
        match *self {
            Self::Idle { connections } | Self::Storm { connections } => connections,
            Self::Relay { pairs, .. } | Self::Calls { pairs, .. } | Self::Offers { pairs, .. } => {
                2 * pairs
            }
        }
    }

    fn check(&self) -> Result<(), InvalidPlan> {
        match *self {
            Self::Idle { connections } | Self::Storm { connections } => {
                within("--connections", connections, 1, CONNECTIONS_MAX)
            }
            Self::Relay { pairs, pace, bytes } | Self::Offers { pairs, pace, bytes } => {
                within("--bytes", bytes, STAMP_BYTES, BYTES_MAX)?;
                check_pairs(pairs, pace)
            }
            Self::Calls { pairs, pace, candidates, bytes } => {
                within("--bytes", bytes, STAMP_BYTES, BYTES_MAX)?;
                within("--candidates", candidates, 0, 1000)?;
                check_pairs(pairs, pace)
            }
        }
    }
}

fn check_pairs(pairs: usize, pace: Pace) -> Result<(), InvalidPlan> {
    within("--pairs", pairs, 1, CONNECTIONS_MAX / 2)?;
    match pace {
        Pace::InFlight(count) => within("--in-flight", count, 1, IN_FLIGHT_MAX),
        Pace::PerSecond(rate) => within("--rate", rate, 0.001, RATE_MAX),
    }
}

fn as_seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

fn within<N: PartialOrd + std::fmt::Display>(
    what: &'static str,
    value: N,
    least: N,
    most: N,
) -> Result<(), InvalidPlan> {
    // A NaN is not within.
    if least <= value && value <= most {
        return Ok(());
    }
    Err(InvalidPlan { what, bounds: format!("{least} to {most}") })
}
