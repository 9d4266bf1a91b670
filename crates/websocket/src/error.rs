//! Errors of the peer, and the close code for each.

use crate::close::{CloseReason, code};

/// A rule of RFC 6455 that the peer broke, or our limit that it passed.
///
/// The connection is to be failed: send [`close_reason`](Self::close_reason), then hang up, once
/// the peer's close frame is there or [`Decoder::is_finished`](crate::Decoder::is_finished).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// RSV1, RSV2 or RSV3 is set although no extension was negotiated.
    #[error("reserved bit set")]
    ReservedBit,
    /// The opcode is one of 3–7 or 11–15.
    #[error("reserved opcode {0}")]
    ReservedOpcode(u8),
    /// A frame from a client is not masked.
    #[error("unmasked frame from a client")]
    Unmasked,
    /// A frame from a server is masked.
    #[error("masked frame from a server")]
    Masked,
    /// A close, ping or pong frame is not final.
    #[error("fragmented control frame")]
    ControlFragmented,
    /// A close, ping or pong frame claims more than 125 bytes.
    #[error("control frame over 125 bytes")]
    ControlTooBig,
    /// A length is written in more bytes than it needs.
    #[error("length not in its shortest form")]
    LengthNotMinimal,
    /// A 64-bit length has its top bit set.
    #[error("length over 63 bits")]
    LengthOver63Bits,
    /// A continuation frame while no message is in progress.
    #[error("continuation without a message")]
    ContinuationWithoutMessage,
    /// A new message before the fragmented one in progress is complete.
    #[error("new message within a fragmented one")]
    MessageWithinMessage,
    /// The body of a close frame is one byte: half a code.
    #[error("half a close code")]
    CloseCodeCut,
    /// A close code that must not be sent (RFC 6455, section 7.4).
    #[error("invalid close code {0}")]
    CloseCodeInvalid(u16),
    /// The reason in a close frame is not UTF-8.
    #[error("close reason is not UTF-8")]
    CloseReasonNotUtf8,
    /// A text message is not UTF-8.
    #[error("text is not UTF-8")]
    TextNotUtf8,
    /// A message is, or claims to become, longer than our limit.
    #[error("message too big")]
    MessageTooBig,
}

impl ProtocolError {
    /// The close code for this error: 1002, 1007 or 1009.
    pub const fn close_code(self) -> u16 {
        match self {
            Self::TextNotUtf8 | Self::CloseReasonNotUtf8 => code::INVALID_PAYLOAD,
            Self::MessageTooBig => code::MESSAGE_TOO_BIG,
            _ => code::PROTOCOL_ERROR,
        }
    }

    /// Returns true if the frames behind the wrong one can still be found. After a broken header
    /// the start of the next frame is unknown, and after a broken close frame there is none.
    pub(crate) const fn keeps_framing(self) -> bool {
        matches!(
            self,
            Self::ContinuationWithoutMessage
                | Self::MessageWithinMessage
                | Self::TextNotUtf8
                | Self::MessageTooBig
        )
    }

    /// The reason to write in the close frame before hanging up.
    pub fn close_reason(self) -> CloseReason<'static> {
        CloseReason { code: self.close_code(), text: self.to_string().into() }
    }
}
