//! The type of a frame, and the end of the connection that decodes it.

/// The kind of a frame (RFC 6455, section 5.2); the seven other values are reserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Opcode {
    /// A further fragment of the message that an earlier frame began.
    Continuation = 0x0,
    /// A text message, or its first fragment.
    Text = 0x1,
    /// A binary message, or its first fragment.
    Binary = 0x2,
    /// The closing handshake.
    Close = 0x8,
    /// A question that a pong answers.
    Ping = 0x9,
    /// The answer to a ping, or an unasked-for sign of life.
    Pong = 0xA,
}

impl Opcode {
    /// The opcode with these four bits, unless they are reserved.
    #[inline]
    pub(crate) const fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            0x0 => Some(Self::Continuation),
            0x1 => Some(Self::Text),
            0x2 => Some(Self::Binary),
            0x8 => Some(Self::Close),
            0x9 => Some(Self::Ping),
            0xA => Some(Self::Pong),
            _ => None,
        }
    }

    /// Close, ping and pong: never fragmented, at most 125 bytes, allowed between fragments.
    #[inline]
    pub(crate) const fn is_control(self) -> bool {
        self as u8 & 0x8 != 0
    }
}

/// Which end of the connection the decoder works for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// We are the server: every frame that arrives must be masked.
    Server,
    /// We are the client: no frame that arrives may be masked.
    Client,
}
