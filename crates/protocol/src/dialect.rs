//! The two dialects of the protocol.

use crate::ServerMessage;

/// The dialect of a client, which it chooses when it registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Dialect {
    /// The documented types with the documented fields, and nothing else.
    #[default]
    One,
    /// `REGISTER {"protocol": 2}`: reasons, progress, numbered messages, resumption.
    Two,
}

impl Dialect {
    /// Returns true if a message may be sent in this dialect at all.
    pub const fn has(self, message: &ServerMessage<'_>) -> bool {
        match message {
            ServerMessage::CallInitiated { .. }
            | ServerMessage::CallRinging { .. }
            | ServerMessage::CallSignal { .. } => matches!(self, Self::Two),
            _ => true,
        }
    }
}
