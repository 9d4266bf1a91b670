//! What a run is to do.

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
    /// Whether a public address is allowed, because the server is the operator's own.
    pub own_server: bool,
    /// What the server speaks.
    pub dialect: DialectName,
    /// What the clients do.
    pub workload: Workload,
    /// How long it is measured.
    #[serde(serialize_with = "as_seconds")]
    pub duration: Duration,
    /// How long it runs before it is measured.
    #[serde(serialize_with = "as_seconds")]
    pub warmup: Duration,
    /// How long clients may take to connect, register and set up their calls.
    #[serde(serialize_with = "as_seconds")]
    pub set_up_timeout: Duration,
    /// Event loops, each with its share of the clients.
    pub threads: usize,
    /// A process of the server, whose processor time and memory are read.
    pub server_pid: Option<u32>,
    /// Local addresses to connect from, in turn. Empty: for a server on 127.0.0.0/8 as many of
    /// that net as keep each below the server's limit for one address; else the system's choice.
    pub sources: Vec<IpAddr>,
}

/// What the clients do.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Workload {
    /// Connect, register, and do nothing.
    Idle {
        /// How many clients.
        connections: usize,
    },
    /// Candidates both ways in calls that were set up before.
    Relay {
        /// How many pairs of clients.
        pairs: usize,
        /// How fast.
        pace: Pace,
        /// The length of a candidate.
        bytes: usize,
    },
    /// Whole calls: initiate, accept, candidates both ways, end.
    Calls {
        /// How many pairs of clients.
        pairs: usize,
        /// How fast.
        pace: Pace,
        /// Candidates of each end.
        candidates: usize,
        /// The length of offer and answer.
        bytes: usize,
    },
    /// Offers that are rejected: what large ones cost.
    Offers {
        /// How many pairs of clients.
        pairs: usize,
        /// How fast.
        pace: Pace,
        /// The length of an offer.
        bytes: usize,
    },
    /// All clients lose their connection at once, and come back at once.
    Storm {
        /// How many clients.
        connections: usize,
    },
}

/// How fast messages, or calls, follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pace {
    /// Closed loop: so many are always under way in each pair; the server sets the speed.
    InFlight(usize),
    /// Open loop: so many in each second, whether the server keeps up or not.
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

    /// How many clients connect.
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
