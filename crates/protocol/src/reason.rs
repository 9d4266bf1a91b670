//! Why a call did not come about, or ended.

/// Why a call was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RejectReason {
    /// The callee declined.
    Declined,
    /// The callee is in another call, or in as many as it may be.
    Busy,
    /// The callee takes no offer that is dated so far off its own clock. One of the two clocks is
    /// wrong.
    Clock {
        /// By how many seconds the caller's clock is ahead of the callee's; below zero: behind.
        ahead_seconds: i32,
    },
}

impl RejectReason {
    /// The reason of this name, with what goes with it. A name that is not known is a no, and so
    /// is a wrong clock without a number: clients of dialect 1 may have words of their own.
    pub(crate) fn from_wire(name: Option<&str>, ahead_seconds: Option<i32>) -> Self {
        match (name, ahead_seconds) {
            (Some("busy"), _) => Self::Busy,
            (Some("clock"), Some(ahead_seconds)) => Self::Clock { ahead_seconds },
            _ => Self::Declined,
        }
    }

    /// The number that belongs to the reason. `None` for all others.
    pub const fn clock_ahead_seconds(self) -> Option<i32> {
        match self {
            Self::Clock { ahead_seconds } => Some(ahead_seconds),
            Self::Declined | Self::Busy => None,
        }
    }

    /// All of them.
    pub const ALL: [Self; 3] = [Self::Declined, Self::Busy, Self::Clock { ahead_seconds: 0 }];

    /// The reason as it stands on the wire of dialect 2.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Declined => "declined",
            Self::Busy => "busy",
            Self::Clock { .. } => "clock",
        }
    }
}

/// Why a call is over.
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
    /// Both ends called each other at once; the other of the two calls goes on.
    Glare,
    /// Another client has taken an end's id, and has not shown that it knows the call.
    Superseded,
}

impl EndReason {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Hangup,
        Self::Cancelled,
        Self::Timeout,
        Self::Unreachable,
        Self::Glare,
        Self::Superseded,
    ];

    /// The reason as it stands on the wire of dialect 2.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hangup => "hangup",
            Self::Cancelled => "cancelled",
            Self::Timeout => "timeout",
            Self::Unreachable => "unreachable",
            Self::Glare => "glare",
            Self::Superseded => "superseded",
        }
    }
}
