//! Outputs: the results of a session's inputs, for its owner to carry out.

use std::fmt;

use securecall_protocol::{ClientId, Opaque, Reply};
use smallvec::SmallVec;

use crate::mail::{Mail, Outcome};

/// One thing to do. Outputs are carried out in order. `Debug` prints no text.
#[derive(Clone, PartialEq)]
pub enum Output<'a> {
    /// Send to the session's client.
    Send(Reply<'a>),
    /// Send a text to the session's client: a message that was kept.
    SendText(Box<str>),
    /// Hand to another client's session.
    Mail {
        /// The receiver.
        to: ClientId,
        /// The mail.
        mail: Mail<'a>,
        /// The `id` of the request that caused it, which an answer to its outcome repeats.
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

/// The outputs of one input: mostly one.
pub type Outputs<'a> = SmallVec<[Output<'a>; 1]>;

/// The outcome of a mail, and the outputs of its receiver.
#[derive(Debug, PartialEq)]
pub struct Receipt<'a> {
    /// For the sender.
    pub outcome: Outcome,
    /// To be carried out for the receiver.
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
