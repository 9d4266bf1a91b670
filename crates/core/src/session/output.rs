//! What a session wants done.

use std::fmt;

use securecall_protocol::{ClientId, Opaque, Reply};
use smallvec::SmallVec;

use crate::mail::{Mail, Outcome};

/// One thing to do. Outputs are carried out in order. `Debug` prints no text.
#[derive(Clone, PartialEq)]
pub enum Output<'a> {
    /// Send to the session's client.
    Send(Reply<'a>),
    /// Send to the session's client a message that has waited, as text.
    SendText(Box<str>),
    /// Hand to another client's session.
    Mail {
        /// Whose session.
        to: ClientId,
        /// What.
        mail: Mail<'a>,
        /// The `id` of the request that caused it, for an answer to what became of it.
        request_id: Option<Opaque<'a>>,
    },
}

impl fmt::Debug for Output<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Send(reply) => f.debug_tuple("Send").field(reply).finish(),
            Self::SendText(text) => write!(f, "SendText({} bytes)", text.len()),
            Self::Mail { mail, .. } => f.debug_tuple("Mail").field(&mail.content).finish(),
        }
    }
}

/// What one input leads to: mostly one thing.
pub type Outputs<'a> = SmallVec<[Output<'a>; 1]>;

/// What became of a mail, and what its receiver wants done.
#[derive(Debug, PartialEq)]
pub struct Receipt<'a> {
    /// To be told to the sender.
    pub outcome: Outcome,
    /// To be done by the receiver.
    pub outputs: Outputs<'a>,
}

impl<'a> Receipt<'a> {
    pub(super) fn delivered(output: Option<Output<'a>>) -> Self {
        Self { outcome: Outcome::Delivered, outputs: output.into_iter().collect() }
    }

    pub(super) fn refused(outcome: Outcome) -> Self {
        Self { outcome, outputs: Outputs::new() }
    }
}
