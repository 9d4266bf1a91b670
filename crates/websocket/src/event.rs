//! The events that a decoder yields.

use std::borrow::Cow;

use crate::{CloseReason, Opcode, ProtocolError};

/// A whole message or a control frame, unmasked and checked.
///
/// It borrows from the read buffer when its one frame was wholly there, and owns its bytes when
/// they came in pieces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<'b> {
    /// A text message.
    Text(Cow<'b, str>),
    /// A binary message.
    Binary(Cow<'b, [u8]>),
    /// A question, to be answered by a pong with the same payload.
    Ping(Cow<'b, [u8]>),
    /// The answer to a ping, or a sign of life.
    Pong(Cow<'b, [u8]>),
    /// The peer closes; `None` if its close frame has no code. The decoder is finished.
    Close(Option<CloseReason<'b>>),
    /// A frame that completes nothing: a fragment of a message that goes on, or a frame that is
    /// discarded after an error. There is nothing to do for it; it is an event so that a caller
    /// can count frames and stop between any two.
    Fragment,
}

impl<'b> Event<'b> {
    /// The event of a control frame.
    pub(crate) fn control(opcode: Opcode, payload: Cow<'b, [u8]>) -> Result<Self, ProtocolError> {
        match opcode {
            Opcode::Ping => Ok(Self::Ping(payload)),
            Opcode::Pong => Ok(Self::Pong(payload)),
            Opcode::Close => CloseReason::parse(payload).map(Self::Close),
            // Data frames do not come here; a continuation without a message is what is left.
            _ => Err(ProtocolError::ContinuationWithoutMessage),
        }
    }
}
