//! The codes of the ERROR message.

/// Why a request was refused. The connection lives on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// Malformed JSON, an unknown type, missing or wrong fields.
    InvalidMessage,
    /// An operation before a successful REGISTER.
    NotRegistered,
    /// The target client is not connected.
    TargetNotFound,
    /// No such call, or not one of the client's.
    CallNotFound,
    /// Too many requests from this connection.
    RateLimited,
    /// The right message at the wrong moment: a second accept, accepting one's own call.
    InvalidState,
    /// The client has no right to what it asks for.
    Unauthorized,
    /// The directory holds another key for this id, and it may not be replaced from here.
    KeyPinned,
    /// Storage or cluster cannot answer for now; asking again later helps.
    Unavailable,
}

impl ErrorCode {
    /// All of them, documented order first.
    pub const ALL: [Self; 9] = [
        Self::InvalidMessage,
        Self::NotRegistered,
        Self::TargetNotFound,
        Self::CallNotFound,
        Self::RateLimited,
        Self::InvalidState,
        Self::Unauthorized,
        Self::KeyPinned,
        Self::Unavailable,
    ];

    /// The code as it stands on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidMessage => "INVALID_MESSAGE",
            Self::NotRegistered => "NOT_REGISTERED",
            Self::TargetNotFound => "TARGET_NOT_FOUND",
            Self::CallNotFound => "CALL_NOT_FOUND",
            Self::RateLimited => "RATE_LIMITED",
            Self::InvalidState => "INVALID_STATE",
            Self::Unauthorized => "UNAUTHORIZED",
            Self::KeyPinned => "KEY_PINNED",
            Self::Unavailable => "UNAVAILABLE",
        }
    }
}
