//! Why a call did not come about, or ended.

/// Why a call was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RejectReason {
    /// Somebody said no.
    Declined,
    /// The callee is in another call, or in as many as it may be.
    Busy,
}

impl RejectReason {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Declined, Self::Busy];

    /// The reason as it stands on the wire of dialect 2.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Declined => "declined",
            Self::Busy => "busy",
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
