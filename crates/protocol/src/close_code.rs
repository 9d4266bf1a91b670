//! The WebSocket close codes that the server sends (RFC 6455 section 7.4).
//!
//! Clients in the field stop for good on 1000 and 4000–4099, and reconnect with backoff on
//! anything else. Which range a code is in is therefore part of its meaning.

/// Why the server closes a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CloseCode {
    /// 1000: the answer to a client's own normal close.
    Normal,
    /// 1002: the bytes are not WebSocket.
    Protocol,
    /// 1003: a binary message; the protocol is text.
    Unsupported,
    /// 1007: text that is not UTF-8.
    NotUtf8,
    /// 1009: a message over the size limit.
    TooBig,
    /// 1012: the server is draining; come back, to a new one.
    Draining,
    /// 1013: the client reads too slowly, or the server has too much to do; come back later.
    Overloaded,
    /// 4001: a newer connection registered the same id. Stay away.
    Superseded,
    /// 4101: no REGISTER within the register timeout.
    RegisterTimeout,
    /// 4102: the client was silent for the silence timeout.
    Silent,
}

impl CloseCode {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Normal,
        Self::Protocol,
        Self::Unsupported,
        Self::NotUtf8,
        Self::TooBig,
        Self::Draining,
        Self::Overloaded,
        Self::Superseded,
        Self::RegisterTimeout,
        Self::Silent,
    ];

    /// The number on the wire.
    pub const fn code(self) -> u16 {
        match self {
            Self::Normal => 1000,
            Self::Protocol => 1002,
            Self::Unsupported => 1003,
            Self::NotUtf8 => 1007,
            Self::TooBig => 1009,
            Self::Draining => 1012,
            Self::Overloaded => 1013,
            Self::Superseded => 4001,
            Self::RegisterTimeout => 4101,
            Self::Silent => 4102,
        }
    }

    /// A short text that goes with the code.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Normal => "",
            Self::Protocol => "not a valid WebSocket frame",
            Self::Unsupported => "messages are text",
            Self::NotUtf8 => "text is not UTF-8",
            Self::TooBig => "message too big",
            Self::Draining => "server is restarting",
            Self::Overloaded => "too slow a reader",
            Self::Superseded => "superseded by a newer registration",
            Self::RegisterTimeout => "no REGISTER in time",
            Self::Silent => "no heartbeat",
        }
    }
}
