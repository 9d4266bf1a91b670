//! Why a call ended.

/// Why a call is over, as one end tells the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndReason {
    /// An end hung up.
    Hangup,
    /// The caller gave up before the answer.
    Cancelled,
    /// Nobody answered within the ring timeout.
    Timeout,
    /// An end lost its connection and did not come back, or cannot be reached.
    Unreachable,
}

impl EndReason {
    /// The reason as it stands in metrics (and on the wire of dialect 2).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hangup => "hangup",
            Self::Cancelled => "cancelled",
            Self::Timeout => "timeout",
            Self::Unreachable => "unreachable",
        }
    }
}
